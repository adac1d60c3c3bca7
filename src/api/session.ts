// A session: a scheduler that this process holds open, from taking the lock to letting it go. compose.ts makes one; the
// command line drives it.

import type { JsonObject } from '../core/json.ts'
import type { Event } from '../core/state-machine/event.ts'
import type { Control, RunSummary } from './control.ts'

/** What one `--once` did. */
export interface OnceReport {
  /** Slots decided by its tick. */
  enqueued: number
  skipped: number
  missed: number
  /** Every run that ended in this process, in order of their end, those resumed from before included. */
  runs: RunSummary[]
  /** Enqueued, but left to a later start because a stop was asked for. */
  unfinished: string[]
}

/** A DAG of the definitions by name, or a DAG file by absolute path. */
export interface RunRequest {
  dag?: string
  file?: string
  params?: JsonObject
}

export interface StopOptions {
  /** True: do not wait for running attempts, leave commands running for the next start to re-adopt. */
  now: boolean
  reason: string
}

export interface Session {
  readonly control: Control
  /** Turns of the loop so far. A watchdog that sees it grow knows that the loop lives. */
  heartbeat(): number
  /** One tick, then drain: resolves when every run that was enqueued or resumed has ended. Then call `stop`. */
  once(): Promise<OnceReport>
  /** Ticks until `stop` is called; resolves when it has stopped. */
  serve(): Promise<void>
  /** Starts a run and drives it, and only it, to its end, without a tick. Then call `stop`. */
  run(request: RunRequest): Promise<RunSummary>
  /** Each durable event, in order, as soon as it is visible. */
  onEvent(listener: (event: Event) => void): () => void
  /**
   * Stops ticking and admitting, lets running attempts end (or, with `now`, leaves them), writes `scheduler_stopped`,
   * lets the lock go. Calling it again with `now` shortens a stop that is under way. Resolves when all is closed.
   */
  stop(options: StopOptions): Promise<{ drained: boolean }>
}
