// Decisions about slots: what a tick makes due, and what becomes of old slots when a schedule changes.
//
//   L1. Every slot is disposed of exactly once: enqueued, skipped or missed (P1 of the design).
//   L2. One schedule's decision is one commit.
//   L3. A change of a schedule's timing first disposes of every old slot up to now, by the old timing from the journal.

import { type Condition, refuseSlot, type Surroundings } from '../condition/condition.ts'
import { recordedTerms } from '../condition/recorded-terms.ts'
import type { Agenda } from '../planner/agenda.ts'
import type { Decision } from '../planner/decision.ts'
import { type Hold, hasHolds, holdOf } from '../planner/hold.ts'
import { type HoldOf, miss, planSchedule } from '../planner/plan-schedule.ts'
import type { Definitions } from '../schedule/definitions.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { compileTiming, sameTiming, timingFields } from '../schedule/timing.ts'
import { formatInstant, type Instant, startOfMinute } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { askAgain, asks, openSlot } from './decide-conditions.ts'
import type { Decider } from './decision-context.ts'
import { emitEnqueued, emitMissed, emitSkipped, replaceActive } from './emit-disposition.ts'
import type { ScheduleRegistered } from './event.ts'
import type { ScheduleState, State } from './state.ts'

/** Schedules planned by one tick. The loop ticks again at once while some are left, so that others get their turn. */
export const SCHEDULES_PER_TICK_MAX = 500

/** Commits of a new set of definitions that are handed over at a time. */
export const COMMITS_PER_SLICE = 500

export function planDue(decider: Decider): void {
  const { context, state } = decider
  askAgain(state, context.now)
  const { agenda, definitions, now } = context
  for (let planned = 0; planned < SCHEDULES_PER_TICK_MAX; planned++) {
    const schedule = agenda.takeDue(now)
    if (schedule === undefined) return
    const known = state.schedules.get(schedule.id)
    if (known === undefined || known.retired) continue
    const { decisions, more, next } = planSchedule(
      schedule,
      known.cursor,
      now,
      // Where conditions are asked, overlap is judged when they have been answered.
      asks(schedule) ? undefined : known.active?.[0],
      holdsOn(state, known, schedule, definitions.calendars),
    )
    for (const decision of decisions) emitDecision(decider, schedule, decision)
    decider.commit()
    agenda.put(more ? now : next, schedule)
  }
}

/**
 * Reads what deciding the slots of `at` will read, and changes nothing: some milliseconds before they are due, so that it
 * is in the processor's cache then. After a second of rest it is not, and a slot waits for a hundred reads of memory.
 */
export function readAhead({ schedules }: State, agenda: Agenda, at: Instant): void {
  agenda.visitDue(at, SCHEDULES_PER_TICK_MAX, schedule => {
    const known = schedules.get(schedule.id)
    if (known !== undefined && !known.retired) planSchedule(schedule, known.cursor, at, known.active?.[0])
  })
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
  const around = { zone: zoneOf(timing.timezone), calendars }
  return slot => holdOf(holds, slot) ?? unmetAt(conditions, slot, around)
}

function unmetAt(conditions: readonly Condition[], slot: Instant, around: Surroundings): Hold | undefined {
  const refused = refuseSlot(conditions, slot, around)
  if (refused === undefined) return undefined
  return { kind: 'skip', reason: refused.reason, inputs: { conditions: recordedTerms(refused.terms) } }
}

function emitDecision(decider: Decider, schedule: Schedule, decision: Decision): void {
  switch (decision.kind) {
    case 'miss':
      return emitMissed(decider, schedule.id, decision)
    case 'skip':
      return emitSkipped(decider, schedule.id, decision.slot, decision.reason, decision.inputs)
    case 'enqueue':
      if (asks(schedule)) return openSlot(decider, schedule, decision.slot, decision.reason)
      if (decision.replaces === true) replaceActive(decider, schedule.id, decision.slot)
      return emitEnqueued(decider, schedule, decision.slot, decision.reason)
  }
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
  // First those that were due before: what is open has no other to decide it.
  for (const { slot } of [...(known.open ?? [])])
    emitMissed(decider, scheduleId, {
      kind: 'miss',
      from: slot,
      to: slot,
      count: 1,
      reason: 'definition_changed',
    })
  const decisions: Decision[] = []
  let joins = true
  for (let slot = old.next(known.cursor); slot !== undefined && slot <= now; slot = old.next(slot)) {
    const isDone = known.byHand?.some(({ slot: done, did }) => did === 'run' && done === slot) === true
    if (!isDone) miss(decisions, slot, 'definition_changed', joins)
    joins = !isDone
  }
  for (const decision of decisions) if (decision.kind === 'miss') emitMissed(decider, scheduleId, decision)
}
