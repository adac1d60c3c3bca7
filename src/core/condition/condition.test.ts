import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import { type CalendarPlan, compileCalendars } from '../calendar/calendar.ts'
import { dayOf } from '../calendar/day.ts'
import { zoneOf } from '../time/zone.ts'
import { type Condition, calendarsOf, evaluate, refuseSlot } from './condition.ts'

const christmas = dayOf(2026, 12, 25)
const OFFICE: CalendarPlan = {
  name: 'office',
  timezone: 'Europe/Berlin',
  weekend: [6, 0],
  include: [],
  dates: [{ from: christmas, to: christmas, name: 'Christmas' }],
  rules: [],
  exclude: [],
  workdays: [],
  windows: [
    {
      kind: 'once',
      name: 'year-end freeze',
      from: Date.parse('2026-12-28T18:00Z'),
      to: Date.parse('2027-01-02T06:00Z'),
    },
  ],
  hash: 'h',
} as CalendarPlan
const CALENDARS = compileCalendars([OFFICE])
const BUSINESS: Condition = { kind: 'calendar', calendar: 'office', day: 'business_day' }
const at = (condition: Condition, slot: string) =>
  evaluate(condition, Date.parse(slot), { zone: zoneOf('Europe/Berlin'), calendars: CALENDARS })

describe('a condition', () => {
  test.each<[string, Condition, boolean]>([
    ['2026-12-24T12:00Z', BUSINESS, true],
    ['2026-12-25T12:00Z', BUSINESS, false],
    ['2026-12-26T12:00Z', BUSINESS, false],
    // The day of the schedule's wall clock: 23:30 on the 24th in UTC is the 25th in Berlin.
    ['2026-12-24T23:30Z', BUSINESS, false],
    ['2026-12-25T12:00Z', { kind: 'calendar', calendar: 'office', day: 'holiday' }, true],
    ['2026-12-26T12:00Z', { kind: 'calendar', calendar: 'office', day: 'weekend' }, true],
    ['2026-12-01T12:00Z', { kind: 'calendar', calendar: 'office', day: 'first_business_day' }, true],
    ['2026-12-31T12:00Z', { kind: 'calendar', calendar: 'office', day: 'last_business_day' }, true],
    ['2026-12-30T12:00Z', { kind: 'calendar', calendar: 'office', day: 'last_business_day' }, false],
    ['2026-12-03T12:00Z', { kind: 'nth_business_day', calendar: 'office', nth: 3 }, true],
    ['2026-12-30T12:00Z', { kind: 'nth_business_day', calendar: 'office', nth: -2 }, true],
    ['2026-12-28T17:59Z', { kind: 'blackout', calendar: 'office' }, true],
    ['2026-12-28T18:00Z', { kind: 'blackout', calendar: 'office' }, false],
    ['2026-12-25T12:00Z', { kind: 'not', of: BUSINESS }, true],
    ['2026-12-25T12:00Z', { kind: 'any', of: [BUSINESS, { kind: 'not', of: BUSINESS }] }, true],
    ['2026-12-25T12:00Z', { kind: 'all', of: [BUSINESS, { kind: 'not', of: BUSINESS }] }, false],
  ])('at %s: %j is %s', (slot, condition, holds) => {
    expect(at(condition, slot).holds).toBe(holds)
  })

  test('says what it saw, in every part', () => {
    expect(
      at({ kind: 'any', of: [BUSINESS, { kind: 'blackout', calendar: 'office' }] }, '2026-12-25T12:00Z'),
    ).toEqual({
      any: [
        {
          calendar: 'office',
          day: 'business_day',
          date: '2026-12-25',
          because: 'holiday',
          name: 'Christmas',
          holds: false,
        },
        { blackout: 'office', holds: true },
      ],
      holds: true,
    })
  })

  test('names the calendars that it asks', () => {
    expect(
      calendarsOf({ kind: 'any', of: [BUSINESS, { kind: 'not', of: { kind: 'blackout', calendar: 'b' } }] }),
    ).toEqual(['office', 'b'])
  })
})

test('the reason is that of the first condition that does not hold; the terms are of all', () => {
  const refuse = (...conditions: Condition[]) =>
    refuseSlot(conditions, Date.parse('2026-12-29T12:00Z'), { zone: zoneOf('UTC'), calendars: CALENDARS })
  const freeze: Condition = { kind: 'blackout', calendar: 'office' }
  expect(refuse(BUSINESS)).toBeUndefined()
  expect(refuse(BUSINESS, freeze)).toMatchObject({
    reason: 'blackout',
    terms: [{ holds: true }, { holds: false }],
  })
  expect(refuse({ kind: 'not', of: BUSINESS })).toMatchObject({ reason: 'calendar' })
  expect(refuse({ kind: 'all', of: [BUSINESS, freeze] })).toMatchObject({ reason: 'condition' })
})

test('the planner skips what a condition refuses, and catches up the latest of what it does not', () => {
  const dag = aDag('work', { only: [] })
  const schedule = aSchedule('daily', '0 6 * * *', 'work', { conditions: [BUSINESS], overlap: 'allow' })
  const definitions = { ...definitionsOf([dag], [schedule]), calendars: CALENDARS }
  const world = new DeciderWorld(definitions, '2026-12-24T05:00:00Z').boot()
  world.tickAt('2026-12-24T06:00:00Z')
  world.tickAt('2026-12-25T06:00:00Z')
  // Down from Friday to Monday evening, within the window of a day and a half.
  world.tickAt('2026-12-28T20:00:00Z')
  expect(
    tell(world.events.filter(({ event }) => /^schedule_(?:enqueued|skipped|missed)$/.test(event))),
  ).toEqual([
    'schedule_enqueued 2026-12-24T06:00Z due',
    'schedule_skipped 2026-12-25T06:00Z calendar',
    'schedule_skipped 2026-12-26T06:00Z calendar',
    'schedule_skipped 2026-12-27T06:00Z calendar',
    'schedule_enqueued 2026-12-28T06:00Z catchup',
  ])
  expect(world.events.find(({ event }) => event === 'schedule_skipped')).toMatchObject({
    inputs: { conditions: [{ because: 'holiday', name: 'Christmas', holds: false }] },
  })
})
