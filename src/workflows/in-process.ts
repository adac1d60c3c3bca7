// Executors whose work is ours and runs in the scheduler's own process: one asynchronous function, given a signal.
//
//   1. Every wait ends: by the work, the time limit or a cancellation. The outcome is there when the work has ended.
//   2. What was under way when the scheduler stopped is lost, and tried again if there are retries.

import { formatDuration } from '../core/time/duration.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptOutcome, AttemptSpec, Executor, RunningAttempt } from '../ports/executor.ts'

/** Without a limit of the task's own. */
const DEFAULT_TIMEOUT_MS = 600_000

export interface InProcessWork {
  /** What is done, in words that go before "did not end within 10m". */
  readonly what: string
  /** It may reject with words for people; `errorKind` is the kind of that failure. */
  perform(spec: AttemptSpec, signal: AbortSignal): Promise<AttemptOutcome>
  readonly errorKind: string
}

export function createInProcessExecutor(clock: Clock, work: InProcessWork): Executor {
  const running = new Set<InProcessAttempt>()
  return {
    start(spec) {
      const attempt = new InProcessAttempt(spec, work, clock)
      running.add(attempt)
      void attempt.outcome.then(() => running.delete(attempt))
      return attempt
    },
    adopt() {
      return { outcome: Promise.resolve(lost(work)), cancel: () => {} }
    },
    async close() {
      for (const attempt of running) attempt.abandon()
    },
  }
}

class InProcessAttempt implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #work: InProcessWork
  readonly #abort = new AbortController()
  #verdict: AttemptOutcome | undefined

  constructor(spec: AttemptSpec, work: InProcessWork, clock: Clock) {
    this.#work = work
    const deadlineMs = spec.deadlineAt === undefined ? undefined : spec.deadlineAt - clock.now()
    const limitMs = Math.max(0, spec.timeoutMs ?? deadlineMs ?? DEFAULT_TIMEOUT_MS)
    const stopLimit = clock.after(limitMs, () => {
      const message = `${work.what} did not end within ${formatDuration(limitMs)}`
      this.#stop({ kind: 'failed', error: { kind: 'timeout', message } })
    })
    this.outcome = work
      .perform(spec, this.#abort.signal)
      .catch((error: unknown): AttemptOutcome => {
        const message = error instanceof Error ? error.message : String(error)
        return { kind: 'failed', error: { kind: work.errorKind, message } }
      })
      .then(outcome => this.#verdict ?? outcome)
      .finally(stopLimit)
  }

  cancel(reason: string): void {
    this.#stop({ kind: 'cancelled', reason })
  }

  abandon(): void {
    this.#stop(lost(this.#work))
  }

  #stop(verdict: AttemptOutcome): void {
    this.#verdict ??= verdict
    this.#abort.abort()
  }
}

function lost({ what }: InProcessWork): AttemptOutcome {
  return { kind: 'lost', reason: `the scheduler stopped while ${what} was under way` }
}
