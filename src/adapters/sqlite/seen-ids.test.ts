// "Not seen" is always true; "seen" is wrong no more often than promised.

import { expect, test } from 'vitest'
import { createSeenIds } from './seen-ids.ts'

test('what was added may be there, what was not hardly ever', () => {
  const seen = createSeenIds()
  const idOf = (n: number) => `nightly_${n % 7}@${new Date(1.7e12 + n * 60_000).toISOString().slice(0, 16)}Z`
  const count = 100_000
  for (let n = 0; n < count; n++) seen.add(idOf(n))
  let wrong = 0
  for (let n = 0; n < count; n++) {
    expect(seen.mayHave(idOf(n))).toBe(true)
    if (seen.mayHave(idOf(count + n))) wrong++
  }
  // 100,000 of 33 million bits are set: 3 in 1,000, and what the hash function adds.
  expect(wrong / count).toBeLessThan(0.01)
  expect(createSeenIds().mayHave('')).toBe(false)
})
