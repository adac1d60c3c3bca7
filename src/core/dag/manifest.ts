// What a `dag:` manifest says besides tasks (seed 000): how its runs come about, where its files lie, who is told. The tasks
// that it expands into carry everything a run needs in their params; this is for who looks at the definitions.

import type { InputStage, Stage } from '../stage/stage.ts'
import type { Stream } from '../stream/stream.ts'

/** The seed's modes; `schedule` with an input stage is told by the stage. */
export const TRIGGER_MODES = ['schedule', 'triggered', 'on-demand', 'CONDITIONAL_CRON'] as const
export type TriggerMode = (typeof TRIGGER_MODES)[number]

/** What makes runs of a `triggered` DAG by itself. By hand, over HTTP and by the library it can be triggered anyway. */
export interface Triggers {
  /** New files in the input stage, or new records in the stream. */
  readonly onArrival: boolean
  /** The end of a run of another DAG, in one of these states. */
  readonly afterRuns: readonly { readonly dag: string; readonly status: readonly string[] }[]
}

export interface Manifest {
  readonly mode: TriggerMode
  /** In the order they were written. */
  readonly stages: readonly (Stage | InputStage)[]
  readonly stream?: Stream
  readonly triggers?: Triggers
  /** Which vars were filled in. */
  readonly environment: string
}

/** The tasks that a manifest is given (seed 000). */
export const WRAPPERS = {
  root: 'ROOT_TASK_WRAPPER',
  poll: 'POLL_AND_DISPATCH',
  stream: 'CONSUME_STREAM',
} as const

/** The built-in workflows behind them. */
export const WRAPPER_WORKFLOWS = {
  root: 'root_task_wrapper',
  poll: 'poll_and_dispatch',
  stream: 'consume_stream',
} as const
