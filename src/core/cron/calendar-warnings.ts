// Warnings about dates: months that a day of the month skips, years that are over.

import { type CronFields, lastYearOf, monthsOf } from './expression.ts'
import { isOpen } from './parse.ts'
import type { CronTokens } from './tokens.ts'
import type { CronWarning } from './warnings.ts'

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
/** Of a common year. */
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A day such as the 31st that some of the months named do not have. Where a weekday is enough, no month is skipped. */
export function listSkippedMonths(fields: CronFields, { dayOfMonth, dayOfWeek }: CronTokens): CronWarning[] {
  if (isOpen(dayOfMonth) || !isOpen(dayOfWeek)) return []
  const skipped = MONTHS.filter(
    (_, month) => (monthsOf(fields) >> month) & 1 && !hasDay(fields, LENGTHS[month]!),
  )
  if (skipped.length === 0) return []
  const inLeapYears = skipped[0] === 'February' && hasDay(fields, 29)
  const names = skipped.map(name =>
    name === 'February' && inLeapYears ? 'February but in leap years' : name,
  )
  return [
    {
      code: 'skipped_months',
      message: `day ${dayOfMonth.text} of the month does not come in ${joinNames(names)}: nothing is due there`,
      hint: 'Write L for the last day of every month or LW for its last weekday; days 1 to 28 come in all of them.',
      position: dayOfMonth.position,
      length: dayOfMonth.text.length,
    },
  ]
}

function hasDay({ daysOfMonth, rules }: CronFields, length: number): boolean {
  const masks = daysOfMonth | (rules?.lastDays ?? 0) | (rules?.nearDays ?? 0) | (rules?.nearLastDays ?? 0)
  return (masks & (2 ** length - 1)) !== 0
}

/** A text whose last year is over is never due again. */
export function listPastYears(fields: CronFields, { year }: CronTokens, now: number): CronWarning[] {
  const last = lastYearOf(fields)
  if (last === undefined || year === undefined || last >= new Date(now).getUTCFullYear()) return []
  return [
    {
      code: 'past_years',
      message: `its last year, ${last}, is over: it is never due again`,
      hint: 'Remove the year, or disable the schedule.',
      position: year.position,
      length: year.text.length,
    },
  ]
}

function joinNames(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
