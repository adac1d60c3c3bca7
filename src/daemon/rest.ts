// What the loop does with the time in which nothing is due, so that a slot does not have to wait for it.
//
// Boundary: when; what is done is the caller's. Nothing here decides anything, or is missed if it never comes to it.

import type { Instant } from '../core/time/instant.ts'
import type { Clock } from '../ports/clock.ts'

/** Tidied up is when there was nothing to do for so long, and nothing will be due for so long. */
const TIDY_MS = { after: 20, before: 100 }

/** How long before slots are due it is read what their decisions will need: a cache keeps it about so long. */
const READ_AHEAD_MS = 15

export interface Chores {
  /** Some milliseconds of housekeeping. Undefined: there is none. */
  readonly tidy: (() => void) | undefined
  /** Undefined: what comes is no slot. */
  readonly readAhead: (() => void) | undefined
}

/**
 * @param at when the rest ends by itself; undefined: never
 * @returns to be called when it ends
 */
export function useRest(clock: Clock, at: Instant | undefined, { tidy, readAhead }: Chores): () => void {
  const leftMs = at === undefined ? Number.POSITIVE_INFINITY : at - clock.now()
  const hasTime = leftMs >= TIDY_MS.after + TIDY_MS.before
  const callOffTidy = tidy !== undefined && hasTime ? clock.after(TIDY_MS.after, tidy) : undefined
  const isAhead = leftMs >= 2 * READ_AHEAD_MS && leftMs !== Number.POSITIVE_INFINITY
  const callOffReading =
    readAhead !== undefined && isAhead ? clock.after(leftMs - READ_AHEAD_MS, readAhead) : undefined
  return () => {
    callOffTidy?.()
    callOffReading?.()
  }
}
