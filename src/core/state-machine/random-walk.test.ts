// Random stories: whatever is asked in whatever order, the facts are the same live, replayed and restored, the limits
// hold, and every slot is disposed of exactly once.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aChannel, aDag, aSchedule, askedBy, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import type { Answer } from '../condition/question.ts'
import { compileCron } from '../cron/compile.ts'
import { DagbokError } from '../error.ts'
import { nextOfLine } from '../notification/outbox.ts'
import type { Definitions } from '../schedule/definitions.ts'
import type { Catchup, Overlap } from '../schedule/schedule.ts'
import { formatSlot } from '../time/instant.ts'
import { describeState } from './checkpoint.ts'
import type { AttemptResult, Command } from './command.ts'
import type { Event, NotificationFailed, NotificationQueued } from './event.ts'
import { slotKeyText } from './open-slot.ts'
import { emptyState, type State } from './state.ts'

const START = '2026-03-28T23:00:00Z'
const DAGS = [
  {
    ...aDag('chain', { a: [], b: ['a'], c: ['b'] }, { retries: 1, retryDelayMs: 30_000 }),
    notification: {
      types: ['ON_ERROR', 'ON_RECOVERY', 'ON_LATE', 'ON_MISSED', 'ON_SKIP'] as const,
      channels: ['near', 'far', 'gone'],
      lateAfterMs: 30_000,
      failuresInRow: 2,
    },
  },
  aDag('wide', { a: [], b: [], c: ['a', 'b'], d: ['a'], e: ['c', 'd'] }),
  {
    ...aDag('single', { only: [] }, { retries: 2, retryDelayMs: 1_000 }),
    notification: { types: ['ALWAYS'] as const, channels: ['far'], failuresInRow: 1 },
  },
]

const CHANNELS = {
  near: aChannel(),
  far: aChannel({ groupMs: 20_000, dedupeMs: 60_000, retryForMs: 90_000 }),
}

/** What the world says to the conditions of a slot. */
const ANSWERS: readonly Answer[] = [
  { holds: true, saw: { bytes: 1 } },
  { holds: false, saw: { missing: true } },
  { error: 'nobody knows' },
]

const schedules = fc.array(
  fc.record({
    cron: fc.constantFrom('* * * * *', '*/5 * * * *', '7 * * * *', '30 2 * * *', '*/20 * * * * *'),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
    dag: fc.constantFrom('chain', 'wide', 'single'),
    catchup: fc.constantFrom<Catchup>('none', 'latest', 'all'),
    overlap: fc.constantFrom<Overlap>('skip', 'allow', 'queue', 'replace'),
    maxCatchup: fc.integer({ min: 1, max: 5 }),
    enabled: fc.boolean(),
    asked: fc.constantFrom(
      undefined,
      undefined,
      askedBy(),
      askedBy({ retryUntilMs: 120_000, retryEveryMs: 20_000, onError: 'run' }),
      askedBy({ retryUntilMs: 40_000, retryEveryMs: 60_000, onError: 'skip' }),
    ),
    startingDeadlineMs: fc.constantFrom(undefined, undefined, 0, 45_000, 600_000),
    jitterMs: fc.constantFrom(undefined, undefined, 1, 30_000, 400_000),
    pool: fc.constantFrom(undefined, undefined, 'small', 'large', 'gone'),
    weight: fc.constantFrom(1, 1, 2, 3),
    priority: fc.constantFrom(0, 0, 5, -5),
  }),
  { minLength: 1, maxLength: 4 },
)

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), how: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      seconds: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: -4_000, max: 20_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(), how: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trigger' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('notified' as const), pick: fc.nat(), how: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redefine' as const), to: schedules }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), from: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'pause' as const,
        'resume' as const,
        'skip' as const,
        'unskip' as const,
        'run' as const,
      ),
      pick: fc.nat(),
      minutes: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    }),
  },
)

type Drawn = typeof schedules extends fc.Arbitrary<infer T> ? T : never

function define(drawn: Drawn): Definitions {
  // Sizes that a reload changes, at times to less than one run weighs; no set has the pool `gone`.
  const pools = { small: 1 + (drawn.length % 2), large: 2 + (drawn[0]!.maxCatchup % 3) }
  return definitionsOf(
    DAGS,
    drawn.map(({ cron, zone, dag, asked, ...policy }, index) =>
      aSchedule(`s${index}`, cron, dag, { ...policy, ...asked, timing: { timezone: zone } }),
    ),
    pools,
    CHANNELS,
  )
}

function result(how: number): AttemptResult {
  if (how < 6) return { kind: 'ok', output: { n: how } }
  if (how < 8) return { kind: 'failed', error: { kind: 'exit_code', message: 'exit 1', exit_code: 1 } }
  return { kind: 'lost', reason: 'interrupted' }
}

const WALKS = Number(process.env['WALKS'] ?? 150)

test('facts, limits and slots hold through any story', { timeout: 60_000 + WALKS * 500 }, () => {
  fc.assert(
    fc.property(schedules, fc.array(step, { maxLength: 120, size: 'max' }), (drawn, steps) => {
      let world = new DeciderWorld(define(drawn), START)
      world.limits = { maxParallel: 2, maxTasks: 3 }
      world.boot()
      let runs = 0
      for (const move of steps) {
        const before = world.events.length
        const live = [...world.state.live.values()]
        const known = [...world.state.runs.keys()]
        if (move.kind === 'advance') {
          world.now += move.seconds * 1000
          world.when({ type: 'tick' })
        } else if (move.kind === 'end' && live.length > 0) {
          const { runId, taskId } = live[move.pick % live.length]!
          world.end(runId, taskId, result(move.how))
        } else if (move.kind === 'answer') {
          world.answer(move.pick, ANSWERS[move.how]!)
        } else if (move.kind === 'trigger') {
          const dag = DAGS[move.pick % DAGS.length]!
          world.when({ type: 'trigger', runId: `${dag.name}@manual-${runs++}`, dag, cause: 'test' })
        } else if (move.kind === 'cancel' && known.length > 0) {
          world.when({ type: 'cancel', runId: known[move.pick % known.length]!, reason: 'test' })
        } else if (move.kind === 'notified') {
          takeMessage(world, move.pick, move.how)
        } else if (
          move.kind === 'pause' ||
          move.kind === 'resume' ||
          move.kind === 'skip' ||
          move.kind === 'unskip' ||
          move.kind === 'run'
        ) {
          steer(world, move.kind, move.pick, move.minutes)
        } else if (move.kind === 'redefine') {
          world.use(define(move.to))
        } else if (move.kind === 'restart') {
          world = restart(world, move.from)
        }
        expect(world.state.slotsHeld).toBeLessThanOrEqual(2)
        expect(world.state.live.size).toBeLessThanOrEqual(3)
        checkCounts(world)
        checkPools(world, world.events.slice(before))
        checkOrder(world)
      }
      expect(describeState(world.replayed())).toBe(world.facts())
      expect(describeState(world.restored())).toBe(world.facts())
      checkSlots(world.events)
      checkRuns(world.events, world)
      checkOutbox(world.events, world)
    }),
    { numRuns: WALKS },
  )
})

/** What a channel makes of its next message. */
function takeMessage(world: DeciderWorld, pick: number, how: number): void {
  const lines = [...world.state.outbox.lines]
  const [channel, line] = lines[pick % lines.length] ?? []
  if (channel === undefined || line === undefined) return
  const notificationIds = nextOfLine(line).map(({ id }) => id)
  const result = (
    [{ kind: 'sent' }, { kind: 'failed', error: 'x' }, { kind: 'refused', error: 'x' }] as const
  )[how]
  // At times it is said twice: by a sender that died before it knew.
  for (let times = 0; times <= how % 2; times++)
    world.when({ type: 'notified', channel, notificationIds, result: result ?? { kind: 'sent' } })
}

/** Each notification is queued once and ends at most once; what has not ended waits. */
function checkOutbox(events: readonly Event[], { state }: DeciderWorld): void {
  const waiting = new Set<string>()
  const all = new Set<string>()
  for (const event of events) {
    if (event.event === 'notification_queued') {
      const { notification_id: id } = event as NotificationQueued
      expect(all.has(id)).toBe(false)
      all.add(id)
      waiting.add(id)
    } else if (/^notification_(?:sent|failed|suppressed)$/.test(event.event)) {
      const { notification_ids: ids, reason } = event as NotificationFailed
      for (const id of ids) {
        expect(waiting.delete(id)).toBe((reason as string) !== 'duplicate')
        all.add(id)
      }
    }
  }
  const left = [...state.outbox.lines.values()].flatMap(line => [...line.waiting.keys()])
  expect(new Set(left)).toEqual(waiting)
  expect(state.outbox.size).toBe(waiting.size)
  expect(state.outbox.count).toBe(all.size)
}

/** What people do to slots. A refusal is an answer too: it must leave no trace. */
function steer(
  world: DeciderWorld,
  kind: 'pause' | 'resume' | 'skip' | 'unskip' | 'run',
  pick: number,
  minutes: number | undefined,
): void {
  const { schedules } = world.definitions
  const scheduleId = pick % 5 === 4 ? undefined : `s${pick % Math.max(1, schedules.size)}`
  const slots = schedules.get(scheduleId ?? 's0')?.slots
  let slot = slots?.next(world.now + (minutes ?? 0) * 60_000)
  // Now and then one that the planner is about to decide, or has decided.
  if (pick % 7 === 0) slot = slots?.next(world.now - 120_000)
  const before = world.facts()
  try {
    if (kind === 'pause') {
      const until = minutes === undefined ? undefined : world.now + minutes * 60_000
      world.when({ type: 'pause', reason: 'test', ...{ scheduleId, until } } as Command)
    } else if (kind === 'resume') {
      world.when({ type: 'resume', reason: 'test', ...{ scheduleId } } as Command)
    } else if (scheduleId !== undefined && slot !== undefined) {
      if (kind === 'run') {
        // The id of a run by hand is of its millisecond and of chance, which here is always the same.
        world.now += 1
        world.when({ type: 'run_slot', scheduleId, slot, cause: 'test' })
      } else {
        const which = pick % 2 === 0 ? { slot } : {}
        world.when({
          type: kind === 'skip' ? 'skip_slot' : 'unskip_slot',
          scheduleId,
          reason: 'test',
          ...which,
        })
      }
    }
  } catch (error) {
    expect(error).toBeInstanceOf(DagbokError)
    expect(world.facts()).toBe(before)
  }
}

function restart(old: DeciderWorld, fromCheckpoint: boolean): DeciderWorld {
  const world = new DeciderWorld(old.definitions, START)
  world.now = old.now
  world.limits = old.limits
  world.events.push(...old.events)
  Object.assign(world.state, emptyState(), fromCheckpoint ? old.restored() : old.replayed())
  return world.boot()
}

function idsInLine({ startable }: State): string[] {
  return [undefined, ...[...startable.names()].sort()].flatMap(pool =>
    startable.waiting(pool).map(({ runId }) => runId),
  )
}

/** A pool never gives out more than it has, but to a run that nobody shares it with. */
function checkPools({ state, definitions }: DeciderWorld, events: readonly Event[]): void {
  const held = new Map<string, number>()
  const holders = new Map<string, number>()
  for (const { status, pool, weight } of state.runs.values()) {
    if (status === 'queued' || pool === undefined) continue
    held.set(pool, (held.get(pool) ?? 0) + weight)
    holders.set(pool, (holders.get(pool) ?? 0) + 1)
  }
  expect(new Map([...state.startable.held].sort())).toEqual(new Map([...held].sort()))
  for (const event of events) {
    if (event.event !== 'run_started' || !('run_id' in event)) continue
    const { pool } = state.runs.get(event.run_id as string) ?? {}
    const slots = definitions.pools.get(pool ?? '')?.slots
    if (slots !== undefined && holders.get(pool!) !== 1) expect(held.get(pool!)).toBeLessThanOrEqual(slots)
  }
}

/** Whoever is in the line live and after a restart stands in the same order. */
function checkOrder(world: DeciderWorld): void {
  const live = idsInLine(world.state)
  for (const restarted of [world.replayed(), world.restored()]) {
    const again = idsInLine(restarted)
    expect(live.filter(id => again.includes(id))).toEqual(again.filter(id => live.includes(id)))
    expect(restarted.startable.held).toEqual(world.state.startable.held)
  }
}

/** What is computed for constant cost agrees with what it is computed from. */
function checkCounts({ state }: DeciderWorld): void {
  let slots = 0
  const inLine = new Set([...idsInLine(state), ...state.delayed.earliest(Infinity).map(({ item }) => item)])
  const waiting = new Set(state.reasks.earliest(Infinity).map(({ item }) => slotKeyText(item)))
  for (const [scheduleId, { open = [], cursor }] of state.schedules) {
    for (const { slot, retryAt } of open) {
      expect(slot).toBeLessThanOrEqual(cursor)
      const key = slotKeyText({ scheduleId, slot })
      // Nobody is forgotten here either: it is being asked, or it will be.
      expect(state.asking.has(key) || (retryAt !== undefined && waiting.has(key))).toBe(true)
    }
  }
  for (const run of state.runs.values()) {
    const isFirst = state.schedules.get(run.scheduleId ?? '')?.active?.[0] === run.runId
    // Nobody is forgotten: who has nobody in the way is in the line, or will be at an instant that is known.
    if (run.status === 'queued' && (isFirst || run.order === 'parallel'))
      expect(inLine.has(run.runId)).toBe(true)
    const tasks = [...run.tasks.values()]
    expect(run.live).toBe(tasks.filter(({ status }) => status === 'running').length)
    expect(run.ready).toBe(tasks.filter(({ status }) => status === 'ready').length)
    if (run.holdsSlot) slots += 1
    expect(run.holdsSlot).toBe(run.live + run.ready > 0)
  }
  expect(state.slotsHeld).toBe(slots)
}

/** Between its registrations, each schedule's slots are disposed of in order, none twice, none left out. */
function checkSlots(events: readonly Event[]): void {
  const open = new Map<string, { next(after: number): number | undefined; cursor: number }>()
  const seen = new Set<string>()
  const early = new Set<string>()
  const asked = new Set<string>()
  for (const event of events as unknown as Record<string, string>[]) {
    const id = event['schedule_id'] ?? ''
    if (event['event'] === 'schedule_registered') {
      const slots = compileCron(event['cron']!, event['timezone']!)
      const next = (after: number): number | undefined => {
        const slot = slots.next(after)
        return slot !== undefined && early.has(`${id} ${formatSlot(slot)}`) ? next(slot) : slot
      }
      open.set(id, { next, cursor: Date.parse(event['cursor']!) })
    }
    const schedule = open.get(id)
    if (schedule === undefined) continue
    const slotName = `${id} ${event['slot'] ?? event['to']}`
    if (event['event'] === 'slot_opened') {
      dispose(event['slot']!)
      asked.add(slotName)
    } else if (event['event'] === 'slot_deferred') {
      expect(asked.has(slotName)).toBe(true)
    } else if (
      /^schedule_(?:enqueued|skipped|missed)$/.test(event['event'] ?? '') &&
      asked.delete(slotName)
    ) {
      // Its turn was when it was opened; this is its one decision.
      continue
    } else if (event['event'] === 'schedule_enqueued' && event['reason'] === 'by_hand') {
      expect(formatSlot(schedule.next(Date.parse(event['slot']!) - 1)!)).toBe(event['slot'])
      expect(Date.parse(event['slot']!)).toBeGreaterThan(schedule.cursor)
      expect(seen.has(`${id} ${event['slot']}`)).toBe(false)
      seen.add(`${id} ${event['slot']}`)
      early.add(`${id} ${event['slot']}`)
    } else if (event['event'] === 'schedule_enqueued' || event['event'] === 'schedule_skipped')
      dispose(event['slot']!)
    if (event['event'] === 'schedule_missed') {
      const before = seen.size
      for (let slot = event['from']!; ; slot = formatSlot(schedule.next(schedule.cursor)!)) {
        dispose(slot)
        if (slot === event['to']) break
      }
      expect(seen.size - before).toBe(Number(event['count']))
    }
    function dispose(slot: string) {
      expect(formatSlot(schedule!.next(schedule!.cursor)!)).toBe(slot)
      expect(seen.has(`${id} ${slot}`)).toBe(false)
      seen.add(`${id} ${slot}`)
      schedule!.cursor = Date.parse(slot)
    }
  }
}

/** Every run ends at most once, a task that is ok is not started again, and no ended run is left in memory. */
function checkRuns(events: readonly Event[], { state }: DeciderWorld): void {
  const done = new Set<string>()
  const ended = new Set<string>()
  for (const event of events as unknown as Record<string, string>[]) {
    const run = event['run_id'] ?? ''
    const task = `${run} ${event['task_id']}`
    if (event['event'] === 'run_finished') {
      expect(ended.has(run)).toBe(false)
      ended.add(run)
    }
    if (event['event'] === 'task_start') {
      expect(done.has(task)).toBe(false)
      expect(ended.has(run)).toBe(false)
    }
    if (event['event'] === 'task_ok') done.add(task)
  }
  for (const run of ended) expect(state.runs.has(run)).toBe(false)
}
