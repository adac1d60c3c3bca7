// The business days of a calendar as plain JSON: what a line of the journal keeps of it, so that they can be worked out
// again after the calendar has changed.
//
//   1. `readDays(name, recordDays(calendar).days)` has the business days of `calendar`, on every day that calendars know.
//   2. Nothing else is in it: no name, no window, no file. A change of those is no change of the days.
//   3. Spans are ordered and joined, so that the same dates in another order are the same text.

import { Calendar, type CalendarPlan } from './calendar.ts'
import {
  type Day,
  FIRST_YEAR,
  formatDay,
  LAST_YEAR,
  parseDay,
  WEEKDAY_NAMES,
  type Weekday,
  type WeekdayName,
} from './day.ts'
import { DaySet, type DaySpan } from './day-set.ts'
import type { HolidayRule, Observed, RuleDay } from './rule.ts'

/** A holiday that comes back every year, by the keys of calendar files. */
export interface RecordedRule {
  day?: string
  nth?: number
  weekday?: WeekdayName
  month?: number
  on_or_after?: string
  on_or_before?: string
  easter?: number
  orthodox?: boolean
  observed?: { [W in WeekdayName]?: WeekdayName }
  from_year?: number
  until_year?: number
}

/** What is empty is not said. Days: `2026-12-24`, or `2026-12-24/2026-12-31` with both ends. */
export interface RecordedDays {
  weekend?: WeekdayName[]
  dates?: string[]
  rules?: RecordedRule[]
  exclude?: string[]
  workdays?: string[]
  /** Calendars whose holidays count here, too. */
  include?: RecordedDays[]
}

/** The days, and their size as JSON, nearly: includes that are reached by many ways can make it huge, but are met once. */
export function recordDays(calendar: Calendar): { readonly days: RecordedDays; readonly bytes: number } {
  return record(calendar, new Map())
}

type Sized = ReturnType<typeof recordDays>

function record(calendar: Calendar, known: Map<Calendar, Sized>): Sized {
  const before = known.get(calendar)
  if (before !== undefined) return before
  const days = recordOwn(calendar)
  const includes = calendar.includes.map(included => record(included, known))
  const bytes = includes.reduce((sum, included) => sum + included.bytes, JSON.stringify(days).length)
  if (includes.length > 0) days.include = includes.map(included => included.days)
  const sized = { days, bytes }
  known.set(calendar, sized)
  return sized
}

function recordOwn({ plan }: Calendar): RecordedDays {
  const days: RecordedDays = {}
  if (plan.weekend.length > 0) days.weekend = plan.weekend.toSorted().map(weekday => WEEKDAY_NAMES[weekday])
  if (plan.dates.length > 0) days.dates = recordSpans(plan.dates)
  // In their order, by which two that are observed on the same day find another one.
  if (plan.rules.length > 0) days.rules = plan.rules.map(recordRule)
  if (plan.exclude.length > 0) days.exclude = recordSpans(plan.exclude)
  if (plan.workdays.length > 0) days.workdays = recordSpans(plan.workdays)
  return days
}

/** @throws Error for what `recordDays` does not write */
export function readDays(name: string, days: RecordedDays): Calendar {
  const plan: CalendarPlan = {
    name,
    timezone: 'UTC',
    weekend: (days.weekend ?? []).map(weekday => weekdayOf(weekday)),
    include: [],
    dates: readSpans(days.dates).map(span => ({ ...span, name: '' })),
    rules: (days.rules ?? []).map(readRule),
    exclude: readSpans(days.exclude),
    workdays: readSpans(days.workdays),
    windows: [],
    hash: '',
  }
  return new Calendar(
    plan,
    (days.include ?? []).map(included => readDays('', included)),
  )
}

function recordSpans(spans: readonly DaySpan[]): string[] {
  return new DaySet(spans)
    .spans()
    .map(({ from, to }) => (from === to ? formatDay(from) : `${formatDay(from)}/${formatDay(to)}`))
}

function readSpans(texts: readonly string[] | undefined): DaySpan[] {
  return (texts ?? []).map(text => {
    const [from = '', to = from] = text.split('/')
    return { from: readDay(from), to: readDay(to) }
  })
}

function readDay(text: string): Day {
  const day = parseDay(text)
  if (day === undefined) throw new Error(`the journal speaks of the day "${text}", which is none`)
  return day
}

function recordRule({ on, observed, fromYear, untilYear }: HolidayRule): RecordedRule {
  const rule = recordRuleDay(on)
  if (observed !== undefined) {
    rule.observed = {}
    for (const [weekday, target] of observed.entries())
      if (target !== undefined) rule.observed[WEEKDAY_NAMES[weekday]!] = WEEKDAY_NAMES[target]
  }
  if (fromYear > FIRST_YEAR) rule.from_year = fromYear
  if (untilYear < LAST_YEAR) rule.until_year = untilYear
  return rule
}

function recordRuleDay(on: RuleDay): RecordedRule {
  switch (on.kind) {
    case 'date':
      return { day: monthDay(on) }
    case 'nth':
      return { nth: on.nth, weekday: WEEKDAY_NAMES[on.weekday], month: on.month }
    case 'near':
      return { [on.direction]: monthDay(on), weekday: WEEKDAY_NAMES[on.weekday] }
    case 'easter':
      return on.orthodox ? { easter: on.offset, orthodox: true } : { easter: on.offset }
  }
}

function readRule(rule: RecordedRule): HolidayRule {
  const { observed, from_year = FIRST_YEAR, until_year = LAST_YEAR } = rule
  return {
    name: '',
    on: readRuleDay(rule),
    observed: observed === undefined ? undefined : readObserved(observed),
    fromYear: from_year,
    untilYear: until_year,
  }
}

function readRuleDay(rule: RecordedRule): RuleDay {
  const { day, nth, weekday, month, on_or_after, on_or_before, easter, orthodox = false } = rule
  if (easter !== undefined) return { kind: 'easter', offset: easter, orthodox }
  if (day !== undefined) return { kind: 'date', ...readMonthDay(day) }
  if (weekday !== undefined) {
    if (nth !== undefined && month !== undefined)
      return { kind: 'nth', nth, weekday: weekdayOf(weekday), month }
    const near = on_or_after ?? on_or_before
    const direction = on_or_after === undefined ? 'on_or_before' : 'on_or_after'
    if (near !== undefined)
      return { kind: 'near', weekday: weekdayOf(weekday), direction, ...readMonthDay(near) }
  }
  throw new Error(`the journal speaks of a holiday without a day: ${JSON.stringify(rule)}`)
}

function readObserved(observed: NonNullable<RecordedRule['observed']>): Observed {
  return WEEKDAY_NAMES.map(weekday => {
    const target = observed[weekday]
    return target === undefined ? undefined : weekdayOf(target)
  })
}

function weekdayOf(name: WeekdayName): Weekday {
  const index = WEEKDAY_NAMES.indexOf(name)
  if (index < 0) throw new Error(`the journal speaks of the weekday "${name}", which is none`)
  return index as Weekday
}

/** `12-25` */
function monthDay({ month, day }: { readonly month: number; readonly day: number }): string {
  return `${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function readMonthDay(text: string): { month: number; day: number } {
  const [month = Number.NaN, day = Number.NaN] = text.split('-').map(Number)
  return { month, day }
}
