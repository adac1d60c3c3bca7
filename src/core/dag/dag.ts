// A DAG: tasks and the order between them, in its one normal form.

import type { Manifest } from './manifest.ts'
import type { Task } from './task.ts'

export interface Dag {
  readonly name: string
  readonly tenantId: string
  /** In the order they were written, which breaks ties in the execution plan. */
  readonly tasks: readonly Task[]
  /** SHA-256 (hex, first 16 characters) of the normal form: a run keeps the definition it started with. */
  readonly hash: string
  /** Of a DAG that was written as a `dag:` manifest. Runs do not need it. */
  readonly manifest?: Manifest
}
