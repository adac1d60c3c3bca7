// Logs of attempts: one folder per attempt, written by the attempt itself, size-limited, readable while it runs.

import type { AttemptKey } from './executor.ts'

export interface AttemptLogs {
  /** Folder of the attempt's files, absolute. */
  readonly directory: string
  readonly stdout: string
  readonly stderr: string
}

export interface LogStore {
  /** Paths of one attempt's logs; ids are encoded so that nothing leaves the log root. Creates nothing. */
  locate(key: AttemptKey): AttemptLogs
  /** Creates the folder (0700). */
  prepare(key: AttemptKey): AttemptLogs
  /** Attempts of a run that have a folder, in order. */
  list(runId: string): AttemptKey[]
}
