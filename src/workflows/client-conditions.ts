// What must hold for a client, asked before its task: one that may not have its turn is skipped, and its record says what was
// seen. Any executor can stand behind this.
//
//   1. Nothing is started before all conditions hold. What was started before a restart goes on: it had been asked.
//   2. Nobody knows is no "no": it fails the attempt, which is tried again if there are retries.
//   3. The asking counts for the time limit of the attempt.

import { type Condition, evaluate, questionsOf, type Term } from '../core/condition/condition.ts'
import type { Occasion } from '../core/condition/question.ts'
import { clip } from '../core/json.ts'
import { formatDuration } from '../core/time/duration.ts'
import { formatSlot, parseInstant } from '../core/time/instant.ts'
import { zoneOf } from '../core/time/zone.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConditionProbe } from '../ports/condition-probe.ts'
import type {
  AttemptHooks,
  AttemptOutcome,
  AttemptSpec,
  Executor,
  RunningAttempt,
} from '../ports/executor.ts'

/** A client has no zone of its own: the date of a slot is that of UTC. */
const ZONE = 'UTC'
const DETAIL_CHARACTERS = 500

export interface ClientConditionsOptions {
  readonly clock: Clock
  readonly probe: ConditionProbe
}

export function withClientConditions(inner: Executor, { clock, probe }: ClientConditionsOptions): Executor {
  const asking = new Set<AskedAttempt>()
  return {
    start(spec, hooks) {
      const { clientConditions: conditions = [] } = spec
      if (conditions.length === 0) return inner.start(spec, hooks)
      const attempt = new AskedAttempt(spec, hooks, conditions, { inner, clock, probe })
      asking.add(attempt)
      void attempt.outcome.then(() => asking.delete(attempt))
      return attempt
    },
    adopt: (spec, identity, adopted) => inner.adopt(spec, identity, adopted),
    async close() {
      for (const attempt of asking) attempt.abandon()
      await inner.close()
    },
  }
}

class AskedAttempt implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #abort = new AbortController()
  #verdict: AttemptOutcome | undefined
  #running: RunningAttempt | undefined

  constructor(
    spec: AttemptSpec,
    hooks: AttemptHooks,
    conditions: readonly Condition[],
    { inner, clock, probe }: ClientConditionsOptions & { inner: Executor },
  ) {
    const { timeoutMs } = spec
    const begunMs = clock.monotonicMs()
    const stopLimit =
      timeoutMs === undefined
        ? () => {}
        : clock.after(timeoutMs, () => {
            const message = `the conditions of the client were not answered within ${formatDuration(timeoutMs)}`
            this.#stop({ kind: 'failed', error: { kind: 'timeout', message } })
          })
    this.outcome = judgeClient(spec, conditions, probe, this.#abort.signal)
      .catch(
        (error: unknown): AttemptOutcome => failed(error instanceof Error ? error.message : String(error)),
      )
      .then(refusal => {
        stopLimit()
        const verdict = this.#verdict ?? refusal
        if (verdict !== undefined) return verdict
        const left = timeoutMs === undefined ? undefined : timeoutMs - (clock.monotonicMs() - begunMs)
        this.#running = inner.start(
          left === undefined ? spec : { ...spec, timeoutMs: Math.max(1, left) },
          hooks,
        )
        return this.#running.outcome
      })
  }

  cancel(reason: string, graceMs: number): void {
    if (this.#running === undefined) this.#stop({ kind: 'cancelled', reason })
    else this.#running.cancel(reason, graceMs)
  }

  /** What runs already is the inner executor's to let go. */
  abandon(): void {
    if (this.#running === undefined)
      this.#stop({
        kind: 'lost',
        reason: 'the scheduler stopped while the conditions of the client were asked',
      })
  }

  #stop(verdict: AttemptOutcome): void {
    if (this.#running !== undefined) return
    this.#verdict ??= verdict
    this.#abort.abort()
  }
}

/** How the attempt ends without having begun; undefined: it may. */
async function judgeClient(
  spec: AttemptSpec,
  conditions: readonly Condition[],
  probe: ConditionProbe,
  signal: AbortSignal,
): Promise<AttemptOutcome | undefined> {
  const occasion = occasionOf(spec)
  const answers = await Promise.all(
    questionsOf(conditions).map(question => probe.ask(question, occasion, signal)),
  )
  let next = 0
  const around = { zone: zoneOf(ZONE), calendars: new Map() }
  const slot = parseInstant(occasion.slot)
  const terms = conditions.map(condition => evaluate(condition, slot, around, () => answers[next++]))
  const refusal = terms.find(({ holds }) => holds === false)
  if (refusal !== undefined)
    return {
      kind: 'skip',
      reason: 'condition',
      detail: `does not hold: ${describe(refusal)}`,
      inputs: { conditions: terms },
    }
  const unknown = terms.find(({ holds }) => holds === null)
  return unknown === undefined ? undefined : failed(`nobody knows whether it holds: ${describe(unknown)}`)
}

function occasionOf({ scheduleId = '', tenantId, dagName, logicalDate, clientId }: AttemptSpec): Occasion {
  return {
    scheduleId,
    tenantId,
    dagName,
    slot: formatSlot(parseInstant(logicalDate)),
    timezone: ZONE,
    ...(clientId === undefined ? {} : { clientId }),
  }
}

function describe({ holds: _, ...term }: Term): string {
  return clip(JSON.stringify(term), DETAIL_CHARACTERS)
}

function failed(message: string): AttemptOutcome {
  return { kind: 'failed', error: { kind: 'condition_error', message } }
}
