// The occurrences of one iCalendar event: its start, its recurrence rules, its extra dates.
//
//   1. All rules of a file together have MAX_STEPS steps: one that never comes (30 February, every day) ends in an error
//      instead of a search without end.
//   2. What the library invents is left out: a date that the rule's own month, day or weekday does not allow.

import type ICAL from 'ical.js'
import { lengthOfMonth } from '../core/calendar/day.ts'

/** A century of days is 37,000. */
const MAX_STEPS = 60_000

const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/** What is wrong with a rule. */
export class RecurrenceError extends Error {
  readonly help: string
  /** True if the events after it cannot be taken either. */
  readonly endsFile: boolean

  constructor(message: string, help: string, endsFile = false) {
    super(message)
    this.help = help
    this.endsFile = endsFile
  }
}

/** Steps that the rules of one file may take. */
export class StepBudget {
  #left = MAX_STEPS

  spend(): void {
    if (--this.#left >= 0) return
    throw new RecurrenceError(
      `the rules of the file take more than ${MAX_STEPS} steps`,
      'this one may never come, or never end: give it an end (UNTIL or COUNT), or write its dates out',
      true,
    )
  }
}

/**
 * The starts of an event's occurrences, in no order, some of them perhaps twice.
 * @throws RecurrenceError
 */
export function* listOccurrences(
  ical: typeof ICAL,
  event: ICAL.Component,
  start: ICAL.Time,
  { firstYear, lastYear }: { firstYear: number; lastYear: number },
  budget: StepBudget,
): Generator<ICAL.Time> {
  const rules = event.getAllProperties('rrule').map(property => property.getFirstValue() as ICAL.Recur)
  if (rules.length === 0) yield start
  for (const rule of rules) {
    if (!FREQUENCIES.includes(rule.freq))
      throw new RecurrenceError(
        `expected a rule that recurs DAILY, WEEKLY, MONTHLY or YEARLY, got ${rule.freq}`,
        'write a window with cron instead',
      )
    const iterator = boundedIterator(ical, rule, start, budget)
    for (;;) {
      budget.spend()
      const time = iterator.next() as ICAL.Time | undefined
      if (!time || time.year > lastYear) break
      if (time.year >= firstYear && isAllowed(time, rule, start)) yield time.clone()
    }
  }
  for (const property of event.getAllProperties('rdate'))
    for (const value of property.getValues() as unknown[]) {
      const time = (value as { start?: ICAL.Time }).start ?? value
      yield time as ICAL.Time
    }
}

/** An iterator whose steps are counted, those inside its searches included. */
function boundedIterator(
  ical: typeof ICAL,
  rule: ICAL.Recur,
  dtstart: ICAL.Time,
  budget: StepBudget,
): ICAL.RecurIterator {
  class BoundedIterator extends ical.RecurIterator {
    override increment_year(by: number): void {
      budget.spend()
      super.increment_year(by)
    }
    override increment_month(): void {
      budget.spend()
      super.increment_month()
    }
    override increment_monthday(by: number): void {
      budget.spend()
      super.increment_monthday(by)
    }
  }
  return new BoundedIterator({ rule, dtstart })
}

function isAllowed(time: ICAL.Time, rule: ICAL.Recur, start: ICAL.Time): boolean {
  const parts = rule.parts as Record<string, readonly (string | number)[] | undefined>
  const { BYMONTH, BYMONTHDAY, BYDAY, BYYEARDAY, BYWEEKNO } = parts
  if (BYMONTH && !BYMONTH.map(Number).includes(time.month)) return false
  if (BYDAY) {
    const weekday = WEEKDAYS[time.dayOfWeek() - 1]!
    if (!BYDAY.some(part => String(part).endsWith(weekday))) return false
  }
  if (BYMONTHDAY) {
    const fromEnd = time.day - 1 - lengthOfMonth(time.year, time.month)
    if (!BYMONTHDAY.map(Number).some(day => day === time.day || day === fromEnd)) return false
  }
  const followsStart = !BYMONTHDAY && !BYDAY && !BYYEARDAY && !BYWEEKNO
  if (followsStart && (rule.freq === 'YEARLY' || rule.freq === 'MONTHLY')) return time.day === start.day
  return true
}
