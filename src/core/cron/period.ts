// Snowflake's periods: `5 MINUTE`, `2 HOURS`, `90 SECONDS`. Their slots are the multiples of the period since
// 1970-01-01T00:00Z, so that a restart keeps the rhythm; neither a zone nor a start has a part in it.

import type { Instant } from '../time/instant.ts'
import { ZONE_MAX_S } from '../time/zone.ts'
import type { CronSchedule } from './cron.ts'
import { CronError, clip } from './cron-error.ts'

const UNITS: readonly (readonly [pattern: RegExp, seconds: number])[] = [
  [/^(?:S|SECONDS?)$/i, 1],
  [/^(?:M|MINUTES?)$/i, 60],
  [/^(?:H|HOURS?)$/i, 3600],
]

/** Snowflake's own limit: 11,520 minutes. */
const LONGEST_S = 8 * 86_400

/**
 * The length of a period in milliseconds; undefined if the text is no period at all.
 * @throws {CronError} if it is one that cannot be used
 */
export function readPeriod(
  expression: string,
  { allowEverySecond = false }: { readonly allowEverySecond?: boolean | undefined } = {},
): number | undefined {
  const parts = /^(\s*)([-+]?\d[\d.,]*)(\s+)([A-Za-z]+)\s*$/.exec(expression)
  if (parts === null) return undefined
  const [, lead = '', count = '', space = '', unit = ''] = parts
  const fail = (what: string, isUnit: boolean, expected: string, remedy: string): CronError =>
    new CronError(expression, {
      what,
      position: lead.length + (isUnit ? count.length + space.length : 0),
      length: isUnit ? unit.length : count.length,
      expected,
      remedy,
    })
  const unitS = UNITS.find(([pattern]) => pattern.test(unit))?.[1]
  if (unitS === undefined) {
    const remedy = /^D(?:AYS?)?$/i.test(unit)
      ? `Write ${Number(count) * 24 || 24} HOURS, or @daily for midnight in a zone.`
      : 'Write 5 MINUTE, 2 HOURS or 90 SECONDS, or a cron expression of five fields.'
    throw fail(`the period's unit ${clip(unit, 20)} is unknown`, true, 'SECONDS, MINUTES or HOURS', remedy)
  }
  if (!/^\d+$/.test(count)) {
    const remedy = 'Use a smaller unit: 90 SECONDS instead of 1.5 MINUTES.'
    throw fail(`the period ${clip(count, 20)} is not a whole number`, false, 'a whole number from 1', remedy)
  }
  const seconds = Number(count) * unitS
  const longest = `${LONGEST_S / unitS} ${unit}`
  if (seconds === 0) throw fail('a period of 0 never moves on', false, `1 to ${longest}`, 'Write 1 or more.')
  if (seconds > LONGEST_S) {
    const remedy = 'Longer than 8 days? Write it as cron: 0 0 1 * * is the first of each month.'
    throw fail(`the period ${clip(count, 20)} ${unit} is too long`, false, `at most ${longest}`, remedy)
  }
  if (seconds === 1 && !allowEverySecond) {
    const remedy = 'Write 10 SECONDS or more, or allow every second explicitly.'
    throw fail('a period of one second is due every second', false, 'a longer period', remedy)
  }
  return seconds * 1000
}

/** A schedule that is due at the multiples of a period. */
export class Period implements CronSchedule {
  readonly expression: string
  readonly timezone: string
  readonly #lengthMs: number

  constructor(expression: string, timezone: string, lengthMs: number) {
    this.expression = expression
    this.timezone = timezone
    this.#lengthMs = lengthMs
  }

  next(after: Instant): Instant | undefined {
    if (!Number.isFinite(after)) throw new RangeError(`not an instant: ${after}`)
    const slot = (Math.floor(after / this.#lengthMs) + 1) * this.#lengthMs
    return slot <= ZONE_MAX_S * 1000 ? slot : undefined
  }
}
