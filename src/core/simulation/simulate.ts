// What a scheduler would record over a span of time: the same decide, evolve and planner as the daemon's, on a clock that
// jumps from one thing due to the next. No journal, no process, no waiting.
//
//   V1. The events are those of a scheduler that starts at `from` on an empty journal, is never down, never late, and
//       whose attempts all succeed after the time that `durationOf` gives, or end at once when they are cancelled.
//       Test: test/simulation/simulate.test.ts.
//   V2. At one instant the order is the loop's: first what is due, then the reports of that instant in the order in which
//       the attempts were started, then the answers to conditions, which come at once.
//   V3. Memory is bounded by what is unfinished, not by the span.

import { questionsOf } from '../condition/condition.ts'
import type { Answer, Question } from '../condition/question.ts'
import type { Dag } from '../dag/dag.ts'
import type { Limits } from '../planner/admit.ts'
import { Agenda } from '../planner/agenda.ts'
import type { Definitions } from '../schedule/definitions.ts'
import type { AttemptResult, Command } from '../state-machine/command.ts'
import { decide } from '../state-machine/decide.ts'
import type { Event, RunCancelRequested, TaskStart } from '../state-machine/event.ts'
import { nextWake } from '../state-machine/next-wake.ts'
import { openSlotOf } from '../state-machine/open-slot.ts'
import { emptyState, type SlotKey, type State, taskOf } from '../state-machine/state.ts'
import type { Instant } from '../time/instant.ts'
import { InstantHeap } from '../time/instant-heap.ts'

/** The attempt whose length is asked for. */
export interface SimulatedAttempt {
  readonly runId: string
  readonly dagName: string
  readonly taskId: string
  readonly attempt: number
}

export interface SimulationOptions {
  readonly from: Instant
  /** What happens at this instant or later is not simulated. */
  readonly until: Instant
  readonly limits: Limits
  /** Whole milliseconds, 0 or more. */
  durationOf(attempt: SimulatedAttempt): number
  /** What the world would say to a question of a schedule's conditions. Default: yes. */
  answerOf?(question: Question, key: SlotKey): Answer
}

interface Ending {
  readonly key: SimulatedAttempt
  readonly durationMs: number
  readonly result: AttemptResult
}

const OK: AttemptResult = { kind: 'ok', output: {} }

/** What is only supposed to happen is told to nobody. */
export function withoutNotifications(definitions: Definitions): Definitions {
  const dags = new Map<string, Dag>()
  for (const [name, { notification: _, ...dag }] of definitions.dags) dags.set(name, dag)
  return { ...definitions, dags }
}

/** Yields the events in order, `seq` from 1. The definitions count as loaded at `from`. */
export function* simulate(given: Definitions, options: SimulationOptions): Generator<Event, void> {
  const definitions = withoutNotifications(given)
  const { from, until, limits, durationOf, answerOf = assumeYes } = options
  const state: State = emptyState()
  const agenda = new Agenda()
  const endings = new Endings()
  let now = from

  function* apply(command: Command): Generator<Event, void> {
    const context = {
      now,
      definitions,
      agenda,
      limits,
      admission: 'open',
      driven: 'all',
      // Nothing fails here, so nothing is drawn: the middle stands for what a change of that would draw.
      random: () => 0.5,
    } as const
    const commits = decide(state, command, context)
    endCancelled(commits)
    for (const commit of commits) {
      for (const event of commit) {
        event.seq = ++state.seq
        if (event.event === 'task_start') {
          const { run_id: runId, dag_name: dagName, task_id: taskId, attempt } = event as TaskStart
          const key = { runId, dagName, taskId, attempt }
          const durationMs = durationOf(key)
          endings.put(now + durationMs, { key, durationMs, result: OK })
        }
        yield event
      }
    }
  }

  function answer(key: SlotKey): Command {
    const { conditions = [] } = definitions.schedules.get(key.scheduleId)!
    const answers = questionsOf(conditions).map(question => answerOf(question, key))
    return { type: 'answered', ...key, ask: openSlotOf(state, key)!.asks, conditions, answers }
  }

  /** In the order in which the attempts were started, whichever of their runs was cancelled first: as a scheduler does. */
  function endCancelled(commits: readonly (readonly Event[])[]): void {
    const reasons = new Map<string, string>()
    for (const commit of commits) {
      for (const event of commit) {
        if (event.event !== 'run_cancel_requested') continue
        const { run_id, reason } = event as RunCancelRequested
        reasons.set(run_id, reason)
      }
    }
    if (reasons.size === 0) return
    for (const { runId, taskId } of state.live.values()) {
      const reason = reasons.get(runId)
      const found = reason === undefined ? undefined : taskOf(state, runId, taskId)
      if (reason === undefined || found === undefined) continue
      const key = { runId, dagName: found.run.dagName, taskId, attempt: found.task.attempt }
      // Its own end, when it comes, finds an attempt that is over, and says nothing.
      endings.put(now, { key, durationMs: 0, result: { kind: 'cancelled', reason } })
    }
  }

  if (from >= until) return
  yield* apply({ type: 'use_definitions', definitions, cause: 'start' })
  for (;;) {
    const at = Math.min(nextWake(state, agenda, true) ?? Number.POSITIVE_INFINITY, endings.nextAt)
    if (at >= until) return
    // A schedule that begins counts the minute in progress: its first slot may lie before `from`.
    now = Math.max(now, at)
    const due = nextWake(state, agenda, true)
    const reports = endings.takeDue(now)
    if (due !== undefined && due <= now) yield* apply({ type: 'tick' })
    for (const { key, durationMs, result } of reports) {
      const { runId, taskId, attempt } = key
      yield* apply({ type: 'ended', runId, taskId, attempt, durationMs, result })
    }
    for (const key of [...state.asking.values()]) yield* apply(answer(key))
  }
}

function assumeYes(): Answer {
  return { holds: true, saw: { assumed: true } }
}

/** The ends to come, by instant; those of one instant in the order in which they were put. */
class Endings {
  readonly #instants = new InstantHeap<Ending[]>()
  readonly #byInstant = new Map<Instant, Ending[]>()

  get nextAt(): Instant {
    return this.#instants.nextAt ?? Number.POSITIVE_INFINITY
  }

  put(at: Instant, ending: Ending): void {
    const there = this.#byInstant.get(at)
    if (there !== undefined) there.push(ending)
    else {
      const list = [ending]
      this.#byInstant.set(at, list)
      this.#instants.put(at, list)
    }
  }

  takeDue(now: Instant): Ending[] {
    const taken = this.#instants.takeDue(now)
    if (taken === undefined) return []
    this.#byInstant.delete(taken.at)
    return taken.item
  }
}
