// The slots of a schedule as the journal recorded its timing: what looks back asks this, never the definitions of today.

import { compileCron } from '../cron/compile.ts'
import type { Instant } from '../time/instant.ts'

/** What `schedule_registered` and a checkpoint's item say about a schedule's timing. */
export interface RecordedTiming {
  readonly cron: string
  readonly timezone: string
}

export interface Slots {
  /** The first slot strictly after `after`; undefined if there is none within 40 years. */
  next(after: Instant): Instant | undefined
}

/** @throws DagbokError when this version cannot read a text that an older one wrote */
export function recordedSlots(timing: RecordedTiming, _scheduleId: string): Slots {
  return compileCron(timing.cron, timing.timezone)
}

/** For people: `0 6 * * *`. */
export function describeTiming({ cron }: RecordedTiming): string {
  return cron
}

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
