// Looking around in a schedule's slots, which only know what comes next.

import type { Slots } from '../schedule/timing.ts'
import type { Instant } from '../time/instant.ts'

/** True if the instant is one of the slots. */
export function isSlot(slots: Slots, instant: Instant): boolean {
  return slots.next(instant - 1) === instant
}

/** How far back a slot is looked for: the engine looks as far ahead. */
const SEARCH_MS = 40 * 366 * 86_400_000

/** The last slot strictly before `before`, by looking forward from further and further back. */
export function slotBefore(slots: Slots, before: Instant): Instant | undefined {
  for (let span = 120_000; span < 2 * SEARCH_MS; span *= 4) {
    let found: Instant | undefined
    for (
      let slot = slots.next(before - span - 1);
      slot !== undefined && slot < before;
      slot = slots.next(slot)
    )
      found = slot
    if (found !== undefined) return found
  }
  return undefined
}
