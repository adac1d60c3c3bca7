// What others may ask of a scheduler. It has two keepers: the daemon itself, in process, and client.ts over the control
// socket; whoever asks cannot tell which.
//
//   C1. A verb that changes state answers only after its events are on disk; `seq` is the last of them.
//   C2. A refusal is a DagbokError with a code, a remedy and an exit code; it crosses the socket unchanged.

import type { JsonObject } from '../core/json.ts'
import type { Event, RunFinished, RunStatus, SchedulerMode } from '../core/state-machine/event.ts'

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

export interface RunSlotRequest {
  schedule_id: string
  /** A date and time: local in the schedule's zone, or with `Z` or an offset. */
  slot: string
  cause: string
}

/** Without `schedule_id`: everything. */
export interface PauseRequest {
  schedule_id?: string
  reason: string
  /** A date and time, as in `RunSlotRequest`; in UTC where there is no schedule. Without it: until it is resumed. */
  until?: string
  /** The length of the pause instead, milliseconds. */
  for_ms?: number
}
export interface PauseAnswer {
  schedule_id?: string
  until?: string
  seq: number
}
export interface ResumeRequest {
  schedule_id?: string
  reason: string
}
export interface ResumeAnswer {
  schedule_id?: string
  seq: number
}
export interface SkipRequest {
  schedule_id: string
  /** Without it: the next slot that nobody has touched. */
  slot?: string
  reason: string
}
export interface SkipAnswer {
  schedule_id: string
  slot: string
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
    'waiting' | 'ready' | 'running' | 'retrying' | 'fanned_out' | 'ok' | 'failed' | 'skipped' | 'cancelled',
    number
  >
}

export interface PoolView {
  name: string
  /** Left out for a pool that is not defined any more: it limits nothing. */
  slots?: number
  /** Weights of the runs under way. */
  held: number
  /** Runs that wait in its line. */
  waiting: number
  /** Runs that hold it, and the first of those that wait, in order. At most 500 of all pools. */
  held_by: string[]
  next: string[]
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
  /** What skips slots now; the first, without a schedule, is a pause of everything. At most 50. */
  paused: { schedule_id?: string; since: string; until?: string; reason: string }[]
  /** Slots that wait for the answers to their conditions, the first of them. */
  open_slots: { schedule_id: string; slot: string; asked: number; retry_at?: string }[]
  runs: RunView[]
  queued_runs: number
  running_runs: number
  running_tasks: number
  /** SCHED_MAX_PARALLEL and SCHED_MAX_TASKS, as this scheduler has them. */
  limits: { max_parallel: number; max_tasks: number }
  /** By name: those that are defined, and those that runs still hold or wait for. */
  pools: PoolView[]
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
  /** A slot without a decision has its run now; a decided one is run once more. */
  runSlot(request: RunSlotRequest): Promise<TriggerAnswer>
  pause(request: PauseRequest): Promise<PauseAnswer>
  resume(request: ResumeRequest): Promise<ResumeAnswer>
  skip(request: SkipRequest): Promise<SkipAnswer>
  /** Takes a skip back; without a slot: that of the next one that was to be skipped. */
  unskip(request: SkipRequest): Promise<SkipAnswer>
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
  /** Of its fan-outs, if it has any. */
  clients?: { succeeded: number; failed: number; skipped: number }
  duration_ms: number
  error?: string
}

/** What the end of a run says to whoever waited for it. */
export function summarise(event: RunFinished): RunSummary {
  const { run_id, dag_name, status, tasks_succeeded, tasks_failed, tasks_skipped, duration_ms, error } = event
  const { clients_succeeded: succeeded, clients_failed: failed = 0, clients_skipped: skipped = 0 } = event
  return {
    ...{ run_id, dag_name, status, tasks_succeeded, tasks_failed, tasks_skipped },
    ...(succeeded === undefined ? {} : { clients: { succeeded, failed, skipped } }),
    duration_ms,
    ...(error === undefined ? {} : { error }),
  }
}
