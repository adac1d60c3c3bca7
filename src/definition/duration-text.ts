// Durations in authored files: the pattern that editors check, and what to say about one that is none.
// The reading itself is core/time/duration.ts.

import { DagbokError } from '../core/error.ts'
import { parseDuration } from '../core/time/duration.ts'
import { type ProblemList, sayHint } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

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
    return sayHint(error instanceof DagbokError ? (error.hint ?? error.message) : String(error)).help
  }
}

/** A duration whose form is right may still be too long. Fields of another form are the schema's to tell of. */
export function checkLength(text: unknown, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (typeof text !== 'string' || !DURATION_PATTERN.test(text)) return
  const help = checkDuration(text)
  if (help !== undefined)
    problems.add(tree.locate(path), `expected ${DURATION_WORDS}, at most 100 years, got "${text}"`, { help })
}
