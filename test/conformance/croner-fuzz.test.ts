// The short form of `npm run fuzz:cron`: some thousand triples, always the same, and the proof that the comparison sees.

import { describe, expect, it } from 'vitest'
import { describeTriple, EXPLANATIONS, fuzzAgainstCroner } from './croner-fuzz.ts'

describe('our slots against those of croner', () => {
  const result = fuzzAgainstCroner(3, 30_000)

  it('are the same, but for what is explained', () => {
    expect(result.findings.map(describeTriple)).toEqual([])
    expect(result.triples).toBe(30_000)
  })

  it('are compared near changes of the clock, and where croner has a rule of its own', () => {
    expect(result.nearChange).toBeGreaterThan(10_000)
    for (const { name } of EXPLANATIONS) expect(result.explained[name], name).toBeGreaterThan(0)
    const explained = Object.values(result.explained).reduce((sum, count) => sum + count)
    expect(explained).toBeLessThan(result.triples / 100)
  })

  it.each(['skip', 'both'] as const)('would be seen to differ if ours followed dst: %s', dst => {
    expect(fuzzAgainstCroner(3, 10_000, 1000, dst).findings.length).toBeGreaterThan(10)
  })

  it('tell of a difference in words that can be asked again', () => {
    const after = Date.UTC(2026, 2, 29)
    const triple = { expression: '30 2 * * *', zone: 'Europe/Berlin', after, ours: undefined, theirs: after }
    expect(describeTriple(triple)).toBe(
      '"30 2 * * *" in Europe/Berlin after 2026-03-29T00:00:00.000Z: ours never, croner 2026-03-29T00:00:00.000Z',
    )
  })
})
