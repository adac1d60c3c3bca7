// Processes of the operating system, as executors need them: told apart for certain, found again, and ended whole.
//
//   O1. A process is never signalled on its pid alone: a pid is used again (identity, session or cookie must agree).
//   O2. `retire` settles only when nothing that belongs to the attempt runs any more, setsid or not.

import type { AttemptKey, ProcessIdentity } from './executor.ts'

/** What is to be ended. */
export interface RetireTarget {
  /** Leader of its own process group and session. Undefined: only the cookie is known. */
  readonly leader?: ProcessIdentity
  /** True if this process watched the leader until now, so that its group id cannot have been used again. */
  readonly watched: boolean
  /** Value of DAGBOK_COOKIE that whatever belongs to the attempt carries. */
  readonly cookie: string
  /** From SIGTERM to SIGKILL, milliseconds. 0: SIGKILL at once. */
  readonly graceMs: number
  /** How long the leader ran, milliseconds, if known: lets the search skip what is older. */
  readonly ranMs?: number
}

export interface Retirement {
  readonly done: Promise<void>
  /** SIGKILL comes at most `graceMs` from now. Never lengthens. */
  hasten(graceMs: number): void
}

export interface Processes {
  /** The value of DAGBOK_COOKIE of an attempt: the same after a restart, not to be guessed from outside. */
  cookieOf(key: AttemptKey): string
  /** Undefined if there is no such process. Where /proc is missing only the pid is known (0 and ''). */
  identify(pid: number): ProcessIdentity | undefined
  /** True if that very process runs (a zombie does not) and, where `cookie` is given, carries it. Without /proc: false. */
  isRunning(identity: ProcessIdentity, cookie?: string): boolean
  /** Resident memory in bytes; undefined if the process is gone or the system does not tell. */
  residentBytes(pid: number): number | undefined
  /** Running processes whose DAGBOK_COOKIE is `cookie`, or begins with it if `cookie` ends in `*`. Without /proc: none. */
  find(cookie: string): Promise<FoundProcess[]>
  /** Ends the group of the leader and every carrier of the cookie: SIGTERM, grace, SIGKILL, until a search finds none. */
  retire(target: RetireTarget): Retirement
}

export interface FoundProcess {
  readonly identity: ProcessIdentity
  readonly cookie: string
  /** True if it leads its own process group and session, as everything we start does. */
  readonly leads: boolean
  readonly parentPid: number
  /** Its argument list, program first. */
  readonly args: readonly string[]
}
