// How long a simulated attempt takes: as long as it usually did, or a share of what a run is said to take.

import type { Dag } from '../dag/dag.ts'
import { buildGraph } from '../dag/graph.ts'
import type { SimulatedAttempt } from './simulate.ts'

/** Lengths of past attempts that ended well, by DAG and task. */
export type PastDurations = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

/**
 * A `durationOf` for `simulate`.
 * @param runMs what a run takes whose tasks have no past: each task then takes the same share of its longest chain
 */
export function estimateDurations(
  dags: ReadonlyMap<string, Dag>,
  past: PastDurations,
  runMs: number,
): (attempt: SimulatedAttempt) => number {
  const byDag = new Map<string, ReadonlyMap<string, number>>()
  const estimate = (dagName: string) => {
    const dag = dags.get(dagName)
    if (dag === undefined) throw new Error(`there is no DAG ${dagName}`)
    const share = Math.round(runMs / longestChain(dag))
    const known = past.get(dagName)
    const byTask = new Map<string, number>()
    for (const { id } of dag.tasks) {
      const lengths = known?.get(id) ?? []
      byTask.set(id, lengths.length === 0 ? share : medianOf(lengths))
    }
    byDag.set(dagName, byTask)
    return byTask
  }
  return ({ dagName, taskId }) => (byDag.get(dagName) ?? estimate(dagName)).get(taskId) ?? 0
}

/** The middle one, of an even number the lower of the two. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]!
}

/** Tasks on the longest path: what cannot run side by side. */
function longestChain({ tasks }: Dag): number {
  const { order, upstream } = buildGraph(tasks)
  const depths = new Map<string, number>()
  let longest = 1
  for (const id of order) {
    let depth = 1
    for (const before of upstream.get(id)!) depth = Math.max(depth, depths.get(before)! + 1)
    depths.set(id, depth)
    longest = Math.max(longest, depth)
  }
  return longest
}
