// A run: one execution of a DAG, as the state knows it while it is unfinished. Ended runs leave memory.

import type { UpstreamCounts } from '../dag/trigger-rule.ts'
import type { JsonObject } from '../json.ts'
import type { AttemptError, BlobRef } from '../state-machine/event.ts'
import type { Instant } from '../time/instant.ts'

/**
 * - `waiting`   for upstream tasks
 * - `ready`     to start as soon as there is room
 * - `running`   has an attempt whose `task_start` is in the journal
 * - `retrying`  waits for its `retryAt`, or for room after it
 * - `fanned_out` has found its clients and waits for their tasks
 * - the others are final
 */
export type TaskStatus =
  | 'waiting'
  | 'ready'
  | 'running'
  | 'retrying'
  | 'fanned_out'
  | 'ok'
  | 'failed'
  | 'skipped'
  | 'cancelled'

/** How far a fan-out has come. */
export interface FanCounts {
  clients: number
  /** Clients whose tasks have not ended. */
  open: number
  ok: number
  failed: number
  skipped: number
}

/** What a run holds of a stage or a stream until its end. */
export type Hold =
  | { readonly kind: 'files'; readonly stage: string; readonly keys: string[] }
  | { readonly kind: 'records'; readonly stream: string }

export interface TaskState {
  status: TaskStatus
  /** Number of the last attempt that was started; 0 before the first. */
  attempt: number
  /** Attempts that were interrupted. They do not count against `retries`. */
  losses: number
  /** Attempts whose find another run took first. They count neither as losses nor against `retries`. Undefined: none. */
  overtaken?: number
  /** How its upstream tasks that have ended did so. Undefined: none has. */
  upstream?: UpstreamCounts
  /** It said SKIP. */
  saidSkip?: true
  /** It does its work for this client of a fan-out. */
  client?: string
  /** Of a fan-out that has found its clients. */
  fan?: FanCounts
  /** A fan-out that was not done for all of its clients. */
  partial?: true
  startedAt?: Instant
  deadlineAt?: Instant
  /** Of a running attempt: `State.handovers` when it began. Undefined: 0. */
  handovers?: number
  retryAt?: Instant
  output?: JsonObject
  blob?: BlobRef
  error?: AttemptError
  /** Of the running attempt, once it is known. */
  process?: { pid: number; startTicks: number; bootId: string }
}

export interface RunState {
  readonly runId: string
  readonly dagName: string
  readonly tenantId: string
  readonly definitionHash: string
  readonly scheduleId?: string
  /** ISO 8601, as in the journal. */
  readonly slot?: string
  readonly cause: string
  readonly params?: JsonObject
  readonly order: 'serial' | 'parallel'
  readonly enqueuedAt: Instant
  /** It does not start before it. */
  readonly startAfter?: Instant
  /** It is cancelled if it has not started by then. */
  readonly startBy?: Instant
  /** It is told that it is late if it has not ended by then; undefined again when it was. */
  lateAt?: Instant | undefined
  /** What it was enqueued with: the pool it needs room in, how much of it, and what it goes before. */
  readonly pool: string | undefined
  readonly weight: number
  readonly priority: number
  /** Who was enqueued first: counts up over the runs of a state, and is given anew at a restart in the same order. */
  place: number
  status: 'queued' | 'running'
  startedAt: Instant | undefined
  cancelReason: string | undefined
  /** True while it counts against SCHED_MAX_PARALLEL: it has an attempt running or a task ready to start. */
  holdsSlot: boolean
  /** Empty until the run has started, which sets it; every run that is queued has the same empty one. */
  tasks: ReadonlyMap<string, TaskState>
  /** What it has taken of stages and streams. Undefined: nothing, as nearly always. */
  holds: Hold[] | undefined
  /** Tasks that are not final. */
  remaining: number
  /** Tasks `running`. */
  live: number
  /** Tasks `ready`. */
  ready: number
}

/** Counts of a run's tasks by status, without those of clients. */
export function countTasks(run: RunState): Record<TaskStatus, number> {
  const counts = {
    waiting: 0,
    ready: 0,
    running: 0,
    retrying: 0,
    fanned_out: 0,
    ok: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  }
  for (const { client, status } of run.tasks.values()) if (client === undefined) counts[status] += 1
  return counts
}

/** True for a status that never changes again in this run. */
export function isFinal(status: TaskStatus): boolean {
  return status === 'ok' || status === 'failed' || status === 'skipped' || status === 'cancelled'
}
