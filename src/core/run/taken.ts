// What an attempt has taken for its run, of a stage or a stream: consumed in the same commit as the run's success; if the run
// does not succeed, the next one gets it.

import type { FileRef } from '../stage/stage.ts'
import type { StreamPosition } from '../stream/stream.ts'

export interface TakenFiles {
  readonly kind: 'files'
  readonly stage: string
  readonly files: readonly FileRef[]
  /** Consumed keys that the stage has no more. */
  readonly gone: readonly string[]
}

export interface TakenRecords {
  readonly kind: 'records'
  readonly stream: string
  /** Undefined: the beginning. */
  readonly from: StreamPosition | undefined
  readonly to: StreamPosition
  readonly records: number
  /** There was more behind `to`. */
  readonly more: boolean
}

export type Taken = TakenFiles | TakenRecords
