// The probe: chooses who asks, how many are asked at once, and ends what takes too long (ports/condition-probe.ts).
//
//   1. Every kind has a queue of its own: commands that hang hold up no request, and the other way round. The time limit
//      counts from a question's turn, which comes, as whoever is before it has one, too.
//   2. The answer is there when the time is up. A process that has not ended yet, and a file system that has not come
//      back, keep their place in the queue until they have; nothing else does.
//   3. Of files two are looked at at once: a mount that hangs takes threads of the pool that writes the journal, and may
//      never give them back. So for a file the limit counts from the asking.

import PQueue from 'p-queue'
import type { Answer, Occasion, Question, QuestionKind } from '../../core/condition/question.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { ConditionProbe } from '../../ports/condition-probe.ts'
import { type Asker, boundAnswer, describeFailure } from './asker.ts'
import { createCelAsker, type FindLastRun } from './cel-question.ts'
import { createCommandAsker } from './command-question.ts'
import { createFileAsker } from './file-question.ts'
import { createHttpAsker } from './http-question.ts'
import { createSignalAsker, type LastSignal } from './signal-question.ts'
import { createSqlAsker } from './sql-question.ts'

/** How many of a kind are asked at once. A query takes a process of some 60 MB. */
const AT_ONCE: Readonly<Record<QuestionKind, number>> = {
  file: 2,
  command: 32,
  http: 64,
  sql: 4,
  signal: 16,
  cel: 16,
}

/** Kinds whose askers take nothing that outlasts the wait for them. */
const LEAVES_NOTHING: ReadonlySet<QuestionKind> = new Set(['http', 'signal', 'cel'])

export interface ConditionProbeOptions {
  /** Paths of files, databases and programs are relative to it. Commands run in it. */
  readonly root: string
  /** The moment of asking, for the age of files. */
  now(): Instant
  readonly lastRun: FindLastRun
  readonly lastSignal: LastSignal
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** The scheduler's own environment, of which commands see the base variables only. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}

export interface RunningProbe extends ConditionProbe {
  /** Resolves when nothing that a question started is left. The signals of `ask` are what ends it. */
  idle(): Promise<void>
}

export function createConditionProbe(options: ConditionProbeOptions): RunningProbe {
  const askers: { readonly [Kind in QuestionKind]: Asker<Kind> } = {
    file: createFileAsker(options),
    command: createCommandAsker(options),
    http: createHttpAsker(options),
    sql: createSqlAsker(options),
    signal: createSignalAsker(options.lastSignal),
    cel: createCelAsker(options),
  }
  const queues = Object.fromEntries(
    Object.entries(AT_ONCE).map(([kind, concurrency]) => [kind, new PQueue({ concurrency })]),
  ) as Record<QuestionKind, PQueue>

  return {
    async ask(question, occasion, signal) {
      if (signal.aborted) return STOPPED
      const asker = askers[question.kind] as Asker<QuestionKind>
      return boundAnswer(await limit(question, occasion, signal, asker, queues[question.kind]))
    },
    async idle() {
      await Promise.all(Object.values(queues).map(queue => queue.onIdle()))
    },
  }
}

const STOPPED = { error: 'the scheduler stops' } as const satisfies Answer

/** The asker's answer, or that there was none in time. */
function limit(
  question: Question,
  occasion: Occasion,
  signal: AbortSignal,
  asker: Asker<QuestionKind>,
  queue: PQueue,
): Promise<Answer> {
  return new Promise(settle => {
    const stop = new AbortController()
    const ended = Promise.withResolvers<void>()
    let hasBegun = false
    const finish = (answer: Answer) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stopNow)
      settle(answer)
      ended.resolve()
    }
    const stopNow = () => {
      stop.abort(new Error(STOPPED.error))
      finish(STOPPED)
    }
    let timer: NodeJS.Timeout | undefined
    const limitTime = () => {
      timer ??= setTimeout(giveUp, question.timeoutMs)
    }
    const giveUp = () => {
      const within = formatDuration(question.timeoutMs)
      stop.abort(new Error(`no answer within ${within}`))
      finish({
        error: hasBegun
          ? `no answer within ${within}`
          : `not asked within ${within}: others of the kind ${question.kind} take too long`,
      })
    }
    signal.addEventListener('abort', stopNow, { once: true })
    const ask = async () => {
      if (stop.signal.aborted) return
      hasBegun = true
      limitTime()
      try {
        const answer = asker(question, occasion, stop.signal).then(finish)
        await (LEAVES_NOTHING.has(question.kind) ? Promise.race([answer, ended.promise]) : answer)
      } catch (error) {
        finish({ error: describeFailure(error) })
      }
    }
    if (question.kind === 'file') limitTime()
    void queue.add(ask)
  })
}
