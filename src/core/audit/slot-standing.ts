// Where an instant stands in a schedule's life: decided, due and not decided, to come, or no slot at all, and why.
//
// Pure. The decision itself, its reason and its run are in the journal; this says what to make of there being none.

import type { Slots } from '../schedule/timing.ts'
import type { Instant } from '../time/instant.ts'
import { isSlot, slotBefore } from './slot-search.ts'
import { type Stretch, stretchAt } from './timeline.ts'

export type Standing =
  /** There is a decision. */
  | 'decided'
  /** It was due and nobody has decided it yet. */
  | 'open'
  /** It was due, and its conditions are being asked. */
  | 'asked'
  | 'future'
  /** No slot: the timing does not name it. */
  | 'not_due'
  /** Before the schedule was first seen. */
  | 'before_first_seen'
  /** Before the oldest line that is kept of the journal. */
  | 'forgotten'
  /** The schedule was disabled or removed then. */
  | 'retired'
  /** A changed timing began after it. */
  | 'between_timings'
  /** It is in the definitions and no scheduler has seen it yet. */
  | 'not_seen'

export interface SlotStanding {
  readonly standing: Standing
  /** The timing that was asked, where there was one in force. */
  readonly stretch?: Stretch
  /** For `not_due`: the slots around. */
  readonly before?: Instant | undefined
  readonly after?: Instant | undefined
}

export interface SlotQuestion {
  readonly slot: Instant
  readonly now: Instant
  readonly stretches: readonly Stretch[]
  /** A decision covers the instant. */
  readonly isDecided: boolean
  /** Its conditions are being asked. */
  readonly isAsked: boolean
  /** The slots to come by the definitions of today; undefined where the schedule is disabled or not there. */
  readonly upcoming: Slots | undefined
}

export function standingOf({
  slot,
  now,
  stretches,
  isDecided,
  isAsked,
  upcoming,
}: SlotQuestion): SlotStanding {
  const stretch = stretchAt(stretches, slot)
  // A missed span covers instants that were never slots.
  if (isDecided && (stretch === undefined || isSlot(stretch.slots, slot))) {
    return { standing: 'decided', ...(stretch === undefined ? {} : { stretch }) }
  }
  if (isAsked) return { standing: 'asked', ...(stretch === undefined ? {} : { stretch }) }
  if (slot > now) {
    if (upcoming === undefined) return { standing: 'retired' }
    return isSlot(upcoming, slot)
      ? { standing: 'future' }
      : { standing: 'not_due', ...around(upcoming, slot) }
  }
  if (stretch !== undefined) {
    if (isSlot(stretch.slots, slot)) return { standing: 'open', stretch }
    return { standing: 'not_due', stretch, ...around(stretch.slots, slot) }
  }
  const first = stretches[0]
  if (first === undefined) return { standing: upcoming === undefined ? 'retired' : 'not_seen' }
  if (slot <= first.cursor) {
    return { standing: first.cause === 'kept' ? 'forgotten' : 'before_first_seen', stretch: first }
  }
  const before = stretches.findLast(({ endsAt }) => endsAt < slot)
  const isRetired = before?.end !== undefined && before.end.cause !== 'timing_changed'
  return { standing: isRetired ? 'retired' : 'between_timings', ...(before ? { stretch: before } : {}) }
}

function around(slots: Slots, instant: Instant): { before: Instant | undefined; after: Instant | undefined } {
  return { before: slotBefore(slots, instant), after: slots.next(instant) }
}
