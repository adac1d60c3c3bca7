// Whether an expression has any day at all: 30 February has none, and no search of 40 years need find that out.

import {
  type CronFields,
  EITHER_DAY,
  FIRST_YEAR,
  HAS_RULES,
  includesYear,
  LAST_YEAR,
  monthsOf,
} from './expression.ts'
import { daysMatching, lengthOfMonth, weekdayOf } from './month-days.ts'

const LEAP_YEAR = 2028

/** False if no day of any year matches. (A weekday that a plain date never falls on in the months named is not seen.) */
export function hasDate(fields: CronFields): boolean {
  if ((fields.calendar & HAS_RULES) !== 0) return hasRuledDate(fields)
  if ((fields.calendar & EITHER_DAY) !== 0) return true
  for (let month = 1; month <= 12; month++) {
    if (!((monthsOf(fields) >> (month - 1)) & 1)) continue
    if (fields.daysOfMonth & (2 ** lengthOfMonth(LEAP_YEAR, month) - 1)) return true
  }
  return false
}

/** With rules the weekday of the first counts as well, and with years the year: all that there are are tried. */
function hasRuledDate(fields: CronFields): boolean {
  const rules = fields.rules!
  for (let year = FIRST_YEAR; year <= LAST_YEAR; year++) {
    if (!includesYear(rules, year)) continue
    for (let month = 1; month <= 12; month++) {
      if (!((monthsOf(fields) >> (month - 1)) & 1)) continue
      const first = weekdayOf(Date.UTC(year, month - 1, 1) / 86_400_000)
      if (daysMatching(fields, year, first, lengthOfMonth(year, month)) !== 0) return true
    }
  }
  return false
}
