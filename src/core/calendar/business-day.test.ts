import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  explainDay,
  isBusinessDay,
  isFirstBusinessDayOfMonth,
  isLastBusinessDayOfMonth,
  nextBusinessDay,
  nthBusinessDayOfMonth,
  previousBusinessDay,
  ROLLS,
  roll,
} from './business-day.ts'
import { type Calendar, type CalendarPlan, compileCalendars } from './calendar.ts'
import { civilOf, type Day, formatDay, parseDay, type Weekday } from './day.ts'

const day = (text: string): Day => parseDay(text)!

function calendarOf(changes: Partial<CalendarPlan> = {}): Calendar {
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
    hash: 'h',
    ...changes,
  }
  return compileCalendars([plan]).get('c')!
}

const named = (from: string, to = from) => ({ from: day(from), to: day(to), name: 'x' })

describe('business days', () => {
  const calendar = calendarOf({
    dates: [named('2026-12-25'), named('2026-12-28', '2026-12-31'), named('2027-01-01')],
    workdays: [{ from: day('2026-10-10'), to: day('2026-10-10') }],
  })

  it('are neither weekend nor holiday, or named', () => {
    const dates = ['2026-12-24', '2026-12-25', '2026-12-26', '2026-10-10', '2026-10-11']
    expect(dates.map(date => explainDay(calendar, day(date)))).toEqual([
      { date: '2026-12-24', business: true, because: 'weekday' },
      { date: '2026-12-25', business: false, because: 'holiday', name: 'x' },
      { date: '2026-12-26', business: false, because: 'weekend' },
      { date: '2026-10-10', business: true, because: 'workday' },
      { date: '2026-10-11', business: false, because: 'weekend' },
    ])
    for (const date of dates)
      expect(isBusinessDay(calendar, day(date))).toBe(explainDay(calendar, day(date)).business)
  })

  it('follow each other over weekends, holidays and years', () => {
    expect(formatDay(nextBusinessDay(calendar, day('2026-12-24'))!)).toBe('2027-01-04')
    expect(formatDay(previousBusinessDay(calendar, day('2027-01-04'))!)).toBe('2026-12-24')
  })

  it('are counted in a month from either end', () => {
    const nth = (count: number) => {
      const found = nthBusinessDayOfMonth(calendar, 2026, 12, count)
      return found === undefined ? undefined : formatDay(found)
    }
    expect([1, 3, 18, 19].map(nth)).toEqual(['2026-12-01', '2026-12-03', '2026-12-24', undefined])
    expect([-1, -2, -18, -19, 0].map(nth)).toEqual([
      '2026-12-24',
      '2026-12-23',
      '2026-12-01',
      undefined,
      undefined,
    ])
    expect(isLastBusinessDayOfMonth(calendar, day('2026-12-24'))).toBe(true)
    expect(isLastBusinessDayOfMonth(calendar, day('2026-12-31'))).toBe(false)
    expect(isFirstBusinessDayOfMonth(calendar, day('2026-08-03'))).toBe(true)
    expect(isFirstBusinessDayOfMonth(calendar, day('2026-08-01'))).toBe(false)
  })

  it('have an end where there are none', () => {
    const closed = calendarOf({ dates: [named('2020-01-01', '2099-12-31')] })
    expect(nextBusinessDay(closed, day('2026-01-01'))).toBeUndefined()
    expect(previousBusinessDay(closed, day('2026-01-01'))).toBeUndefined()
    for (const convention of ROLLS.slice(1))
      expect(roll(closed, day('2026-01-01'), convention)).toBeUndefined()
    expect(roll(closed, day('2026-01-01'), 'none')).toBe(day('2026-01-01'))
  })
})

describe('roll', () => {
  // Known from the textbooks: Saturday, 31 October 2026 and Sunday, 1 November 2026.
  it.each([
    ['2026-10-31', '2026-11-02', '2026-10-30', '2026-10-30', '2026-10-30'],
    ['2026-11-01', '2026-11-02', '2026-10-30', '2026-11-02', '2026-11-02'],
    ['2026-11-07', '2026-11-09', '2026-11-06', '2026-11-09', '2026-11-06'],
    ['2026-11-10', '2026-11-10', '2026-11-10', '2026-11-10', '2026-11-10'],
  ])('%s', (date, following, preceding, modifiedFollowing, modifiedPreceding) => {
    const calendar = calendarOf()
    expect(ROLLS.map(convention => formatDay(roll(calendar, day(date), convention)!))).toEqual([
      date,
      following,
      preceding,
      modifiedFollowing,
      modifiedPreceding,
    ])
  })

  const calendars = fc
    .record({
      weekend: fc.uniqueArray(fc.integer({ min: 0, max: 6 }) as fc.Arbitrary<Weekday>, { maxLength: 6 }),
      holidays: fc.array(fc.record({ from: fc.integer({ min: 0, max: 400 }), length: fc.nat(45) }), {
        maxLength: 12,
      }),
      workdays: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 }),
    })
    .map(({ weekend, holidays, workdays }) =>
      calendarOf({
        weekend,
        dates: holidays.map(({ from, length }) => ({ from, to: from + length, name: 'x' })),
        workdays: workdays.map(each => ({ from: each, to: each })),
      }),
    )

  it('lands on a business day or nowhere, the same again, near, and in the month where it must', () => {
    fc.assert(
      fc.property(calendars, fc.integer({ min: 0, max: 400 }), (calendar, from) => {
        for (const convention of ROLLS.slice(1)) {
          const to = roll(calendar, from, convention)
          const { year, month: ofYear } = civilOf(from)
          if (to === undefined) {
            if (convention.startsWith('modified'))
              expect(nthBusinessDayOfMonth(calendar, year, ofYear, 1)).toBeUndefined()
            continue
          }
          expect(isBusinessDay(calendar, to)).toBe(true)
          expect(roll(calendar, to, convention)).toBe(to)
          if (convention === 'following') expect(to).toBeGreaterThanOrEqual(from)
          if (convention === 'preceding') expect(to).toBeLessThanOrEqual(from)
          if (convention.startsWith('modified')) expect(civilOf(to)).toMatchObject({ year, month: ofYear })
          const [low, high] = [Math.min(from, to), Math.max(from, to)]
          if (!convention.startsWith('modified') && from !== to)
            for (let other = low; other <= high; other++)
              expect(other === to || !isBusinessDay(calendar, other)).toBe(true)
        }
      }),
    )
  })

  it('next and previous undo each other from business days', () => {
    fc.assert(
      fc.property(calendars, fc.integer({ min: 0, max: 400 }), (calendar, from) => {
        const start = roll(calendar, from, 'following')
        const next = start === undefined ? undefined : nextBusinessDay(calendar, start)
        if (next === undefined) return
        expect(previousBusinessDay(calendar, next)).toBe(start)
      }),
    )
  })
})
