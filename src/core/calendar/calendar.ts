// A calendar: which days are holidays, and under what name. Years are worked out when they are first asked for, and kept.
//
//   1. What a calendar says is a function of its plan and of those it includes: neither the order of questions nor the
//      clock has a part in it.
//   2. Dates stand as written. A rule's holiday that is observed on another day takes the nearest one in that direction
//      that is no weekend and no other holiday; its own day stays a holiday only if it is a weekend day anyway.
//   3. `exclude` takes holidays away, wherever they come from, and a rule's substitute day with its own day; `workdays`
//      takes the weekend away as well.
//   4. Weekends are not included, and neither are exclusions and workdays: those of an included calendar count in it.

import { type Day, dayOf, FIRST_YEAR, LAST_YEAR, type Weekday, weekdayOf } from './day.ts'
import { DaySet, type DaySpan } from './day-set.ts'
import { type HolidayRule, observedDay, ruleDayIn } from './rule.ts'
import { type CompiledWindow, compileWindows, type WindowPlan } from './window.ts'

export interface NamedSpan extends DaySpan {
  readonly name: string
  /** The iCalendar file that it comes from; undefined: it stands in the calendar itself. */
  readonly file?: string
}

/** All that a calendar says, as plain data. */
export interface CalendarPlan {
  readonly name: string
  readonly description?: string
  /** The wall clock of the windows, and of iCalendar times that name no zone. */
  readonly timezone: string
  readonly weekend: readonly Weekday[]
  /** Names of calendars whose holidays and windows count here, too. */
  readonly include: readonly string[]
  readonly dates: readonly NamedSpan[]
  readonly rules: readonly HolidayRule[]
  readonly exclude: readonly DaySpan[]
  readonly workdays: readonly DaySpan[]
  readonly windows: readonly WindowPlan[]
  /** Of its meaning, and of the meaning of all that it includes. */
  readonly hash: string
}

/** Why a day is a holiday. */
export interface Holiday {
  readonly name: string
  /** The calendar that says so: this one or an included one. */
  readonly calendar: string
  readonly kind: 'date' | 'rule' | 'observed' | 'ics'
  readonly file?: string
}

export interface HolidayOn extends Holiday {
  readonly day: Day
}

/** A day that has more reasons than this to be a holiday keeps the first ones. */
const MAX_REASONS = 20

/** How far a substitute day is looked for. */
const OBSERVED_REACH_DAYS = 31

type Year = ReadonlyMap<Day, readonly Holiday[]>

export class Calendar {
  readonly plan: CalendarPlan
  readonly includes: readonly Calendar[]
  /** Its own and all included ones. */
  readonly windows: readonly CompiledWindow[]
  /** Bit w stands for weekday w. */
  readonly weekendMask: number
  readonly workdays: DaySet
  readonly #dates: DaySet
  readonly #excluded: DaySet
  readonly #years = new Map<number, Year>()

  constructor(plan: CalendarPlan, includes: readonly Calendar[]) {
    this.plan = plan
    this.includes = includes
    // A set, since two ways may lead to the same calendar.
    this.windows = [...new Set([...compileWindows(plan.windows), ...includes.flatMap(each => each.windows)])]
    this.workdays = new DaySet(plan.workdays)
    this.#dates = new DaySet(plan.dates)
    this.#excluded = new DaySet([...plan.exclude, ...plan.workdays])
    this.weekendMask = plan.weekend.reduce<number>((mask, weekday) => mask | (1 << weekday), 0)
  }

  /** The holidays of a year, in order of days; none outside the years that calendars know. */
  holidaysIn(year: number): Year {
    let holidays = this.#years.get(year)
    if (holidays === undefined) {
      holidays = year < FIRST_YEAR || year > LAST_YEAR ? new Map() : this.#workOut(year)
      this.#years.set(year, holidays)
    }
    return holidays
  }

  isWeekend(day: Day): boolean {
    return ((this.weekendMask >> weekdayOf(day)) & 1) === 1
  }

  #workOut(year: number): Year {
    const first = dayOf(year, 1, 1)
    const last = dayOf(year, 12, 31)
    const days = new Map<Day, Holiday[]>()
    const add = (day: Day, holiday: Holiday) => {
      const others = days.get(day)
      if (others === undefined) days.set(day, [holiday])
      else if (others.length < MAX_REASONS && !others.some(other => sameHoliday(other, holiday)))
        others.push(holiday)
    }
    for (const span of this.plan.dates) {
      const holiday = this.#tellDate(span)
      for (let day = Math.max(span.from, first); day <= Math.min(span.to, last); day++)
        if (!this.#excluded.has(day)) add(day, holiday)
    }
    for (const { day, ...holiday } of this.#fromRules(year))
      if (day >= first && day <= last && !this.#excluded.has(day)) add(day, holiday)
    for (const included of this.includes)
      for (const [day, holidays] of included.holidaysIn(year))
        if (!this.#excluded.has(day)) for (const holiday of holidays) add(day, holiday)
    return new Map([...days].sort(([a], [b]) => a - b))
  }

  #tellDate({ name, file }: NamedSpan): Holiday {
    const calendar = this.plan.name
    return file === undefined ? { name, calendar, kind: 'date' } : { name, calendar, kind: 'ics', file }
  }

  /** What the rules give for a year, with the neighbours' holidays that are observed in it. */
  #fromRules(year: number): HolidayOn[] {
    const calendar = this.plan.name
    const falls: { day: Day; rule: HolidayRule }[] = []
    for (const near of [year - 1, year, year + 1])
      for (const rule of this.plan.rules) {
        const day = ruleDayIn(rule, near)
        if (day !== undefined && !this.#excluded.has(day)) falls.push({ day, rule })
      }
    falls.sort((a, b) => a.day - b.day)
    const taken = new Set<Day>()
    for (const { day, rule } of falls) if (!this.#moves(day, rule)) taken.add(day)
    const found: HolidayOn[] = []
    for (const { day, rule } of falls) {
      const substitute = this.#findSubstitute(day, rule, taken)
      if (!this.#moves(day, rule)) found.push({ day, name: rule.name, calendar, kind: 'rule' })
      if (substitute === undefined) continue
      taken.add(substitute)
      found.push({ day: substitute, name: `${rule.name} (observed)`, calendar, kind: 'observed' })
    }
    return found
  }

  /** True if the holiday leaves its own day: it is observed on another one, and this is not a weekend day. */
  #moves(day: Day, { observed }: HolidayRule): boolean {
    return !this.isWeekend(day) && observedDay(day, observed) !== undefined
  }

  #findSubstitute(day: Day, { observed }: HolidayRule, taken: ReadonlySet<Day>): Day | undefined {
    const target = observedDay(day, observed)
    if (target === undefined) return undefined
    const step = target > day ? 1 : -1
    for (let tries = 0; tries < OBSERVED_REACH_DAYS; tries++) {
      const candidate = target + tries * step
      if (this.isWeekend(candidate) || taken.has(candidate) || this.#dates.has(candidate)) continue
      if (this.includes.some(included => holidaysOn(included, candidate).length > 0)) continue
      return candidate
    }
    return undefined
  }
}

/** Makes calendars of plans. The plans' includes are among them, without circles (definition/calendar-links.ts). */
export function compileCalendars(plans: Iterable<CalendarPlan>): ReadonlyMap<string, Calendar> {
  const byName = new Map([...plans].map(plan => [plan.name, plan]))
  const calendars = new Map<string, Calendar>()
  const compile = (plan: CalendarPlan): Calendar => {
    let calendar = calendars.get(plan.name)
    if (calendar === undefined) {
      const includes = plan.include.flatMap(name => {
        const included = byName.get(name)
        return included === undefined ? [] : [compile(included)]
      })
      calendar = new Calendar(plan, includes)
      calendars.set(plan.name, calendar)
    }
    return calendar
  }
  return new Map([...byName.values()].map(plan => [plan.name, compile(plan)]))
}

/** Why a day is a holiday: one entry for each reason, none if it is not. */
export function holidaysOn(calendar: Calendar, day: Day): readonly Holiday[] {
  return calendar.holidaysIn(yearOf(day)).get(day) ?? []
}

/** The holiday on a day, with the names of all that fall on it; undefined if it is none. Weekends are no holidays. */
export function isHoliday(calendar: Calendar, day: Day): { readonly name: string } | undefined {
  const holidays = holidaysOn(calendar, day)
  if (holidays.length === 0) return undefined
  return { name: [...new Set(holidays.map(({ name }) => name))].join(' / ') }
}

/** The holidays of the days from `from` to `to`, both included, in order. */
export function* listHolidays(calendar: Calendar, from: Day, to: Day): Generator<HolidayOn> {
  for (let year = Math.max(yearOf(from), FIRST_YEAR); year <= Math.min(yearOf(to), LAST_YEAR); year++)
    for (const [day, holidays] of calendar.holidaysIn(year))
      if (day >= from && day <= to) for (const holiday of holidays) yield { ...holiday, day }
}

function sameHoliday(a: Holiday, b: Holiday): boolean {
  return a.name === b.name && a.calendar === b.calendar && a.kind === b.kind && a.file === b.file
}

function yearOf(day: Day): number {
  const guess = Math.floor(day / 365.2425) + 1970
  if (day < dayOf(guess, 1, 1)) return guess - 1
  return day >= dayOf(guess + 1, 1, 1) ? guess + 1 : guess
}
