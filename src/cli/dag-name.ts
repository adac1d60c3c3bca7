// The DAG that a person named, or what may have been meant.

import type { Dag } from '../core/dag/dag.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { suggest } from './usage.ts'

/** @throws DagbokError DAG_NOT_FOUND (exit 4) */
export function findDag(dags: ReadonlyMap<string, Dag>, name: string): Dag {
  const dag = dags.get(name)
  if (dag !== undefined) return dag
  throw new DagbokError('DAG_NOT_FOUND', `there is no DAG ${JSON.stringify(name)}`, {
    exitCode: EXIT.notFound,
    hint: suggest(name, dags.keys(), 'a DAG outside the configured folder is named by its file'),
  })
}
