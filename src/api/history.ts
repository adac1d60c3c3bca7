// The library's look back: the last events, and the last event per key. Pure functions over events that somebody reads.
//
//   H1. "The last N events" are the last N lines of the journal in its own order, `seq`, oldest first.
//   H2. What the journal writes about itself (`segment_opened`, `segment_sealed`, `checkpoint`) does not count: a roll
//       must not push the last runs out of sight.
//   H3. Memory is bounded by the limit, not by the length of the journal.

import { type Event, isUserEvent } from '../core/state-machine/event.ts'

/** How many events `lastRuns` gives, and `indexBy` looks at, unless it is told. */
export const LAST_RUNS_LIMIT = 20
export const INDEX_BY_LIMIT = 100

const HOUSEKEEPING: ReadonlySet<string> = new Set(['segment_opened', 'segment_sealed', 'checkpoint'])

/** Keeps the last `limit` events that are pushed: for events that come one by one, or asynchronously. */
export interface History {
  push(event: Event): void
  /** Oldest first. */
  list(): Event[]
  /** Value of the field `key` → the last event that has it. See `indexBy`. */
  indexBy(key: string): Map<string, Event>
}

/** @throws RangeError when `limit` is not a whole number from 0 on */
export function createHistory(limit: number): History {
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new RangeError(`limit is ${limit}; expected a whole number from 0 on`)
  }
  /** A ring: `next` is the place of the oldest event once it is full. */
  const ring: Event[] = []
  let next = 0
  function list(): Event[] {
    return [...ring.slice(next), ...ring.slice(0, next)]
  }
  return {
    push: event => {
      if (limit === 0 || isHousekeeping(event)) return
      if (ring.length < limit) {
        ring.push(event)
        return
      }
      ring[next] = event
      next = (next + 1) % limit
    },
    list,
    indexBy: key => {
      const last = new Map<string, Event>()
      for (const event of list()) {
        const value = (event as unknown as Record<string, unknown>)[key]
        if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
          last.set(String(value), event)
        }
      }
      return last
    },
  }
}

/**
 * The last `limit` events, oldest first, newest last.
 * @throws RangeError when `limit` is not a whole number from 0 on
 */
export function lastRuns(events: Iterable<Event>, limit = LAST_RUNS_LIMIT): Event[] {
  return collect(events, limit).list()
}

/**
 * Among the last `limit` events: for each value of the field `key` (`schedule_id`, `run_id`, `event` …) the last event
 * that has it. Values are their text (`1` and `'1'` are one); events without the field, or with null, a list or an
 * object there, are left out.
 * @throws RangeError when `limit` is not a whole number from 0 on
 */
export function indexBy(events: Iterable<Event>, key: string, limit = INDEX_BY_LIMIT): Map<string, Event> {
  return collect(events, limit).indexBy(key)
}

function collect(events: Iterable<Event>, limit: number): History {
  const history = createHistory(limit)
  for (const event of events) history.push(event)
  return history
}

function isHousekeeping(event: Event): boolean {
  return HOUSEKEEPING.has(event.event) && !isUserEvent(event)
}
