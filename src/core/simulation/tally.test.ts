// What the events of a simulation come to, on a day that can be counted by hand.

import { expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { formatSlot, HOUR_MS } from '../time/instant.ts'
import { simulate } from './simulate.ts'
import { SimulationTally } from './tally.ts'

function tallyOf(runMs: number, maxParallel = 3) {
  const definitions = definitionsOf(
    [aDag('d', { a: [] })],
    [
      aSchedule('quarter', '*/15 * * * *', 'd'),
      aSchedule('hourly', '0 * * * *', 'd', { overlap: 'queue' }),
      aSchedule('never', '0 0 29 2 *', 'd'),
    ],
  )
  const from = Date.UTC(2026, 0, 5, 6, 10)
  const tally = new SimulationTally(definitions.schedules.keys(), ['hourly'])
  const limits = { maxParallel, maxTasks: 16 }
  for (const event of simulate(definitions, {
    from,
    until: from + 2 * HOUR_MS,
    limits,
    durationOf: () => runMs,
  }))
    tally.add(event)
  tally.finish()
  return tally
}

test('fires, skips, first and last slot, slots that were asked for', () => {
  const tally = tallyOf(20 * 60_000)
  expect(tally.schedules.get('quarter')).toMatchObject({
    fires: 4,
    skipped: 4,
    missed: 0,
    first: '2026-01-05T06:15Z',
    last: '2026-01-05T07:45Z',
  })
  expect([...tally.schedules.get('quarter')!.reasons]).toEqual([['overlap', 4]])
  expect(tally.schedules.get('never')).toMatchObject({ fires: 0, first: undefined, last: undefined })
  expect(tally.slots.get('hourly')!.map(formatSlot)).toEqual(['2026-01-05T07:00Z', '2026-01-05T08:00Z'])
  expect(tally.slots.has('quarter')).toBe(false)
  expect(tally.fires).toBe(6)
})

test('the fullest minutes, runs at once, waiting for room', () => {
  const free = tallyOf(10 * 60_000)
  expect(free.peakMinutes[0]).toEqual({ count: 2, at: Date.UTC(2026, 0, 5, 7) })
  expect(free.peakRuns).toEqual({ count: 2, at: Date.UTC(2026, 0, 5, 7) })
  expect(free.peakWaiting).toBeUndefined()
  const narrow = tallyOf(10 * 60_000, 1)
  expect(narrow.peakRuns?.count).toBe(1)
  const waits = [...narrow.schedules.values()].map(({ longestWaitMs }) => longestWaitMs)
  expect(Math.max(...waits)).toBe(10 * 60_000)
})

test('what is under way when the span ends is unfinished', () => {
  expect(tallyOf(10 * 60_000).unfinished).toBe(2)
  expect(tallyOf(1_000).unfinished).toBe(0)
})

test('a replaced run and one that was given up are cancelled; only what started was ever under way', () => {
  const definitions = definitionsOf(
    [aDag('d', { a: [] })],
    [
      aSchedule('replaces', '*/10 * * * *', 'd', { overlap: 'replace' }),
      aSchedule('late', '*/10 * * * *', 'd', { overlap: 'queue', startingDeadlineMs: 60_000 }),
    ],
  )
  const from = Date.UTC(2026, 0, 5, 6)
  const tally = new SimulationTally(definitions.schedules.keys())
  const limits = { maxParallel: 2, maxTasks: 16 }
  const span = { from, until: from + HOUR_MS, limits, durationOf: () => 15 * 60_000 }
  for (const event of simulate(definitions, span)) tally.add(event)
  tally.finish()
  expect(tally.schedules.get('replaces')).toMatchObject({ fires: 6, cancelled: 5 })
  expect(tally.schedules.get('late')).toMatchObject({ fires: 6, cancelled: 3 })
  expect(tally.peakRuns?.count).toBe(2)
  // The one of 06:50 that replaced another; nothing of `late` runs on the hour.
  expect(tally.unfinished).toBe(1)
})
