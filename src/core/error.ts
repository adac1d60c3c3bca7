// The one base of every error that Dagbok raises on purpose.
//
//   - `code` is stable and has a page: docs/errors/<CODE>.md.
//   - `message` says what and where; `hint` says what to do now, as a command where there is one.
//   - `exitCode` is what the command line ends with when nothing catches the error (DESIGN §2).
//
// A task that fails is not an error in this sense: it is an `AttemptOutcome`. These mean that the input, the disk or
// Dagbok itself is wrong.

/** Exit codes of the command line. Documented in docs/guides/exit-codes.md; never renumbered. */
export const EXIT = {
  ok: 0,
  runFailed: 1,
  usage: 2,
  configInvalid: 3,
  notFound: 4,
  conflict: 5,
  daemonUnreachable: 6,
  journalIo: 74,
  journalDamaged: 78,
  timeout: 124,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface DagbokErrorOptions {
  hint?: string
  exitCode?: ExitCode
  cause?: unknown
}

export class DagbokError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly exitCode: ExitCode

  constructor(
    code: string,
    message: string,
    { hint, exitCode = EXIT.runFailed, cause }: DagbokErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.hint = hint
    this.exitCode = exitCode
  }
}

/** The compiler refuses a `switch` that forgot a member of its union; at run time it names the stranger. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}
