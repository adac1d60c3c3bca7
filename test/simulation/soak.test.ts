// The short form of `npm run soak`: weeks of some hundred schedules, with everything that happens in the year.

import { expect, test } from 'vitest'
import { Soak } from './soak.ts'
import { FAULTS, REASONS } from './soak-tally.ts'

test('weeks on the virtual clock: each slot has its one disposition, and everything has happened', {
  timeout: 60_000,
}, () => {
  const unseen = new Set([...REASONS, ...FAULTS])
  let slots = 0
  // Two stories, and further ones only for what is rare.
  for (let seed = 1; seed <= 2 || (unseen.size > 0 && seed <= 8); seed++) {
    const report = new Soak({ seed, schedules: 120, days: 12, mishapsPerDay: 50 }).run()
    const again = `npm run soak -- --seed ${seed} --schedules 120 --days 12 --mishaps-per-day 50`
    expect(report.findings, again).toEqual([])
    for (const seen of unseen) if (!report.missing.includes(seen)) unseen.delete(seen)
    slots += report.slots
  }
  expect([...unseen]).toEqual([])
  expect(slots).toBeGreaterThan(30_000)
})

test('a seed is the same story however often it is told', { timeout: 60_000 }, () => {
  const tell = () => new Soak({ seed: 4, schedules: 40, days: 4, mishapsPerDay: 40 }).run()
  const { hash, events } = tell()
  expect(tell()).toMatchObject({ findings: [], hash, events })
})
