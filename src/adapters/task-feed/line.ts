// What the task-event feed says: one line for each event that somebody who watches a DAG wants to see.
//
// The fields that the feed has always had come first; what was added later comes after them, `seq` last.

import { type Event, isUserEvent, type SystemEvent } from '../../core/state-machine/event.ts'

/** The feed's line of an event, with its `\n`, or undefined for an event that is none of the feed's. */
export function formatFeedLine(event: Event): string | undefined {
  const fields = isUserEvent(event) ? undefined : fieldsOf(event as SystemEvent)
  return fields === undefined ? undefined : `${JSON.stringify(fields)}\n`
}

function fieldsOf(e: SystemEvent): Record<string, unknown> | undefined {
  switch (e.event) {
    case 'run_started': {
      const { timestamp, dag_name, run_id, tenant_id, schedule_id, slot, seq } = e
      return { timestamp, event: 'dag_start', dag_name, run_id, tenant_id, schedule_id, slot, seq }
    }
    case 'task_start': {
      const { workflow_ref, seq } = e
      return { ...taskFields(e, 'task_start'), workflow_ref, seq }
    }
    case 'task_ok': {
      const { duration_ms, seq } = e
      return { ...taskFields(e, 'task_ok'), duration_ms, seq }
    }
    case 'task_retry': {
      const { duration_ms, error, retry_at, seq } = e
      return { ...taskFields(e, 'task_retry'), duration_ms, error, retry_at, seq }
    }
    // To the one who watches, an attempt that a crash took is an attempt that will be made again.
    case 'task_lost': {
      const { reason, retry_at, seq } = e
      const error = { kind: 'lost', message: reason }
      return { ...taskFields(e, 'task_retry'), error, retry_at, seq }
    }
    case 'task_fail': {
      const { duration_ms, error, message, seq } = e
      return { ...taskFields(e, 'task_fail'), duration_ms, error, message, seq }
    }
    case 'task_skip': {
      const { timestamp, task_id, dag_name, run_id, reason, seq } = e
      return { timestamp, event: 'task_skip', task_id, dag_name, run_id, reason, seq }
    }
    case 'run_finished': {
      const { timestamp, dag_name, run_id, status, duration_ms, error, seq } = e
      const { tasks_succeeded, tasks_failed, tasks_skipped } = e
      const counts = { tasks_succeeded, tasks_failed, tasks_skipped }
      return { timestamp, event: 'dag_done', dag_name, ...counts, run_id, status, duration_ms, error, seq }
    }
    default:
      return undefined
  }
}

function taskFields(
  e: { timestamp: string; task_id: string; dag_name: string; run_id: string; attempt: number },
  event: string,
): Record<string, unknown> {
  const { timestamp, task_id, dag_name, run_id, attempt } = e
  return { timestamp, event, task_id, dag_name, run_id, attempt }
}
