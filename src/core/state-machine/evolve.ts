// What has happened → what is so. The one function through which the state changes: live, at boot, in `simulate` and
// in tests, so replay = live by construction.
//
//   V1. Total over `SystemEvent`; lines that users recorded change nothing.
//   V2. It decides nothing: it never refuses, never emits. An event that does not fit the state is a bug and throws.

import type { Task } from '../dag/task.ts'
import { assertNever } from '../error.ts'
import { endPauses, forgetPassed, type Pause, type SlotByHand, withoutSkip } from '../planner/hold.ts'
import { isFinal, type RunState, type TaskState } from '../run/run.ts'
import { readTiming } from '../schedule/timing.ts'
import { type Instant, parseInstant } from '../time/instant.ts'
import {
  type Event,
  isUserEvent,
  type RunRequested,
  type ScheduleEnqueued,
  type SystemEvent,
} from './event.ts'
import { addOpenSlot, closeSlot, deferSlot } from './open-slot.ts'
import {
  addRun,
  definitionOf,
  recordDefinition,
  type ScheduleState,
  type State,
  scheduleOf,
  taskKeyText,
} from './state.ts'

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
      start(state, runOf(state, event.run_id), parseInstant(event.timestamp))
      return
    case 'run_resumed':
      return
    case 'run_cancel_requested':
      runOf(state, event.run_id).cancelReason = event.reason
      state.liveVersion += 1
      return
    case 'run_finished':
      finish(state, runOf(state, event.run_id), parseInstant(event.timestamp))
      return

    case 'task_start': {
      const { run, task } = find(state, event)
      takeRoom(state, run, task, event.task_id)
      task.status = 'running'
      task.attempt = event.attempt
      task.startedAt = parseInstant(event.timestamp)
      task.deadlineAt = event.deadline_at === undefined ? undefined : parseInstant(event.deadline_at)
      task.retryAt = undefined
      task.process = undefined
      return
    }
    case 'task_spawned': {
      const { task } = find(state, event)
      task.process = { pid: event.pid, startTicks: event.start_ticks, bootId: event.boot_id }
      return
    }
    case 'task_readopted':
      return
    case 'task_ok': {
      const { run, task } = find(state, event)
      endAttempt(state, run, event.task_id)
      settle(run, task, 'ok')
      task.output = event.output
      task.blob = event.blob
      unblock(state, run, event.task_id)
      releaseSlot(state, run)
      return
    }
    case 'task_retry':
    case 'task_lost': {
      const { run, task } = find(state, event)
      endAttempt(state, run, event.task_id)
      task.status = 'retrying'
      task.retryAt = parseInstant(event.retry_at)
      if (event.event === 'task_lost') task.losses += 1
      else task.error = event.error
      state.retries.put(task.retryAt, { runId: event.run_id, taskId: event.task_id })
      releaseSlot(state, run)
      return
    }
    case 'task_fail': {
      const { run, task } = find(state, event)
      endAttempt(state, run, event.task_id)
      settle(run, task, 'failed')
      task.error = event.error
      releaseSlot(state, run)
      return
    }
    case 'task_cancelled': {
      const { run, task } = find(state, event)
      endAttempt(state, run, event.task_id)
      settle(run, task, 'cancelled')
      releaseSlot(state, run)
      return
    }
    case 'task_skip': {
      const { run, task } = find(state, event)
      leaveLine(state, run, task, event.task_id)
      settle(run, task, 'skipped')
      releaseSlot(state, run)
      return
    }
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

function runOf(state: State, runId: string): RunState {
  const run = state.runs.get(runId)
  if (run === undefined) throw new Error(`the journal speaks of run ${runId}, which is not unfinished`)
  return run
}

function find(state: State, event: { run_id: string; task_id: string }): { run: RunState; task: TaskState } {
  const run = runOf(state, event.run_id)
  const task = run.tasks.get(event.task_id)
  if (task === undefined) throw new Error(`run ${event.run_id} has no task ${event.task_id}`)
  return { run, task }
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
    remaining: 0,
    live: 0,
    ready: 0,
  }
  addRun(state, run)
}

function start(state: State, run: RunState, startedAt: number): void {
  const { tasks } = definitionOf(state, run)
  state.startable.delete(run)
  state.startable.hold(run)
  run.status = 'running'
  run.startedAt = startedAt
  run.remaining = tasks.size
  const taskStates = new Map<string, TaskState>()
  run.tasks = taskStates
  for (const { id, dependsOn } of tasks.values()) {
    const task: TaskState = { status: 'waiting', attempt: 0, losses: 0, blockers: dependsOn.length }
    taskStates.set(id, task)
    if (dependsOn.length === 0) makeReady(state, run, task, id)
  }
  holdSlot(state, run)
}

function finish(state: State, run: RunState, at: Instant): void {
  if (run.holdsSlot) state.slotsHeld -= 1
  state.runs.delete(run.runId)
  if (run.status === 'queued') state.startable.delete(run)
  else state.startable.release(run)
  definitionOf(state, run).uses -= 1
  if (run.scheduleId === undefined) return
  const schedule = scheduleOf(state, run.scheduleId)
  const left = schedule.active?.filter(runId => runId !== run.runId) ?? []
  schedule.active = left.length === 0 ? undefined : left
  const next = left[0] === undefined ? undefined : state.runs.get(left[0])
  if (next?.status !== 'queued') return
  // Its time may have come while another was in its way, and not have come any more: clocks go back.
  if (next.startAfter !== undefined && next.startAfter > at) state.delayed.put(next.startAfter, next.runId)
  else state.startable.add(next)
}

function makeReady(state: State, run: RunState, task: TaskState, taskId: string): void {
  task.status = 'ready'
  run.ready += 1
  state.ready.set(taskKeyText(run.runId, taskId), { runId: run.runId, taskId })
}

function unblock(state: State, run: RunState, taskId: string): void {
  for (const id of definitionOf(state, run).downstream.get(taskId) ?? []) {
    const task = run.tasks.get(id)!
    task.blockers -= 1
    if (task.blockers === 0 && task.status === 'waiting') makeReady(state, run, task, id)
  }
}

/** A task that was ready or due for a retry leaves its line. */
function leaveLine(state: State, run: RunState, task: TaskState, taskId: string): void {
  const key = taskKeyText(run.runId, taskId)
  if (task.status === 'ready') {
    run.ready -= 1
    state.ready.delete(key)
  }
  state.due.delete(key)
}

function takeRoom(state: State, run: RunState, task: TaskState, taskId: string): void {
  leaveLine(state, run, task, taskId)
  run.live += 1
  state.live.set(taskKeyText(run.runId, taskId), { runId: run.runId, taskId })
  state.liveVersion += 1
  holdSlot(state, run)
}

function endAttempt(state: State, run: RunState, taskId: string): void {
  if (!state.live.delete(taskKeyText(run.runId, taskId))) {
    throw new Error(`run ${run.runId}: task ${taskId} ends an attempt that was not running`)
  }
  run.live -= 1
  state.liveVersion += 1
}

function settle(run: RunState, task: TaskState, status: TaskState['status']): void {
  if (isFinal(task.status)) throw new Error(`run ${run.runId}: a task ends twice`)
  task.status = status
  task.process = undefined
  task.retryAt = undefined
  run.remaining -= 1
}

function holdSlot(state: State, run: RunState): void {
  if (run.holdsSlot) return
  run.holdsSlot = true
  state.slotsHeld += 1
}

/** A run whose tasks all wait gives its slot back, or waiting runs would block those they wait for. */
function releaseSlot(state: State, run: RunState): void {
  if (!run.holdsSlot || run.live > 0 || run.ready > 0) return
  run.holdsSlot = false
  state.slotsHeld -= 1
}

/** A checkpoint does not carry definitions that no unfinished run uses. */
function evictUnusedDefinitions(state: State): void {
  for (const [hash, definition] of state.definitions)
    if (definition.uses === 0) state.definitions.delete(hash)
}
