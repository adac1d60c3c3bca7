// Logs of attempts: one folder per attempt, written by the attempt itself, size-limited, readable while it runs.

import type { JsonObject } from '../core/json.ts'
import type { AttemptKey } from './executor.ts'

export interface AttemptLogs {
  /** Folder of the attempt's files, absolute. */
  readonly directory: string
  readonly stdout: string
  readonly stderr: string
}

/** What the end of an attempt's logs says. */
export interface LogSummary {
  /** The last line of stdout that is a JSON object; `too_large`: it is longer than an output may be. */
  readonly output: JsonObject | 'too_large' | undefined
  /** The last line of stdout that is not blank, at most 500 characters; '' if there is none. */
  readonly lastLine: string
  /** The last line of stderr that is not blank, at most 500 characters; '' if there is none. */
  readonly lastErrorLine: string
  /** Bytes of both streams that passed the limit and were not kept. */
  readonly droppedBytes: number
}

/** Keeps the logs of one running attempt within the size limit, so that no attempt fills the disk. */
export interface LogGuard {
  /** Once nothing writes any more: cuts what is over the limit, says so in a last line, and reads the end. */
  finish(): LogSummary
  /** Stops watching and leaves the files as they are. */
  release(): void
}

export interface LogStore {
  /** Paths of one attempt's logs; ids are encoded so that nothing leaves the log root. Creates nothing. */
  locate(key: AttemptKey): AttemptLogs
  /** Creates the folder (0700). */
  prepare(key: AttemptKey): AttemptLogs
  /** Watches the attempt's logs until `finish` or `release`. */
  guard(logs: AttemptLogs): LogGuard
  /** Attempts of a run that have a folder, in order. */
  list(runId: string): AttemptKey[]
}
