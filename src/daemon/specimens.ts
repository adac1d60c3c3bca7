// One live object of each shape that the hot path makes and drops: the last event of each name, the last run, a decider.
//
// V8 throws compiled code away when a full collection finds no living object of a hidden class that the code was compiled
// for, and between two slots there is none: each collection made the next thousand decisions three times as slow
// (docs/adr/0016-garbage-is-collected-between-slots.md). Holds a few dozen objects, whatever happens.

import type { RunState } from '../core/run/run.ts'
import { Decider, type DecisionContext } from '../core/state-machine/decision-context.ts'
import type { Event } from '../core/state-machine/event.ts'
import { emptyState, type State } from '../core/state-machine/state.ts'

export class Specimens {
  readonly #events = new Map<string, Event>()
  #run: RunState | undefined
  readonly #decider: Decider

  constructor(context: DecisionContext) {
    this.#decider = new Decider(emptyState(), context)
  }

  /** @param state with the events folded in; runs that they ended are gone from it */
  keep(events: readonly Event[], state: State): void {
    for (const event of events) if (!('source' in event)) this.#events.set(event.event, event)
    const { run_id: runId } = (events.at(-1) ?? {}) as { run_id?: unknown }
    if (typeof runId === 'string') this.#run = state.runs.get(runId) ?? this.#run
  }

  /** How many objects are kept. */
  get size(): number {
    return this.#events.size + Number(this.#run !== undefined) + Number(this.#decider !== undefined)
  }
}
