// What the state says should be going on outside: the attempts that run, and which of them are to be ended. The
// dispatcher compares it with what it has under way; after a crash it has nothing, and this fills everything again.

import type { Task } from '../dag/task.ts'
import type { RunState, TaskState } from '../run/run.ts'
import { definitionOf, type State, taskDefinitionOf, taskOf } from './state.ts'

export interface PendingAttempt {
  readonly run: RunState
  readonly task: TaskState
  readonly definition: Task
  /** Set: end it, for this reason. */
  readonly cancelReason: string | undefined
}

/** At most `maxTasks` long, whatever waits. */
export function pendingWork(state: State): PendingAttempt[] {
  return Array.from(state.live.values(), ({ runId, taskId }) => {
    const { run, task } = taskOf(state, runId, taskId)!
    return {
      run,
      task,
      definition: taskDefinitionOf(definitionOf(state, run), taskId),
      cancelReason: run.cancelReason,
    }
  })
}
