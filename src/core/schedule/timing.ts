// What fixes a schedule's slots, as texts: crons, a period, single instants, a zone, bounds, a roll. And the slots that follow.
//
//   T1. A timing stands in the journal word for word, so that old slots can be counted after an edit, and after years.
//   T2. Instants in it are UTC: reading `at: 2026-03-29 02:30` in a zone is the loader's, once.
//   T3. The slots are a function of (timing, schedule id) alone: strictly increasing, each instant once, whichever of
//       several crons named it. Each is a whole second, as its text in the journal is: what stands between two counts as
//       the later one.
//   T4. A roll moves what the crons name; periods and single instants stay, and the bounds hold for what has been moved.

import type { Day } from '../calendar/day.ts'
import { compileCron, compileOnWall } from '../cron/compile.ts'
import type { CronSchedule } from '../cron/cron.ts'
import type { CronDst } from '../cron/parse.ts'
import type { CronDialect } from '../cron/tokens.ts'
import { DagbokError, EXIT } from '../error.ts'
import { parseDuration } from '../time/duration.ts'
import { type Instant, parseInstant, SECOND_MS } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { describeRoll, RolledSlots, shareRoll, type TimingRoll } from './roll.ts'

export interface Timing {
  readonly crons: readonly string[]
  /** A duration: due at its multiples since 1970-01-01T00:00Z, or since `startAt` where there is one. */
  readonly every?: string | undefined
  /** ISO 8601, UTC, ascending. */
  readonly at?: readonly string[] | undefined
  readonly timezone: string
  readonly dialect: CronDialect
  readonly dst: CronDst
  /** ISO 8601, UTC. No slot before it. */
  readonly startAt?: string | undefined
  /** ISO 8601, UTC. No slot after it. */
  readonly endAt?: string | undefined
  /** Where times go that fall on no business day. */
  readonly roll?: TimingRoll | undefined
}

/** Where a schedule's slots come from. */
export interface Slots {
  /** The first slot strictly after `after`; undefined if there is none within 40 years. */
  next(after: Instant): Instant | undefined
}

/** The first `count` slots strictly after `after`; fewer where there are no more. */
export function takeSlots(slots: Slots, after: Instant, count: number): Instant[] {
  const taken: Instant[] = []
  for (let slot = slots.next(after); slot !== undefined && taken.length < count; slot = slots.next(slot))
    taken.push(slot)
  return taken
}

/** A timing of one cron expression and nothing else. */
export function cronTiming(cron: string, timezone: string): Timing {
  return { crons: [cron], timezone, dialect: 'unix', dst: 'cron' }
}

/** A timing in a line of the journal: only what is not as usual is said. */
export interface TimingFields {
  /** The expression, where there is exactly one. */
  cron?: string
  /** The expressions, where there are several. */
  crons?: string[]
  every?: string
  at?: string[]
  timezone: string
  dialect?: CronDialect
  dst?: CronDst
  start_at?: string
  end_at?: string
  roll?: TimingRoll
}

export function timingFields(timing: Timing): TimingFields {
  const { crons, every, at, timezone, dialect, dst, startAt, endAt, roll } = timing
  const fields: TimingFields = crons.length === 1 ? { cron: crons[0]!, timezone } : { timezone }
  if (crons.length > 1) fields.crons = [...crons]
  if (every !== undefined) fields.every = every
  if (at !== undefined) fields.at = [...at]
  if (dialect !== 'unix') fields.dialect = dialect
  if (dst !== 'cron') fields.dst = dst
  if (startAt !== undefined) fields.start_at = startAt
  if (endAt !== undefined) fields.end_at = endAt
  if (roll !== undefined) fields.roll = roll
  return fields
}

export function readTiming(fields: TimingFields): Timing {
  const { cron, crons, every, at, timezone, dialect, dst, start_at, end_at, roll } = fields
  return {
    crons: cron === undefined ? (crons ?? []) : [cron],
    every,
    at,
    timezone,
    dialect: dialect ?? 'unix',
    dst: dst ?? 'cron',
    startAt: start_at,
    endAt: end_at,
    roll: roll && shareRoll(roll),
  }
}

/** One text for each timing: equal texts, equal slots (but for `H`, which asks for the schedule's id). */
export function timingKey(timing: Timing): string {
  return JSON.stringify(timingFields(timing))
}

export function sameTiming(a: Timing, b: Timing): boolean {
  if (a === b) return true
  // Most rolls that say the same are one object, and the longest part of the text.
  if (a.roll !== b.roll && JSON.stringify(a.roll) !== JSON.stringify(b.roll)) return false
  return timingKey({ ...a, roll: undefined }) === timingKey({ ...b, roll: undefined })
}

/**
 * For a table: `5 * * * *`, `0 6 * * * | 0 18 * * *`, `every 15m`, `at 2026-12-24T18:00Z`, and where a roll moves it:
 * `0 6 1 * *, rolled to the following business day of office`.
 */
export function describeTiming({ crons, every, at, roll }: Timing): string {
  const parts = [...crons]
  if (every !== undefined) parts.push(`every ${every}`)
  if (at !== undefined) parts.push(at.length === 1 ? `at ${at[0]}` : `at ${at[0]} and ${at.length - 1} more`)
  const moments = parts.join(' | ')
  return roll === undefined ? moments : `${moments}, ${describeRoll(roll)}`
}

/**
 * @param scheduleId what `H` in an expression is drawn from
 * @throws CronError CRON_INVALID, DagbokError TIMEZONE_INVALID, DURATION_INVALID for texts that the loader refuses
 */
export function compileTiming(timing: Timing, scheduleId: string): Slots {
  const { crons, every, at, startAt, endAt } = timing
  const sources: Slots[] = crons.map(
    cron => rolled(cron, timing, scheduleId) ?? compile(cron, timing, scheduleId),
  )
  if (every !== undefined) {
    sources.push(new EveryPeriod(readPeriod(every), startAt === undefined ? 0 : readSecond(startAt)))
  }
  if (at !== undefined) sources.push(new SingleInstants(at.map(readSecond)))
  const source = sources.length === 1 ? sources[0]! : new AnyOf(sources)
  if (startAt === undefined && endAt === undefined) return source
  return new Bounded(
    source,
    startAt === undefined ? Number.NEGATIVE_INFINITY : readSecond(startAt),
    endAt === undefined ? Number.POSITIVE_INFINITY : parseInstant(endAt),
  )
}

/** The first whole second that is not before an instant: a slot between two would be decided again and again. */
function readSecond(text: string): Instant {
  return Math.ceil(parseInstant(text) / SECOND_MS) * SECOND_MS
}

/** @throws DagbokError DURATION_INVALID */
function readPeriod(every: string): number {
  const ms = parseDuration(every)
  if (ms >= SECOND_MS && ms % SECOND_MS === 0) return ms
  throw new DagbokError('DURATION_INVALID', `a period is of whole seconds, got "${every}"`, {
    hint: 'a slot is exact to the second: write 1s or more',
    exitCode: EXIT.configInvalid,
  })
}

/** The closed days from which a time moves to this slot; none, where it is only its own. */
export function rolledFrom(timing: Timing, scheduleId: string, slot: Instant): Day[] {
  const days = timing.crons.flatMap(cron => rolled(cron, timing, scheduleId)?.movedFrom(slot) ?? [])
  return [...new Set(days)].sort((a, b) => a - b)
}

/** Where a roll has moved a time to, which is no slot therefore; undefined if no roll has. */
export function rolledTo(timing: Timing, scheduleId: string, time: Instant): Instant | undefined {
  return timing.crons
    .map(cron => rolled(cron, timing, scheduleId)?.movedTo(time))
    .find(to => to !== undefined)
}

function compile(cron: string, { timezone, dialect, dst }: Timing, hashSeed: string): CronSchedule {
  return compileCron(cron, timezone, { dialect, dst, hashSeed })
}

/** Undefined where nothing is rolled: there is no roll, or the text is a period, which is on no clock's face. */
function rolled(cron: string, timing: Timing, hashSeed: string): RolledSlots | undefined {
  const { dialect, dst, roll } = timing
  if (roll === undefined) return undefined
  const wall = compileOnWall(cron, { dialect, dst, hashSeed })
  const slots = compile(cron, timing, hashSeed)
  return wall && new RolledSlots({ slots, wall, zone: zoneOf(slots.timezone), dst }, roll)
}

/** Anchored, so that a restart, a reload or a month of downtime never shifts the rhythm. */
class EveryPeriod implements Slots {
  readonly #periodMs: number
  readonly #anchor: Instant

  constructor(periodMs: number, anchor: Instant) {
    this.#periodMs = periodMs
    this.#anchor = anchor
  }

  next(after: Instant): Instant {
    return this.#anchor + (Math.floor((after - this.#anchor) / this.#periodMs) + 1) * this.#periodMs
  }
}

class SingleInstants implements Slots {
  readonly #instants: readonly Instant[]

  constructor(instants: readonly Instant[]) {
    this.#instants = instants
  }

  next(after: Instant): Instant | undefined {
    return this.#instants.find(instant => instant > after)
  }
}

class AnyOf implements Slots {
  readonly #sources: readonly Slots[]

  constructor(sources: readonly Slots[]) {
    this.#sources = sources
  }

  next(after: Instant): Instant | undefined {
    let first: Instant | undefined
    for (const source of this.#sources) {
      const slot = source.next(after)
      if (slot !== undefined && (first === undefined || slot < first)) first = slot
    }
    return first
  }
}

class Bounded implements Slots {
  readonly #source: Slots
  readonly #from: Instant
  readonly #to: Instant

  constructor(source: Slots, from: Instant, to: Instant) {
    this.#source = source
    this.#from = from
    this.#to = to
  }

  next(after: Instant): Instant | undefined {
    const slot = this.#source.next(Math.max(after, this.#from - 1))
    return slot === undefined || slot > this.#to ? undefined : slot
  }
}
