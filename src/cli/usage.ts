// Errors in how a command was called, and words that were typed but do not exist. Exit codes 2 and 4.

import { DagbokError, EXIT } from '../core/error.ts'
import { findNearest } from '../core/nearest.ts'

/** The command line itself is wrong (exit 2). */
export class UsageError extends DagbokError {
  constructor(message: string, hint = '`scheduler --help` lists what there is') {
    super('USAGE', message, { exitCode: EXIT.usage, hint })
  }
}

/**
 * The scope of a verb that takes one schedule or, with `--all`, every one.
 * @throws UsageError
 */
export function oneOrAll(
  verb: string,
  id: string | undefined,
  all: boolean | undefined,
): { schedule_id?: string } {
  if (all === true && id !== undefined) {
    throw new UsageError(`--all is every schedule: leave ${JSON.stringify(id)} out, or --all`)
  }
  if (all === true) return {}
  if (id === undefined) {
    throw new UsageError(`${verb} needs a schedule, or --all`, '`scheduler next` lists the schedules')
  }
  return { schedule_id: id }
}

/**
 * The remedy of a name that does not exist, with the existing one that was probably meant.
 * @returns `did you mean "sweep"? …`
 */
export function suggest(name: string, known: Iterable<string>, remedy: string): string {
  const nearest = findNearest(name, known)
  return nearest === undefined ? remedy : `did you mean ${JSON.stringify(nearest)}? ${remedy}`
}

/** `3` of `-n 3`. @throws UsageError */
export function readCount(flag: string, text: string, max = 1_000_000): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= 1 && value <= max) return value
  throw new UsageError(`${flag}: expected a whole number from 1 to ${max}, got ${JSON.stringify(text)}`)
}
