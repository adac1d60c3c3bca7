// A cron expression in words, from what it matches and not from how it is spelled: `*/7` is never "every 7 minutes".
//
//   W1. The words are a function of the times and days that the fields match. Two texts that match the same get the same
//       words, two that match something different get different ones. What happens when clocks change is not in them.
//       Days of L, W and # are said by their rule, whether or not another part of the text names the same days.
//   W2. Numbers are said in the order of the clock; a stretch across its end (`22-2`, `FRI-MON`) is one stretch.

import { sayRuledDates, sayRuledWeekdays, yearsOf } from './describe-rules.ts'
import { type CronFieldName, type CronFields, EITHER_DAY, hasSeconds, valuesOf } from './expression.ts'

/** More clock times than this are said as minutes and hours. */
const TIMES_MAX = 6

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const SIZES = { second: 60, minute: 60, hour: 24, dayOfMonth: 31, month: 12, dayOfWeek: 7 } as const

/** `at 06:00, Monday to Friday`; `every 5 minutes`; `at 00:00 on day 13 of the month, and also on Fridays`. */
export function describeCron(fields: CronFields): string {
  const time = sayTime(fields)
  const days = sayDays(fields)
  const months = sayMonths(fields)
  const isOften = time.startsWith('every') || time.endsWith('of every hour')
  return `${time}${days !== '' || isOften ? days : ' every day'}${months}${sayYears(fields, months !== '')}`
}

function sayTime(fields: CronFields): string {
  const seconds = hasSeconds(fields) ? valuesOf(fields, 'second') : [0]
  const minutes = valuesOf(fields, 'minute')
  const hours = valuesOf(fields, 'hour')
  if (seconds.length * minutes.length * hours.length <= TIMES_MAX) {
    const pad = (value: number) => String(value).padStart(2, '0')
    const tail = (second: number) => (seconds.length === 1 && second === 0 ? '' : `:${pad(second)}`)
    const times = hours.flatMap(hour =>
      minutes.flatMap(minute => seconds.map(second => `${pad(hour)}:${pad(minute)}${tail(second)}`)),
    )
    return `at ${joinWords(times)}`
  }
  const hasLead = seconds.length > 1 || seconds[0] !== 0
  const lead = hasLead ? sayRate('second', seconds) : sayRate('minute', minutes)
  const ofMinutes = hasLead ? ` of ${sayWhich('minute', minutes)}` : ''
  const isRate = !hasLead && lead.startsWith('every')
  const ofHours = hours.length === 24 && isRate ? '' : ` of ${sayWhich('hour', hours)}`
  return `${lead}${ofMinutes}${ofHours}`
}

/** `every minute` · `every 15 minutes from minute 5` · `at minutes 0 to 56 in steps of 7` */
function sayRate(name: 'second' | 'minute', values: readonly number[]): string {
  const step = evenStep(name, values)
  if (step === 1) return `every ${name}`
  if (step === undefined) return `at ${sayNumbers(name, values)}`
  return values[0] === 0 ? `every ${step} ${name}s` : `every ${step} ${name}s from ${name} ${values[0]}`
}

/** `every minute` · `every 5th minute from 3` · `minute 30` · `hours 9 to 17` */
function sayWhich(name: 'minute' | 'hour', values: readonly number[]): string {
  const step = evenStep(name, values)
  if (step === 1) return `every ${name}`
  if (step === undefined) return sayNumbers(name, values)
  return `every ${ordinal(step)} ${name}${values[0] === 0 ? '' : ` from ${values[0]}`}`
}

/** The step of values that go round the whole field evenly, at least three of them. */
function evenStep(name: 'second' | 'minute' | 'hour', values: readonly number[]): number | undefined {
  const size = SIZES[name]
  const step = size / values.length
  if (values.length < 3 || !Number.isInteger(step)) return undefined
  return values.every((value, index) => value === values[0]! + index * step) ? step : undefined
}

function sayNumbers(name: string, values: readonly number[]): string {
  const size = SIZES[name as CronFieldName] ?? 31
  return `${name}${values.length === 1 ? '' : 's'} ${sayValues(values, size, String)}`
}

/** Whether day of month and weekday are said at all, and how they go together. */
function sayDays(fields: CronFields): string {
  const days = valuesOf(fields, 'dayOfMonth')
  const weekdays = valuesOf(fields, 'dayOfWeek')
  const anyDay = days.length === 31
  const anyWeekday = weekdays.length === 7
  const either = (fields.calendar & EITHER_DAY) !== 0
  if ((anyDay && anyWeekday) || (either && (anyDay || anyWeekday))) return ''
  const dayWords = sayDates(fields, days)
  const ruled = fields.rules === undefined ? [] : sayRuledWeekdays(fields.rules)
  const isPlainStretch = isStretch(weekdays) && ruled.length === 0
  const plain = weekdays.length === 0 ? [] : [sayWeekdays(weekdays)]
  const weekdayWords = `${joinWords([...plain, ...ruled])}${ruled.length === 0 ? '' : ' of the month'}`
  if (either) return ` on ${dayWords}, and also ${isPlainStretch ? '' : 'on '}${weekdayWords}`
  if (anyWeekday) return ` on ${dayWords}`
  if (anyDay) return `${isPlainStretch ? ', ' : ' on '}${weekdayWords}`
  return ` on ${dayWords}, but only ${weekdayWords}`
}

/** `day 1 of the month` · `days 1 and 15 and the last day of the month` */
function sayDates({ rules }: CronFields, days: readonly number[]): string {
  const plain = days.length === 0 ? [] : [sayNumbers('day', days)]
  return `${joinWords([...plain, ...(rules === undefined ? [] : sayRuledDates(rules))])} of the month`
}

function sayYears({ rules }: CronFields, isAfterMonths: boolean): string {
  const years = rules === undefined ? undefined : yearsOf(rules)
  // Like days of a month, years are no cycle.
  return years === undefined ? '' : `${isAfterMonths ? ' of' : ', in'} ${sayValues(years, 31, String)}`
}

function isStretch(weekdays: readonly number[]): boolean {
  return stretchesOf(weekdays, 7).some(({ length }) => length >= 3)
}

function sayWeekdays(weekdays: readonly number[]): string {
  const inStretch = isStretch(weekdays)
  return sayValues(weekdays, 7, day => `${WEEKDAYS[day]!}${inStretch ? '' : 's'}`, false)
}

function sayMonths(fields: CronFields): string {
  const months = valuesOf(fields, 'month')
  if (months.length === 12) return ''
  return `, in ${sayValues(
    months.map(month => month - 1),
    12,
    month => MONTHS[month]!,
    false,
  )}`
}

interface Stretch {
  readonly first: number
  readonly last: number
  readonly length: number
}

/** The runs of neighbours in a cyclic field, in the order of their first values; one may go across the end. */
function stretchesOf(values: readonly number[], size: number): Stretch[] {
  const stretches: { first: number; last: number; length: number }[] = []
  for (const value of values) {
    const before = stretches.at(-1)
    if (before !== undefined && before.last + 1 === value) {
      before.last = value
      before.length += 1
    } else stretches.push({ first: value, last: value, length: 1 })
  }
  const head = stretches[0]
  const tail = stretches.at(-1)
  // Days of a month are no cycle: the 31st is not always followed by the 1st, which size 31 stands for.
  if (size !== 31 && head !== tail && head?.first === 0 && tail?.last === size - 1) {
    stretches.shift()
    tail.last = head.last
    tail.length += head.length
  }
  return stretches
}

/** `0, 7 and 14` · `9 to 17` · `1 to 5 and 20` · `0 to 56 in steps of 7` */
function sayValues(
  values: readonly number[],
  size: number,
  say: (value: number) => string,
  inSteps = true,
): string {
  const step = (values[1] ?? 0) - values[0]!
  const isLadder =
    inSteps &&
    values.length > 3 &&
    step > 1 &&
    values.every((value, index) => value === values[0]! + index * step)
  if (isLadder) return `${say(values[0]!)} to ${say(values.at(-1)!)} in steps of ${step}`
  return joinWords(
    stretchesOf(values, size).flatMap(({ first, last, length }) => {
      if (length >= 3) return [`${say(first)} to ${say(last)}`]
      return length === 1 ? [say(first)] : [say(first), say(last)]
    }),
  )
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function ordinal(value: number): string {
  const tail = value % 100 > 10 && value % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
  return `${value}${tail}`
}
