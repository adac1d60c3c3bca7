// How a run ends: in the same commit as the task that ended it, with what it has taken settled, and with the runs asked for
// that were to come after it.

import { runStatus } from '../planner/plan-run.ts'
import { dagsAfter } from '../planner/runs-after.ts'
import { countTasks, type RunState } from '../run/run.ts'
import { afterRunId, ulid } from '../run/run-id.ts'
import { emitRunFinished } from './decide-notifications.ts'
import { emitHoldsSettled } from './decide-sources.ts'
import type { Decider } from './decision-context.ts'
import { emitDefinition } from './emit-definition.ts'
import type { RunFinished, RunStatus } from './event.ts'
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
  requestRunsAfter(decider, run, status)
}

/** Same commit as the end: no crash falls between them, so each of them comes exactly once. */
function requestRunsAfter(decider: Decider, run: RunState, status: RunStatus): void {
  const { definitions, now, random } = decider.context
  for (const dag of dagsAfter(definitions, run.dagName, status)) {
    emitDefinition(decider, dag)
    decider.emit({
      event: 'run_requested',
      run_id: afterRunId(dag.name, ulid(now, random)),
      dag_name: dag.name,
      tenant_id: dag.tenantId,
      definition_hash: dag.hash,
      cause: 'after',
      params: {
        triggered_by: {
          dag_name: run.dagName,
          run_id: run.runId,
          status,
          ...(run.slot === undefined ? {} : { slot: run.slot }),
        },
      },
    })
  }
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
