// The worker: attempts come in, go through the queue to the executor of their workflow, and are reported.
//
// Boundary: ports/worker.ts says what it keeps. Which executor a `workflow_ref` means is decided here and nowhere else.

import type { Clock } from '../ports/clock.ts'
import type {
  AttemptHooks,
  AttemptKey,
  AttemptOutcome,
  AttemptSpec,
  Executor,
  ProcessIdentity,
  RunningAttempt,
} from '../ports/executor.ts'
import type { Queue } from '../ports/queue.ts'
import type { Worker, WorkerReports } from '../ports/worker.ts'

export interface WorkerOptions {
  readonly clock: Clock
  readonly queue: Queue
  readonly reports: WorkerReports
  readonly executors: {
    readonly shell: Executor
    readonly http: Executor
    /** Everything that is not a built-in is a user's function. */
    readonly function: Executor
  }
}

interface Underway {
  running: RunningAttempt | undefined
  /** A cancel that came before the attempt had begun, or while it was being cancelled with a longer grace. */
  cancel: { reason: string; graceMs: number } | undefined
}

export function createWorker({ clock, queue, reports, executors }: WorkerOptions): Worker {
  const underway = new Map<string, Underway>()
  let closed = false

  const executorOf = ({ workflowRef }: AttemptSpec): Executor =>
    workflowRef === 'shell' ? executors.shell : workflowRef === 'http' ? executors.http : executors.function

  const take = (spec: AttemptSpec, begin: (executor: Executor) => RunningAttempt): void => {
    const id = textOf(spec)
    const entry: Underway = { running: undefined, cancel: undefined }
    underway.set(id, entry)
    queue.put(async () => {
      if (closed) return
      const startedMs = clock.monotonicMs()
      const outcome = await perform(spec, entry, begin)
      underway.delete(id)
      if (!closed) reports.finished(keyOf(spec), outcome, clock.monotonicMs() - startedMs)
    })
  }

  const perform = async (
    spec: AttemptSpec,
    entry: Underway,
    begin: (executor: Executor) => RunningAttempt,
  ): Promise<AttemptOutcome> => {
    if (entry.cancel !== undefined) return { kind: 'cancelled', reason: entry.cancel.reason }
    try {
      entry.running = begin(executorOf(spec))
      return await entry.running.outcome
    } catch (error) {
      // An executor never throws; if one does, its attempt fails and nothing else.
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'failed', error: { kind: 'executor_failed', message } }
    }
  }

  return {
    start(spec) {
      const key = keyOf(spec)
      const hooks: AttemptHooks = {
        spawned: identity => {
          if (!closed) reports.spawned(key, identity)
        },
      }
      take(spec, executor => executor.start(spec, hooks))
    },
    adopt(spec, identity: ProcessIdentity | undefined) {
      const key = keyOf(spec)
      const adopted = (pid: number) => {
        if (!closed) reports.adopted(key, pid)
      }
      take(spec, executor => executor.adopt(spec, identity, adopted))
    },
    cancel(key, reason, graceMs) {
      const entry = underway.get(textOf(key))
      if (entry === undefined) return
      entry.cancel = { reason, graceMs }
      entry.running?.cancel(reason, graceMs)
    },
    get running() {
      return underway.size
    },
    async close() {
      closed = true
      await Promise.all(
        [executors.shell, executors.http, executors.function].map(executor => executor.close()),
      )
    },
  }
}

function keyOf({ runId, taskId, attempt }: AttemptKey): AttemptKey {
  return { runId, taskId, attempt }
}

/** Ids hold no line feed. */
function textOf({ runId, taskId, attempt }: AttemptKey): string {
  return `${runId}\n${taskId}\n${attempt}`
}
