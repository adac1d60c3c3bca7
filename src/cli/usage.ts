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
