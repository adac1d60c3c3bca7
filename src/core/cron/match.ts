// The calendar half of the engine: the first wall-clock second that an expression matches, with no zone in sight.
//
// Wall-clock time is counted as if in UTC: seconds since 1970-01-01T00:00:00 on the wall. Only integers, no Date.

import { type CronFields, EVERY_DAY, lowestBit, monthsOf } from './expression.ts'
import { daysMatching, lengthOfMonth, weekdayOf } from './month-days.ts'

const DAY_S = 86_400

/**
 * The first matching wall-clock second that is `fromS` or later and lies on a day up to that of `limitS`; Infinity if
 * there is none.
 */
export function findMatch(fields: CronFields, fromS: number, limitS: number): number {
  const today = Math.floor(fromS / DAY_S)
  const lastDay = Math.floor(limitS / DAY_S)
  const isEveryDay = (fields.calendar & EVERY_DAY) !== 0
  let day = isEveryDay ? today : findDay(fields, today, lastDay)
  if (day === today) {
    const time = findTime(fields, fromS - today * DAY_S)
    if (time >= 0) return today * DAY_S + time
    day = isEveryDay ? today + 1 : findDay(fields, today + 1, lastDay)
  }
  return day > lastDay ? Number.POSITIVE_INFINITY : day * DAY_S + findTime(fields, 0)
}

/** The first matching second of the day from `fromS` on, or -1. */
function findTime(fields: CronFields, fromS: number): number {
  const hour = (fromS / 3600) | 0
  const minute = ((fromS - hour * 3600) / 60) | 0
  if ((fields.hours >> hour) & 1) {
    if (hasSixtieth(fields.minutesLow, fields.minutesHigh, minute)) {
      const second = findSixtieth(fields.secondsLow, fields.secondsHigh, fromS % 60)
      if (second >= 0) return hour * 3600 + minute * 60 + second
    }
    const later = findSixtieth(fields.minutesLow, fields.minutesHigh, minute + 1)
    if (later >= 0) return hour * 3600 + later * 60 + findSixtieth(fields.secondsLow, fields.secondsHigh, 0)
  }
  const hours = fields.hours & (-1 << (hour + 1))
  if (hours === 0) return -1
  return (
    lowestBit(hours) * 3600 +
    findSixtieth(fields.minutesLow, fields.minutesHigh, 0) * 60 +
    findSixtieth(fields.secondsLow, fields.secondsHigh, 0)
  )
}

function hasSixtieth(low: number, high: number, value: number): boolean {
  return ((value < 30 ? low >> value : high >> (value - 30)) & 1) === 1
}

/** The first value of a mask of 60 that is `from` (0-60) or more, or -1. */
function findSixtieth(low: number, high: number, from: number): number {
  let rest: number
  if (from < 30) {
    rest = low & (-1 << from)
    if (rest !== 0) return lowestBit(rest)
    rest = high
  } else {
    rest = high & (-1 << (from - 30))
  }
  return rest === 0 ? -1 : 30 + lowestBit(rest)
}

const NO_DAY = Number.MAX_SAFE_INTEGER

/** The first matching day (counted from 1970-01-01) in [from, last], or NO_DAY. */
function findDay(fields: CronFields, from: number, last: number): number {
  // Civil date from day number, in eras of 400 years that begin on 1 March (Howard Hinnant's algorithm).
  const shifted = from + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0))
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0
  let dayOfMonth = dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1
  let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)

  const months = monthsOf(fields)
  let first = from - dayOfMonth + 1
  while (first <= last) {
    const length = lengthOfMonth(year, month)
    if ((months >> (month - 1)) & 1) {
      const matching = daysMatching(fields, year, weekdayOf(first), length) & (-1 << (dayOfMonth - 1))
      if (matching !== 0) {
        const day = first + lowestBit(matching)
        return day <= last ? day : NO_DAY
      }
    }
    first += length
    dayOfMonth = 1
    if (month === 12) {
      month = 1
      year++
    } else {
      month++
    }
  }
  return NO_DAY
}
