// Durations in authored files: the pattern that editors check, and what to say about one that is none.
// The reading itself is core/time/duration.ts.

import { DagbokError } from '../core/error.ts'
import { parseDuration } from '../core/time/duration.ts'

/** What `parseDuration` takes, but for its upper limit: units from large to small, each at most once. */
export const DURATION_PATTERN =
  /^(?=\d)(?:\d{1,15}w)?(?:\d{1,15}d)?(?:\d{1,15}h)?(?:\d{1,15}m)?(?:\d{1,15}s)?(?:\d{1,15}ms)?$/

/** What a duration is, in words that go after "expected". */
export const DURATION_WORDS = 'a duration such as 90s or 1h30m'

/** Undefined if `text` is a duration; else how to write it. */
export function checkDuration(text: string): string | undefined {
  try {
    parseDuration(text)
    return undefined
  } catch (error) {
    const hint = error instanceof DagbokError ? (error.hint ?? error.message) : String(error)
    return hint.slice(0, 1).toLowerCase() + hint.slice(1).replace(/\.$/, '')
  }
}
