// The pool: which worker processes there are, which are idle, and who waits for one.
//
//   1. Lazily started, at most `maxWorkers`; waiters are served in the order they came.
//   2. A worker is handed out to one taker and comes back by `giveBack` (clean) or `discard` (ended or to be ended).
//   3. Idle workers do not keep the scheduler from ending, and end when they were not used for `idleMs`.

import type { Environment } from '../../core/attempt/environment.ts'
import type { AttemptLogs } from '../../ports/log-store.ts'
import type { Processes } from '../../ports/processes.ts'
import { FunctionWorker } from './function-worker.ts'

export interface WorkerPoolOptions {
  readonly processes: Processes
  readonly env: Environment
  readonly heapLimitMb: number
  readonly maxWorkers: number
  readonly idleMs: number
}

interface Idle {
  readonly worker: FunctionWorker
  readonly timer: NodeJS.Timeout
}

interface Waiter {
  readonly logs: AttemptLogs
  readonly take: (worker: FunctionWorker | Error) => void
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #idle: Idle[] = []
  readonly #busy = new Set<FunctionWorker>()
  readonly #stale = new WeakSet<FunctionWorker>()
  readonly #waiters: Waiter[] = []

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#idle.length + this.#busy.size
  }

  /**
   * Calls `take` with a worker, at once if there is a place, or with the error that kept one from starting.
   * Returns a function that leaves the line; it does nothing once `take` was called.
   */
  request(logs: AttemptLogs, take: (worker: FunctionWorker | Error) => void): () => void {
    const waiter: Waiter = { logs, take }
    this.#waiters.push(waiter)
    this.#serve()
    return () => {
      const at = this.#waiters.indexOf(waiter)
      if (at >= 0) this.#waiters.splice(at, 1)
    }
  }

  /** The worker is clean: it may be used again. */
  giveBack(worker: FunctionWorker): void {
    this.#busy.delete(worker)
    if (worker.gone) return this.#serve()
    if (this.#stale.has(worker)) return this.#dismiss(worker)
    worker.onAnswer = () => {}
    worker.onExit = () => this.#dropIdle(worker)
    worker.setIdle(true)
    const timer = setTimeout(() => this.#dismiss(worker), this.#options.idleMs).unref()
    this.#idle.push({ worker, timer })
    this.#serve()
  }

  /** The worker is gone, or its taker has seen to its end. */
  discard(worker: FunctionWorker): void {
    this.#busy.delete(worker)
    this.#serve()
  }

  /** No worker that exists now takes another attempt. */
  refresh(): void {
    for (const worker of this.#busy) this.#stale.add(worker)
    for (const { worker } of [...this.#idle]) this.#dismiss(worker)
  }

  /** Ends the idle workers; resolves when they are gone. */
  async close(): Promise<void> {
    this.#waiters.length = 0
    await Promise.all(
      this.#idle.splice(0).map(({ worker, timer }) => {
        clearTimeout(timer)
        return this.#end(worker)
      }),
    )
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const idle = this.#idle.pop()
      if (idle === undefined && this.#busy.size >= this.#options.maxWorkers) return
      const { logs, take } = this.#waiters.shift()!
      if (idle === undefined) take(this.#start(logs))
      else {
        clearTimeout(idle.timer)
        idle.worker.setIdle(false)
        this.#busy.add(idle.worker)
        take(idle.worker)
      }
    }
  }

  #start({ stdout, stderr }: AttemptLogs): FunctionWorker | Error {
    const { processes, env, heapLimitMb } = this.#options
    try {
      const worker = new FunctionWorker({ processes, env, heapLimitMb, stdout, stderr })
      this.#busy.add(worker)
      return worker
    } catch (error) {
      return error as Error
    }
  }

  #dropIdle(worker: FunctionWorker): void {
    const at = this.#idle.findIndex(idle => idle.worker === worker)
    if (at >= 0) clearTimeout(this.#idle.splice(at, 1)[0]!.timer)
  }

  #dismiss(worker: FunctionWorker): void {
    this.#dropIdle(worker)
    void this.#end(worker)
    this.#serve()
  }

  #end(worker: FunctionWorker): Promise<void> {
    worker.hangUp()
    const { identity } = worker
    const cookie = this.#options.env['DAGBOK_COOKIE']!
    // It ends by itself when the channel closes; the grace is for a busy machine only.
    return this.#options.processes.retire({
      leader: identity,
      watched: !worker.gone,
      cookie: `${cookie}-`,
      graceMs: 500,
    }).done
  }
}
