// Everyone who follows the journal: those that are derived from it, and those who watch for a while.

import type { EventFilter } from '../api/control.ts'
import type { Event } from '../core/state-machine/event.ts'
import { type Follower, type FollowerOptions, FollowerRunner } from './follower.ts'

export class Followers {
  readonly #runners: FollowerRunner[]
  readonly #options: FollowerOptions
  #head: number

  /** @param head `seq` of the last durable event at this moment */
  constructor(followers: readonly Follower[], head: number, options: FollowerOptions) {
    this.#runners = followers.map(follower => new FollowerRunner(follower, head, options))
    this.#options = options
    this.#head = head
  }

  push(events: readonly Event[]): void {
    this.#head = events.at(-1)?.seq ?? this.#head
    for (const runner of this.#runners) runner.push(events)
  }

  /** Lets each go on from where it was. */
  start(): void {
    for (const runner of this.#runners) runner.kick()
  }

  lagOf(name: string): number {
    return this.#runners.find(runner => runner.name === name)?.lag ?? 0
  }

  async close(): Promise<void> {
    for (const runner of this.#runners) await runner.close()
  }

  /** Calls back for each event that passes the filter, the ones after `after_seq` that are past already included. */
  subscribe(
    filter: EventFilter,
    onEvent: (event: Event) => void,
    onEnd: (error?: Error) => void,
  ): () => void {
    let taken = filter.after_seq ?? this.#head
    const follower: Follower = {
      name: 'subscriber',
      open: () => taken,
      apply: events => {
        for (const event of events) {
          taken = event.seq
          if (passes(event, filter)) onEvent(event)
        }
      },
      close: () => {},
    }
    const runner = new FollowerRunner(follower, this.#head, {
      ...this.#options,
      failed: (_, error) => onEnd(error instanceof Error ? error : new Error(String(error))),
    })
    this.#runners.push(runner)
    runner.kick()
    return () => {
      const index = this.#runners.indexOf(runner)
      if (index >= 0) this.#runners.splice(index, 1)
      void runner.close()
    }
  }
}

function passes(event: Event, { run_id: runId, event: name }: EventFilter): boolean {
  return (
    (runId === undefined || (event as { run_id?: unknown }).run_id === runId) &&
    (name === undefined || event.event === name)
  )
}
