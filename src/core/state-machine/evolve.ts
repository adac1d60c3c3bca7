// What has happened → what is so. The one function through which the state changes: live, at boot, in `simulate` and
// in tests, so replay = live by construction.
//
//   V1. Total over `SystemEvent`; lines that users recorded change nothing.
//   V2. It decides nothing: it never refuses, never emits. An event that does not fit the state is a bug and throws.

import type { Task } from '../dag/task.ts'
import { assertNever } from '../error.ts'
import { endPauses, forgetPassed, type Pause, type SlotByHand, withoutSkip } from '../planner/hold.ts'
import type { RunState, TaskState } from '../run/run.ts'
import { readTiming } from '../schedule/timing.ts'
import { type Instant, parseInstant } from '../time/instant.ts'
import {
  type Event,
  isUserEvent,
  type RunRequested,
  type ScheduleEnqueued,
  type SystemEvent,
} from './event.ts'
import { countStreak, foldNotification } from './fold-notifications.ts'
import { foldSource } from './fold-sources.ts'
import { foldTask } from './fold-tasks.ts'
import { addOpenSlot, closeSlot, deferSlot } from './open-slot.ts'
import { finishRun, runOf, startRun } from './run-progress.ts'
import { addRun, recordDefinition, type ScheduleState, type State, scheduleOf } from './state.ts'

export function evolve(state: State, event: Event): void {
  if (event.seq > 0) state.seq = event.seq
  if (!isUserEvent(event)) fold(state, event)
}

function fold(state: State, event: SystemEvent): void {
  switch (event.event) {
    case 'segment_opened':
    case 'segment_sealed':
    case 'journal_recovered':
    case 'journal_resumed':
    case 'scheduler_stopping':
    case 'scheduler_stopped':
    case 'clock_jumped':
    case 'definitions_loaded':
    case 'definitions_rejected':
      return
    case 'checkpoint':
      // The state already is what the items say. What a restart from here would forget is forgotten here too.
      evictUnusedDefinitions(state)
      return
    case 'scheduler_started':
      state.epoch = event.epoch
      return

    case 'schedule_registered': {
      const known = state.schedules.get(event.schedule_id)
      state.schedules.set(event.schedule_id, {
        cursor: parseInstant(event.cursor),
        timing: readTiming(event),
        retired: false,
        active: known?.active,
        pauses: known?.pauses,
        // A slot that has had its run has had it under any timing: the key is (schedule, slot).
        byHand: known?.byHand,
        open: known?.open,
      })
      return
    }
    case 'schedule_retired':
      scheduleOf(state, event.schedule_id).retired = true
      return
    case 'schedule_enqueued': {
      const schedule = scheduleOf(state, event.schedule_id)
      const slot = parseInstant(event.slot)
      if (!closeSlot(state, event.schedule_id, slot)) {
        if (event.reason !== 'by_hand') moveCursor(schedule, slot)
        else touchSlot(schedule, { slot, did: 'run', reason: '' })
      }
      enqueue(state, event)
      return
    }
    case 'slot_opened': {
      const slot = parseInstant(event.slot)
      moveCursor(scheduleOf(state, event.schedule_id), slot)
      addOpenSlot(state, event.schedule_id, { slot, reason: event.reason, asks: 0, retryAt: undefined })
      return
    }
    case 'slot_deferred':
      deferSlot(state, event)
      return
    case 'schedule_skipped':
      decideUpTo(state, event.schedule_id, parseInstant(event.slot))
      return
    case 'schedule_missed':
      decideUpTo(state, event.schedule_id, parseInstant(event.to))
      return
    case 'schedule_paused': {
      const schedule = scheduleOf(state, event.schedule_id)
      schedule.pauses = [...endPauses(schedule.pauses, parseInstant(event.timestamp)), readPause(event)]
      return
    }
    case 'schedule_resumed': {
      const schedule = scheduleOf(state, event.schedule_id)
      schedule.pauses = endPauses(schedule.pauses, parseInstant(event.timestamp))
      return
    }
    case 'scheduling_frozen':
      state.freezes = [...endPauses(state.freezes, parseInstant(event.timestamp)), readPause(event)].slice(
        -FREEZES_KEPT,
      )
      return
    case 'scheduling_thawed':
      state.freezes = endPauses(state.freezes, parseInstant(event.timestamp))
      return
    case 'slot_skip_requested': {
      const wish = { slot: parseInstant(event.slot), did: 'skip', reason: event.reason } as const
      touchSlot(scheduleOf(state, event.schedule_id), wish)
      return
    }
    case 'slot_skip_withdrawn': {
      const schedule = scheduleOf(state, event.schedule_id)
      schedule.byHand = withoutSkip(schedule.byHand, parseInstant(event.slot))
      return
    }

    case 'definition_recorded':
      recordDefinition(
        state,
        { name: event.dag_name, tenantId: event.tenant_id, hash: event.definition_hash },
        event.tasks as unknown as Task[],
      )
      return
    case 'run_requested':
      enqueue(state, event)
      return
    case 'run_started':
      startRun(state, runOf(state, event.run_id), parseInstant(event.timestamp))
      return
    case 'run_resumed':
      return
    case 'run_cancel_requested':
      runOf(state, event.run_id).cancelReason = event.reason
      state.liveVersion += 1
      return
    case 'run_finished':
      countStreak(state.outbox, event)
      finishRun(state, runOf(state, event.run_id), parseInstant(event.timestamp))
      return

    case 'task_start':
    case 'task_spawned':
    case 'task_readopted':
    case 'task_ok':
    case 'task_retry':
    case 'task_lost':
    case 'task_fail':
    case 'task_cancelled':
    case 'task_skip':
    case 'clients_found':
      foldTask(state, event)
      return
    case 'files_dispatched':
    case 'files_consumed':
    case 'files_released':
    case 'files_forgotten':
    case 'stream_taken':
    case 'stream_committed':
    case 'stream_released':
      foldSource(state, event)
      return
    case 'notification_queued':
    case 'notification_sent':
    case 'notification_retry':
    case 'notification_failed':
    case 'notification_suppressed':
      return foldNotification(state, event)
    default:
      return assertNever(event)
  }
}

/** Pauses of everything that are kept: more than anybody ends while a slot is still undecided. */
const FREEZES_KEPT = 100

function readPause(event: { timestamp: string; reason: string; until?: string }): Pause {
  const since = parseInstant(event.timestamp)
  const { reason, until } = event
  return until === undefined ? { since, reason } : { since, reason, until: parseInstant(until) }
}

function touchSlot(schedule: ScheduleState, wish: SlotByHand): void {
  if (schedule.byHand === undefined) schedule.byHand = [wish]
  else schedule.byHand.push(wish)
}

/** An open slot lies behind the cursor, which has moved on without it: its decision moves nothing. */
function decideUpTo(state: State, scheduleId: string, slot: Instant): void {
  if (!closeSlot(state, scheduleId, slot)) moveCursor(scheduleOf(state, scheduleId), slot)
}

function moveCursor(schedule: ScheduleState, slot: Instant): void {
  schedule.cursor = slot
  if (schedule.pauses !== undefined || schedule.byHand !== undefined) forgetPassed(schedule)
}

/** The tasks of every run that is queued: thousands may be, and a map is larger than the rest of its run. */
const NOT_STARTED: ReadonlyMap<string, TaskState> = new Map()

function enqueue(state: State, event: ScheduleEnqueued | RunRequested): void {
  const scheduled = event.event === 'schedule_enqueued'
  const run: RunState = {
    runId: event.run_id,
    dagName: event.dag_name,
    tenantId: event.tenant_id,
    definitionHash: event.definition_hash,
    scheduleId: scheduled ? event.schedule_id : undefined,
    slot: scheduled ? event.slot : undefined,
    cause: scheduled ? event.reason : event.cause,
    params: scheduled ? undefined : event.params,
    order: scheduled ? event.order : 'parallel',
    enqueuedAt: parseInstant(event.timestamp),
    startAfter: scheduled && event.start_after !== undefined ? parseInstant(event.start_after) : undefined,
    startBy: scheduled && event.start_by !== undefined ? parseInstant(event.start_by) : undefined,
    lateAt: scheduled && event.late_at !== undefined ? parseInstant(event.late_at) : undefined,
    pool: event.pool,
    weight: event.weight ?? 1,
    priority: event.priority ?? 0,
    place: 0,
    status: 'queued',
    // Said although undefined: runs that have all of these from the start are of one hidden class to their end.
    startedAt: undefined,
    cancelReason: undefined,
    holdsSlot: false,
    tasks: NOT_STARTED,
    holds: undefined,
    remaining: 0,
    live: 0,
    ready: 0,
  }
  addRun(state, run)
}

/** A checkpoint does not carry definitions that no unfinished run uses. */
function evictUnusedDefinitions(state: State): void {
  for (const [hash, definition] of state.definitions)
    if (definition.uses === 0) state.definitions.delete(hash)
}
