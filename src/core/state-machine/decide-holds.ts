// Decisions about what people put in a slot's way: pause and resume, of one schedule or of everything; a slot skipped, or
// run before it is due.
//
//   1. They change what becomes of slots to come. A slot that is decided stays as it was decided.
//   2. Each is refused if it would change nothing, so nobody believes that it did.

import { DagbokError, EXIT } from '../error.ts'
import { findNearest } from '../nearest.ts'
import { pauseAt } from '../planner/hold.ts'
import { manualRunId, ulid } from '../run/run-id.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { formatInstant, formatSlot, type Instant } from '../time/instant.ts'
import type { Command } from './command.ts'
import { requestRun } from './decide-runs.ts'
import type { Decider } from './decision-context.ts'
import { emitEnqueued, emitSkipped } from './emit-disposition.ts'
import { openSlotOf } from './open-slot.ts'
import type { ScheduleState } from './state.ts'

/** Slots of one schedule that somebody may have skipped or run ahead of time. */
const BY_HAND_MAX = 1_000

/** @throws DagbokError SCHEDULE_NOT_FOUND (4), PAUSE_INVALID (2) */
export function pause(decider: Decider, { scheduleId, reason, until }: Command & { type: 'pause' }): void {
  const { now } = decider.context
  if (until !== undefined && until <= now) {
    throw new DagbokError('PAUSE_INVALID', `a pause until ${formatInstant(until)} would be over already`, {
      hint: `it is ${formatInstant(now)}; name an instant to come, or leave it out and resume by hand`,
      exitCode: EXIT.usage,
    })
  }
  const end = until === undefined ? {} : { until: formatInstant(until) }
  if (scheduleId === undefined) return decider.emit({ event: 'scheduling_frozen', reason, ...end })
  find(decider, scheduleId)
  decider.emit({ event: 'schedule_paused', schedule_id: scheduleId, reason, ...end })
}

/** @throws DagbokError SCHEDULE_NOT_FOUND (4), NOT_PAUSED (5) */
export function resume(decider: Decider, { scheduleId, reason }: Command & { type: 'resume' }): void {
  const { state, context } = decider
  const pauses = scheduleId === undefined ? state.freezes : find(decider, scheduleId).known.pauses
  // A pause that was asked for in this very millisecond can be taken back.
  if (pauseAt(pauses, context.now + 1) === undefined) {
    const what = scheduleId === undefined ? 'scheduling is' : `schedule "${scheduleId}" is`
    throw new DagbokError('NOT_PAUSED', `${what} not paused`, {
      ...(scheduleId !== undefined && pauseAt(state.freezes, context.now + 1) !== undefined
        ? { hint: 'everything is: scheduler resume --all' }
        : {}),
      exitCode: EXIT.conflict,
    })
  }
  if (scheduleId === undefined) decider.emit({ event: 'scheduling_thawed', reason })
  else decider.emit({ event: 'schedule_resumed', schedule_id: scheduleId, reason })
}

/** @throws DagbokError SCHEDULE_NOT_FOUND, SLOT_NOT_FOUND (4), SLOT_DECIDED (5) */
export function skipSlot(
  decider: Decider,
  { scheduleId, slot, reason }: Command & { type: 'skip_slot' },
): void {
  const found = find(decider, scheduleId)
  const at = slot ?? nextFree(decider, found)
  // Its conditions are being asked: nobody needs their answer any more.
  if (openSlotOf(decider.state, { scheduleId, slot: at }) !== undefined)
    return emitSkipped(decider, scheduleId, at, 'skipped_by_hand', { note: reason })
  checkOpen(found, at)
  decider.emit({ event: 'slot_skip_requested', schedule_id: scheduleId, slot: formatSlot(at), reason })
}

/** @throws DagbokError SCHEDULE_NOT_FOUND (4), SLOT_DECIDED, NOT_SKIPPED (5) */
export function unskipSlot(
  decider: Decider,
  { scheduleId, slot, reason }: Command & { type: 'unskip_slot' },
): void {
  const { known } = find(decider, scheduleId)
  const wishes = (known.byHand ?? []).filter(({ did }) => did === 'skip').map(wish => wish.slot)
  const at = slot ?? (wishes.length === 0 ? undefined : Math.min(...wishes))
  if (at === undefined || !wishes.includes(at)) {
    const hint = `scheduler why ${scheduleId}${at === undefined ? '' : ` ${formatSlot(at)}`}`
    if (at !== undefined && at <= known.cursor)
      throw new DagbokError(
        'SLOT_DECIDED',
        `the slot ${formatSlot(at)} of schedule "${scheduleId}" is decided already`,
        { hint, exitCode: EXIT.conflict },
      )
    const which = at === undefined ? 'no slot' : `the slot ${formatSlot(at)}`
    const what = at === undefined ? 'is to be skipped' : 'is not to be skipped'
    throw new DagbokError('NOT_SKIPPED', `${which} of schedule "${scheduleId}" ${what}`, {
      hint,
      exitCode: EXIT.conflict,
    })
  }
  decider.emit({ event: 'slot_skip_withdrawn', schedule_id: scheduleId, slot: formatSlot(at), reason })
}

/**
 * A slot that has no decision yet gets its run, which is its decision. One that has keeps it, and is run once more under
 * an id of its own.
 * @throws DagbokError SCHEDULE_NOT_FOUND, SLOT_NOT_FOUND (4), SLOT_DECIDED (5) for one that is to be skipped
 */
export function runSlot(decider: Decider, { scheduleId, slot, cause }: Command & { type: 'run_slot' }): void {
  const found = find(decider, scheduleId)
  const { schedule, known } = found
  if (openSlotOf(decider.state, { scheduleId, slot }) !== undefined)
    return emitEnqueued(decider, schedule, slot, 'by_hand')
  const isDone =
    slot <= known.cursor || known.byHand?.some(({ did, slot: touched }) => did === 'run' && touched === slot)
  if (isDone !== true) {
    checkOpen(found, slot)
    return emitEnqueued(decider, schedule, slot, 'by_hand')
  }
  checkIsSlot(schedule, slot)
  const { definitions, now, random } = decider.context
  const dag = definitions.dags.get(schedule.dagName)!
  const runId = manualRunId(dag.name, ulid(now, random))
  requestRun(decider, { type: 'trigger', runId, dag, cause, slot: { scheduleId, at: slot } })
}

interface Found {
  readonly schedule: Schedule
  readonly known: ScheduleState
}

function find({ state, context }: Decider, scheduleId: string): Found {
  const schedule = context.definitions.schedules.get(scheduleId)
  const known = state.schedules.get(scheduleId)
  if (schedule !== undefined && known !== undefined && !known.retired) return { schedule, known }
  const nearest = findNearest(scheduleId, [...context.definitions.schedules.keys()])
  const isOff = schedule?.enabled === false
  throw new DagbokError(
    'SCHEDULE_NOT_FOUND',
    `there is no ${isOff ? 'enabled ' : ''}schedule "${scheduleId}"`,
    {
      hint: isOff || nearest === undefined ? '`scheduler next` lists them all' : `did you mean "${nearest}"?`,
      exitCode: EXIT.notFound,
    },
  )
}

/** The next slot to come that nobody has touched. */
function nextFree({ context }: Decider, { schedule, known }: Found): Instant {
  let slot = schedule.slots.next(Math.max(known.cursor, context.now))
  while (slot !== undefined && known.byHand?.some(({ slot: touched }) => touched === slot)) {
    slot = schedule.slots.next(slot)
  }
  if (slot !== undefined) return slot
  throw new DagbokError('SLOT_NOT_FOUND', `schedule "${schedule.id}" has no slot to come`, {
    exitCode: EXIT.notFound,
  })
}

function checkIsSlot({ id, slots }: Schedule, slot: Instant): void {
  if (slots.next(slot - 1) === slot) return
  const next = slots.next(slot)
  throw new DagbokError('SLOT_NOT_FOUND', `schedule "${id}" has no slot at ${formatSlot(slot)}`, {
    ...(next === undefined ? {} : { hint: `the next one after it is ${formatSlot(next)}` }),
    exitCode: EXIT.notFound,
  })
}

function checkOpen({ schedule, known }: Found, slot: Instant): void {
  checkIsSlot(schedule, slot)
  const text = formatSlot(slot)
  const touched = known.byHand?.find(({ slot: known }) => known === slot)
  if (slot <= known.cursor || touched !== undefined) {
    const done = touched?.did === 'skip' ? 'is to be skipped already' : 'is decided already'
    const ask = `scheduler why ${schedule.id} ${text}`
    throw new DagbokError('SLOT_DECIDED', `the slot ${text} of schedule "${schedule.id}" ${done}`, {
      hint: touched?.did === 'skip' ? `scheduler skip ${schedule.id} ${text} --undo` : ask,
      exitCode: EXIT.conflict,
    })
  }
  if ((known.byHand?.length ?? 0) >= BY_HAND_MAX) {
    throw new DagbokError(
      'SLOT_DECIDED',
      `${BY_HAND_MAX} slots of schedule "${schedule.id}" are skipped or run by hand already`,
      { hint: `scheduler pause ${schedule.id} --until <instant>`, exitCode: EXIT.conflict },
    )
  }
}
