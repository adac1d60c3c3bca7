// Everything that can ever happen, on two pages (schedule-event.ts has what happens to schedules and their slots): the events
// of the journal, in the very shape of its lines.
//
//   - Names are `noun_verb`, past. Fields may be added, never renamed, never given another meaning.
//   - Order of keys: `timestamp event seq`, then the subject, then details. The journal adds `commit` and, last, `c`.
//   - Instants inside events are ISO 8601 UTC text; durations are milliseconds in a field that ends in `_ms`.
//   - A line is at most 64 KiB: larger things go to a blob, and the line carries its name (docs/journal-format.md).

import type { UpstreamReason } from '../dag/trigger-rule.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Line } from './event-line.ts'
import type { NotificationEvent } from './notification-event.ts'
import type {
  ScheduleEnqueued,
  ScheduleMissed,
  SchedulePaused,
  ScheduleRegistered,
  ScheduleResumed,
  ScheduleRetired,
  ScheduleSkipped,
  SchedulingFrozen,
  SchedulingThawed,
  SlotDeferred,
  SlotOpened,
  SlotSkipRequested,
  SlotSkipWithdrawn,
} from './schedule-event.ts'
import type { SourceEvent } from './source-event.ts'

export type * from './notification-event.ts'
export type * from './schedule-event.ts'
export type * from './source-event.ts'

// --- the journal about itself -------------------------------------------------------------------------------------

/** First line of every segment. Written by the journal. */
export interface SegmentOpened extends Line {
  event: 'segment_opened'
  format: number
  journal_id: string
  segment: number
  prev_last_seq: number
  prev_crc: string
}
/** Last line of a segment that will not grow any more. Written by the journal. */
export interface SegmentSealed extends Line {
  event: 'segment_sealed'
  segment: number
  lines: number
}
/** A part of the whole state; the parts of one checkpoint are one commit, right after `segment_opened`. */
export interface Checkpoint extends Line {
  event: 'checkpoint'
  part: number
  parts: number
  items: JsonObject[]
}
/** The tail of an unclean stop was cut off (its bytes are in quarantine) or only copied. Written by the journal. */
export interface JournalRecovered extends Line {
  event: 'journal_recovered'
  reason: 'unclean_stop' | 'torn_tail'
  dropped_bytes: number
  quarantine?: string
}
/** The disk was full from `since` until now; nothing acknowledged was lost, `refused` commands were turned away. */
export interface JournalResumed extends Line {
  event: 'journal_resumed'
  reason: 'disk_full'
  since: string
  refused: number
}

// --- the scheduler -------------------------------------------------------------------------------------------------

export type SchedulerMode = 'serve' | 'once' | 'run' | 'command'

export interface SchedulerStarted extends Line {
  event: 'scheduler_started'
  epoch: number
  mode: SchedulerMode
  pid: number
  host: string
  version: string
}
export interface SchedulerStopping extends Line {
  event: 'scheduler_stopping'
  reason: string
}
export interface SchedulerStopped extends Line {
  event: 'scheduler_stopped'
  epoch: number
}
export interface ClockJumped extends Line {
  event: 'clock_jumped'
  direction: 'forward' | 'backward'
  wall_ms: number
  monotonic_ms: number
}
export interface DefinitionsLoaded extends Line {
  event: 'definitions_loaded'
  schedules: number
  dags: number
  cause: 'start' | 'reload'
}
export interface DefinitionsRejected extends Line {
  event: 'definitions_rejected'
  cause: 'start' | 'reload'
  errors: string[]
}

// --- runs ----------------------------------------------------------------------------------------------------------

/**
 * - `skipped`  a task said SKIP, and nothing at the end of the DAG was done
 * - `partial`  only clients of a fan-out failed, and not all of them
 */
export type RunStatus = 'success' | 'failed' | 'partial' | 'skipped' | 'cancelled'

/** A DAG's normal form, kept for the runs that start with it; in several parts where a line would be too long. */
export interface DefinitionRecorded extends Line {
  event: 'definition_recorded'
  dag_name: string
  tenant_id: string
  definition_hash: string
  part: number
  parts: number
  tasks: JsonObject[]
}
/** A run that no slot decided: by hand, over the socket, by the library. */
export interface RunRequested extends Line {
  event: 'run_requested'
  run_id: string
  dag_name: string
  tenant_id: string
  definition_hash: string
  cause: string
  params?: JsonObject
  /** The slot that it is run for once more; that slot's own decision stays as it is. */
  schedule_id?: string
  slot?: string
  /** Of the schedule, as in `schedule_enqueued`. */
  pool?: string
  weight?: number
  priority?: number
}
export interface RunStarted extends Line {
  event: 'run_started'
  run_id: string
  dag_name: string
  tenant_id: string
  schedule_id?: string
  slot?: string
}
/** The scheduler came back and goes on with this run: finished tasks stay finished. */
export interface RunResumed extends Line {
  event: 'run_resumed'
  run_id: string
  dag_name: string
  tasks_finished: number
  tasks_interrupted: number
}
export interface RunCancelRequested extends Line {
  event: 'run_cancel_requested'
  run_id: string
  reason: string
}
export interface RunFinished extends Line {
  event: 'run_finished'
  run_id: string
  dag_name: string
  tenant_id: string
  schedule_id?: string
  slot?: string
  status: RunStatus
  tasks_succeeded: number
  tasks_failed: number
  tasks_skipped: number
  /** Of its fan-outs. Tasks of clients are counted here only. */
  clients_succeeded?: number
  clients_failed?: number
  clients_skipped?: number
  duration_ms: number
  error?: string
}

// --- tasks ---------------------------------------------------------------------------------------------------------

interface TaskLine extends Line {
  run_id: string
  dag_name: string
  task_id: string
  attempt: number
  /** Of a task that does its work for one client of a fan-out. */
  client_id?: string
}
/** A file named by the SHA-256 of its bytes, beside the journal, synced before the line that names it. */
export interface BlobRef extends JsonObject {
  sha256: string
  bytes: number
}
/** What a failed attempt leaves: enough to answer "why" without the log. */
export interface AttemptError {
  /** `exit_code`, `signal`, `timeout`, `threw`, `worker_exited`, `out_of_memory`, `output_too_large`, `http_status` … */
  kind: string
  message: string
  exit_code?: number
  signal?: string
}
/** The intent: durable before anything is started. */
export interface TaskStart extends TaskLine {
  event: 'task_start'
  workflow_ref: string
  /** When the attempt is out of time. */
  deadline_at?: string
}
/** The process exists. pid alone proves nothing: a pid is used again. */
export interface TaskSpawned extends TaskLine {
  event: 'task_spawned'
  pid: number
  start_ticks: number
  boot_id: string
}
/** A command that outlived the scheduler is supervised again. */
export interface TaskReadopted extends TaskLine {
  event: 'task_readopted'
  pid: number
}
export interface TaskOk extends TaskLine {
  event: 'task_ok'
  duration_ms: number
  output?: JsonObject
  blob?: BlobRef
  /** The output in the blob says so. */
  continue?: 0
  /** Of a fan-out: it was not done for all of its clients. */
  partial?: true
}
/** A fan-out has found for whom its work is to be done: a task of its own for each. In parts where a line would be too long. */
export interface ClientsFound extends TaskLine {
  event: 'clients_found'
  part: number
  parts: number
  clients: string[]
}
/** The attempt failed and another one is due at `retry_at`, drawn once. */
export interface TaskRetry extends TaskLine {
  event: 'task_retry'
  duration_ms: number
  error: AttemptError
  retry_at: string
}
/**
 * The attempt was interrupted by a crash: nobody knows how it ended. Or another run was faster with what it found
 * (`overtaken`), which nobody has to put an end to: somebody gets on each time. Another one is due at `retry_at`.
 */
export interface TaskLost extends TaskLine {
  event: 'task_lost'
  reason: string
  overtaken?: true
  retry_at: string
}
export interface TaskFail extends TaskLine {
  event: 'task_fail'
  duration_ms: number
  error: AttemptError
  message: string
}
export interface TaskCancelled extends TaskLine {
  event: 'task_cancelled'
  reason: string
}
/** It will not run in this run. */
export interface TaskSkip extends Line {
  event: 'task_skip'
  run_id: string
  dag_name: string
  task_id: string
  /** `returned_skip`: it said so itself; `condition`: those of its client do not hold. */
  reason: UpstreamReason | 'returned_skip' | 'condition' | 'cancelled'
  /** Of one that was begun. */
  attempt?: number
  duration_ms?: number
  client_id?: string
  detail?: string
  inputs?: JsonObject
}

// --- users ---------------------------------------------------------------------------------------------------------

/** A fact that a user recorded. `evolve` ignores it; readers find it. */
export interface UserEvent extends Line {
  event: string
  source: 'user'
  [key: string]: Json | undefined
}

export type SystemEvent =
  | SegmentOpened
  | SegmentSealed
  | Checkpoint
  | JournalRecovered
  | JournalResumed
  | SchedulerStarted
  | SchedulerStopping
  | SchedulerStopped
  | ClockJumped
  | DefinitionsLoaded
  | DefinitionsRejected
  | ScheduleRegistered
  | ScheduleRetired
  | SchedulePaused
  | ScheduleResumed
  | SchedulingFrozen
  | SchedulingThawed
  | SlotSkipRequested
  | SlotSkipWithdrawn
  | SlotOpened
  | SlotDeferred
  | ScheduleEnqueued
  | ScheduleSkipped
  | ScheduleMissed
  | DefinitionRecorded
  | RunRequested
  | RunStarted
  | RunResumed
  | RunCancelRequested
  | RunFinished
  | TaskStart
  | TaskSpawned
  | TaskReadopted
  | TaskOk
  | TaskRetry
  | TaskLost
  | TaskFail
  | TaskCancelled
  | TaskSkip
  | ClientsFound
  | SourceEvent
  | NotificationEvent

export type Event = SystemEvent | UserEvent
export type EventName = SystemEvent['event']

/** True for a line that a user recorded: it may carry any name, so its name proves nothing. */
export function isUserEvent(event: Event): event is UserEvent {
  return (event as { source?: unknown }).source === 'user'
}
