// The short form of `npm run sim`: a few thousand deaths of the whole scheduler on a disk that forgets.

import { expect, test } from 'vitest'
import { runSeed } from './plan.ts'
import { FAULTS, Tally } from './tally.ts'

const CRASH_POINTS = 2_000

test('two thousand crashes leave every promise kept', { timeout: 120_000 }, async () => {
  const tally = new Tally()
  for (let seed = 1; tally.crashPoints < CRASH_POINTS; seed++) {
    const result = await runSeed({ seed })
    tally.add(result)
    expect(result.findings, `npm run sim -- --seed ${seed}`).toEqual([])
  }
  expect(tally.crashPoints).toBeGreaterThanOrEqual(CRASH_POINTS)
  expect(tally.missing(FAULTS)).toEqual([])
})

test('a seed is the same story to the byte, however often it is told', async () => {
  for (const seed of [11, 12, 13, 14, 15]) {
    const first: string[] = []
    const second: string[] = []
    const once = await runSeed({ seed, log: line => first.push(line) })
    const again = await runSeed({ seed, log: line => second.push(line) })
    expect(second).toEqual(first)
    expect(again.hash).toBe(once.hash)
  }
})

test('a rotten bit in what was recorded stops the start with 78, and nothing is skipped', async () => {
  let refused = 0
  for (let seed = 1; seed <= 60; seed++) {
    const { findings, counts } = await runSeed({ seed, lives: 6, bitRot: true })
    expect(findings, `seed ${seed}`).toEqual([])
    refused += counts.damageRefused
  }
  expect(refused).toBeGreaterThan(30)
})
