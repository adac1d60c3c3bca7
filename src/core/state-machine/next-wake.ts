// When something is due by itself: the next slot, the next retry, a run that was held back, is given up or is late,
// conditions to be asked again. The daemon's single timer is set by this.

import type { Agenda } from '../planner/agenda.ts'
import type { Instant } from '../time/instant.ts'
import type { State } from './state.ts'

/**
 * Undefined: nothing is ever due without somebody asking.
 * @param ticking  true in the process that plans slots, which alone gives up on runs that are late
 */
export function nextWake(state: State, agenda: Agenda, ticking: boolean): Instant | undefined {
  const work = earliest(state.retries.nextAt, state.delayed.nextAt)
  if (!ticking) return work
  const slots = earliest(agenda.nextAt, state.reasks.nextAt)
  const limits = earliest(state.deadlines.nextAt, state.lateness.nextAt)
  return earliest(work, earliest(slots, limits))
}

function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b
  return b === undefined ? a : Math.min(a, b)
}
