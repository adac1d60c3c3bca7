// The worker in this process: queue in front, an executor behind, reports to whoever gave the work.
//
//   1. The executor is chosen by `workflow_ref`: a built-in of that name, else a user function. Finding the clients of a
//      fan-out is a work of its own.
//   2. A place in the queue is held from start to outcome. What is adopted already runs and takes no place in the line.
//   3. An attempt that is cancelled while it waits never starts; an executor that throws fails its own attempt only.

import type { Clock } from '../ports/clock.ts'
import type {
  AttemptKey,
  AttemptOutcome,
  AttemptSpec,
  Executor,
  ProcessIdentity,
  RunningAttempt,
} from '../ports/executor.ts'
import type { Queue } from '../ports/queue.ts'
import type { Worker, WorkerReports } from '../ports/worker.ts'

export interface Executors {
  /** By `workflow_ref`: `shell`, `http` … */
  readonly builtIn: ReadonlyMap<string, Executor>
  /** For every other one. */
  readonly function: Executor
  /** For attempts with `fanOut`, whatever their `workflow_ref`. */
  readonly findClients: Executor
}

export interface WorkerOptions {
  readonly queue: Queue
  readonly executors: Executors
  readonly reports: WorkerReports
  readonly clock: Pick<Clock, 'monotonicMs'>
}

interface Entry {
  /** Undefined while it waits in the queue. */
  running: RunningAttempt | undefined
}

/** Which executor makes an attempt. */
export function chooseExecutor(
  executors: Executors,
  { workflowRef, fanOut }: Pick<AttemptSpec, 'workflowRef' | 'fanOut'>,
): Executor {
  if (fanOut !== undefined) return executors.findClients
  return executors.builtIn.get(workflowRef) ?? executors.function
}

/** A worker that runs attempts in this process. */
export function createWorker({ queue, executors, reports, clock }: WorkerOptions): Worker {
  const entries = new Map<string, Entry>()
  let closed = false

  const finish = (key: AttemptKey, outcome: AttemptOutcome, durationMs: number): void => {
    if (entries.delete(keyText(key)) && !closed) reports.finished(key, outcome, durationMs)
  }

  const supervise = async (spec: AttemptSpec, entry: Entry, begin: () => RunningAttempt): Promise<void> => {
    if (closed || entries.get(keyText(spec)) !== entry) return
    const key = keyOf(spec)
    const begunMs = clock.monotonicMs()
    let outcome: AttemptOutcome
    try {
      entry.running = begin()
      outcome = await entry.running.outcome
    } catch (error) {
      const message = `the executor of ${JSON.stringify(spec.workflowRef)} failed: ${messageOf(error)}`
      outcome = { kind: 'failed', error: { kind: 'executor_failed', message } }
    }
    finish(key, outcome, clock.monotonicMs() - begunMs)
  }

  const enter = (spec: AttemptSpec): Entry | undefined => {
    const text = keyText(spec)
    if (closed || entries.has(text)) return undefined
    const entry: Entry = { running: undefined }
    entries.set(text, entry)
    return entry
  }

  return {
    start(spec) {
      const entry = enter(spec)
      if (entry === undefined) return
      const key = keyOf(spec)
      queue.put(() =>
        supervise(spec, entry, () =>
          chooseExecutor(executors, spec).start(spec, {
            spawned: identity => {
              if (!closed) reports.spawned(key, identity)
            },
          }),
        ),
      )
    },
    adopt(spec, identity: ProcessIdentity | undefined) {
      const entry = enter(spec)
      if (entry === undefined) return
      const key = keyOf(spec)
      void supervise(spec, entry, () =>
        chooseExecutor(executors, spec).adopt(spec, identity, pid => {
          if (!closed) reports.adopted(key, pid)
        }),
      )
    },
    cancel(key, reason, graceMs) {
      const entry = entries.get(keyText(key))
      if (entry === undefined) return
      if (entry.running !== undefined) entry.running.cancel(reason, graceMs)
      // Its place in the queue finds the entry gone.
      else finish(keyOf(key), { kind: 'cancelled', reason }, 0)
    },
    get running() {
      return entries.size
    },
    async close() {
      closed = true
      const all = [...executors.builtIn.values(), executors.function, executors.findClients]
      await Promise.all(all.map(executor => executor.close()))
      // Commands run on and hold their places: the queue is let go without waiting for them.
      void queue.close()
    },
  }
}

function keyText({ runId, taskId, attempt }: AttemptKey): string {
  return JSON.stringify([runId, taskId, attempt])
}

function keyOf({ runId, taskId, attempt }: AttemptKey): AttemptKey {
  return { runId, taskId, attempt }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
