import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DagbokError } from '../error.ts'
import { readInstant } from './read-instant.ts'
import { zoneOf } from './zone.ts'

const read = (text: string, zone = 'Europe/Berlin') => new Date(readInstant(text, zoneOf(zone))).toISOString()

test.each([
  ['2026-12-24', '2026-12-23T23:00:00.000Z'],
  ['2026-12-24 18:00', '2026-12-24T17:00:00.000Z'],
  ['2026-12-24T18:00:30', '2026-12-24T17:00:30.000Z'],
  ['2026-07-01 18:00', '2026-07-01T16:00:00.000Z'],
  ['2026-12-24T18:00Z', '2026-12-24T18:00:00.000Z'],
  ['2026-12-24T18:00:00.000Z', '2026-12-24T18:00:00.000Z'],
  ['2026-12-24 18:00 +05:30', '2026-12-24T12:30:00.000Z'],
  ['2024-02-29', '2024-02-28T23:00:00.000Z'],
  // Skipped: the first instant after the gap. Repeated: the first pass.
  ['2026-03-29 02:30', '2026-03-29T01:00:00.000Z'],
  ['2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
])('%s in Berlin is %s', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test('a day that a zone left out is its first instant after the gap', () => {
  expect(read('2011-12-30 12:00', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z')
})

test.each([
  '',
  'soon',
  '2026-02-30',
  '2026-13-01',
  '2026-12-24 24:00',
  '2026-12-24 18:60',
  '24.12.2026',
  '2026-12-24Z',
])('%j is refused with a remedy', text => {
  expect(() => readInstant(text, zoneOf('UTC'))).toThrow(DagbokError)
  expect(() => readInstant(text, zoneOf('UTC'))).toThrow(/is no date or time/)
})

test('what an instant looks like on the wall is read as that instant, but for the second pass of a repeated hour', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
  )
  const start = Date.UTC(2025, 0, 1)
  fc.assert(
    fc.property(zones, fc.integer({ min: 0, max: 730 * 1440 }), (name, minute) => {
      const zone = zoneOf(name)
      const instant = start + minute * 60_000
      const wall = new Date(instant + zone.offsetAt(instant)).toISOString().slice(0, 19)
      const found = readInstant(wall, zone)
      expect(found).toBeLessThanOrEqual(instant)
      if (found !== instant) expect(found + zone.offsetAt(found)).toBe(instant + zone.offsetAt(instant))
    }),
  )
})
