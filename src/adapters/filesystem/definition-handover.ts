// How a checked set goes from the process that checked it to the one that uses it: in slices of plain data, each taken
// before the next is sent, so that neither side holds a copy of all of it and no slice holds up the event loop.
//
//   1. Order: DAGs, schedules, calendars, pools, channels, problems, `done`. What cannot be copied (a compiled cron, a calendar) is made
//      again by the receiver.
//   2. `take` and `finish` never throw for what the sender's files said.

import { type Calendar, type CalendarPlan, compileCalendars } from '../../core/calendar/calendar.ts'
import { type Dag, sameDag } from '../../core/dag/dag.ts'
import { type Channel, type Channels, sameChannels } from '../../core/notification/channel.ts'
import { type Pool, type Pools, samePools } from '../../core/schedule/pool.ts'
import { shareRoll } from '../../core/schedule/roll.ts'
import { type Schedule, sameSchedule } from '../../core/schedule/schedule.ts'
import { compileTiming, type Timing, timingKey } from '../../core/schedule/timing.ts'
import type { DefinitionProblem, Definitions, LoadResult } from '../../ports/definition-source.ts'

/** What can be copied of a schedule. */
export type PlainSchedule = Omit<Schedule, 'slots'>

/** What the receiver knows of the last good load, so that an unchanged set is not parsed again. */
export interface KnownLoad {
  readonly fingerprint: string
  /** DAG files outside the folders, as schedules name them. */
  readonly far: readonly string[]
}

export type HandoverMessage =
  | { readonly type: 'dags'; readonly dags: readonly Dag[] }
  | { readonly type: 'schedules'; readonly schedules: readonly PlainSchedule[] }
  | { readonly type: 'calendars'; readonly plans: readonly CalendarPlan[] }
  | { readonly type: 'pools'; readonly pools: readonly (readonly [name: string, pool: Pool])[] }
  | { readonly type: 'channels'; readonly channels: readonly (readonly [name: string, channel: Channel])[] }
  | { readonly type: 'problems'; readonly problems: readonly DefinitionProblem[] }
  | ({ readonly type: 'done'; readonly ok: boolean } & KnownLoad)
  /** Everything is as it was at the load that the receiver knows. */
  | { readonly type: 'unchanged' }

/** Each slice takes the receiver one or two milliseconds. DAGs are of any size, so there are few. */
const SLICE = { dags: 20, schedules: 250, calendars: 1, pools: 250, channels: 250, problems: 250 } as const

/** A result as messages, in order. */
export function* sliceResult(result: LoadResult, known: KnownLoad): Generator<HandoverMessage> {
  if (result.ok) {
    const { dags, schedules, calendars, pools, channels } = result.definitions
    for (const slice of slices(dags.values(), SLICE.dags)) yield { type: 'dags', dags: slice }
    const plain = schedules.values().map(({ slots: _, ...schedule }): PlainSchedule => schedule)
    for (const slice of slices(plain, SLICE.schedules)) yield { type: 'schedules', schedules: slice }
    const plans = calendars.values().map(({ plan }) => plan)
    for (const slice of slices(plans, SLICE.calendars)) yield { type: 'calendars', plans: slice }
    for (const slice of slices(pools, SLICE.pools)) yield { type: 'pools', pools: slice }
    for (const slice of slices(channels, SLICE.channels)) yield { type: 'channels', channels: slice }
  }
  const problems = result.ok ? result.warnings : result.problems
  for (const slice of slices(problems.values(), SLICE.problems)) yield { type: 'problems', problems: slice }
  yield { type: 'done', ok: result.ok, ...known }
}

function* slices<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let slice: T[] = []
  for (const item of items) {
    slice.push(item)
    if (slice.length < size) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

/** Puts the slices together. What is as in the last good set is taken from it, equal texts are held once. */
export class Assembly {
  readonly #before: Definitions | undefined
  readonly #schedules = new Map<string, Schedule>()
  readonly #dags = new Map<string, Dag>()
  readonly #plans: CalendarPlan[] = []
  readonly #pools = new Map<string, Pool>()
  readonly #channels = new Map<string, Channel>()
  readonly #problems: DefinitionProblem[] = []
  readonly #texts = new Map<string, string>()
  readonly #timings = new Map<string, Timing>()
  #isAsBefore = true

  constructor(before?: Definitions) {
    this.#before = before
  }

  take(message: HandoverMessage): void {
    if (message.type === 'dags') for (const dag of message.dags) this.#takeDag(dag)
    else if (message.type === 'schedules')
      for (const schedule of message.schedules) this.#takeSchedule(schedule)
    else if (message.type === 'calendars') this.#plans.push(...message.plans)
    else if (message.type === 'pools')
      for (const [name, pool] of message.pools) this.#pools.set(name, Object.freeze(pool))
    else if (message.type === 'channels')
      for (const [name, channel] of message.channels) this.#channels.set(name, Object.freeze(channel))
    else if (message.type === 'problems') this.#problems.push(...message.problems)
  }

  finish(ok: boolean): LoadResult {
    if (!ok) return { ok, problems: this.#problems }
    const before = this.#before
    const calendars = this.#takeCalendars()
    const pools = this.#takePools()
    const channels = this.#takeChannels()
    const isAsBefore =
      this.#isAsBefore &&
      before?.schedules.size === this.#schedules.size &&
      before.dags.size === this.#dags.size &&
      before.calendars === calendars &&
      before.pools === pools &&
      before.channels === channels
    const definitions = isAsBefore
      ? before
      : { schedules: this.#schedules, dags: this.#dags, calendars, pools, channels }
    return { ok, definitions, warnings: this.#problems }
  }

  #takeDag(dag: Dag): void {
    const earlier = this.#before?.dags.get(dag.name)
    const isSame = earlier !== undefined && sameDag(earlier, dag)
    if (!isSame) this.#isAsBefore = false
    const kept = isSame ? earlier : Object.freeze(dag)
    this.#texts.set(kept.name, kept.name)
    this.#dags.set(kept.name, kept)
  }

  #takeSchedule(schedule: PlainSchedule): void {
    const earlier = this.#before?.schedules.get(schedule.id)
    const isSame = earlier !== undefined && sameSchedule(earlier, schedule)
    if (!isSame) this.#isAsBefore = false
    const kept = isSame ? earlier : this.#compile(schedule)
    this.#schedules.set(kept.id, kept)
  }

  /** The earlier ones, if all of them are as they were: then what they worked out is kept. */
  #takeCalendars(): ReadonlyMap<string, Calendar> {
    const before = this.#before?.calendars
    const isSame = (plan: CalendarPlan) => before?.get(plan.name)?.plan.hash === plan.hash
    if (before?.size === this.#plans.length && this.#plans.every(isSame)) return before
    return compileCalendars(this.#plans)
  }

  #takePools(): Pools {
    const before = this.#before?.pools
    return before !== undefined && samePools(before, this.#pools) ? before : this.#pools
  }

  #takeChannels(): Channels {
    const before = this.#before?.channels
    return before !== undefined && sameChannels(before, this.#channels) ? before : this.#channels
  }

  #compile(schedule: PlainSchedule): Schedule {
    const key = timingKey(schedule.timing)
    let timing = this.#timings.get(key)
    if (timing === undefined) {
      const { roll } = schedule.timing
      timing = Object.freeze(
        roll === undefined ? schedule.timing : { ...schedule.timing, roll: shareRoll(roll) },
      )
      this.#timings.set(key, timing)
    }
    return Object.freeze({
      id: schedule.id,
      timing,
      slots: compileTiming(timing, schedule.id),
      dagName: this.#share(schedule.dagName),
      tenantId: this.#share(schedule.tenantId),
      enabled: schedule.enabled,
      catchup: this.#share(schedule.catchup),
      catchupWindowMs: schedule.catchupWindowMs,
      maxCatchup: schedule.maxCatchup,
      overlap: this.#share(schedule.overlap),
      startingDeadlineMs: schedule.startingDeadlineMs,
      jitterMs: schedule.jitterMs,
      pool: schedule.pool === undefined ? undefined : this.#share(schedule.pool),
      weight: schedule.weight,
      priority: schedule.priority,
      conditions: schedule.conditions,
      conditionPolicy: schedule.conditionPolicy,
    })
  }

  #share<T extends string>(text: T): T {
    const shared = this.#texts.get(text) as T | undefined
    if (shared !== undefined) return shared
    this.#texts.set(text, text)
    return text
  }
}
