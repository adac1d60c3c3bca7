// One attempt of a user function, from waiting for a worker to its outcome.
//
//   1. One cause ends it: the function's own end, its process's end, the time limit, the memory limit, a cancellation or
//      the scheduler's stop. The first one counts; later ones only hurry.
//   2. Asked to stop, a function has its abort signal and the grace; one whose event loop does not even hear it
//      (`deafMs`) has no use for a grace. Then SIGKILL to the whole group.
//   3. The outcome settles when the worker is clean again, or gone with everything that the function started.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { Environment } from '../../core/attempt/environment.ts'
import type { JsonObject } from '../../core/json.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AttemptHooks, AttemptOutcome, AttemptSpec, RunningAttempt } from '../../ports/executor.ts'
import type { AttemptLogs, LogGuard } from '../../ports/log-store.ts'
import type { Processes, Retirement } from '../../ports/processes.ts'
import type { FunctionModule } from './function-module.ts'
import type { FunctionWorker, WorkerExit } from './function-worker.ts'
import type { WorkerPool } from './worker-pool.ts'
import type { WorkerAnswer } from './worker-protocol.ts'

const MEMORY_LOOK_MS = 50
const MB = 1024 * 1024

export interface FunctionAttemptOptions {
  readonly spec: AttemptSpec
  readonly module: FunctionModule
  readonly hooks: AttemptHooks
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly processes: Processes
  readonly cookie: string
  readonly logs: AttemptLogs
  readonly guard: LogGuard
  readonly env: Environment
  readonly memoryLimitBytes: number
  readonly killGraceMs: number
  readonly deafMs: number
  readonly stragglerGraceMs: number
}

export class FunctionAttempt implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #options: FunctionAttemptOptions
  readonly #token = crypto.randomUUID()
  #settle!: (outcome: AttemptOutcome) => void
  /** What it will be, once nothing of it runs any more. The first one stays. */
  #verdict: AttemptOutcome | undefined
  #worker: FunctionWorker | undefined
  #retirement: Retirement | undefined
  #finished = false
  #leaveLine: () => void = () => {}
  #killAtMs = Number.POSITIVE_INFINITY
  #stopKill: () => void = () => {}
  #stopLimit: () => void = () => {}
  #memoryTimer: NodeJS.Timeout | undefined
  #peakBytes = 0

  constructor(options: FunctionAttemptOptions) {
    this.#options = options
    this.outcome = new Promise(resolve => {
      this.#settle = resolve
    })
    this.#leaveLine = options.pool.request(options.logs, worker => this.#begin(worker))
  }

  cancel(reason: string, graceMs: number): void {
    this.#stop({ kind: 'cancelled', reason }, reason, graceMs)
  }

  /** The scheduler stops: the function ends now, and nobody can say how it would have ended. */
  abandon(): void {
    this.#stop({ kind: 'lost', reason: 'the scheduler stopped while the function ran' }, 'stopped', 0)
  }

  #begin(worker: FunctionWorker | Error): void {
    const { spec, module, hooks, clock, env, logs } = this.#options
    if (worker instanceof Error) {
      const message = `no worker process could be started: ${worker.message}`
      this.#verdict ??= { kind: 'failed', error: { kind: 'spawn_failed', message } }
      return this.#finish()
    }
    this.#worker = worker
    worker.onAnswer = answer => this.#hear(answer)
    worker.onExit = exit => this.#lose(exit)
    hooks.spawned(worker.identity)
    const limitMs =
      spec.timeoutMs ?? (spec.deadlineAt === undefined ? undefined : spec.deadlineAt - clock.now())
    if (limitMs !== undefined)
      this.#stopLimit = clock.after(Math.max(0, limitMs), () => {
        const text = `ran into its time limit of ${formatDuration(limitMs)} and was ended`
        this.#stop(
          { kind: 'failed', error: { kind: 'timeout', message: text } },
          text,
          this.#options.killGraceMs,
        )
      })
    this.#memoryTimer = setInterval(() => this.#lookAtMemory(), MEMORY_LOOK_MS)
    worker.send({
      type: 'run',
      token: this.#token,
      file: module.file,
      version: module.version,
      args: spec.params,
      context: contextOf(spec),
      env,
      stdout: logs.stdout,
      stderr: logs.stderr,
    })
  }

  #stop(verdict: AttemptOutcome, reason: string, graceMs: number): void {
    if (this.#finished) return
    const first = this.#verdict === undefined
    this.#verdict ??= verdict
    if (this.#worker === undefined) {
      this.#leaveLine()
      return this.#finish()
    }
    if (this.#retirement !== undefined) return this.#retirement.hasten(graceMs)
    if (first) this.#worker.send({ type: 'abort', token: this.#token, reason })
    const { clock, deafMs } = this.#options
    this.#killBy(clock.monotonicMs() + (first ? Math.min(graceMs, deafMs) : graceMs))
    if (first) this.#graceAtMs = clock.monotonicMs() + graceMs
    else this.#graceAtMs = Math.min(this.#graceAtMs, clock.monotonicMs() + graceMs)
  }

  /** When the grace is over, if the function has heard that it is to stop. */
  #graceAtMs = Number.POSITIVE_INFINITY

  #killBy(atMs: number): void {
    const { clock } = this.#options
    this.#killAtMs = Math.min(this.#killAtMs, atMs)
    this.#stopKill()
    this.#stopKill = clock.after(Math.max(0, this.#killAtMs - clock.monotonicMs()), () => this.#retire(0))
  }

  #hear(answer: WorkerAnswer): void {
    if (answer.token !== this.#token || this.#finished || this.#retirement !== undefined) return
    if (answer.type === 'aborting') {
      this.#killAtMs = Number.POSITIVE_INFINITY
      return this.#killBy(this.#graceAtMs)
    }
    if (answer.type === 'done') this.#verdict ??= { kind: 'ok', output: answer.output }
    else if (answer.type === 'skip')
      this.#verdict ??= { kind: 'skip', reason: 'returned_skip', detail: String(answer.why) }
    else {
      const { kind, message } = answer
      this.#verdict ??= { kind: 'failed', error: { kind: String(kind), message: String(message) } }
    }
    if (answer.reusable === true && !this.#isLarge())
      this.#finish(() => this.#options.pool.giveBack(this.#worker!))
    else this.#retire(this.#options.stragglerGraceMs)
  }

  /** The process ended before it answered, or while it was being ended. */
  #lose(exit: WorkerExit): void {
    if (this.#finished) return
    this.#exit = exit
    this.#retire(this.#options.stragglerGraceMs)
  }

  #exit: WorkerExit | undefined

  /** Ends the worker's group and what carries the attempt's cookie, then settles. */
  #retire(graceMs: number): void {
    if (this.#retirement !== undefined) return this.#retirement.hasten(graceMs)
    const { processes, cookie, pool } = this.#options
    const worker = this.#worker!
    clearInterval(this.#memoryTimer)
    worker.hangUp()
    this.#retirement = processes.retire({
      leader: worker.identity,
      watched: true,
      cookie,
      graceMs,
    })
    void this.#retirement.done.then(() => this.#finish(() => pool.discard(worker)))
  }

  #finish(release: () => void = () => {}): void {
    if (this.#finished) return
    this.#finished = true
    this.#stopLimit()
    this.#stopKill()
    clearInterval(this.#memoryTimer)
    const { lastErrorLine } = this.#options.guard.finish()
    const verdict = this.#verdict ?? this.#explainExit(lastErrorLine)
    release()
    this.#settle(verdict)
  }

  #lookAtMemory(): void {
    const bytes = this.#readMemory()
    this.#peakBytes = Math.max(this.#peakBytes, bytes)
    if (bytes <= this.#options.memoryLimitBytes || this.#retirement !== undefined) return
    this.#verdict ??= this.#outOfMemory(`its process had ${Math.round(bytes / MB)} MiB of memory`)
    this.#retire(0)
  }

  #readMemory(): number {
    try {
      return this.#options.processes.residentBytes(this.#worker!.identity.pid) ?? 0
    } catch {
      return 0
    }
  }

  /** A worker that has grown is not worth keeping: the next function would inherit the smaller rest. */
  #isLarge(): boolean {
    return this.#readMemory() > this.#options.memoryLimitBytes / 2
  }

  #outOfMemory(what: string): AttemptOutcome {
    const limit = Math.round(this.#options.memoryLimitBytes / MB)
    const message = `out of memory: ${what}, the limit is ${limit} MiB`
    return { kind: 'failed', error: { kind: 'out_of_memory', message } }
  }

  #explainExit(lastErrorLine: string): AttemptOutcome {
    const { code, signal } = this.#exit ?? { code: null, signal: null }
    const { broken } = this.#worker ?? {}
    if (broken === 'message_too_large')
      return failed('output_too_large', 'the function wrote more than 1 MiB into the channel of its worker')
    if (broken === 'bad_message')
      return failed(
        'worker_exited',
        'the function wrote into the channel of its worker, which was ended for it',
      )
    if (endsWithHeapLimit(this.#options.logs.stderr)) return this.#outOfMemory('the JavaScript heap was full')
    const word = lastErrorLine === '' ? '' : `: ${lastErrorLine}`
    if (signal !== null) {
      const hint = signal === 'SIGKILL' ? ' (perhaps the system was out of memory)' : ''
      const message = `the function's process was ended by ${signal}${hint}${word}`
      return { kind: 'failed', error: { kind: 'worker_exited', message, signal } }
    }
    const message = `the function ended its own process with exit code ${code}, instead of returning or throwing${word}`
    return {
      kind: 'failed',
      error: { kind: 'worker_exited', message, ...(code === null ? {} : { exit_code: code }) },
    }
  }
}

function failed(kind: string, message: string): AttemptOutcome {
  return { kind: 'failed', error: { kind, message } }
}

function contextOf({
  runId,
  dagName,
  taskId,
  attempt,
  tenantId,
  scheduleId,
  logicalDate,
  clientId,
  runtime,
}: AttemptSpec): JsonObject {
  return {
    runId,
    dagName,
    taskId,
    attempt,
    tenantId,
    ...(scheduleId === undefined ? {} : { scheduleId }),
    logicalDate,
    ...(clientId === undefined ? {} : { clientId }),
    ...(runtime === undefined ? {} : { runtime }),
  }
}

/** True if the end of a log holds V8's last words. */
function endsWithHeapLimit(path: string): boolean {
  try {
    const { size } = statSync(path)
    const fd = openSync(path, 'r')
    try {
      const tail = Buffer.alloc(Math.min(size, 16 * 1024))
      readSync(fd, tail, 0, tail.length, size - tail.length)
      return /^FATAL ERROR: .*heap/im.test(tail.toString('latin1'))
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}
