// User functions: `workflows/<name>.ts|js|mts|mjs`, run in worker processes that are used again.
//
//   1. One function at a time in a worker. A worker that a function left unclean, that was ended or that died is
//      replaced; only its own attempt notices.
//   2. At most `maxWorkers` processes; further attempts wait for one. Idle ones end after a while.
//   3. Workers end with the scheduler. What an earlier scheduler left (a function that never returns) is ended by
//      `adopt`, and its attempt is lost: a function leaves no exit code.

import { describeAttempt, findRefused, pickBase } from '../../core/attempt/environment.ts'
import type { Clock } from '../../ports/clock.ts'
import type {
  AttemptHooks,
  AttemptOutcome,
  AttemptSpec,
  Executor,
  RunningAttempt,
} from '../../ports/executor.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type { Processes } from '../../ports/processes.ts'
import { FunctionAttempt } from './function-attempt.ts'
import { describeMissing, findModule } from './function-module.ts'
import { WorkerPool } from './worker-pool.ts'

export const DEFAULT_MEMORY_LIMIT_MB = 512

export interface FunctionExecutorOptions {
  readonly clock: Clock
  readonly logs: LogStore
  readonly processes: Processes
  /** Folder of the user functions. */
  readonly workflowsDir: string
  /** Resident memory of one worker. Default 512. */
  readonly memoryLimitMb?: number
  /** Worker processes at once. Default 3. */
  readonly maxWorkers?: number
  /** The scheduler's own environment, of which functions see the base variables only. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** From the abort signal to SIGKILL when the time limit has passed, milliseconds. Default 10,000. */
  readonly killGraceMs?: number
  /** How long a function's event loop may take to notice that it is to stop, milliseconds. Default 1,000. */
  readonly deafMs?: number
  /** From SIGTERM to SIGKILL for processes that a function left running, milliseconds. Default 2,000. */
  readonly stragglerGraceMs?: number
  /** How long an unused worker is kept, milliseconds. Default 60,000. */
  readonly idleMs?: number
  /** Names that are no functions, for the words of an error. Default `shell` and `http`. */
  readonly builtIns?: readonly string[]
}

export interface FunctionExecutor extends Executor {
  /** Ends idle workers, and busy ones after their attempt: what they have imported may be out of date. */
  refresh(): void
  /** Worker processes, busy and idle. */
  readonly workers: number
}

/** Runs user functions. See the head of this file and ports/executor.ts. */
export function createFunctionExecutor(options: FunctionExecutorOptions): FunctionExecutor {
  const { clock, logs, processes, workflowsDir } = options
  const memoryLimitMb = options.memoryLimitMb ?? DEFAULT_MEMORY_LIMIT_MB
  const base = pickBase(options.environment ?? process.env)
  const cookiePrefix = `${processes.cookieOf({ runId: '', taskId: '', attempt: 0 })}.`
  const stragglerGraceMs = options.stragglerGraceMs ?? 2_000
  const pool = new WorkerPool({
    processes,
    env: { ...base, DAGBOK_COOKIE: `${cookiePrefix}${crypto.randomUUID()}` },
    // What V8 may take leaves room for code, stacks and buffers under the same limit.
    heapLimitMb: Math.max(32, memoryLimitMb - 64),
    maxWorkers: options.maxWorkers ?? 3,
    idleMs: options.idleMs ?? 60_000,
  })
  const running = new Set<FunctionAttempt>()
  let orphansEnded: Promise<void> | undefined

  const start = (spec: AttemptSpec, hooks: AttemptHooks): RunningAttempt => {
    const module = findModule(workflowsDir, spec.workflowRef)
    if (module === undefined)
      return fail(
        'unknown_workflow',
        describeMissing(workflowsDir, spec.workflowRef, options.builtIns ?? ['shell', 'http']),
      )
    const refused = findRefused(spec.env)
    if (refused !== undefined) return fail('env_denied', `env.${refused.name} may not be set: ${refused.why}`)
    const cookie = processes.cookieOf(spec)
    try {
      const place = logs.prepare(spec)
      const attempt = new FunctionAttempt({
        spec,
        module,
        hooks,
        pool,
        clock,
        processes,
        cookie,
        logs: place,
        guard: logs.guard(place),
        env: { ...base, ...spec.env, ...describeAttempt(spec, cookie) },
        memoryLimitBytes: memoryLimitMb * 1024 * 1024,
        killGraceMs: options.killGraceMs ?? 10_000,
        deafMs: options.deafMs ?? 1_000,
        stragglerGraceMs,
      })
      running.add(attempt)
      void attempt.outcome.then(() => running.delete(attempt))
      return attempt
    } catch (error) {
      return fail('spawn_failed', `the logs of the attempt cannot be written: ${(error as Error).message}`)
    }
  }

  /** Workers whose scheduler is gone: those of ours have this process as their parent. */
  const endOrphans = async (): Promise<void> => {
    const found = await processes.find(`${cookiePrefix}*`)
    await Promise.all(
      found
        .filter(({ leads, parentPid }) => leads && parentPid !== process.pid)
        .map(
          ({ identity, cookie }) =>
            processes.retire({ leader: identity, watched: false, cookie, graceMs: 0 }).done,
        ),
    )
  }

  const adopt = (spec: AttemptSpec): RunningAttempt => {
    const cookie = processes.cookieOf(spec)
    let cancelled: string | undefined
    const outcome = (async (): Promise<AttemptOutcome> => {
      orphansEnded ??= endOrphans()
      await orphansEnded.catch(() => {})
      // What the function itself had started carries the attempt's own cookie.
      await processes.retire({ watched: false, cookie, graceMs: stragglerGraceMs }).done
      if (cancelled !== undefined) return { kind: 'cancelled', reason: cancelled }
      return {
        kind: 'lost',
        reason: 'the scheduler stopped while the function ran, and the function with it',
      }
    })()
    return {
      outcome,
      cancel: reason => {
        cancelled ??= reason
      },
    }
  }

  return {
    start,
    adopt,
    refresh: () => pool.refresh(),
    get workers() {
      return pool.size
    },
    async close() {
      const ended = [...running].map(attempt => {
        attempt.abandon()
        return attempt.outcome
      })
      await Promise.all([...ended, pool.close()])
    },
  }
}

function fail(kind: string, message: string): RunningAttempt {
  return { outcome: Promise.resolve({ kind: 'failed', error: { kind, message } }), cancel: () => {} }
}
