// Stages as the poll sees them: which files are new.
//
//   G1. The listing is of the whole stage, however many pages that takes; what is left out is said (`waiting`, `more`).
//   G2. A file is new if the tracking calls it a candidate, the pattern matches and it has been stable for long enough.
//   G3. Listing changes nothing. It throws StageError with words for people; it may be asked again.

import type { InputStage, StageFile } from '../core/stage/stage.ts'

/** What the journal knows of a stage's files. */
export interface StageTracking {
  /** True if this version has not been consumed and no unfinished run holds the file. */
  isCandidate(key: string, version: string): boolean
  /** Keys of files that were consumed: those that are not listed any more can be forgotten. */
  consumedKeys(): Iterable<string>
}

export interface StageListing {
  /** New files in the stage's order, at most `maxFiles`. */
  readonly files: StageFile[]
  /** New ones beyond those. */
  readonly more: number
  /** Files that may still be written. */
  readonly waiting: number
  /** Consumed keys that are there no more. */
  readonly gone: string[]
}

/** A stage that cannot be listed: the message says which, where and why. Another try may be luckier. */
export class StageError extends Error {
  override readonly name = 'StageError'
}

export interface StageReader {
  list(stage: InputStage, tracking: StageTracking, signal: AbortSignal): Promise<StageListing>
}
