// The worker: takes attempts from the daemon, runs them through the queue and the executors, and reports. In process
// today, on another machine later: it never touches the journal or the index.
//
//   W1. Each attempt that was started or adopted is reported `finished` exactly once, unless the worker was closed first.
//   W2. `spawned` and `adopted` come before `finished`.

import type { AttemptKey, AttemptOutcome, AttemptSpec, ProcessIdentity } from './executor.ts'

export interface WorkerReports {
  spawned(key: AttemptKey, identity: ProcessIdentity): void
  adopted(key: AttemptKey, pid: number): void
  finished(key: AttemptKey, outcome: AttemptOutcome, durationMs: number): void
}

export interface Worker {
  start(spec: AttemptSpec): void
  /** Takes over an attempt that an earlier process started. */
  adopt(spec: AttemptSpec, identity: ProcessIdentity | undefined): void
  /** Ends an attempt: ask, wait `graceMs`, kill. Again: with the shorter grace. Unknown keys are ignored. */
  cancel(key: AttemptKey, reason: string, graceMs: number): void
  /** Attempts not yet reported `finished`. */
  readonly running: number
  /** Reports nothing more. Commands are left running for the next start to re-adopt; function workers are ended. */
  close(): Promise<void>
}
