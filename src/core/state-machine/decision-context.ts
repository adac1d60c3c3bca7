// What a decision may look at besides the state and the command, and where it puts its events.

import type { Admission, Driven, Limits } from '../planner/admit.ts'
import type { Agenda } from '../planner/agenda.ts'
import type { Definitions } from '../schedule/definitions.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import type { Event, SystemEvent, UserEvent } from './event.ts'
import { evolve } from './evolve.ts'
import type { State } from './state.ts'

export interface DecisionContext {
  readonly now: Instant
  readonly definitions: Definitions
  readonly agenda: Agenda
  readonly limits: Limits
  readonly admission: Admission
  readonly driven: Driven
  /** Uniform in [0, 1). What is drawn goes into an event, so that replay never draws. */
  random(): number
}

/** An event without what every event gets: `timestamp` and `seq`. */
export type Draft = SystemEvent extends infer E
  ? E extends SystemEvent
    ? Omit<E, 'timestamp' | 'seq'>
    : never
  : never

/**
 * Collects the events of a command into commits and evolves the state with each, since the next one depends on it.
 * A batch that cannot be written is written again later, never taken back, so nothing here needs undoing.
 */
export class Decider {
  readonly state: State
  readonly context: DecisionContext
  #commits: Event[][] = []
  #commit: Event[] | undefined
  /** Of every event of this decision. */
  readonly timestamp: string
  readonly #head: { timestamp: string; event: string; seq: number }

  constructor(state: State, context: DecisionContext) {
    this.state = state
    this.context = context
    this.timestamp = formatInstant(context.now)
    this.#head = { timestamp: this.timestamp, event: '', seq: 0 }
  }

  emit(draft: Draft): void {
    // The head first, as in every line: a field keeps the place at which it was first named.
    this.#take({ ...this.#head, ...draft })
  }

  /** The event with its head: for what a moment makes by the thousand, since `emit` makes it of two objects. */
  emitWhole(event: SystemEvent): void {
    this.#take(event)
  }

  emitUser(fields: { event: string } & Record<string, unknown>): void {
    // The head first, as in every line; whatever the fields claim, it is the journal's.
    const line: Record<string, unknown> = { timestamp: this.timestamp, event: undefined, seq: 0 }
    Object.assign(line, fields)
    line['timestamp'] = this.timestamp
    line['seq'] = 0
    line['source'] = 'user'
    this.#take(line as UserEvent)
  }

  /** What was emitted since the last call is one decision: all or none on disk. */
  commit(): void {
    if (this.#commit === undefined) return
    this.#commits.push(this.#commit)
    this.#commit = undefined
  }

  /** The commits since the last call. What was emitted behind the last of them starts the next one. */
  takeCommits(): Event[][] {
    const commits = this.#commits
    this.#commits = []
    return commits
  }

  /** How many commits wait to be taken. */
  get waiting(): number {
    return this.#commits.length
  }

  #take(event: Event): void {
    // Most commits are of one event; an array that grew by `push` would have room for seventeen.
    if (this.#commit === undefined) this.#commit = [event]
    else this.#commit.push(event)
    evolve(this.state, event)
  }
}
