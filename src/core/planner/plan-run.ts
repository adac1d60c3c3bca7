// How a run ended whose tasks have all ended.

import type { RunState } from '../run/run.ts'
import type { RunStatus } from '../state-machine/event.ts'
import type { RecordedDefinition } from '../state-machine/state.ts'

/**
 * A task that failed makes a run `failed`, whatever came after it. Where a task said SKIP, the run is `skipped` unless
 * something at the end of the DAG (a task that none depends on) was done all the same. What clients came to is told by
 * their fan-out.
 */
export function runStatus(run: RunState, { downstream }: RecordedDefinition): RunStatus {
  if (run.cancelReason !== undefined) return 'cancelled'
  let isPartial = false
  let saidSkip = false
  let isDone = false
  for (const [taskId, task] of run.tasks) {
    if (task.client !== undefined) continue
    if (task.status === 'failed') return 'failed'
    isPartial ||= task.partial === true
    saidSkip ||= task.saidSkip === true
    isDone ||= task.status === 'ok' && !downstream.has(taskId)
  }
  if (isPartial) return 'partial'
  return saidSkip && !isDone ? 'skipped' : 'success'
}
