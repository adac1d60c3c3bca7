// A journal told in lines, and a reader over it: for commands that look back.

import { createMemoryRunIndex } from '../../src/adapters/memory/run-index.ts'
import type { Reader } from '../../src/cli/house.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import type { LogStore } from '../../src/ports/log-store.ts'

/** Lines of time, name and fields; `06:00` is of the fifth of January. */
export function tellLines(...lines: (readonly [at: string, name: string, fields?: object])[]): Event[] {
  return lines.map(
    ([at, event, fields], index) =>
      ({
        timestamp: at.length === 5 ? `2026-01-05T${at}:00.000Z` : at,
        event,
        seq: index + 1,
        ...fields,
      }) as unknown as Event,
  )
}

export function readerOf(events: readonly Event[]): Reader {
  const index = createMemoryRunIndex()
  index.apply('j', events)
  return {
    index,
    logs: {} as LogStore,
    async *events(after = 0) {
      yield* events.filter(({ seq }) => seq > after)
    },
    follow: () => (async function* () {})(),
    close: () => {},
  }
}
