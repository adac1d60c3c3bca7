// A slot as a person names it: an instant with its offset, or the wall clock of the schedule's zone.

import { formatSlot, type Instant, parseInstant } from '../core/time/instant.ts'
import { instantsOf, parseWallClock } from '../core/time/wall-clock.ts'
import { zoneOf } from '../core/time/zone.ts'
import { formatWallClock } from './render/time.ts'
import { UsageError } from './usage.ts'

/**
 * @throws UsageError (exit 2) for no instant, and for a wall clock that a clock change makes none or two
 */
export function readSlot(text: string, timezone: string): Instant {
  const instant = parseInstant(text)
  if (!Number.isNaN(instant)) return instant
  const wall = parseWallClock(text)
  if (wall === undefined) {
    throw new UsageError(
      `slot: expected an instant such as 2026-01-05T06:00Z, a wall clock of ${timezone} such as "2026-01-05 06:00", last or next, got ${JSON.stringify(text)}`,
      '`scheduler why <schedule>` shows the last decided slot and the next one',
    )
  }
  const zone = zoneOf(timezone)
  const [first, second] = instantsOf(zone, wall)
  if (first !== undefined && second === undefined) return first
  const show = (at: Instant) => `${formatSlot(at)} (${formatWallClock(at, zone.offsetAt(at))})`
  if (first !== undefined && second !== undefined) {
    throw new UsageError(
      `slot: ${JSON.stringify(text)} is twice in ${timezone}, where the clock was set back: ${show(first)} and ${show(second)}`,
      `say which one: ${formatSlot(first)} or ${formatSlot(second)}`,
    )
  }
  const change = zone
    .transitions(wall - 86_400_000, wall + 86_400_000)
    .find(({ at, offsetBeforeMs, offsetAfterMs }) => wall >= at + offsetBeforeMs && wall < at + offsetAfterMs)
  const when = change === undefined ? '' : `; the clock is set forward at ${show(change.at)}`
  throw new UsageError(
    `slot: ${JSON.stringify(text)} does not exist in ${timezone}${when}`,
    change === undefined
      ? 'write the instant with its offset'
      : `a time in the gap is due at its end: ask for ${formatSlot(change.at)}`,
  )
}
