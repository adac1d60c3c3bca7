// Days as whole numbers, counted from 1970-01-01, and the way between them, civil dates, and instants in a zone.
//
//   1. `dayOf` and `civilOf` undo each other for every day of every year; only integers, no Date.
//   2. A wall-clock time that a zone skips stands for the first instant after the gap; one that it repeats stands for
//      its first or its second pass, as the caller says.

import { DAY_MS, type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'

/** Days since 1970-01-01, in no zone. */
export type Day = number

/** Month and day from 1. */
export interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** 0 is Sunday. */
export type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6

export const WEEKDAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const
export type WeekdayName = (typeof WEEKDAY_NAMES)[number]

/** The years that calendars know, both included: those that zones are known for. */
export const FIRST_YEAR = 1900
export const LAST_YEAR = 2299

/** The number of a civil date. Howard Hinnant's algorithm: years begin on 1 March, so that the leap day comes last. */
export function dayOf(year: number, month: number, day: number): Day {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export function civilOf(day: Day): CivilDate {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}

export function lengthOfMonth(year: number, month: number): number {
  return month === 12 ? 31 : dayOf(year, month + 1, 1) - dayOf(year, month, 1)
}

export function weekdayOf(day: Day): Weekday {
  return ((((day + 4) % 7) + 7) % 7) as Weekday
}

/** `2026-12-25` */
export function formatDay(day: Day): string {
  const { year, month, day: dayOfMonth } = civilOf(day)
  return `${String(year).padStart(4, '0')}-${pad(month)}-${pad(dayOfMonth)}`
}

/** The day of `2026-12-25`; undefined if the text has another form or there is no such day. */
export function parseDay(text: string): Day | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > lengthOfMonth(year, month)) return undefined
  return dayOf(year, month, day)
}

/** The day that the wall clock of a zone shows at an instant. */
export function dayAt(instant: Instant, zone: Zone): Day {
  return Math.floor((instant + zone.offsetAt(instant)) / DAY_MS)
}

/**
 * The instant at which the wall clock of a zone shows a minute of a day, or a part of one; 1440 is the midnight after it.
 * @param pass  which of the two, where the clock is put back and shows it twice
 */
export function instantAt(day: Day, minute: number, zone: Zone, pass: 'first' | 'second'): Instant {
  const wall = day * DAY_MS + Math.round(minute * MINUTE_MS)
  // No two offset changes lie within two days (core/time/zone.ts), and no offset is more than a day.
  const before = zone.offsetAt(wall - DAY_MS)
  const after = zone.offsetAt(wall + DAY_MS)
  const early = wall - Math.max(before, after)
  const late = wall - Math.min(before, after)
  const earlyIsShown = zone.offsetAt(early) === wall - early
  const lateIsShown = zone.offsetAt(late) === wall - late
  if (earlyIsShown && lateIsShown) return pass === 'first' ? early : late
  if (earlyIsShown || lateIsShown) return earlyIsShown ? early : late
  return zone.transitions(early, late + 1)[0]?.at ?? late
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
