import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBusinessDay } from './business-day.ts'
import { Calendar, type CalendarPlan } from './calendar.ts'
import { type Day, dayOf, FIRST_YEAR, LAST_YEAR, parseDay, type Weekday } from './day.ts'
import { readDays, recordDays } from './recorded-days.ts'
import { type HolidayRule, NEAREST_WEEKDAY, NEXT_MONDAY } from './rule.ts'

const day = (text: string): Day => parseDay(text)!

function calendarOf(changes: Partial<CalendarPlan>, includes: readonly Calendar[] = []): Calendar {
  const plan: CalendarPlan = {
    name: 'c',
    timezone: 'UTC',
    weekend: [6, 0],
    include: [],
    dates: [],
    rules: [],
    exclude: [],
    workdays: [],
    windows: [],
    hash: '',
    ...changes,
  }
  return new Calendar(plan, includes)
}

const weekday = fc.integer({ min: 0, max: 6 }) as fc.Arbitrary<Weekday>
const month = fc.integer({ min: 1, max: 12 })
const monthDay = fc.record({ month, day: fc.integer({ min: 1, max: 31 }) })
const rule: fc.Arbitrary<HolidayRule> = fc.record({
  name: fc.string(),
  on: fc.oneof(
    monthDay.map(each => ({ kind: 'date' as const, ...each })),
    fc.record({
      kind: fc.constant('nth' as const),
      nth: fc.constantFrom(-5, -1, 1, 2, 5),
      weekday,
      month,
    }),
    fc.record({
      kind: fc.constant('near' as const),
      weekday,
      month,
      day: fc.integer({ min: 1, max: 28 }),
      direction: fc.constantFrom('on_or_after' as const, 'on_or_before' as const),
    }),
    fc.record({
      kind: fc.constant('easter' as const),
      offset: fc.integer({ min: -80, max: 120 }),
      orthodox: fc.boolean(),
    }),
  ),
  observed: fc.constantFrom(undefined, NEAREST_WEEKDAY, NEXT_MONDAY),
  fromYear: fc.constantFrom(FIRST_YEAR, 2025),
  untilYear: fc.constantFrom(LAST_YEAR, 2026),
})
const span = fc
  .tuple(fc.integer({ min: day('2024-06-01'), max: day('2028-01-01') }), fc.nat(40))
  .map(([from, length]) => ({ from, to: from + length }))
const plan = fc.record({
  weekend: fc.uniqueArray(weekday, { maxLength: 6 }),
  rules: fc.array(rule, { maxLength: 8 }),
  dates: fc.array(
    span.map(each => ({ ...each, name: 'x' })),
    { maxLength: 4 },
  ),
  exclude: fc.array(span, { maxLength: 2 }),
  workdays: fc.array(
    span.map(({ from }) => ({ from, to: from })),
    { maxLength: 3 },
  ),
})

describe('recorded days', () => {
  test('are the same business days, through JSON', () => {
    fc.assert(
      fc.property(plan, plan, plan, (own, first, second) => {
        const inner = calendarOf(second)
        const calendar = calendarOf(own, [calendarOf(first, [inner]), inner])
        const { days, bytes } = recordDays(calendar)
        const text = JSON.stringify(days)
        const read = readDays('c', JSON.parse(text))
        for (let each = dayOf(2024, 12, 1); each < dayOf(2027, 2, 1); each++)
          expect(isBusinessDay(read, each)).toBe(isBusinessDay(calendar, each))
        expect(JSON.stringify(recordDays(read).days)).toBe(text)
        expect(Math.abs(bytes - text.length)).toBeLessThan(40)
      }),
      { numRuns: 150 },
    )
  })

  test('say the keys of a calendar file, and no names', () => {
    const calendar = calendarOf({
      description: 'x',
      dates: [
        { from: day('2026-12-28'), to: day('2026-12-31'), name: 'Shutdown' },
        { from: day('2026-12-24'), to: day('2026-12-24'), name: 'Eve' },
      ],
      rules: [
        {
          name: 'Christmas',
          on: { kind: 'date', month: 12, day: 25 },
          observed: NEXT_MONDAY,
          fromYear: 2020,
          untilYear: LAST_YEAR,
        },
        {
          name: 'Good Friday',
          on: { kind: 'easter', offset: -2, orthodox: false },
          observed: undefined,
          fromYear: FIRST_YEAR,
          untilYear: 2030,
        },
      ],
      workdays: [{ from: day('2026-10-10'), to: day('2026-10-10') }],
    })
    expect(recordDays(calendar).days).toEqual({
      weekend: ['SUN', 'SAT'],
      dates: ['2026-12-24', '2026-12-28/2026-12-31'],
      rules: [
        { day: '12-25', observed: { SUN: 'MON', SAT: 'MON' }, from_year: 2020 },
        { easter: -2, until_year: 2030 },
      ],
      workdays: ['2026-10-10'],
    })
  })

  test('spans in another order are the same text', () => {
    const [a, b, c] = [10, 12, 40].map(from => ({ from, to: from + 1, name: 'x' })) as never as [
      never,
      never,
      never,
    ]
    expect(recordDays(calendarOf({ dates: [c, b, a] })).days).toEqual({
      weekend: ['SUN', 'SAT'],
      dates: ['1970-01-11/1970-01-14', '1970-02-10/1970-02-11'],
    })
  })

  test('what is reached by very many ways is counted, not written out', () => {
    let layer = [calendarOf({}), calendarOf({})]
    for (let depth = 0; depth < 19; depth++) layer = [calendarOf({}, layer), calendarOf({}, layer)]
    expect(recordDays(layer[0]!).bytes).toBeGreaterThan(10_000_000)
  })

  test('what is no recorded day is refused', () => {
    expect(() => readDays('c', { dates: ['2026-02-30'] })).toThrow('the day "2026-02-30", which is none')
    expect(() => readDays('c', { weekend: ['SUNDAY' as never] })).toThrow('the weekday "SUNDAY"')
    expect(() => readDays('c', { rules: [{}] })).toThrow('a holiday without a day')
  })
})
