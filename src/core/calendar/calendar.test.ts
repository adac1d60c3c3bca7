import { describe, expect, it } from 'vitest'
import {
  type Calendar,
  type CalendarPlan,
  compileCalendars,
  isHoliday,
  listHolidays,
  type NamedSpan,
} from './calendar.ts'
import { formatDay, parseDay } from './day.ts'
import { type HolidayRule, NEAREST_WEEKDAY, NEXT_MONDAY, type Observed, type RuleDay } from './rule.ts'

const span = (from: string, to = from, name = 'x'): NamedSpan => ({
  from: parseDay(from)!,
  to: parseDay(to)!,
  name,
})

function rule(name: string, on: RuleDay, observed?: Observed, years?: [number, number]): HolidayRule {
  const [fromYear, untilYear] = years ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return { name, on, observed, fromYear, untilYear }
}

const onDate = (month: number, day: number): RuleDay => ({ kind: 'date', month, day })

function plan(changes: Partial<CalendarPlan> = {}): CalendarPlan {
  return {
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
}

function calendarOf(changes: Partial<CalendarPlan>, ...others: CalendarPlan[]): Calendar {
  return compileCalendars([plan(changes), ...others]).get('c')!
}

function tell(calendar: Calendar, year: number): string[] {
  const found = listHolidays(calendar, parseDay(`${year}-01-01`)!, parseDay(`${year}-12-31`)!)
  return [...found].map(({ day, name }) => `${formatDay(day).slice(5)} ${name}`)
}

describe('rules', () => {
  it('a date, but not where it does not exist', () => {
    const leap = calendarOf({ rules: [rule('leap', onDate(2, 29))] })
    expect([2023, 2024, 2100].map(year => tell(leap, year))).toEqual([[], ['02-29 leap'], []])
  })

  it('the nth weekday, from either end, but not where there is none', () => {
    const calendar = calendarOf({
      rules: [
        rule('first', { kind: 'nth', nth: 1, weekday: 1, month: 6 }),
        rule('fifth', { kind: 'nth', nth: 5, weekday: 1, month: 6 }),
        rule('last', { kind: 'nth', nth: -1, weekday: 1, month: 6 }),
        rule('fifth from the end', { kind: 'nth', nth: -5, weekday: 1, month: 6 }),
      ],
    })
    expect(tell(calendar, 2026)).toEqual([
      '06-01 first',
      '06-01 fifth from the end',
      '06-29 fifth',
      '06-29 last',
    ])
    expect(tell(calendar, 2027)).toEqual(['06-07 first', '06-28 last'])
  })

  it('a weekday on or after, on or before a date', () => {
    const near = (direction: 'on_or_after' | 'on_or_before', month: number, day: number, weekday: 1 | 6) =>
      rule(direction, { kind: 'near', weekday, month, day, direction })
    const calendar = calendarOf({
      rules: [near('on_or_before', 5, 24, 1), near('on_or_after', 6, 20, 6)],
    })
    // Victoria Day, and midsummer in Sweden.
    expect(tell(calendar, 2026)).toEqual(['05-18 on_or_before', '06-20 on_or_after'])
    expect(tell(calendar, 2027)).toEqual(['05-24 on_or_before', '06-26 on_or_after'])
  })

  it('days around Easter, western and orthodox', () => {
    const calendar = calendarOf({
      rules: [
        rule('Good Friday', { kind: 'easter', offset: -2, orthodox: false }),
        rule('Megali Paraskevi', { kind: 'easter', offset: -2, orthodox: true }),
      ],
    })
    expect(tell(calendar, 2026)).toEqual(['04-03 Good Friday', '04-10 Megali Paraskevi'])
  })

  it('only in their years', () => {
    const calendar = calendarOf({ rules: [rule('x', onDate(6, 19), undefined, [2021, 2022])] })
    expect([2020, 2021, 2022, 2023].map(year => tell(calendar, year).length)).toEqual([0, 1, 1, 0])
  })
})

describe('observed', () => {
  it('the nearest weekday, also across the end of the year', () => {
    const calendar = calendarOf({
      rules: [rule('New Year', onDate(1, 1), NEAREST_WEEKDAY), rule('Fourth', onDate(7, 4), NEAREST_WEEKDAY)],
    })
    expect(tell(calendar, 2027)).toEqual([
      '01-01 New Year',
      '07-04 Fourth',
      '07-05 Fourth (observed)',
      '12-31 New Year (observed)',
    ])
    expect(tell(calendar, 2028)).toEqual(['01-01 New Year', '07-04 Fourth'])
  })

  it('the next day that is neither weekend nor holiday', () => {
    const calendar = calendarOf({
      rules: [rule('Christmas', onDate(12, 25), NEXT_MONDAY), rule('Boxing', onDate(12, 26), NEXT_MONDAY)],
    })
    expect(tell(calendar, 2021)).toEqual([
      '12-25 Christmas',
      '12-26 Boxing',
      '12-27 Christmas (observed)',
      '12-28 Boxing (observed)',
    ])
    expect(tell(calendar, 2022)).toEqual(['12-25 Christmas', '12-26 Boxing', '12-27 Christmas (observed)'])
    expect(tell(calendar, 2026)).toEqual(['12-25 Christmas', '12-26 Boxing', '12-28 Boxing (observed)'])
  })

  it('leaves its own day if that is no weekend day', () => {
    // Argentina: Tuesday and Wednesday go to the Monday before.
    const bridge: Observed = [undefined, undefined, 1, 1, undefined, undefined, undefined]
    const calendar = calendarOf({ rules: [rule('x', onDate(6, 17), bridge)] })
    expect(tell(calendar, 2026)).toEqual(['06-15 x (observed)'])
    expect(tell(calendar, 2027)).toEqual(['06-17 x'])
  })

  it('looks past holidays of included calendars and dates', () => {
    const calendar = calendarOf(
      {
        rules: [rule('x', onDate(7, 4), NEXT_MONDAY)],
        include: ['other'],
        dates: [span('2026-07-07', '2026-07-08')],
      },
      plan({ name: 'other', dates: [span('2026-07-06')] }),
    )
    expect(tell(calendar, 2026)).toContain('07-09 x (observed)')
  })

  it('gives up where nothing is free', () => {
    const calendar = calendarOf({
      rules: [rule('x', onDate(7, 4), NEXT_MONDAY)],
      dates: [span('2026-07-01', '2026-12-31', 'closed')],
    })
    expect(tell(calendar, 2026).filter(line => line.includes('x'))).toEqual(['07-04 x'])
  })
})

describe('what is taken away and added', () => {
  it('an excluded day is no holiday, and its substitute goes with it', () => {
    const rules = [rule('Fourth', onDate(7, 4), NEAREST_WEEKDAY)]
    expect(tell(calendarOf({ rules, exclude: [span('2026-07-04')] }), 2026)).toEqual([])
    expect(tell(calendarOf({ rules, exclude: [span('2026-07-03')] }), 2026)).toEqual(['07-04 Fourth'])
    expect(tell(calendarOf({ rules, workdays: [span('2026-07-04')] }), 2026)).toEqual([])
  })

  it('takes away what is included, and leaves the included calendar alone', () => {
    const calendars = compileCalendars([
      plan({ include: ['base'], exclude: [span('2026-05-01')] }),
      plan({ name: 'base', dates: [span('2026-05-01', '2026-05-02', 'May')] }),
    ])
    expect(tell(calendars.get('c')!, 2026)).toEqual(['05-02 May'])
    expect(tell(calendars.get('base')!, 2026)).toEqual(['05-01 May', '05-02 May'])
  })

  it('says which calendar a holiday is from, once', () => {
    const base = plan({ name: 'base', dates: [span('2026-05-01', '2026-05-01', 'May')] })
    const left = plan({ name: 'left', include: ['base'] })
    const right = plan({ name: 'right', include: ['base'] })
    const calendar = calendarOf({ include: ['left', 'right', 'base'] }, base, left, right)
    const day = parseDay('2026-05-01')!
    expect([...listHolidays(calendar, day, day)]).toEqual([
      { day, name: 'May', calendar: 'base', kind: 'date' },
    ])
  })

  it('keeps its own weekend', () => {
    const calendar = calendarOf({ weekend: [5, 6], include: ['b'] }, plan({ name: 'b', weekend: [0] }))
    const isWeekend = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'].map(date =>
      calendar.isWeekend(parseDay(date)!),
    )
    expect(isWeekend).toEqual([false, true, true, false])
  })
})

describe('isHoliday', () => {
  it('joins the names of a day; says nothing of weekends', () => {
    const calendar = calendarOf({
      dates: [span('2026-05-14', '2026-05-14', 'Ascension'), span('2026-05-14', '2026-05-15', 'Bridge')],
    })
    expect(isHoliday(calendar, parseDay('2026-05-14')!)).toEqual({ name: 'Ascension / Bridge' })
    expect(isHoliday(calendar, parseDay('2026-05-16')!)).toBeUndefined()
  })

  it('knows ranges over years, and no year outside those of calendars', () => {
    const calendar = calendarOf({
      dates: [span('1900-01-01', '1999-12-31')],
      rules: [rule('x', onDate(1, 1))],
    })
    expect(isHoliday(calendar, parseDay('1999-12-31')!)).toBeDefined()
    expect(isHoliday(calendar, parseDay('2000-01-02')!)).toBeUndefined()
    expect(isHoliday(calendar, parseDay('1800-01-01')!)).toBeUndefined()
    expect(isHoliday(calendar, parseDay('2300-01-01')!)).toBeUndefined()
    expect(isHoliday(calendar, parseDay('2299-01-01')!)).toBeDefined()
  })

  it('takes little where thousands of ranges lie over each other', () => {
    const dates = Array.from({ length: 20_000 }, (_, index) => ({ from: 0, to: 36_000, name: `d${index}` }))
    const rules = Array.from({ length: 1_000 }, (_, index) =>
      rule(`r${index}`, onDate(1 + (index % 12), 1 + (index % 28)), NEXT_MONDAY),
    )
    const calendar = calendarOf({ dates, rules })
    const began = performance.now()
    expect(calendar.holidaysIn(2026).get(parseDay('2026-05-05')!)).toHaveLength(20)
    // Measured: 0.4 s.
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('takes little, however often it is asked', () => {
    const dates = Array.from({ length: 20_000 }, (_, index) => ({
      from: index,
      to: index,
      name: `d${index}`,
    }))
    const calendar = calendarOf({ dates })
    const began = performance.now()
    let count = 0
    for (let round = 0; round < 5; round++)
      for (let day = 0; day < 20_000; day++) if (isHoliday(calendar, day)) count++
    expect(count).toBe(100_000)
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})
