// The columns of a run and of a task, in the order of their rows' keys (ports/run-index.ts).

import type { RunRow, TaskRow } from '../../ports/run-index.ts'

export const RUN_COLUMNS = [
  'run_id',
  'dag_name',
  'tenant_id',
  'schedule_id',
  'slot',
  'status',
  'cause',
  'enqueued_at',
  'started_at',
  'finished_at',
  'duration_ms',
  'tasks_succeeded',
  'tasks_failed',
  'tasks_skipped',
  'error',
] as const satisfies readonly (keyof RunRow)[]

/** What changes after a run's first event, as a rule; the rest is in secondary indexes that need no touching. */
export const RUN_PROGRESS = [
  'status',
  'started_at',
  'finished_at',
  'duration_ms',
  'tasks_succeeded',
  'tasks_failed',
  'tasks_skipped',
  'error',
] as const satisfies readonly (keyof RunRow)[]

export const TASK_COLUMNS = [
  'run_id',
  'task_id',
  'status',
  'attempt',
  'workflow_ref',
  'started_at',
  'finished_at',
  'duration_ms',
  'retry_at',
  'reason',
  'error',
  'output',
] as const satisfies readonly (keyof TaskRow)[]

export const TASK_PROGRESS = TASK_COLUMNS.slice(2)

/** Of a task that nothing went wrong with: most of them. To bind a NULL takes twice as long as to bind a number. */
export const SMOOTH_TASK_COLUMNS = TASK_COLUMNS.filter(
  column => column !== 'error' && column !== 'reason' && column !== 'retry_at',
)

/** For SELECT. */
export const RUN_SELECT = RUN_COLUMNS.join(', ')
export const TASK_SELECT = TASK_COLUMNS.join(', ')
