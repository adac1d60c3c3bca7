// A DAG's normal form in the journal, for the runs that start with it.

import type { Dag } from '../dag/dag.ts'
import type { JsonObject } from '../json.ts'
import { inParts } from './decide-sources.ts'
import type { Decider } from './decision-context.ts'

/** Emits the definition unless the state has it. Same commit as the event that refers to it. */
export function emitDefinition(decider: Decider, dag: Dag): void {
  if (decider.state.definitions.has(dag.hash)) return
  const parts = inParts(dag.tasks as unknown as JsonObject[])
  parts.forEach((tasks, index) => {
    decider.emit({
      event: 'definition_recorded',
      dag_name: dag.name,
      tenant_id: dag.tenantId,
      definition_hash: dag.hash,
      part: index + 1,
      parts: parts.length,
      tasks,
    })
  })
}
