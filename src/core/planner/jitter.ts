// How long after its slot a run starts, so that a thousand schedules of the same minute do not start in the same second.
//
// Stable: a function of the schedule and the slot alone, the same after a restart and in `simulate`. Within a window
// shorter than the period of the schedule the order of its runs stays that of its slots where they run one by one.

import type { Instant } from '../time/instant.ts'

/** Whole milliseconds in [0, windowMs). */
export function jitterOf(scheduleId: string, slot: Instant, windowMs: number): number {
  return windowMs <= 0 ? 0 : hashText(`${scheduleId}\n${slot}`) % windowMs
}

/** FNV-1a over UTF-16 units, 32 bits, with the finish of MurmurHash3, since FNV's last steps leave neighbours close. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
