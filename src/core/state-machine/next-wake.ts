// When something is due by itself: the next slot, the next retry. The daemon's single timer is set by this.

import type { Agenda } from '../planner/agenda.ts'
import type { Instant } from '../time/instant.ts'
import type { State } from './state.ts'

/** Undefined: nothing is ever due without somebody asking. */
export function nextWake(state: State, agenda: Agenda, ticking: boolean): Instant | undefined {
  const slot = ticking ? agenda.nextAt : undefined
  const retry = state.retries.nextAt
  if (slot === undefined) return retry
  return retry === undefined ? slot : Math.min(slot, retry)
}
