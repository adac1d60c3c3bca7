// Business days: neither weekend nor holiday, or named as workdays. Which days they are, the way from one to the next,
// and what to do with a date that is none.
//
//   1. Every search ends: a calendar without a business day for SEARCH_DAYS has no next one.
//   2. `roll` lands on a business day or nowhere; what it gives back is rolled to itself. The modified ways never leave
//      the month.

import { type Calendar, holidaysOn, isHoliday } from './calendar.ts'
import { civilOf, type Day, dayOf, formatDay, lengthOfMonth } from './day.ts'

/** How far the next business day is looked for: two years. */
export const SEARCH_DAYS = 731

/** What to do with a date that is no business day: the conventions of finance, by their names. */
export const ROLLS = ['none', 'following', 'preceding', 'modified_following', 'modified_preceding'] as const
export type Roll = (typeof ROLLS)[number]

/** A day, and why it is or is no business day: what a recorded decision keeps of it. */
export interface DayReport {
  readonly date: string
  readonly business: boolean
  readonly because: 'weekday' | 'workday' | 'weekend' | 'holiday'
  /** Of the holiday. */
  readonly name?: string
}

export function isBusinessDay(calendar: Calendar, day: Day): boolean {
  if (calendar.workdays.has(day)) return true
  return !calendar.isWeekend(day) && holidaysOn(calendar, day).length === 0
}

export function explainDay(calendar: Calendar, day: Day): DayReport {
  const date = formatDay(day)
  if (calendar.workdays.has(day)) return { date, business: true, because: 'workday' }
  const holiday = isHoliday(calendar, day)
  if (holiday !== undefined) return { date, business: false, because: 'holiday', name: holiday.name }
  const isWeekend = calendar.isWeekend(day)
  return { date, business: !isWeekend, because: isWeekend ? 'weekend' : 'weekday' }
}

/** The first business day after `day`. */
export function nextBusinessDay(calendar: Calendar, day: Day): Day | undefined {
  return search(calendar, day + 1, 1)
}

/** The last business day before `day`. */
export function previousBusinessDay(calendar: Calendar, day: Day): Day | undefined {
  return search(calendar, day - 1, -1)
}

/**
 * The day itself if it is a business day, else the one that the convention says. Undefined where there is none: no
 * business day within SEARCH_DAYS, or, for the modified ways, none in the month. `none` keeps every day.
 */
export function roll(calendar: Calendar, day: Day, convention: Roll): Day | undefined {
  switch (convention) {
    case 'none':
      return day
    case 'following':
      return search(calendar, day, 1)
    case 'preceding':
      return search(calendar, day, -1)
    case 'modified_following':
      return rollInMonth(calendar, day, 1)
    case 'modified_preceding':
      return rollInMonth(calendar, day, -1)
  }
}

/** The nth business day of a month, counted from its end if `nth` is negative. */
export function nthBusinessDayOfMonth(
  calendar: Calendar,
  year: number,
  month: number,
  nth: number,
): Day | undefined {
  const first = dayOf(year, month, 1)
  const length = lengthOfMonth(year, month)
  let left = Math.abs(nth)
  for (let step = 0; step < length && left > 0; step++) {
    const day = nth > 0 ? first + step : first + length - 1 - step
    if (isBusinessDay(calendar, day) && --left === 0) return day
  }
  return undefined
}

export function isFirstBusinessDayOfMonth(calendar: Calendar, day: Day): boolean {
  return isNthBusinessDayOfMonth(calendar, day, 1)
}

export function isLastBusinessDayOfMonth(calendar: Calendar, day: Day): boolean {
  return isNthBusinessDayOfMonth(calendar, day, -1)
}

export function isNthBusinessDayOfMonth(calendar: Calendar, day: Day, nth: number): boolean {
  const { year, month } = civilOf(day)
  return nthBusinessDayOfMonth(calendar, year, month, nth) === day
}

function search(calendar: Calendar, from: Day, step: 1 | -1): Day | undefined {
  for (let tries = 0; tries < SEARCH_DAYS; tries++) {
    const day = from + tries * step
    if (isBusinessDay(calendar, day)) return day
  }
  return undefined
}

function rollInMonth(calendar: Calendar, day: Day, step: 1 | -1): Day | undefined {
  const { year, month } = civilOf(day)
  const first = dayOf(year, month, 1)
  const last = first + lengthOfMonth(year, month) - 1
  for (const way of [step, -step])
    for (let other = day; other >= first && other <= last; other += way)
      if (isBusinessDay(calendar, other)) return other
  return undefined
}
