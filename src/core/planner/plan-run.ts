// What follows inside a run when a task has ended: who cannot run any more, and whether the run is over.

import { isFinal, type RunState } from '../run/run.ts'
import type { RunStatus } from '../state-machine/event.ts'
import type { RecordedDefinition } from '../state-machine/state.ts'

/** Tasks downstream of `taskId` that have not ended: with it failed, none of them can run. Each once, nearest first. */
export function unreachableAfter(run: RunState, definition: RecordedDefinition, taskId: string): string[] {
  const found = new Set<string>()
  const queue = [taskId]
  for (const id of queue) {
    for (const next of definition.downstream.get(id) ?? []) {
      if (found.has(next) || isFinal(run.tasks.get(next)!.status)) continue
      found.add(next)
      queue.push(next)
    }
  }
  return [...found]
}

/** How a run ended whose tasks have all ended. */
export function runStatus(run: RunState): RunStatus {
  if (run.cancelReason !== undefined) return 'cancelled'
  for (const task of run.tasks.values()) if (task.status === 'failed') return 'failed'
  return 'success'
}
