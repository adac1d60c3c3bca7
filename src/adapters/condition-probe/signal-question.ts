// Has somebody recorded an event of this name? The journal knows.

import type { Event } from '../../core/state-machine/event.ts'
import { formatInstant, parseInstant } from '../../core/time/instant.ts'
import type { Asker } from './asker.ts'

/** The last event of this name that a user recorded at or after an instant, ISO 8601. */
export type LastSignal = (name: string, since: string) => Promise<Event | undefined>

export function createSignalAsker(lastSignal: LastSignal): Asker<'signal'> {
  return async ({ name, withinMs }, { slot }) => {
    const since = formatInstant(parseInstant(slot) - withinMs)
    const event = await lastSignal(name, since)
    if (event === undefined) return { holds: false, saw: { none_since: since } }
    return { holds: true, saw: { recorded_at: event.timestamp, seq: event.seq } }
  }
}
