// What is wrong between the tasks of one DAG. Pure: it names places by index, definition/ turns them into lines.

import { DagbokError, EXIT } from '../error.ts'
import { findCycle, findCycles, type GraphNode } from './graph.ts'

export type GraphFinding =
  /** Task `task` has the id of the earlier task `first`. */
  | { kind: 'duplicate_task'; task: number; first: number }
  /** Entry `dependency` of `dependsOn` of task `task` names no task. */
  | { kind: 'unknown_dependency'; task: number; dependency: number }
  /** Entry `dependency` repeats an earlier one. Harmless, hence a warning. */
  | { kind: 'repeated_dependency'; task: number; dependency: number }
  /** The circle along `dependsOn`; `task` and `dependency` are its first edge. */
  | { kind: 'cycle'; path: readonly string[]; task: number; dependency: number }

/** More circles than this are not worth reading before the first ones are mended. */
const MAX_CYCLES = 20

/** Everything wrong between the tasks, in no particular order. Linear in tasks + edges. */
export function findGraphProblems(nodes: readonly GraphNode[]): GraphFinding[] {
  const findings: GraphFinding[] = []
  const indexById = new Map<string, number>()
  nodes.forEach((node, task) => {
    const first = indexById.get(node.id)
    if (first === undefined) indexById.set(node.id, task)
    else findings.push({ kind: 'duplicate_task', task, first })
  })
  nodes.forEach((node, task) => {
    const seen = new Set<string>()
    node.dependsOn.forEach((id, dependency) => {
      if (!indexById.has(id)) findings.push({ kind: 'unknown_dependency', task, dependency })
      else if (seen.has(id)) findings.push({ kind: 'repeated_dependency', task, dependency })
      seen.add(id)
    })
  })
  for (const path of findCycles(nodes, MAX_CYCLES)) {
    const task = indexById.get(path[0]!)!
    findings.push({ kind: 'cycle', path, task, dependency: nodes[task]!.dependsOn.indexOf(path[1]!) })
  }
  return findings
}

/** The tasks of a DAG wait for each other in a circle, so none of them could ever start. */
export class CycleDetectedError extends DagbokError {
  readonly path: readonly string[]

  constructor(dagName: string, path: readonly string[]) {
    super('CYCLE_DETECTED', `Cycle detected in DAG '${dagName}': ${path.join(' → ')}`, {
      hint: explainCycle(path),
      exitCode: EXIT.configInvalid,
    })
    this.path = path
  }
}

/** `"a" depends on "b", which depends on "a": remove one of these from depends_on` */
export function explainCycle(path: readonly string[]): string {
  if (path.length === 2) return `task "${path[0]}" depends on itself: remove it from its depends_on`
  const rest = path.slice(1).map(id => `"${id}"`)
  const shown = rest.length > 8 ? [...rest.slice(0, 6), '…', rest.at(-1)!] : rest
  return `"${path[0]}" depends on ${shown.join(', which depends on ')}: remove one of these from depends_on`
}

/** @throws CycleDetectedError  the tasks form a circle */
export function assertAcyclic(dagName: string, nodes: readonly GraphNode[]): void {
  const path = findCycle(nodes)
  if (path) throw new CycleDetectedError(dagName, path)
}
