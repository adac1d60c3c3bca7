// given / when / then for the state machine: a state, a clock that the test sets, and every event that came of it.

import { questionsOf } from '../../src/core/condition/condition.ts'
import type { Answer } from '../../src/core/condition/question.ts'
import type { Admission, Driven } from '../../src/core/planner/admit.ts'
import { Agenda } from '../../src/core/planner/agenda.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { checkpointEvents, describeState, replay } from '../../src/core/state-machine/checkpoint.ts'
import type { AttemptResult, Command } from '../../src/core/state-machine/command.ts'
import { decide } from '../../src/core/state-machine/decide.ts'
import type { DecisionContext } from '../../src/core/state-machine/decision-context.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { openSlotOf } from '../../src/core/state-machine/open-slot.ts'
import { emptyState, type State } from '../../src/core/state-machine/state.ts'
import type { Instant } from '../../src/core/time/instant.ts'

export class DeciderWorld {
  readonly state: State = emptyState()
  readonly agenda = new Agenda()
  readonly events: Event[] = []
  readonly commits: Event[][] = []
  definitions: Definitions
  now: Instant
  limits = { maxParallel: 3, maxTasks: 16 }
  admission: Admission = 'open'
  driven: Driven = 'all'
  chance = 0.5

  constructor(definitions: Definitions, now: string) {
    this.definitions = definitions
    this.now = Date.parse(now)
  }

  boot(): this {
    this.when({ type: 'boot', mode: 'serve', pid: 1, host: 'h', version: '0' })
    this.use(this.definitions)
    return this
  }

  use(definitions: Definitions): Event[] {
    this.definitions = definitions
    return this.when({ type: 'use_definitions', definitions, cause: 'reload' })
  }

  /** Answers the conditions that are being asked, of the slot at this place in the line; nothing if none are. */
  answer(pick: number, answer: Answer): Event[] {
    const asking = [...this.state.asking.values()]
    const key = asking[pick % asking.length]
    if (key === undefined) return []
    const { conditions = [] } = this.definitions.schedules.get(key.scheduleId) ?? {}
    const answers = questionsOf(conditions).map(() => answer)
    return this.when({
      type: 'answered',
      ...key,
      ask: openSlotOf(this.state, key)!.asks,
      conditions,
      answers,
    })
  }

  get context(): DecisionContext {
    return {
      now: this.now,
      definitions: this.definitions,
      agenda: this.agenda,
      limits: this.limits,
      admission: this.admission,
      driven: this.driven,
      random: () => this.chance,
    }
  }

  /** Decides a command; returns its events. */
  when(command: Command): Event[] {
    const commits = decide(this.state, command, this.context)
    for (const event of commits.flat()) {
      event.seq = this.events.length + 1
      this.events.push(event)
    }
    this.state.seq = this.events.length
    this.commits.push(...commits)
    return commits.flat()
  }

  tickAt(time: string): Event[] {
    this.now = Date.parse(time)
    return this.when({ type: 'tick' })
  }

  end(runId: string, taskId: string, result: AttemptResult, attempt?: number): Event[] {
    const current = this.state.runs.get(runId)?.tasks.get(taskId)?.attempt ?? 0
    return this.when({ type: 'ended', runId, taskId, attempt: attempt ?? current, durationMs: 5, result })
  }

  ok(runId: string, taskId: string): Event[] {
    return this.end(runId, taskId, { kind: 'ok', output: {} })
  }

  fail(runId: string, taskId: string, message = 'boom'): Event[] {
    return this.end(runId, taskId, { kind: 'failed', error: { kind: 'threw', message } })
  }

  /** The state as a restart would find it, from all events or from a checkpoint of now. */
  replayed(): State {
    const state = emptyState()
    for (const event of this.events) replay(state, structuredClone(event))
    return state
  }

  restored(): State {
    const state = emptyState()
    for (const event of checkpointEvents(this.state, '')) replay(state, JSON.parse(JSON.stringify(event)))
    state.seq = this.state.seq
    return state
  }

  facts(): string {
    return describeState(this.state)
  }
}

/** `name subject …` of each event: enough to read a story. */
export function tell(events: readonly Event[]): string[] {
  return events.map(event => {
    const e = event as unknown as Record<string, unknown>
    const subject = e['task_id'] ?? e['slot'] ?? e['from'] ?? e['run_id'] ?? e['schedule_id'] ?? ''
    const detail = e['reason'] ?? e['status'] ?? e['cause'] ?? e['attempt'] ?? ''
    return [event.event, subject, detail].filter(part => part !== '').join(' ')
  })
}
