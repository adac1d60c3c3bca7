// A DAG: tasks and the order between them, in its one normal form.

import type { Manifest } from './manifest.ts'
import type { Notification } from './notification.ts'
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
  /** Who is told of its runs. Undefined: nobody. Runs do not need it. */
  readonly notification?: Notification
}

/** True if two DAGs say the same, also about what is no part of the hash. */
export function sameDag(a: Dag, b: Dag): boolean {
  return a === b || (a.hash === b.hash && aroundOf(a) === aroundOf(b))
}

/** Both are made by one function each, so equal values have equal texts. */
function aroundOf({ manifest, notification }: Dag): string {
  return JSON.stringify([manifest, notification])
}
