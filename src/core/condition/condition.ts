// Conditions: what must hold for a slot to get a run (CONDITIONAL_CRON). Decided per slot, before any run exists.
//
//   C1. What a condition says is a function of (condition, slot, zone, calendars): no clock, nothing from outside. The zone
//       is the schedule's: a slot lies on the day that its schedule's wall clock shows. Windows have zones of their own.
//   C2. Every term says what it saw, also those that did not decide: the record answers "why" without a second look.

import { explainDay, isBusinessDay, isNthBusinessDayOfMonth } from '../calendar/business-day.ts'
import { type Calendar, isHoliday } from '../calendar/calendar.ts'
import { dayAt } from '../calendar/day.ts'
import { windowAt } from '../calendar/window.ts'
import type { JsonObject } from '../json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'
import { isQuestion, type Question } from './question.ts'

/** What the day of a slot must be. */
export const DAY_KINDS = [
  'business_day',
  'holiday',
  'weekend',
  'first_business_day',
  'last_business_day',
] as const
export type DayKind = (typeof DAY_KINDS)[number]

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'calendar'; readonly calendar: string; readonly day: DayKind }
  /** The nth business day of its month, counted from the end if negative. */
  | { readonly kind: 'nth_business_day'; readonly calendar: string; readonly nth: number }
  /** The slot lies in no window of the calendar. */
  | { readonly kind: 'blackout'; readonly calendar: string }
  | Question

/** A condition that was looked at: itself, what it came to, and what it saw. */
export interface Term extends JsonObject {
  holds: boolean
}

/** Why a slot gets no run. */
export type ConditionReason = 'calendar' | 'blackout' | 'condition'

/**
 * @throws Error if a calendar is not there: the loader has checked that it is
 */
export function evaluate(
  condition: Condition,
  slot: Instant,
  zone: Zone,
  calendars: ReadonlyMap<string, Calendar>,
): Term {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const terms = condition.of.map(each => evaluate(each, slot, zone, calendars))
      const holds =
        condition.kind === 'all' ? terms.every(term => term.holds) : terms.some(term => term.holds)
      return { [condition.kind]: terms, holds }
    }
    case 'not': {
      const term = evaluate(condition.of, slot, zone, calendars)
      return { not: term, holds: !term.holds }
    }
    case 'blackout': {
      const open = windowAt(calendarOf(calendars, condition.calendar), slot)
      const saw =
        open === undefined
          ? {}
          : { window: open.name, from: formatInstant(open.from), to: formatInstant(open.to) }
      return { blackout: condition.calendar, ...saw, holds: open === undefined }
    }
    case 'calendar':
    case 'nth_business_day': {
      const calendar = calendarOf(calendars, condition.calendar)
      const day = dayAt(slot, zone)
      const asked =
        condition.kind === 'calendar' ? { day: condition.day } : { nth_business_day: condition.nth }
      const holds =
        condition.kind === 'nth_business_day'
          ? isNthBusinessDayOfMonth(calendar, day, condition.nth)
          : DAY_TESTS[condition.day](calendar, day)
      const { date, because, name } = explainDay(calendar, day)
      const saw = { date, because, ...(name === undefined ? {} : { name }) }
      return { calendar: condition.calendar, ...asked, ...saw, holds }
    }
    default:
      throw new Error(`the answer to a question of kind ${condition.kind} is not there`)
  }
}

const DAY_TESTS: Readonly<Record<DayKind, (calendar: Calendar, day: number) => boolean>> = {
  business_day: isBusinessDay,
  holiday: (calendar, day) => isHoliday(calendar, day) !== undefined,
  weekend: (calendar, day) => calendar.isWeekend(day),
  first_business_day: (calendar, day) => isNthBusinessDayOfMonth(calendar, day, 1),
  last_business_day: (calendar, day) => isNthBusinessDayOfMonth(calendar, day, -1),
}

function calendarOf(calendars: ReadonlyMap<string, Calendar>, name: string): Calendar {
  const calendar = calendars.get(name)
  if (calendar === undefined) throw new Error(`a condition names the calendar ${name}, which is not there`)
  return calendar
}

/** The first of a schedule's conditions that does not hold, as a reason, with the terms of all of them. */
export function refuseSlot(
  conditions: readonly Condition[],
  slot: Instant,
  zone: Zone,
  calendars: ReadonlyMap<string, Calendar>,
): { reason: ConditionReason; terms: Term[] } | undefined {
  const terms = conditions.map(condition => evaluate(condition, slot, zone, calendars))
  const failed = terms.findIndex(({ holds }) => !holds)
  return failed < 0 ? undefined : { reason: reasonOf(conditions[failed]!), terms }
}

function reasonOf(condition: Condition): ConditionReason {
  switch (condition.kind) {
    case 'calendar':
    case 'nth_business_day':
      return 'calendar'
    case 'blackout':
      return 'blackout'
    case 'not':
      return reasonOf(condition.of)
    default:
      return 'condition'
  }
}

/** The calendars that a condition names. */
export function calendarsOf(condition: Condition): string[] {
  if (isQuestion(condition)) return []
  if ('calendar' in condition) return [condition.calendar]
  return condition.kind === 'not' ? calendarsOf(condition.of) : condition.of.flatMap(calendarsOf)
}
