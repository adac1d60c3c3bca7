// Everything that can ever happen, on one page: the events of the journal, in the very shape of its lines.
//
//   - Names are `noun_verb`, past. Fields may be added, never renamed, never given another meaning.
//   - Order of keys: `timestamp event seq`, then the subject, then details. The journal adds `commit` and, last, `c`.
//   - Instants inside events are ISO 8601 UTC text; durations are milliseconds in a field that ends in `_ms`.
//   - A line is at most 64 KiB: larger things go to a blob, and the line carries its name (docs/journal-format.md).

import type { ConditionReason } from '../condition/condition.ts'
import type { Json, JsonObject } from '../json.ts'
import type { TimingFields } from '../schedule/timing.ts'

interface Line {
  /** When it was decided: ISO 8601 UTC with milliseconds. Order is `seq`, never this: clocks step. */
  timestamp: string
  /** Position in the journal, 1, 2, 3 … without a hole. 0 until the journal has taken the event. */
  seq: number
}

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

// --- schedules -----------------------------------------------------------------------------------------------------

/** From here on the slots after `cursor` are this schedule's to decide. */
export interface ScheduleRegistered extends Line, TimingFields {
  event: 'schedule_registered'
  schedule_id: string
  cause: 'first_seen' | 'enabled' | 'timing_changed'
  cursor: string
}
/** No slot after the last decided one is due until it is registered again. */
export interface ScheduleRetired extends Line {
  event: 'schedule_retired'
  schedule_id: string
  cause: 'disabled' | 'removed'
}
/** Slots after this line's timestamp are skipped, up to `until` or until somebody resumes it. */
export interface SchedulePaused extends Line {
  event: 'schedule_paused'
  schedule_id: string
  reason: string
  until?: string
}
export interface ScheduleResumed extends Line {
  event: 'schedule_resumed'
  schedule_id: string
  reason: string
}
/** As `schedule_paused`, for every schedule at once. */
export interface SchedulingFrozen extends Line {
  event: 'scheduling_frozen'
  reason: string
  until?: string
}
export interface SchedulingThawed extends Line {
  event: 'scheduling_thawed'
  reason: string
}
/** A slot to come will be skipped. */
export interface SlotSkipRequested extends Line {
  event: 'slot_skip_requested'
  schedule_id: string
  slot: string
  reason: string
}
/** It will be decided as if nobody had asked. */
export interface SlotSkipWithdrawn extends Line {
  event: 'slot_skip_withdrawn'
  schedule_id: string
  slot: string
  reason: string
}
/**
 * The slot is due and nothing that can be known without asking is in its way: its conditions are asked, and its decision
 * follows. From here on the slots after it are decided without waiting for it.
 */
export interface SlotOpened extends Line {
  event: 'slot_opened'
  schedule_id: string
  slot: string
  minute: string
  /** What its run will be enqueued for. */
  reason: 'due' | 'catchup'
}
/** The conditions of an open slot do not hold yet, or nobody knows: they are asked again at `retry_at`. */
export interface SlotDeferred extends Line {
  event: 'slot_deferred'
  schedule_id: string
  slot: string
  minute: string
  /** How often they have been asked. */
  ask: number
  reason: ConditionReason
  inputs: JsonObject
  retry_at: string
}
/** The slot's run is in the line. */
export interface ScheduleEnqueued extends Line {
  event: 'schedule_enqueued'
  schedule_id: string
  slot: string
  /** The slot under its seed name: the key of `{schedule_id, minute}`. Equal to `slot`. */
  minute: string
  run_id: string
  dag_name: string
  tenant_id: string
  definition_hash: string
  /** `by_hand`: somebody ran a slot before it was due; when it comes, it has had its run. */
  reason: 'due' | 'catchup' | 'by_hand'
  /** `serial`: runs of this schedule go one after the other. */
  order: 'serial' | 'parallel'
  /** The run does not start before it: the slot and its jitter. */
  start_after?: string
  /** If the run has not started by then, it is cancelled. */
  start_by?: string
  /** The pool whose room the run needs, from its start to its end. */
  pool?: string
  /** How many slots of the pool it holds. Left out: 1. */
  weight?: number
  /** Runs of a higher one start first. Left out: 0. */
  priority?: number
  /** What the world said when the conditions were asked. */
  inputs?: JsonObject
}
export interface ScheduleSkipped extends Line {
  event: 'schedule_skipped'
  schedule_id: string
  slot: string
  minute: string
  reason: 'overlap' | 'paused' | 'frozen' | 'skipped_by_hand' | 'too_many_open' | ConditionReason
  inputs: JsonObject
}
/** Each of the `count` slots from `from` to `to`, both included, was due and did not run. */
export interface ScheduleMissed extends Line {
  event: 'schedule_missed'
  schedule_id: string
  from: string
  to: string
  count: number
  reason:
    | 'catchup_none'
    | 'catchup_latest'
    | 'catchup_window'
    | 'max_catchup'
    | 'deadline'
    | 'definition_changed'
}

// --- runs ----------------------------------------------------------------------------------------------------------

export type RunStatus = 'success' | 'failed' | 'cancelled'

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
  duration_ms: number
  error?: string
}

// --- tasks ---------------------------------------------------------------------------------------------------------

interface TaskLine extends Line {
  run_id: string
  dag_name: string
  task_id: string
  attempt: number
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
}
/** The attempt failed and another one is due at `retry_at`, drawn once. */
export interface TaskRetry extends TaskLine {
  event: 'task_retry'
  duration_ms: number
  error: AttemptError
  retry_at: string
}
/** The attempt was interrupted by a crash: nobody knows how it ended. Another one is due at `retry_at`. */
export interface TaskLost extends TaskLine {
  event: 'task_lost'
  reason: string
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
  reason: 'upstream_failed' | 'upstream_skipped' | 'cancelled'
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

export type Event = SystemEvent | UserEvent
export type EventName = SystemEvent['event']

/** True for a line that a user recorded: it may carry any name, so its name proves nothing. */
export function isUserEvent(event: Event): event is UserEvent {
  return (event as { source?: unknown }).source === 'user'
}
