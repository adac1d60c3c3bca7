import { describe, expect, it } from 'vitest'
import { formatSlot } from '../time/instant.ts'
import { compileCron } from './compile.ts'
import { hashOf } from './hash.ts'

describe('the hash behind H', () => {
  // Computed once, by another program. If one of these fails, every schedule with an H is about to move: do not.
  const golden: [seed: string, field: string, hash: number][] = [
    ['', 'minute', 4_170_452_648],
    ['heartbeat', 'second', 1_010_805_110],
    ['heartbeat', 'minute', 1_903_626_172],
    ['heartbeat', 'hour', 1_571_724_669],
    ['heartbeat', 'day of month', 3_403_240_824],
    ['heartbeat', 'month', 1_296_192_916],
    ['heartbeat', 'weekday', 3_480_443_970],
    ['weekly_ops_chain', 'minute', 1_552_197_763],
    ['weekly_ops_chain', 'hour', 2_452_205_356],
    ['tägliche-übersicht', 'minute', 3_752_513_642],
    ['日次', 'minute', 1_848_845_381],
  ]
  it.each(golden)('of %j and %s never changes', (seed, field, hash) => {
    expect(hashOf(seed, field)).toBe(hash)
  })

  it('keeps the slots of a schedule where they are', () => {
    const slot = (cron: string): string =>
      formatSlot(compileCron(cron, 'UTC', { hashSeed: 'heartbeat' }).next(Date.UTC(2026, 0, 1))!)
    expect(['H H * * *', 'H/15 * * * *', 'H H H * *', 'H H * * H', 'H H(0-7) * * *'].map(slot)).toEqual([
      '2026-01-01T21:52Z',
      '2026-01-01T00:07Z',
      '2026-01-05T21:52Z',
      '2026-01-07T21:52Z',
      '2026-01-01T05:52Z',
    ])
  })

  it('spreads what is used of it, a remainder, evenly for names that differ in little', () => {
    for (const size of [60, 24, 28, 12, 7, 15]) {
      const counts = Array.from({ length: size }, () => 0)
      for (let index = 0; index < size * 1000; index++) counts[hashOf(`job-${index}`, 'minute') % size]!++
      // 1,000 each, give or take five standard deviations.
      expect(Math.max(...counts)).toBeLessThan(1160)
      expect(Math.min(...counts)).toBeGreaterThan(840)
    }
  })
})
