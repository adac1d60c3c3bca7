// Expectations: each kind, held and not held, with the words of the failure.

import { describe, expect, test } from 'vitest'
import { HOUR_MS, parseInstant } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { checkExpectation, type Expectation } from './expectation.ts'

const FIRES = [
  '2026-03-28T01:30Z',
  '2026-03-29T01:00Z',
  '2026-03-30T00:30Z',
  '2026-03-31T00:30Z',
  '2026-03-31T22:30Z',
].map(parseInstant)
const check = (expected: Omit<Expectation, 'scheduleId'>) =>
  checkExpectation({ scheduleId: 's', ...expected }, FIRES, zoneOf('Europe/Berlin'))
const clock = (hours: number) => ({ kind: 'clock', ms: hours * HOUR_MS }) as const

describe('counts', () => {
  test.each([
    [{ exactly: 5 }, []],
    [{ exactly: 1 }, ['expected exactly 1 fire, got 5 fires']],
    [{ atLeast: 5, atMost: 5 }, []],
    [{ atLeast: 6 }, ['expected at least 6 fires, got 5 fires']],
    [
      { atLeast: 6, atMost: 4 },
      ['expected at least 6 fires, got 5 fires', 'expected at most 4 fires, got 5 fires'],
    ],
  ])('%j', (expected, failures) => {
    expect(check(expected)).toEqual(failures)
  })
})

test('slots that must be there', () => {
  expect(check({ slots: [FIRES[0]!, FIRES[1]!] })).toEqual([])
  expect(check({ slots: [FIRES[0]!, parseInstant('2026-03-29T01:30Z')] })).toEqual([
    'expected a fire at 2026-03-29T01:30Z, got none',
  ])
})

describe('never between', () => {
  test('clocks are those of the zone, through its changes', () => {
    // 02:30, then 03:00 after the gap, then 02:30 of summer time, twice; and 00:30.
    expect(check({ neverBetween: [clock(3.5), clock(24)] })).toEqual([])
    expect(check({ neverBetween: [clock(3), clock(4)] })).toEqual([
      'expected none between 03:00 and 04:00, got 2026-03-29T01:00Z',
    ])
    expect(check({ neverBetween: [clock(2), clock(3)] })).toEqual([
      'expected none between 02:00 and 03:00, got 2026-03-28T01:30Z, 2026-03-30T00:30Z, 2026-03-31T00:30Z',
    ])
  })

  test('across midnight; the end is not part of it', () => {
    expect(check({ neverBetween: [clock(22), clock(0.5)] })).toEqual([])
    expect(check({ neverBetween: [clock(22), clock(1)] })).toEqual([
      'expected none between 22:00 and 01:00, got 2026-03-31T22:30Z',
    ])
  })

  test('instants', () => {
    const at = (text: string) => ({ kind: 'instant', at: parseInstant(text) }) as const
    expect(check({ neverBetween: [at('2026-03-29T01:01Z'), at('2026-03-30T00:30Z')] })).toEqual([])
    expect(check({ neverBetween: [at('2026-03-29T01:00Z'), at('2026-04-30T00:30Z')] })).toEqual([
      'expected none between 2026-03-29T01:00Z and 2026-04-30T00:30Z, got 2026-03-29T01:00Z, 2026-03-30T00:30Z, 2026-03-31T00:30Z and 1 more',
    ])
  })
})
