// A cron expression as seven small integers: what it matches, without its text.
//
//   1. Every number fits V8's small integers (31 bits, not negative), so the object is 80 bytes and nothing on the heap
//      hangs from it. A million of them are 80 MB, and equal texts share one (compile.ts).
//   2. Seconds and minutes are two masks of 30 bits each: values 0-29 in the low one, 30-59 in the high one.
//   3. What no mask of plain values can say (L, W, #, years) stands in `rules`, a property that only such expressions
//      have: HAS_RULES says so, and nobody looks for it without.

/** What a cron expression matches, packed. Read the parts of `calendar` with the functions below. */
export interface CronFields {
  readonly secondsLow: number
  readonly secondsHigh: number
  readonly minutesLow: number
  readonly minutesHigh: number
  /** Bit h stands for hour h. */
  readonly hours: number
  /** Bit d-1 stands for day d. */
  readonly daysOfMonth: number
  /** Months in bits 0-11 (January is bit 0), weekdays in bits 12-18 (Sunday is bit 12), flags above. */
  readonly calendar: number
  /** There if HAS_RULES is set. */
  readonly rules?: CronRules
}

/** The days that depend on the month, beside those of the masks, and the years. All masks but `years` are of 31 bits. */
export interface CronRules {
  /** Bit n: the day n days before the last (`L` is bit 0, `L-3` bit 3). */
  readonly lastDays: number
  /** Bit d-1: the weekday from Monday to Friday nearest to day d (`15W`). */
  readonly nearDays: number
  /** Bit n: the same for the day n days before the last (`LW`, `L-3W`). */
  readonly nearLastDays: number
  /** Bit 7(n-1)+w: the nth weekday w of the month, n up to 4 (`5#2`; Sunday is 0). */
  readonly nthWeekdays: number
  /** Bit w: the fifth weekday w (`5#5`). Bit 7+w: the last one (`5L`). */
  readonly lateWeekdays: number
  /** Bit i of word n: the year 1970 + 30n + i. Undefined: every year. */
  readonly years: readonly number[] | undefined
}

/** The minute or the hour text starts with `*`: it follows the wall clock through both passes of a repeated hour. */
export const FOLLOWS_CLOCK = 1 << 19
/** Day of month and weekday are both restricted: a day matches when either does (the Vixie rule). */
export const EITHER_DAY = 1 << 20
/** The text has a seconds field, so slots may lie inside a minute. */
export const HAS_SECONDS = 1 << 21
/** `rules` is there. */
export const HAS_RULES = 1 << 22
/** `dst: skip`: a fixed time that a gap leaves out is not caught up. */
export const SKIPS_GAPS = 1 << 23
/** `dst: both`: a fixed time that comes twice is due twice. */
export const BOTH_PASSES = 1 << 24
/** Every day of every month matches: the next day needs no search. */
export const EVERY_DAY = 1 << 25

/** The years that an expression can name, as in Quartz. */
export const FIRST_YEAR = 1970
export const LAST_YEAR = 2099

export function monthsOf(fields: CronFields): number {
  return fields.calendar & 0xfff
}

export function weekdaysOf(fields: CronFields): number {
  return (fields.calendar >> 12) & 0x7f
}

export function followsClock(fields: CronFields): boolean {
  return (fields.calendar & FOLLOWS_CLOCK) !== 0
}

export function hasSeconds(fields: CronFields): boolean {
  return (fields.calendar & HAS_SECONDS) !== 0
}

/** Whether an expression is due in a year at all. */
export function includesYear(rules: CronRules, year: number): boolean {
  const { years } = rules
  if (years === undefined) return true
  const index = year - FIRST_YEAR
  return index >= 0 && year <= LAST_YEAR && ((years[(index / 30) | 0]! >> (index % 30)) & 1) === 1
}

/** The last year in which an expression is due; undefined if there is none such. */
export function lastYearOf(fields: CronFields): number | undefined {
  const { rules } = fields
  if (rules?.years === undefined) return undefined
  let year = LAST_YEAR
  while (!includesYear(rules, year)) year--
  return year
}

export type CronFieldName = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek'

/** The values that one field allows, ascending: months from 1, weekdays from 0 = Sunday. */
export function valuesOf(fields: CronFields, name: CronFieldName): number[] {
  switch (name) {
    case 'second':
      return [...bitsOf(fields.secondsLow, 0), ...bitsOf(fields.secondsHigh, 30)]
    case 'minute':
      return [...bitsOf(fields.minutesLow, 0), ...bitsOf(fields.minutesHigh, 30)]
    case 'hour':
      return bitsOf(fields.hours, 0)
    case 'dayOfMonth':
      return bitsOf(fields.daysOfMonth, 1)
    case 'month':
      return bitsOf(monthsOf(fields), 1)
    case 'dayOfWeek':
      return bitsOf(weekdaysOf(fields), 0)
  }
}

function bitsOf(mask: number, first: number): number[] {
  const values: number[] = []
  for (let rest = mask; rest !== 0; rest &= rest - 1) values.push(first + lowestBit(rest))
  return values
}

/** The index of the lowest set bit of a mask that is not 0. */
export function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask)
}
