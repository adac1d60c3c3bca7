// The run index: a follower of the journal that answers questions. It can be deleted at any time and built again.
//
//   N1. What it holds is a function of the journal up to `checkpoint()`, nothing else: rebuilt = kept.
//   N2. Lines and checkpoint change in one transaction.
//   N3. It has no hole: events that do not follow its checkpoint are refused, and it is caught up from the journal.
//
// What a row means is run-rows.ts.

import { DagbokError } from '../core/error.ts'
import type { Event, RunStatus } from '../core/state-machine/event.ts'

export interface IndexCheckpoint {
  readonly journalId: string
  readonly seq: number
}

export type RunRowStatus = 'queued' | 'running' | RunStatus

export interface RunRow {
  run_id: string
  dag_name: string
  tenant_id: string
  schedule_id: string | null
  slot: string | null
  status: RunRowStatus
  cause: string
  enqueued_at: string
  started_at: string | null
  finished_at: string | null
  duration_ms: number | null
  tasks_succeeded: number
  tasks_failed: number
  tasks_skipped: number
  error: string | null
}

export interface TaskRow {
  run_id: string
  task_id: string
  status: 'running' | 'retrying' | 'ok' | 'failed' | 'skipped' | 'cancelled'
  attempt: number
  workflow_ref: string | null
  started_at: string | null
  finished_at: string | null
  duration_ms: number | null
  retry_at: string | null
  reason: string | null
  error: string | null
  output: string | null
}

/** A disposition: one slot, or for `missed` a span of `count` slots from `slot` to `slot_to`. */
export interface SlotRow {
  schedule_id: string
  slot: string
  slot_to: string
  count: number
  disposition: 'enqueued' | 'skipped' | 'missed'
  reason: string
  run_id: string | null
  decided_at: string
}

export interface RunQuery {
  dagName?: string
  scheduleId?: string
  status?: readonly RunRowStatus[]
  /** ISO 8601: enqueued at or after. */
  since?: string
  limit: number
}

export interface EventQuery {
  runId?: string
  scheduleId?: string
  event?: string
  afterSeq?: number
  beforeSeq?: number
  /** Exactly as the line has it. */
  timestamp?: string
  limit: number
}

export type RebuildReason =
  | 'missing'
  | 'damaged'
  | 'other_journal'
  | 'other_schema'
  /** Lines between the checkpoint and the events are missing. */
  | 'gap'
  /** The journal has another line, or none, where the checkpoint is: it was restored from a copy. */
  | 'diverged'

/** The index cannot go on from where it is. Nothing is lost: it is a follower, delete it and build it again. */
export class IndexRebuildNeededError extends DagbokError {
  readonly reason: RebuildReason

  constructor(reason: RebuildReason, detail: string, cause?: unknown) {
    super('INDEX_REBUILD_NEEDED', `the run index must be built again (${reason}): ${detail}`, {
      hint: 'the next start, or the next command that reads it, builds it again from the journal; deleting it is safe',
      cause,
    })
    this.reason = reason
  }
}

export interface RunIndex {
  checkpoint(): IndexCheckpoint | undefined
  /**
   * Folds durable events in, in order; events at or before the checkpoint are ignored. All of them or none.
   * The first event of an empty index has `seq` 1 or is the `segment_opened` of the oldest segment that is kept.
   * @throws IndexRebuildNeededError `other_journal`, `gap`, or `damaged`
   */
  apply(journalId: string, events: readonly Event[]): void
  /** Newest first: by `enqueued_at`, then by position in the journal. */
  runs(query: RunQuery): RunRow[]
  run(runId: string): RunRow | undefined
  /** In the order in which they first appeared. */
  tasks(runId: string): TaskRow[]
  /** Newest first. A span is there when a part of it lies between `since` and `until`, both included. */
  slots(scheduleId: string, query: { since?: string; until?: string; limit: number }): SlotRow[]
  /** Newest first, as the journal holds them, less `c`, `commit` and the state in checkpoints. */
  events(query: EventQuery): Event[]
  close(): void
}
