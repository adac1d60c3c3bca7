// The run index: a follower of the journal that answers questions. It can be deleted at any time and built again.
//
//   N1. What it holds is a function of the journal up to `checkpoint()`, nothing else: rebuilt = kept.
//   N2. Lines and checkpoint change in one transaction.

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
  limit: number
}

export interface RunIndex {
  checkpoint(): IndexCheckpoint | undefined
  /** Folds durable events in, in order; events at or before the checkpoint are ignored. */
  apply(journalId: string, events: readonly Event[]): void
  runs(query: RunQuery): RunRow[]
  run(runId: string): RunRow | undefined
  tasks(runId: string): TaskRow[]
  slots(scheduleId: string, query: { since?: string; until?: string; limit: number }): SlotRow[]
  /** Newest first, as the journal holds them. */
  events(query: EventQuery): Event[]
  close(): void
}
