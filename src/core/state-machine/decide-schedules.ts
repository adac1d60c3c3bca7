// Decisions about slots: what a tick makes due, and what becomes of old slots when a schedule changes.
//
//   L1. Every slot is disposed of exactly once: enqueued, skipped or missed (P1 of the design).
//   L2. One schedule's decision is one commit.
//   L3. A change of a schedule's timing first disposes of every old slot up to now, by the old timing from the journal.

import { type Condition, refuseSlot } from '../condition/condition.ts'
import type { Decision } from '../planner/decision.ts'
import { type Hold, hasHolds, holdOf } from '../planner/hold.ts'
import { jitterOf } from '../planner/jitter.ts'
import { type HoldOf, miss, planSchedule } from '../planner/plan-schedule.ts'
import { scheduledRunId } from '../run/run-id.ts'
import type { Definitions } from '../schedule/definitions.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { compileTiming, sameTiming, timingFields } from '../schedule/timing.ts'
import { formatInstant, formatSlot, type Instant, startOfMinute } from '../time/instant.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import { cancelRun, emitDefinition, termsOf } from './decide-runs.ts'
import type { Decider } from './decision-context.ts'
import type { ScheduleEnqueued, ScheduleRegistered } from './event.ts'
import type { ScheduleState, State } from './state.ts'

/** Schedules planned by one tick. The loop ticks again at once while some are left, so that others get their turn. */
export const SCHEDULES_PER_TICK_MAX = 500

/** Commits of a new set of definitions that are handed over at a time. */
export const COMMITS_PER_SLICE = 500

export function planDue(decider: Decider): void {
  const { context, state } = decider
  const { agenda, definitions, now } = context
  for (let planned = 0; planned < SCHEDULES_PER_TICK_MAX; planned++) {
    const scheduleId = agenda.takeDue(now)
    if (scheduleId === undefined) return
    const schedule = definitions.schedules.get(scheduleId)
    const known = state.schedules.get(scheduleId)
    if (schedule === undefined || known === undefined || known.retired) continue
    const { decisions, more, next } = planSchedule(
      schedule,
      known.cursor,
      now,
      known.active?.[0],
      holdsOn(state, known, schedule, definitions.calendars),
    )
    for (const decision of decisions) emitDecision(decider, schedule, decision)
    decider.commit()
    agenda.put(more ? now : next, scheduleId)
  }
}

/** What people did comes before what conditions say: a slot that was skipped by hand is not asked about. */
function holdsOn(
  { freezes }: State,
  { pauses, byHand, cursor }: ScheduleState,
  { conditions, timing }: Schedule,
  calendars: Definitions['calendars'],
): HoldOf | undefined {
  const holds = { pauses, byHand, freezes }
  if (conditions === undefined) return hasHolds(holds, cursor) ? slot => holdOf(holds, slot) : undefined
  const zone = zoneOf(timing.timezone)
  return slot => holdOf(holds, slot) ?? unmetAt(conditions, slot, zone, calendars)
}

function unmetAt(
  conditions: readonly Condition[],
  slot: Instant,
  zone: Zone,
  calendars: Definitions['calendars'],
): Hold | undefined {
  const refused = refuseSlot(conditions, slot, zone, calendars)
  if (refused === undefined) return undefined
  return { kind: 'skip', reason: refused.reason, inputs: { conditions: refused.terms } }
}

function emitDecision(decider: Decider, schedule: Schedule, decision: Decision): void {
  switch (decision.kind) {
    case 'miss':
      return emitMissed(decider, schedule.id, decision)
    case 'skip': {
      const slot = formatSlot(decision.slot)
      return decider.emit({
        event: 'schedule_skipped',
        schedule_id: schedule.id,
        slot,
        minute: slot,
        reason: decision.reason,
        inputs: decision.inputs,
      })
    }
    case 'enqueue':
      if (decision.replaces === true) replaceActive(decider, schedule.id, decision.slot)
      return emitEnqueued(decider, schedule, decision.slot, decision.reason)
  }
}

/** The runs in the way are told to end; the new one starts when they have. */
function replaceActive(decider: Decider, scheduleId: string, slot: Instant): void {
  const active = decider.state.schedules.get(scheduleId)?.active ?? []
  for (const runId of [...active]) cancelRun(decider, runId, `replaced by the slot ${formatSlot(slot)}`)
}

export function emitEnqueued(
  decider: Decider,
  schedule: Schedule,
  at: Instant,
  reason: ScheduleEnqueued['reason'],
): void {
  const dag = decider.context.definitions.dags.get(schedule.dagName)!
  emitDefinition(decider, dag)
  const slot = formatSlot(at)
  decider.emit({
    event: 'schedule_enqueued',
    schedule_id: schedule.id,
    slot,
    minute: slot,
    run_id: scheduledRunId(schedule.id, at),
    dag_name: dag.name,
    tenant_id: schedule.tenantId,
    definition_hash: dag.hash,
    reason,
    order: schedule.overlap === 'allow' ? 'parallel' : 'serial',
    ...(reason === 'by_hand' ? undefined : limitsOfStart(schedule, at)),
    ...termsOf(schedule),
  })
}

/** When the run of a slot may start, and when at the latest. Most schedules say neither. */
function limitsOfStart(
  schedule: Schedule,
  slot: Instant,
): { start_after?: string; start_by?: string } | undefined {
  const { jitterMs, startingDeadlineMs } = schedule
  if (jitterMs === undefined && startingDeadlineMs === undefined) return undefined
  const delayMs = jitterMs === undefined ? 0 : jitterOf(schedule.id, slot, jitterMs)
  return {
    ...(delayMs === 0 ? undefined : { start_after: formatInstant(slot + delayMs) }),
    // A run that is held back on purpose is not late for it.
    ...(startingDeadlineMs === undefined
      ? undefined
      : { start_by: formatInstant(slot + delayMs + startingDeadlineMs) }),
  }
}

function emitMissed(decider: Decider, scheduleId: string, decision: Decision & { kind: 'miss' }): void {
  decider.emit({
    event: 'schedule_missed',
    schedule_id: scheduleId,
    from: formatSlot(decision.from),
    to: formatSlot(decision.to),
    count: decision.count,
    reason: decision.reason,
  })
}

/**
 * Takes a new set of definitions into force. The context already holds it. Pauses each time that COMMITS_PER_SLICE
 * commits wait to be taken.
 */
export function* disposeAndRegister(
  decider: Decider,
  next: Definitions,
  cause: 'start' | 'reload',
): Generator<void, void> {
  const { state } = decider
  decider.emit({
    event: 'definitions_loaded',
    schedules: next.schedules.size,
    dags: next.dags.size,
    cause,
  })
  decider.commit()
  for (const schedule of next.schedules.values()) {
    const known = state.schedules.get(schedule.id)
    if (known === undefined) {
      if (schedule.enabled) register(decider, schedule, 'first_seen')
    } else if (!schedule.enabled) retire(decider, schedule.id, known, 'disabled')
    else if (known.retired) register(decider, schedule, 'enabled', known)
    else if (!sameTiming(known.timing, schedule.timing)) {
      disposeOldSlots(decider, schedule.id, known)
      register(decider, schedule, 'timing_changed', known)
    }
    decider.commit()
    if (decider.waiting >= COMMITS_PER_SLICE) yield
  }
  for (const [id, known] of state.schedules) {
    if (next.schedules.has(id)) continue
    retire(decider, id, known, 'removed')
    decider.commit()
    if (decider.waiting >= COMMITS_PER_SLICE) yield
  }
  decider.context.agenda.rebuild(next, state)
}

function register(
  decider: Decider,
  schedule: Schedule,
  cause: ScheduleRegistered['cause'],
  known?: ScheduleState,
): void {
  decider.emit({
    event: 'schedule_registered',
    schedule_id: schedule.id,
    cause,
    cursor: formatInstant(firstCursor(decider.context.now, cause, known)),
    ...timingFields(schedule.timing),
  })
}

/** A schedule that begins counts the minute in progress as due; one whose timing changed begins after now. */
function firstCursor(
  now: Instant,
  cause: ScheduleRegistered['cause'],
  known: ScheduleState | undefined,
): Instant {
  if (cause === 'timing_changed') return Math.max(now, known?.cursor ?? now)
  return Math.max(startOfMinute(now) - 1, known?.cursor ?? Number.NEGATIVE_INFINITY)
}

function retire(decider: Decider, id: string, known: ScheduleState, cause: 'disabled' | 'removed'): void {
  if (known.retired) return
  disposeOldSlots(decider, id, known)
  decider.emit({ event: 'schedule_retired', schedule_id: id, cause })
}

function disposeOldSlots(decider: Decider, scheduleId: string, known: ScheduleState): void {
  const old = compileTiming(known.timing, scheduleId)
  const { now } = decider.context
  const decisions: Decision[] = []
  let joins = true
  for (let slot = old.next(known.cursor); slot !== undefined && slot <= now; slot = old.next(slot)) {
    const isDone = known.byHand?.some(({ slot: done, did }) => did === 'run' && done === slot) === true
    if (!isDone) miss(decisions, slot, 'definition_changed', joins)
    joins = !isDone
  }
  for (const decision of decisions) if (decision.kind === 'miss') emitMissed(decider, scheduleId, decision)
}
