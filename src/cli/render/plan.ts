// What `run --dry-run` prints: the tasks in the order in which they may start. The text is a public contract (DESIGN §2).

import type { Dag } from '../../core/dag/dag.ts'
import { plain } from '../output.ts'

/** `order` holds every task id once, upstreams first. */
export function renderPlan(dag: Dag, order: readonly string[]): string[] {
  const tasks = new Map(dag.tasks.map(task => [task.id, task]))
  return [
    `DRY RUN: DAG '${plain(dag.name)}'`,
    `Tenant: ${plain(dag.tenantId)}`,
    `Tasks: ${dag.tasks.length}`,
    '',
    'Execution Plan:',
    ...order.map((id, index) => {
      const task = tasks.get(id)
      const upstreams = task?.dependsOn.length ? task.dependsOn.join(', ') : 'none'
      return `  ${index + 1}. ${id} (workflow: ${task?.workflowRef}, depends_on: ${upstreams})`
    }),
  ]
}
