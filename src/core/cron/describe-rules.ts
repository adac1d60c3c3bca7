// Words for the days that depend on the month (L, W, #) and for years. What is said stands in the order of the calendar.

import { type CronRules, FIRST_YEAR, includesYear, LAST_YEAR } from './expression.ts'

const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const NTH = ['1st', '2nd', '3rd', '4th']

/** `the last day` · `the day 3 days before the last day` · `the weekday nearest to day 15` · `the last weekday` */
export function sayRuledDates(rules: CronRules): string[] {
  const words: string[] = []
  for (let day = 1; day <= 31; day++)
    if ((rules.nearDays >> (day - 1)) & 1) words.push(`the weekday nearest to day ${day}`)
  for (let distance = 30; distance >= 0; distance--) {
    const day =
      distance === 0
        ? 'the last day'
        : `the day ${distance} day${distance === 1 ? '' : 's'} before the last day`
    if ((rules.lastDays >> distance) & 1) words.push(day)
    if (!((rules.nearLastDays >> distance) & 1)) continue
    words.push(distance === 0 ? 'the last weekday' : `the weekday nearest to ${day}`)
  }
  return words
}

/** `the 2nd Friday` · `the last Sunday` */
export function sayRuledWeekdays(rules: CronRules): string[] {
  const words: string[] = []
  for (const [nth, name] of NTH.entries()) {
    for (const [weekday, day] of WEEKDAYS.entries())
      if ((rules.nthWeekdays >> (7 * nth + weekday)) & 1) words.push(`the ${name} ${day}`)
  }
  for (const [nth, name] of ['5th', 'last'].entries()) {
    for (const [weekday, day] of WEEKDAYS.entries())
      if ((rules.lateWeekdays >> (7 * nth + weekday)) & 1) words.push(`the ${name} ${day}`)
  }
  return words
}

/** The years named, ascending; undefined if all are meant. */
export function yearsOf(rules: CronRules): number[] | undefined {
  if (rules.years === undefined) return undefined
  const years = Array.from({ length: LAST_YEAR - FIRST_YEAR + 1 }, (_, index) => FIRST_YEAR + index)
  return years.filter(year => includesYear(rules, year))
}
