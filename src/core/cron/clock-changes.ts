// What a schedule does when the clock of its zone changes: found by asking for its slots, never by reading its text.
//
//   The times that the wall clock leaves out or repeats are compared with the slots that there are. What the schedule
//   names among them is what it would be due at if that clock were one without changes.

import { type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'

interface Slots {
  next(after: Instant): Instant | undefined
}

/**
 * - `untouched`    it names no time that is left out or repeated
 * - `moved`        left out; one slot in the first minute after the gap stands for all of them
 * - `merged`       left out; there is a slot in that minute, which is named in its own right as well
 * - `dropped`      left out, or repeated, without any slot
 * - `first_pass` `second_pass` `both_passes`  which of the repeated times are slots
 * - `mixed`        some of the repeated times so, others otherwise
 */
export type ClockChangeEffect =
  | 'untouched'
  | 'moved'
  | 'merged'
  | 'dropped'
  | 'first_pass'
  | 'second_pass'
  | 'both_passes'
  | 'mixed'

export interface ClockChange {
  readonly at: Instant
  readonly offsetBeforeMs: number
  readonly offsetAfterMs: number
  /** `gap`: wall-clock times are left out. `overlap`: they come twice. */
  readonly kind: 'gap' | 'overlap'
  /** The named times inside the gap or the overlap, as wall clocks: instants of a clock that stands at UTC. */
  readonly named: readonly Instant[]
  /** More are named than were listed. */
  readonly isLong: boolean
  readonly effect: ClockChangeEffect
  /** The slots of those times: after a gap the one that stands for them, in an overlap those of either pass. */
  readonly slots: readonly Instant[]
}

/** Named times that are looked at for one change; a schedule of seconds has thousands in an hour. */
const NAMED_MAX = 4_000

/**
 * The changes of the zone's clock in [from, until), each with what the schedule does.
 * @param slots as the zone's clock has them
 * @param wall  the same expression on a clock without changes: in UTC
 */
export function listClockChanges(
  slots: Slots,
  wall: Slots,
  zone: Zone,
  from: Instant,
  until: Instant,
): ClockChange[] {
  return zone.transitions(from, until).map(({ at, offsetBeforeMs, offsetAfterMs }) => {
    const shift = offsetAfterMs - offsetBeforeMs
    const change = { at, offsetBeforeMs, offsetAfterMs }
    if (shift > 0) {
      const { named, isLong } = listBetween(wall, at + offsetBeforeMs, at + offsetAfterMs)
      const found = named.length === 0 ? [] : findAtEnd(slots, at)
      const effect = named.length === 0 ? 'untouched' : judgeGap(wall, found[0], offsetAfterMs)
      return { ...change, kind: 'gap', named, isLong, effect, slots: found }
    }
    const { named, isLong } = listBetween(wall, at + offsetAfterMs, at + offsetBeforeMs)
    const first = named.filter(time => isSlot(slots, time - offsetBeforeMs))
    const second = named.filter(time => isSlot(slots, time - offsetAfterMs))
    const found = [...first.map(time => time - offsetBeforeMs), ...second.map(time => time - offsetAfterMs)]
    const effect = judgeOverlap(named.length, first.length, second.length)
    return { ...change, kind: 'overlap', named, isLong, effect, slots: found }
  })
}

/** The slot in the first minute after a gap, if there is one. */
function findAtEnd(slots: Slots, at: Instant): Instant[] {
  const slot = slots.next(at - 1)
  return slot === undefined || slot >= at + MINUTE_MS ? [] : [slot]
}

function judgeGap(wall: Slots, slot: Instant | undefined, offsetMs: number): ClockChangeEffect {
  if (slot === undefined) return 'dropped'
  return isSlot(wall, slot + offsetMs) ? 'merged' : 'moved'
}

function judgeOverlap(named: number, first: number, second: number): ClockChangeEffect {
  if (named === 0) return 'untouched'
  if (first === named && second === named) return 'both_passes'
  if (first === named && second === 0) return 'first_pass'
  if (second === named && first === 0) return 'second_pass'
  return first + second === 0 ? 'dropped' : 'mixed'
}

function isSlot(slots: Slots, instant: Instant): boolean {
  return slots.next(instant - 1) === instant
}

function listBetween(slots: Slots, from: Instant, until: Instant): { named: Instant[]; isLong: boolean } {
  const named: Instant[] = []
  for (let slot = slots.next(from - 1); slot !== undefined && slot < until; slot = slots.next(slot)) {
    if (named.length === NAMED_MAX) return { named, isLong: true }
    named.push(slot)
  }
  return { named, isLong: false }
}
