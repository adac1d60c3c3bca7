// Which days of a month an expression names, as a mask: day 1 is bit 0. The one place that knows the rule for the two
// day fields, and what L, W and # come to in a month of a given length that begins on a given weekday.

import {
  type CronFields,
  type CronRules,
  EITHER_DAY,
  HAS_RULES,
  includesYear,
  weekdaysOf,
} from './expression.ts'

const SATURDAY = 6
const SUNDAY = 0

/** The weekday (Sunday = 0) of a day counted from 1970-01-01, a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

export function lengthOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return 30 + ((month + (month >> 3)) & 1)
}

/** The days of a month of `year` that match; its first day has the weekday `firstWeekday`. */
export function daysMatching(fields: CronFields, year: number, firstWeekday: number, length: number): number {
  const weekdays = weekdaysOf(fields)
  const week = ((weekdays >> firstWeekday) | (weekdays << (7 - firstWeekday))) & 0x7f
  let byWeekday = week | (week << 7) | (week << 14) | (week << 21) | (week << 28)
  let byDate = fields.daysOfMonth
  if ((fields.calendar & HAS_RULES) !== 0) {
    const rules = fields.rules!
    if (!includesYear(rules, year)) return 0
    byDate |= datesByRule(rules, firstWeekday, length)
    byWeekday |= weekdaysByRule(rules, firstWeekday, length)
  }
  const matching = (fields.calendar & EITHER_DAY) !== 0 ? byDate | byWeekday : byDate & byWeekday
  return matching & (2 ** length - 1)
}

function datesByRule(rules: CronRules, firstWeekday: number, length: number): number {
  let days = 0
  for (let day = 1; day <= length; day++) {
    const fromLast = length - day
    if ((rules.lastDays >> fromLast) & 1) days |= 1 << (day - 1)
    if (((rules.nearDays >> (day - 1)) | (rules.nearLastDays >> fromLast)) & 1)
      days |= 1 << (nearestWeekday(day, firstWeekday, length) - 1)
  }
  return days
}

/** The day from Monday to Friday nearest to `day`, in the same month. */
function nearestWeekday(day: number, firstWeekday: number, length: number): number {
  const weekday = (firstWeekday + day - 1) % 7
  if (weekday === SATURDAY) return day === 1 ? 3 : day - 1
  if (weekday === SUNDAY) return day === length ? day - 2 : day + 1
  return day
}

function weekdaysByRule(rules: CronRules, firstWeekday: number, length: number): number {
  let days = 0
  for (let day = 1; day <= length; day++) {
    const weekday = (firstWeekday + day - 1) % 7
    const nth = ((day - 1) / 7) | 0
    const isNamed =
      nth < 4 ? (rules.nthWeekdays >> (7 * nth + weekday)) & 1 : (rules.lateWeekdays >> weekday) & 1
    const isLast = day + 7 > length && (rules.lateWeekdays >> (7 + weekday)) & 1
    if (isNamed || isLast) days |= 1 << (day - 1)
  }
  return days
}
