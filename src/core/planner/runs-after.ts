// Which DAGs run after the end of a run of another one (`triggered: {after: …}` of a manifest).

import type { Dag } from '../dag/dag.ts'
import type { Definitions } from '../schedule/definitions.ts'

/** By the DAGs in force, which are replaced as a whole: looking through all of them once is enough. */
const known = new WeakMap<Definitions['dags'], ReadonlyMap<string, readonly Dag[]>>()

/** DAGs that want to run after a run of `dagName` that ended so, in the order of the definitions. */
export function dagsAfter({ dags }: Pick<Definitions, 'dags'>, dagName: string, status: string): Dag[] {
  let waiting = known.get(dags)
  if (waiting === undefined) {
    waiting = collect(dags)
    known.set(dags, waiting)
  }
  const wants = ({ manifest }: Dag) =>
    manifest?.triggers?.afterRuns.some(after => after.dag === dagName && after.status.includes(status))
  return (waiting.get(dagName) ?? []).filter(wants)
}

function collect(dags: Definitions['dags']): Map<string, Dag[]> {
  const waiting = new Map<string, Dag[]>()
  for (const dag of dags.values())
    for (const name of new Set(dag.manifest?.triggers?.afterRuns.map(after => after.dag)))
      waiting.set(name, [...(waiting.get(name) ?? []), dag])
  return waiting
}
