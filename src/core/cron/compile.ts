// Compiled schedules, shared: a million schedules that say `0 6 * * *` in Europe/Berlin hold one object.
//
//   1. Sharing is an economy and not a promise: two schedules with the same texts behave the same whether or not they
//      are one object. Compare texts, not objects.
//   2. The memory that the sharing itself takes is bounded, without weak references or finalisers: two generations of
//      at most CACHE_SIZE texts each, of which the older is dropped when the younger is full. What is in use is asked
//      for again and moves back; an object that is dropped here lives on with whoever holds it.

import { DagbokError } from '../error.ts'
import type { Instant } from '../time/instant.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import type { CronSchedule } from './cron.ts'
import { CronError, clip } from './cron-error.ts'
import type { CronFields } from './expression.ts'
import { isHashed } from './field.ts'
import { findNextSlot } from './next.ts'
import { type CronOptions, parseCron } from './parse.ts'
import { Period, readPeriod } from './period.ts'
import { splitCron } from './tokens.ts'

const CACHE_SIZE = 65_536

/**
 * Compiles an expression (cron of any dialect, a macro, or a period such as `5 MINUTE`) for an IANA time zone. The texts
 * stay as they were written.
 *
 * @param timezone undefined for the text's own (`USING CRON … <zone>`), or UTC. A zone in the text wins over UTC, which
 * is what a schedule has that names none; any other that differs from it is a contradiction.
 * @throws {CronError} CRON_INVALID
 * @throws {DagbokError} TIMEZONE_INVALID
 */
export function compileCron(
  expression: string,
  timezone: string | undefined,
  options: CronOptions = NO_OPTIONS,
): CronSchedule {
  const marks = options === NO_OPTIONS ? '' : markOptions(expression, options)
  const key = `${marks}${timezone ?? ''}\n${expression}`
  let schedule = schedules.get(key)
  if (schedule === undefined) {
    schedule = compile(expression, timezone, options, `${marks}${expression}`)
    schedules.set(key, schedule)
  }
  return schedule
}

const NO_OPTIONS: CronOptions = {}

/** The options as a text that no other options have, and that no expression or zone begins with. */
function markOptions(expression: string, options: CronOptions): string {
  const { dialect, dst, hashSeed, allowEverySecond } = options
  let marks = ''
  if (allowEverySecond === true) marks += '!'
  if (dialect === 'quartz') marks += '%'
  if (dst === 'skip') marks += '<'
  else if (dst === 'both') marks += '='
  if (hashSeed !== undefined && isHashed(expression)) marks += `${hashSeed.length};${hashSeed}`
  return marks
}

function compile(
  expression: string,
  timezone: string | undefined,
  options: CronOptions,
  fieldsKey: string,
): CronSchedule {
  const periodMs = readPeriod(expression, options)
  if (periodMs !== undefined) {
    // A period has no use for a zone, and yet a wrong one is wrong.
    if (timezone !== undefined) zoneOf(timezone)
    return new Period(expression, timezone ?? 'UTC', periodMs)
  }
  let fields = fieldSets.get(fieldsKey)
  if (fields === undefined) {
    fields = parseCron(expression, options)
    fieldSets.set(fieldsKey, fields)
  }
  const zoneName = findZoneInText(expression, timezone === 'UTC' ? undefined : timezone) ?? timezone ?? 'UTC'
  return new CompiledCron(expression, zoneName, fields, zoneOf(zoneName))
}

/**
 * The slots that an expression would have on a clock without changes: read in UTC, whatever zone its text names. A period
 * is on no clock's face, and has none.
 * @throws {CronError} CRON_INVALID
 */
export function compileOnWall(expression: string, options: CronOptions = {}): CronSchedule | undefined {
  if (readPeriod(expression, options) !== undefined) return undefined
  if (findZoneInText(expression) === undefined) return compileCron(expression, 'UTC', options)
  return new CompiledCron(expression, 'UTC', parseCron(expression, options), zoneOf('UTC'))
}

/**
 * The zone at the end of `USING CRON … <zone>`; undefined for every other text.
 * @throws {CronError} if it is unknown, or is not `timezone` where that is given.
 */
export function findZoneInText(expression: string, timezone?: string): string | undefined {
  if (!/^\s*USING\s/i.test(expression)) return undefined
  const { zone } = splitCron(expression)
  if (zone === undefined) return undefined
  const fail = (what: string, expected: string, remedy: string): CronError =>
    new CronError(expression, { what, position: zone.position, length: zone.text.length, expected, remedy })
  try {
    zoneOf(zone.text)
  } catch (error) {
    if (!(error instanceof DagbokError)) throw error
    throw fail(`time zone ${clip(zone.text, 40)} is unknown`, 'an IANA name', error.hint ?? '')
  }
  if (timezone !== undefined && timezone.toLowerCase() !== zone.text.toLowerCase()) {
    const what = `the text says ${zone.text} and timezone says ${clip(timezone, 40)}`
    throw fail(what, 'one zone', `Remove timezone, or write ${clip(timezone, 40)} here.`)
  }
  return zone.text
}

class CompiledCron implements CronSchedule {
  readonly expression: string
  readonly timezone: string
  readonly #fields: CronFields
  readonly #zone: Zone

  constructor(expression: string, timezone: string, fields: CronFields, zone: Zone) {
    this.expression = expression
    this.timezone = timezone
    this.#fields = fields
    this.#zone = zone
  }

  next(after: Instant): Instant | undefined {
    return findNextSlot(this.#fields, this.#zone, after)
  }
}

/** A map that forgets what has not been asked for during its last CACHE_SIZE additions, at the earliest. */
class BoundedMap<V> {
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  get(key: string): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: V): void {
    if (this.#young.size >= CACHE_SIZE) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

const fieldSets = new BoundedMap<CronFields>()
const schedules = new BoundedMap<CronSchedule>()
