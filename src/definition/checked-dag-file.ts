// What is known of a DAG file once it has been looked at by itself; definition/link.ts puts files together.

import type { Dag } from '../core/dag/dag.ts'
import type { AskedSchedule } from './condition-check.ts'
import type { ProblemList } from './problem.ts'
import type { LooseSchedule } from './schedule-file.ts'
import type { SourceText, Span } from './source-text.ts'

/** A name of something else, where it stands. */
export interface PlacedName {
  readonly name: string
  readonly place: Span
}

export interface CheckedDagFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. */
  readonly dag: Dag | undefined
  /** The name, if it can be read, also of a DAG that has other problems. */
  readonly name: string | undefined
  readonly namePlace: Span
  /** Every workflow that is asked for, with its place. */
  readonly workflowRefs: readonly PlacedName[]
  /** Every channel that is told. */
  readonly channelRefs: readonly PlacedName[]
  /** Of a manifest: its own schedule. */
  readonly schedule?: LooseSchedule
  /** Of a manifest: DAGs whose runs trigger it. */
  readonly afterRuns: readonly PlacedName[]
  /** Schedules whose last run a condition of its clients asks for. */
  readonly askedSchedules: readonly AskedSchedule[]
  /** The vars that the file was checked with; undefined if it asks for none. */
  readonly varsKey?: string
}
