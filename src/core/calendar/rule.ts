// Holidays that come back every year: on which day of a given year each of them falls, and where it is moved to when
// that day is no working day anyway.
//
//   1. A rule falls on at most one day of a year; on none where that day does not exist (29 February, a fifth Monday)
//      or the year lies outside the rule's years.
//   2. Where a day is moved depends on its weekday alone; that two holidays do not share a day is calendar.ts.

import { type Day, dayOf, lengthOfMonth, type Weekday, weekdayOf } from './day.ts'
import { easterOf, orthodoxEasterOf } from './easter.ts'

/** How far from Easter a rule may reach, in days: from Septuagesima (-63) to well after Corpus Christi (60). */
export const EASTER_REACH = { from: -80, to: 120 } as const

export type RuleDay =
  /** `{ day: 12-25 }` */
  | { readonly kind: 'date'; readonly month: number; readonly day: number }
  /** The nth weekday of a month, from its end if negative: `{ nth: -1, weekday: MON, month: 5 }`. */
  | { readonly kind: 'nth'; readonly nth: number; readonly weekday: Weekday; readonly month: number }
  /** The first such weekday on or after a date, or the last one on or before it. */
  | {
      readonly kind: 'near'
      readonly weekday: Weekday
      readonly month: number
      readonly day: number
      readonly direction: 'on_or_after' | 'on_or_before'
    }
  /** So many days after Easter Sunday. */
  | { readonly kind: 'easter'; readonly offset: number; readonly orthodox: boolean }

/** For each weekday, Sunday first: the weekday that a holiday on it is moved to; undefined: it stays. */
export type Observed = readonly (Weekday | undefined)[]

/** Saturday is observed on Friday, Sunday on Monday. */
export const NEAREST_WEEKDAY: Observed = [1, undefined, undefined, undefined, undefined, undefined, 5]
/** Saturday and Sunday are observed on Monday. */
export const NEXT_MONDAY: Observed = [1, undefined, undefined, undefined, undefined, undefined, 1]

export interface HolidayRule {
  readonly name: string
  readonly on: RuleDay
  readonly observed: Observed | undefined
  /** Both included. */
  readonly fromYear: number
  readonly untilYear: number
}

/** The day on which a rule falls in a year. */
export function ruleDayIn(rule: HolidayRule, year: number): Day | undefined {
  if (year < rule.fromYear || year > rule.untilYear) return undefined
  const { on } = rule
  switch (on.kind) {
    case 'date':
      return existingDay(year, on.month, on.day)
    case 'nth':
      return nthWeekday(year, on.month, on.weekday, on.nth)
    case 'near': {
      // 29 February counts as 1 March in other years: the weekday before or after it is the same.
      const day = dayOf(year, on.month, on.day)
      const ahead = (on.weekday - weekdayOf(day) + 7) % 7
      return on.direction === 'on_or_after' || ahead === 0 ? day + ahead : day + ahead - 7
    }
    case 'easter':
      return (on.orthodox ? orthodoxEasterOf(year) : easterOf(year)) + on.offset
  }
}

/** Where a holiday on `day` is moved to: the nearest such weekday. Undefined: it stays. */
export function observedDay(day: Day, observed: Observed | undefined): Day | undefined {
  const target = observed?.[weekdayOf(day)]
  if (target === undefined) return undefined
  const ahead = (target - weekdayOf(day) + 7) % 7
  if (ahead === 0) return undefined
  return ahead <= 3 ? day + ahead : day + ahead - 7
}

function existingDay(year: number, month: number, day: number): Day | undefined {
  return day <= lengthOfMonth(year, month) ? dayOf(year, month, day) : undefined
}

function nthWeekday(year: number, month: number, weekday: Weekday, nth: number): Day | undefined {
  const length = lengthOfMonth(year, month)
  if (nth > 0) {
    const first = 1 + ((weekday - weekdayOf(dayOf(year, month, 1)) + 7) % 7)
    return existingDay(year, month, first + 7 * (nth - 1))
  }
  const last = length - ((weekdayOf(dayOf(year, month, length)) - weekday + 7) % 7)
  const day = last + 7 * (nth + 1)
  return day >= 1 ? dayOf(year, month, day) : undefined
}
