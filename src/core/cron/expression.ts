// A cron expression as seven small integers: what it matches, without its text.
//
//   1. Every number fits V8's small integers (31 bits, not negative), so the object is 80 bytes and nothing on the heap
//      hangs from it. A million of them are 80 MB, and equal texts share one (compile.ts).
//   2. Seconds and minutes are two masks of 30 bits each: values 0-29 in the low one, 30-59 in the high one.

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
}

/** The minute or the hour text starts with `*`: it follows the wall clock through both passes of a repeated hour. */
export const FOLLOWS_CLOCK = 1 << 19
/** Day of month and weekday are both restricted: a day matches when either does (the Vixie rule). */
export const EITHER_DAY = 1 << 20
/** The text has a seconds field, so slots may lie inside a minute. */
export const HAS_SECONDS = 1 << 21

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
