// An executor without processes: outcomes are scripted, time is the clock's. For tests of what stands above it.

import type { Clock } from '../../ports/clock.ts'
import type {
  AttemptOutcome,
  AttemptSpec,
  Executor,
  ProcessIdentity,
  RunningAttempt,
} from '../../ports/executor.ts'

export interface ScriptedStep {
  /** Default: ok with an empty output. */
  readonly outcome?: AttemptOutcome
  /** How long it runs, milliseconds of the clock. Default 0. `Infinity`: until it is cancelled or out of time. */
  readonly afterMs?: number
  /** How long it goes on after it was asked to stop, milliseconds. Default 0. */
  readonly stubbornMs?: number
  /** Reported as the attempt's process. */
  readonly identity?: ProcessIdentity
}

export interface MemoryExecutor extends Executor {
  /** Attempts given to `start` and `adopt`, in order. */
  readonly started: readonly AttemptSpec[]
  readonly adopted: readonly AttemptSpec[]
  /** Attempts whose outcome has not settled. */
  readonly running: number
}

/**
 * @param script  what an attempt does; asked once for each
 * @param afterRestart  what an adopted attempt does; undefined: it is lost
 */
export function createMemoryExecutor({
  clock,
  script = () => ({}),
  afterRestart = () => undefined,
}: {
  clock: Clock
  script?: (spec: AttemptSpec) => ScriptedStep
  afterRestart?: (spec: AttemptSpec) => ScriptedStep | undefined
}): MemoryExecutor {
  const started: AttemptSpec[] = []
  const adopted: AttemptSpec[] = []
  const running = new Set<Play>()

  const play = (step: ScriptedStep, limitMs: number | undefined): RunningAttempt => {
    const attempt = new Play(clock, step, limitMs)
    running.add(attempt)
    void attempt.outcome.then(() => running.delete(attempt))
    return attempt
  }
  const leftMs = (spec: AttemptSpec) =>
    spec.deadlineAt === undefined ? undefined : Math.max(0, spec.deadlineAt - clock.now())

  return {
    started,
    adopted,
    get running() {
      return running.size
    },
    start(spec, hooks) {
      started.push(spec)
      const step = script(spec)
      if (step.identity !== undefined) hooks.spawned(step.identity)
      return play(step, spec.timeoutMs ?? leftMs(spec))
    },
    adopt(spec, identity, report) {
      adopted.push(spec)
      const step = afterRestart(spec)
      if (step === undefined)
        return play({ outcome: { kind: 'lost', reason: 'nothing is known of it' } }, undefined)
      const pid = identity?.pid ?? step.identity?.pid
      if (pid !== undefined) report(pid)
      return play(step, leftMs(spec))
    },
    async close() {
      for (const attempt of running) attempt.release()
      running.clear()
    },
  }
}

class Play implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #clock: Clock
  readonly #stubbornMs: number
  readonly #stops: (() => void)[] = []
  #settle!: (outcome: AttemptOutcome) => void
  #verdict: AttemptOutcome | undefined

  constructor(
    clock: Clock,
    { outcome, afterMs = 0, stubbornMs = 0 }: ScriptedStep,
    limitMs: number | undefined,
  ) {
    this.#clock = clock
    this.#stubbornMs = stubbornMs
    this.outcome = new Promise(resolve => {
      this.#settle = resolve
    })
    if (Number.isFinite(afterMs))
      this.#after(afterMs, () => this.#end(outcome ?? { kind: 'ok', output: {} }, 0))
    if (limitMs !== undefined)
      this.#after(limitMs, () => {
        const message = `ran into its time limit of ${limitMs}ms and was ended`
        this.#end({ kind: 'failed', error: { kind: 'timeout', message } }, stubbornMs)
      })
  }

  cancel(reason: string, graceMs: number): void {
    this.#end({ kind: 'cancelled', reason }, Math.min(graceMs, this.#stubbornMs))
  }

  release(): void {
    for (const stop of this.#stops) stop()
  }

  /** The first cause counts; a later one can only make the end come sooner. */
  #end(outcome: AttemptOutcome, afterMs: number): void {
    this.#verdict ??= outcome
    const settle = () => {
      this.release()
      this.#settle(this.#verdict!)
    }
    if (afterMs === 0) settle()
    else this.#after(afterMs, settle)
  }

  #after(delayMs: number, wake: () => void): void {
    this.#stops.push(this.#clock.after(delayMs, wake))
  }
}
