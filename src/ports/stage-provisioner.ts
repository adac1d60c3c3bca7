// Stages as definitions ask for them: what a manifest names is made to exist.
//
//   V1. Doing it twice changes nothing, and what is there already is never changed: not its mode, not its owner.
//   V2. A stage that cannot be made is told of and stops nothing: neither the other stages nor the scheduler.

import type { Dag } from '../core/dag/dag.ts'

export interface StageProvisioner {
  /**
   * Resolves when every folder has been seen to, or has not answered for too long. Buckets are looked at meanwhile and are
   * not waited for. Never rejects.
   */
  provision(dags: Iterable<Pick<Dag, 'name' | 'manifest'>>): Promise<void>
  /** Gives up what is still being looked at. */
  close(): void
}
