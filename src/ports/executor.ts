// Executors: what runs an attempt. User code never runs in the daemon's process (docs/adr/0006).
//
//   X1. `start` is called only after `task_start` is durable. It is called at most once per (run, task, attempt).
//   X2. `outcome` settles exactly once, never rejects, and only when nothing of the attempt runs any more.
//   X3. The time limit is the executor's to keep: it counts from the start, and from `deadlineAt` after an adoption.
//   X4. A hang, a crash, process.exit, out of memory or a gigabyte of output in one attempt touches nothing else.

import type { FanOut } from '../core/client/client.ts'
import type { Condition } from '../core/condition/condition.ts'
import type { JsonObject } from '../core/json.ts'
import type { Taken } from '../core/run/taken.ts'
import type { AttemptError } from '../core/state-machine/event.ts'
import type { StreamPosition } from '../core/stream/stream.ts'
import type { Instant } from '../core/time/instant.ts'
import type { StageTracking } from './stage-reader.ts'

/** What names one try of one task. The attempt number is the fence: an outcome of an older attempt is ignored. */
export interface AttemptKey {
  readonly runId: string
  readonly taskId: string
  readonly attempt: number
}

export interface AttemptSpec extends AttemptKey {
  readonly dagName: string
  readonly tenantId: string
  readonly workflowRef: string
  /** Own params with the upstreams' outputs merged in as `<task>__<key>`; in a manifest's run also `new_files`. */
  readonly params: JsonObject
  /** What a manifest's root has collected: run id, slot, trigger mode … (TaskRuntimeInfo). */
  readonly runtime?: JsonObject
  /** Of a manifest's root only. */
  readonly facts?: RunFacts
  /** Of a task that does its work for one client; `params.client_id` says it too. */
  readonly clientId?: string
  /** The work is a fan-out's: to find out for whom it is to be done. */
  readonly fanOut?: FanOut
  /** What must hold for this client. */
  readonly clientConditions?: readonly Condition[]
  /** What the journal knows of the files of a stage of this DAG, now. For `poll_and_dispatch`. */
  readonly tracking?: (stage: string) => StageTracking
  /** How far the last successful run has read a stream of this DAG; undefined: not at all. For `consume_stream`. */
  readonly position?: (stream: string) => StreamPosition | undefined
  readonly env: Readonly<Record<string, string>>
  readonly scheduleId?: string
  /** The slot the run stands for; for a run by hand, when it was requested. ISO 8601. */
  readonly logicalDate: string
  readonly timeoutMs?: number
  readonly deadlineAt?: Instant
}

/** What a manifest's root tells of its run. */
export interface RunFacts {
  /** Why there is a run: `due`, `catchup`, `cli` … */
  readonly cause: string
  readonly definitionHash: string
  /** ISO 8601; undefined: no slot decided it. */
  readonly slot?: string
  /** Where its data interval begins, if the schedule has a slot before. */
  readonly previousSlot?: string
}

/** Tells a process from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
  readonly bootId: string
}

export type AttemptOutcome =
  | { kind: 'ok'; output: JsonObject; taken?: Taken }
  /** The task said SKIP: there is nothing to do, and nothing downstream either. */
  | { kind: 'skip'; reason: 'returned_skip' | 'condition'; detail: string; inputs?: JsonObject }
  /** Of an attempt with `fanOut`: the clients that were found. */
  | { kind: 'clients'; clients: readonly string[] }
  | { kind: 'failed'; error: AttemptError }
  | { kind: 'cancelled'; reason: string }
  /** It was interrupted and nobody can say how it ended. */
  | { kind: 'lost'; reason: string }

export interface RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  /** Ends it: asks (SIGTERM, abort signal), waits `graceMs`, then kills, then sweeps. Doing it twice shortens the grace. */
  cancel(reason: string, graceMs: number): void
}

export interface AttemptHooks {
  /** The process exists. Called at most once, before the outcome. Not called for work without a process of its own. */
  spawned(identity: ProcessIdentity): void
}

export interface Executor {
  start(spec: AttemptSpec, hooks: AttemptHooks): RunningAttempt
  /**
   * After a restart: takes over an attempt that an earlier daemon started. `identity` is undefined if that daemon died
   * before it could record one; then whatever carries the attempt's cookie is found or retired.
   * The outcome is the real one if it can be known (exit file, still running), else `lost`.
   * `adopted` is called if the process still runs and is supervised again.
   */
  adopt(
    spec: AttemptSpec,
    identity: ProcessIdentity | undefined,
    adopted: (pid: number) => void,
  ): RunningAttempt
  /** Lets go of idle workers. Running attempts: see `detach`. */
  close(): Promise<void>
}
