// Compiled schedules, shared: a million schedules that say `0 6 * * *` in Europe/Berlin hold one object.
//
//   1. Sharing is an economy and not a promise: two schedules with the same texts behave the same whether or not they
//      are one object. Compare texts, not objects.
//   2. The memory that the sharing itself takes is bounded, without weak references or finalisers: two generations of
//      at most CACHE_SIZE texts each, of which the older is dropped when the younger is full. What is in use is asked
//      for again and moves back; an object that is dropped here lives on with whoever holds it.

import type { Instant } from '../time/instant.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import type { CronSchedule } from './cron.ts'
import type { CronFields } from './expression.ts'
import { findNextSlot } from './next.ts'
import { type CronOptions, parseCron } from './parse.ts'

const CACHE_SIZE = 65_536

/**
 * Compiles an expression (five fields, six with leading seconds, or a macro) for an IANA time zone. The texts stay as
 * they were written.
 * @throws {CronError} CRON_INVALID
 * @throws {DagbokError} TIMEZONE_INVALID
 */
export function compileCron(expression: string, timezone: string, options: CronOptions = {}): CronSchedule {
  const key = `${options.allowEverySecond === true ? '!' : ''}${timezone}\n${expression}`
  let schedule = schedules.get(key)
  if (schedule === undefined) {
    const fieldsKey = options.allowEverySecond === true ? `!${expression}` : expression
    let fields = fieldSets.get(fieldsKey)
    if (fields === undefined) {
      fields = parseCron(expression, options)
      fieldSets.set(fieldsKey, fields)
    }
    schedule = new CompiledCron(expression, timezone, fields, zoneOf(timezone))
    schedules.set(key, schedule)
  }
  return schedule
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
