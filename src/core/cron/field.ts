// One field of a cron expression: its limits and names, and the values that a text such as `1-5,22-2/2` stands for.
//
//   1. What is legal is decided here and only here; diagnose.ts finds the words for what is not.
//   2. A range may wrap (`FRI-MON`, `22-2`); a step then counts on across the end of the field.
//   3. `n/step` is `n-max/step`, where the week ends on Saturday. Sunday is 0 and 7, in Quartz 1.
//   4. `H` is one value of the field, or of the range behind it, that a hash chooses: the same for all H of a field.

import { FIRST_YEAR, LAST_YEAR } from './expression.ts'

export interface FieldSpec {
  /** As people say it: `day of month`. */
  readonly name: string
  readonly min: number
  /** The largest number that may be written, and the last value of the cycle (7 and 6 for weekdays). */
  readonly max: number
  readonly last: number
  /** How many values the cycle has. */
  readonly size: number
  /** Upper-case names, in the order of their values from `min`. */
  readonly names: readonly string[]
  /** The last value that `H` may choose: 28 for days of the month, so that it comes in every one. */
  readonly lastHashed: number
  /** Day of month and weekday: the two of which either may be left open, by `*` or `?`. */
  readonly isDay: boolean
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ')

export const SECOND: FieldSpec = numbers('second', 0, 59)
export const MINUTE: FieldSpec = numbers('minute', 0, 59)
export const HOUR: FieldSpec = numbers('hour', 0, 23)
export const DAY_OF_MONTH: FieldSpec = { ...numbers('day of month', 1, 31), lastHashed: 28, isDay: true }
export const MONTH: FieldSpec = { ...numbers('month', 1, 12), names: MONTHS }
export const DAY_OF_WEEK: FieldSpec = { ...numbers('weekday', 0, 6), max: 7, names: WEEKDAYS, isDay: true }
/** Quartz counts from Sunday = 1. */
export const QUARTZ_DAY_OF_WEEK: FieldSpec = { ...numbers('weekday', 1, 7), names: WEEKDAYS, isDay: true }
export const YEAR: FieldSpec = numbers('year', FIRST_YEAR, LAST_YEAR)

function numbers(name: string, min: number, max: number): FieldSpec {
  return { name, min, max, last: max, size: max - min + 1, lastHashed: max, names: [], isDay: false }
}

/** The values of a field: bit i of `low` stands for `min + i` up to 29, bit i of `high` for `min + 30 + i`. */
export interface FieldMask {
  readonly low: number
  readonly high: number
}

/** One item of a field's list, read: the values first, first+step … up to `end`, counted modulo the field's size. */
export interface FieldItem {
  readonly first: number
  /** Beyond the field's last value where the range wraps. */
  readonly end: number
  readonly step: number
  /** Whether the end was written, as in `10-30/5`, rather than taken from the field (`*`, `10/5`). */
  readonly endWritten: boolean
}

const ITEM = /^(?:(\*)|(\d+|[A-Za-z]+)(?:-(\d+|[A-Za-z]+))?)(?:\/(\d+))?$/
const HASHED_ITEM = /^H(?:\((\d+|[A-Za-z]+)-(\d+|[A-Za-z]+)\))?(?:\/(\d+))?$/i

/**
 * Reads one item (`*`, `5`, `MON-FRI`, `22-2/2`, `10/5`, `H(0-29)/5`); undefined if the field does not know it. What an
 * H stands for follows from `hash`.
 */
export function readItem(spec: FieldSpec, text: string, hash = 0): FieldItem | undefined {
  const parts = ITEM.exec(text)
  if (parts === null) return readHashed(spec, text, hash)
  const [, star, firstText, endText, stepText] = parts
  const step = stepText === undefined ? 1 : Number(stepText)
  if (step < 1 || step > spec.size) return undefined
  if (star !== undefined) return { first: spec.min, end: spec.last, step, endWritten: false }
  if (endText !== undefined) {
    const range = readRange(spec, firstText!, endText)
    return range && { ...range, step, endWritten: true }
  }
  let first = readValue(spec, firstText!)
  if (first === undefined) return readHashed(spec, text, hash)
  if (first > spec.last) first -= spec.size
  return { first, end: stepText === undefined ? first : spec.last, step, endWritten: false }
}

function readRange(
  spec: FieldSpec,
  firstText: string,
  endText: string,
): { first: number; end: number } | undefined {
  let first = readValue(spec, firstText)
  let end = readValue(spec, endText)
  if (first === undefined || end === undefined) return undefined
  // 7 is Sunday as 0 is: at the start of a range it opens the week, at its end it closes it (`7-2`, `FRI-7`).
  if (first !== end && first > spec.last) first -= spec.size
  if (first > end) {
    // Years do not come round again.
    if (spec === YEAR) return undefined
    end += spec.size
  }
  return { first, end }
}

function readHashed(spec: FieldSpec, text: string, hash: number): FieldItem | undefined {
  const parts = HASHED_ITEM.exec(text)
  if (parts === null || spec === YEAR) return undefined
  const [, firstText, endText, stepText] = parts
  const range =
    firstText === undefined ? { first: spec.min, end: spec.lastHashed } : readRange(spec, firstText, endText!)
  if (range === undefined) return undefined
  const { first, end } = range
  const count = end - first + 1
  if (stepText === undefined) {
    const chosen = first + (hash % count)
    return { first: chosen, end: chosen, step: 1, endWritten: true }
  }
  const step = Number(stepText)
  if (step < 1 || step > count) return undefined
  return { first: first + (hash % step), end, step, endWritten: firstText !== undefined }
}

/** Whether an H in a field's text, or in a whole expression, leaves the choice to the hash (`THU` does not). */
export function isHashed(text: string): boolean {
  return /(?:^|[\s,])H(?![A-Za-z])/i.test(text)
}

/** The value of a number or name within the field's limits; undefined if it is none. */
export function readValue(spec: FieldSpec, text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const value = Number(text)
    return value >= spec.min && value <= spec.max ? value : undefined
  }
  const index = spec.names.indexOf(text.toUpperCase())
  return index < 0 ? undefined : spec.min + index
}

/** Reads a whole field of up to 60 values; undefined if any part of it is not legal. */
export function readField(spec: FieldSpec, text: string, hash = 0): FieldMask | undefined {
  let low = 0
  let high = 0
  if (text === '*' || (text === '?' && spec.isDay)) {
    low = -1 >>> (32 - Math.min(spec.size, 30))
    high = spec.size > 30 ? -1 >>> (62 - spec.size) : 0
    return { low, high }
  }
  for (const part of text.split(',')) {
    const item = readItem(spec, part, hash)
    if (item === undefined) return undefined
    for (let value = item.first; value <= item.end; value += item.step) {
      const index = (value - spec.min) % spec.size
      if (index < 30) low |= 1 << index
      else high |= 1 << (index - 30)
    }
  }
  return { low, high }
}

/** Reads the field of years, as `CronRules` has them; undefined if any part of it is not legal. */
export function readYears(text: string): number[] | undefined {
  const years = Array.from({ length: Math.ceil(YEAR.size / 30) }, () => 0)
  for (const part of text.split(',')) {
    const item = readItem(YEAR, part)
    if (item === undefined) return undefined
    for (let value = item.first; value <= item.end; value += item.step) {
      const index = value - YEAR.min
      years[Math.floor(index / 30)]! |= 1 << (index % 30)
    }
  }
  return years
}
