// What the rows of a run index mean: how one event changes a run, a task or a slot. Pure; every adapter uses it, so
// that no two of them can disagree. Storage, order and queries are the adapter's.
//
//   W1. Events are folded in the order of `seq`. Lines that users recorded change no row, whatever their name.
//   W2. A row holds what its events said. After retention a run's first lines may be gone: then the row begins with
//       the first line that is left, its cause is `unknown`.
//   W3. A task has one row: its latest attempt. `retrying` is a task between attempts; `finished_at` is for good.

import { DagbokError, EXIT } from '../core/error.ts'
import type { Json, JsonObject } from '../core/json.ts'
import {
  type AttemptError,
  type BlobRef,
  type Event,
  isUserEvent,
  type SystemEvent,
  type TaskSkip,
} from '../core/state-machine/event.ts'
import { formatInstant, parseInstant } from '../core/time/instant.ts'
import type { RunRow, SlotRow, TaskRow } from './run-index.ts'

/** The event as an index keeps it: without what the journal adds to the line, and without the state in a checkpoint. */
export function indexedEvent(event: Event): Event {
  if (!('c' in event) && !('commit' in event) && event.event !== 'checkpoint') return event
  const { c: _crc, commit: _commit, ...kept } = event as Event & { c?: unknown; commit?: unknown }
  if (kept.event === 'checkpoint' && !isUserEvent(event)) delete (kept as { items?: unknown }).items
  return kept as Event
}

/** The run whose row the event changes, or undefined. */
export function runIdOf(event: Event): string | undefined {
  if (isUserEvent(event)) return undefined
  switch ((event as SystemEvent).event) {
    case 'schedule_enqueued':
    case 'run_requested':
    case 'run_started':
    case 'run_finished':
      return (event as { run_id: string }).run_id
    default:
      return undefined
  }
}

/** Folds an event of `runIdOf` into its run's row, in place; makes the row where there is none. */
export function foldRun(row: RunRow | undefined, event: Event): RunRow {
  const e = event as SystemEvent
  switch (e.event) {
    case 'schedule_enqueued': {
      const run = row ?? newRun(e)
      run.schedule_id = e.schedule_id
      run.slot = e.slot
      run.cause = e.reason
      run.enqueued_at = e.timestamp
      return run
    }
    case 'run_requested': {
      const run = row ?? newRun(e)
      run.cause = e.cause
      run.enqueued_at = e.timestamp
      return run
    }
    case 'run_started': {
      const run = row ?? newRun(e)
      placeRun(run, e)
      run.status = 'running'
      run.started_at = e.timestamp
      return run
    }
    case 'run_finished': {
      const run = row ?? newRun(e)
      placeRun(run, e)
      run.status = e.status
      run.finished_at = e.timestamp
      run.duration_ms = e.duration_ms
      run.tasks_succeeded = e.tasks_succeeded
      run.tasks_failed = e.tasks_failed
      run.tasks_skipped = e.tasks_skipped
      run.error = e.error ?? null
      return run
    }
    default:
      throw new Error(`${e.event} changes no run`)
  }
}

function newRun(e: { timestamp: string; run_id: string; dag_name: string; tenant_id: string }): RunRow {
  return {
    run_id: e.run_id,
    dag_name: e.dag_name,
    tenant_id: e.tenant_id,
    schedule_id: null,
    slot: null,
    status: 'queued',
    cause: 'unknown',
    enqueued_at: e.timestamp,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    tasks_succeeded: 0,
    tasks_failed: 0,
    tasks_skipped: 0,
    error: null,
  }
}

function placeRun(run: RunRow, e: { schedule_id?: string; slot?: string }): void {
  if (e.schedule_id !== undefined) run.schedule_id = e.schedule_id
  if (e.slot !== undefined) run.slot = e.slot
}

/** The task whose row the event changes, or undefined. */
export function taskOf(event: Event): { run_id: string; task_id: string } | undefined {
  if (isUserEvent(event)) return undefined
  switch ((event as SystemEvent).event) {
    case 'task_start':
    case 'task_ok':
    case 'task_retry':
    case 'task_lost':
    case 'task_fail':
    case 'task_cancelled':
    case 'task_skip':
      return event as TaskSkip
    default:
      return undefined
  }
}

/** Folds an event of `taskOf` into its task's row, in place; makes the row where there is none. */
export function foldTask(row: TaskRow | undefined, event: Event): TaskRow {
  const e = event as SystemEvent
  switch (e.event) {
    case 'task_start': {
      const task = attempt(row, e, 'running')
      task.workflow_ref = e.workflow_ref
      task.started_at = e.timestamp
      task.finished_at = null
      task.duration_ms = null
      task.output = null
      return task
    }
    case 'task_ok': {
      const task = attempt(row, e, 'ok')
      task.finished_at = e.timestamp
      task.duration_ms = e.duration_ms
      task.output = outputText(e)
      return task
    }
    case 'task_retry': {
      const task = attempt(row, e, 'retrying')
      task.duration_ms = e.duration_ms
      task.retry_at = e.retry_at
      fail(task, e.error)
      return task
    }
    case 'task_lost': {
      const task = attempt(row, e, 'retrying')
      task.retry_at = e.retry_at
      task.reason = e.reason
      return task
    }
    case 'task_fail': {
      const task = attempt(row, e, 'failed')
      task.finished_at = e.timestamp
      task.duration_ms = e.duration_ms
      fail(task, e.error)
      return task
    }
    case 'task_cancelled': {
      const task = attempt(row, e, 'cancelled')
      task.finished_at = e.timestamp
      task.reason = e.reason
      return task
    }
    case 'task_skip': {
      // A skipped task keeps the number of the attempt it had come to; most never had one.
      const task = attempt(row, { ...e, attempt: row?.attempt ?? 0 }, 'skipped')
      task.finished_at = e.timestamp
      task.reason = e.reason
      return task
    }
    default:
      throw new Error(`${e.event} changes no task`)
  }
}

/** What every task event does: it names the attempt, sets the status and clears the reasons of the last one. */
function attempt(
  row: TaskRow | undefined,
  e: { run_id: string; task_id: string; attempt: number },
  status: TaskRow['status'],
): TaskRow {
  if (row === undefined) {
    return {
      run_id: e.run_id,
      task_id: e.task_id,
      status,
      attempt: e.attempt,
      workflow_ref: null,
      started_at: null,
      finished_at: null,
      duration_ms: null,
      retry_at: null,
      reason: null,
      error: null,
      output: null,
    }
  }
  row.status = status
  row.attempt = e.attempt
  row.retry_at = null
  row.reason = null
  row.error = null
  return row
}

function fail(task: TaskRow, error: AttemptError): void {
  task.reason = error.kind
  task.error = error.message
}

/** JSON text; for an output that is too large for a line, null: its `task_ok` event names the blob. */
function outputText(e: { output?: JsonObject; blob?: BlobRef }): string | null {
  return e.output === undefined ? null : JSON.stringify(e.output)
}

/** The disposition that the event is, or undefined. */
export function slotRowOf(event: Event): SlotRow | undefined {
  if (isUserEvent(event)) return undefined
  const e = event as SystemEvent
  switch (e.event) {
    case 'schedule_enqueued':
    case 'schedule_skipped':
      return {
        schedule_id: e.schedule_id,
        slot: e.slot,
        slot_to: e.slot,
        count: 1,
        disposition: e.event === 'schedule_enqueued' ? 'enqueued' : 'skipped',
        reason: e.reason,
        run_id: e.event === 'schedule_enqueued' ? e.run_id : null,
        decided_at: e.timestamp,
      }
    case 'schedule_missed':
      return {
        schedule_id: e.schedule_id,
        slot: e.from,
        slot_to: e.to,
        count: e.count,
        disposition: 'missed',
        reason: e.reason,
        run_id: null,
        decided_at: e.timestamp,
      }
    default:
      return undefined
  }
}

/** The subject that the event names, as a query may ask for it; null where it is none or no text. */
export function subjectOf(event: Event, key: 'run_id' | 'schedule_id' | 'task_id'): string | null {
  const value = (event as unknown as Record<string, unknown>)[key]
  return typeof value === 'string' ? value : null
}

/**
 * A point in time that a query names, as `timestamp` is written.
 * @throws DagbokError INSTANT_INVALID (exit 2) when it is no ISO 8601 text with an offset
 */
export function queryInstant(text: string): string {
  const instant = parseInstant(text)
  if (Number.isNaN(instant)) {
    throw new DagbokError('INSTANT_INVALID', `${JSON.stringify(text)} is no point in time`, {
      hint: 'write ISO 8601 with an offset, such as 2026-01-05T06:00Z',
      exitCode: EXIT.usage,
    })
  }
  return formatInstant(instant)
}

/** JSON with its keys in order: two values are the same exactly when their texts are. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, part: Json) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
