// What others may ask of a scheduler. It has two keepers: the daemon itself, in process, and client.ts over the control
// socket; whoever asks cannot tell which.
//
//   C1. A verb that changes state answers only after its events are on disk; `seq` is the last of them.
//   C2. A refusal is a DagbokError with a code, a remedy and an exit code; it crosses the socket unchanged.

import type { JsonObject } from '../core/json.ts'
import type { Event, RunStatus, SchedulerMode } from '../core/state-machine/event.ts'

export interface TriggerRequest {
  /** A DAG's name … */
  dag?: string
  /** … or the path of a DAG file, absolute. */
  file?: string
  /** Merged over each task's own params. At most 32 KiB as JSON. */
  params?: JsonObject
  /** Who or what asked, for the record: `cli`, `library`, `http`. */
  cause: string
}
export interface TriggerAnswer {
  run_id: string
  dag_name: string
  seq: number
}

export interface CancelRequest {
  run_id: string
  reason: string
}
export interface CancelAnswer {
  run_id: string
  /** `requested`: its attempts are being ended. `finished`: it had none running and is over. */
  state: 'requested' | 'finished'
  seq: number
}

/** What Dagbok writes into every line itself: no user's line may claim them. */
export const RESERVED_FIELDS: readonly string[] = ['timestamp', 'seq', 'source', 'commit', 'c']

/** Fields of a user's own line. `event` is required; `timestamp seq source commit c` are Dagbok's. */
export interface RecordRequest {
  fields: { event: string } & JsonObject
}
export interface RecordAnswer {
  seq: number
}

export interface RunView {
  run_id: string
  dag_name: string
  status: 'queued' | 'running'
  enqueued_at: string
  started_at?: string
  tasks: Record<
    'waiting' | 'ready' | 'running' | 'retrying' | 'ok' | 'failed' | 'skipped' | 'cancelled',
    number
  >
}

export interface StatusAnswer {
  version: string
  mode: SchedulerMode
  pid: number
  host: string
  epoch: number
  started_at: string
  /** `running`, `draining` after a stop was asked for, `degraded` while the disk is full. */
  state: 'running' | 'draining' | 'degraded'
  seq: number
  schedules: number
  dags: number
  next_wake_at?: string
  next_slots: { schedule_id: string; slot: string }[]
  runs: RunView[]
  queued_runs: number
  running_runs: number
  running_tasks: number
  /** SCHED_MAX_PARALLEL and SCHED_MAX_TASKS, as this scheduler has them. */
  limits: { max_parallel: number; max_tasks: number }
  /** The last rejected reload, until a good one. */
  definition_errors: string[]
  journal: { path: string; bytes: number; journal_id: string }
  /** Events that the follower has still to take. */
  lag: { index: number; feed: number }
}

export interface EventFilter {
  /** Only events with a greater seq. Default: from now on. */
  after_seq?: number
  run_id?: string
  event?: string
}

export interface Control {
  trigger(request: TriggerRequest): Promise<TriggerAnswer>
  cancel(request: CancelRequest): Promise<CancelAnswer>
  record(request: RecordRequest): Promise<RecordAnswer>
  status(): Promise<StatusAnswer>
  /** Reads the definitions again now; answers with what happened. */
  reload(): Promise<{ ok: boolean; schedules: number; dags: number; errors: string[] }>
  /** Calls back for each durable event, in order, until the returned function is called or the other side goes. */
  subscribe(filter: EventFilter, onEvent: (event: Event) => void, onEnd: (error?: Error) => void): () => void
}

/** How a run of this process ended: what `--once` and `run` print and exit by. */
export interface RunSummary {
  run_id: string
  dag_name: string
  status: RunStatus
  tasks_succeeded: number
  tasks_failed: number
  tasks_skipped: number
  duration_ms: number
  error?: string
}
