// What schedules do at the changes of 2026 and 2027, against the table of docs/guides/cron.md.

import { describe, expect, test } from 'vitest'
import { formatSlot, parseInstant } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { listClockChanges } from './clock-changes.ts'
import { compileCron } from './compile.ts'

function changes(expression: string, timezone: string, from: string, until: string) {
  return listClockChanges(
    compileCron(expression, timezone),
    compileCron(expression, 'UTC'),
    zoneOf(timezone),
    parseInstant(from),
    parseInstant(until),
  )
}
const effects = (expression: string, timezone = 'America/New_York', year = 2025) =>
  changes(expression, timezone, `${year}-01-01T00:00Z`, `${year + 1}-01-01T00:00Z`).map(
    change => change.effect,
  )

describe('New York 2025', () => {
  test.each([
    ['30 2 * * *', 'moved', 'untouched'],
    ['30 1 * * *', 'untouched', 'first_pass'],
    ['0 2,3 * * *', 'merged', 'untouched'],
    ['30 0-23 * * *', 'moved', 'first_pass'],
    ['30 * * * *', 'dropped', 'both_passes'],
    ['*/15 * * * *', 'merged', 'both_passes'],
    ['*/20 2 * * *', 'dropped', 'untouched'],
    ['@daily', 'untouched', 'untouched'],
    ['30 2 * * MON', 'untouched', 'untouched'],
    ['30 2 * * SUN', 'moved', 'untouched'],
  ])('%s: %s in the gap, %s in the repeated hour', (expression, gap, overlap) => {
    expect(effects(expression)).toEqual([gap, overlap])
  })

  test('the slots and the named times are given', () => {
    const [gap, overlap] = changes(
      '30 1,2 * * *',
      'America/New_York',
      '2025-01-01T00:00Z',
      '2026-01-01T00:00Z',
    )
    expect(gap).toMatchObject({ kind: 'gap', effect: 'moved' })
    expect(gap!.slots.map(formatSlot)).toEqual(['2025-03-09T07:00Z'])
    expect(gap!.named).toEqual([Date.UTC(2025, 2, 9, 2, 30)])
    expect(overlap).toMatchObject({ kind: 'overlap', effect: 'first_pass' })
    expect(overlap!.slots.map(formatSlot)).toEqual(['2025-11-02T05:30Z'])
  })
})

test('half an hour (Lord Howe), a gap at midnight (Cairo), no change at all (Kolkata), a skipped day (Apia 2011)', () => {
  expect(effects('15 2 * * *', 'Australia/Lord_Howe', 2026)).toEqual(['untouched', 'moved'])
  expect(effects('45 1 * * *', 'Australia/Lord_Howe', 2026)).toEqual(['first_pass', 'untouched'])
  expect(effects('@daily', 'Africa/Cairo', 2026)).toEqual(['moved', 'untouched'])
  expect(effects('@daily', 'Asia/Kolkata', 2026)).toEqual([])
  const [skipped] = changes('0 6 30 12 *', 'Pacific/Apia', '2011-12-01T00:00Z', '2012-01-15T00:00Z')
  expect(skipped).toMatchObject({ kind: 'gap', effect: 'dropped', slots: [] })
})

test('a schedule of seconds names thousands of times in an hour', () => {
  const [gap, overlap] = changes('*/10 * * * * *', 'Europe/Berlin', '2026-01-01T00:00Z', '2027-01-01T00:00Z')
  expect(gap).toMatchObject({ effect: 'merged', isLong: false })
  expect(gap!.named).toHaveLength(360)
  expect(overlap!.effect).toBe('both_passes')
  expect(overlap!.slots).toHaveLength(720)
})
