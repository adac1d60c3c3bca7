// How a run ends: in the same commit as the task that ended it, with what it has taken settled.

import { runStatus } from '../planner/plan-run.ts'
import { countTasks, type RunState } from '../run/run.ts'
import { emitRunFinished } from './decide-notifications.ts'
import { emitHoldsSettled } from './decide-sources.ts'
import type { Decider } from './decision-context.ts'
import type { RunFinished } from './event.ts'
import { definitionOf } from './state.ts'

/** All tasks of the run have ended. */
export function emitFinished(decider: Decider, run: RunState): void {
  const counts = countTasks(run)
  const status = runStatus(run, definitionOf(decider.state, run))
  const error = status === 'failed' ? failureOf(run) : undefined
  emitHoldsSettled(decider, run, status)
  emitRunFinished(decider, {
    event: 'run_finished',
    run_id: run.runId,
    dag_name: run.dagName,
    tenant_id: run.tenantId,
    ...(run.scheduleId === undefined ? {} : { schedule_id: run.scheduleId, slot: run.slot }),
    status,
    tasks_succeeded: counts.ok,
    tasks_failed: counts.failed,
    tasks_skipped: counts.skipped + counts.cancelled,
    ...countClients(run),
    duration_ms: Math.max(0, decider.context.now - (run.startedAt ?? decider.context.now)),
    ...(error === undefined ? {} : { error }),
  })
}

function countClients(
  run: RunState,
): Pick<RunFinished, 'clients_succeeded' | 'clients_failed' | 'clients_skipped'> {
  let counts: { clients_succeeded: number; clients_failed: number; clients_skipped: number } | undefined
  for (const { fan } of run.tasks.values()) {
    if (fan === undefined) continue
    counts ??= { clients_succeeded: 0, clients_failed: 0, clients_skipped: 0 }
    counts.clients_succeeded += fan.ok
    counts.clients_failed += fan.failed
    counts.clients_skipped += fan.skipped
  }
  return counts ?? {}
}

/** The first failed task speaks for the run. */
function failureOf(run: RunState): string {
  for (const [taskId, task] of run.tasks) {
    if (task.status !== 'failed' || task.client !== undefined) continue
    const attempts = `${task.attempt} attempt${task.attempt === 1 ? '' : 's'}`
    return `RunnerError: Task '${taskId}' failed after ${attempts}: ${task.error?.message ?? 'unknown error'}`
  }
  return 'unknown error'
}
