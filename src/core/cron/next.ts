// From wall-clock matches to slots: the next instant at which an expression is due in a zone.
//
// The DST rule is that of Debian's cron (docs/guides/cron.md shows it by example):
//
//   1. An expression that follows the clock (its minute or hour begins with `*`) is due at every instant whose wall
//      clock matches: in both passes of a repeated hour, and never for a time that a gap leaves out.
//   2. Any other is due once for each time it names: in the first pass of a repeated time, and at the first minute after
//      a gap that swallowed it. Several swallowed times, and one that names that very minute, are one slot. `dst: skip`
//      drops what a gap swallowed, `dst: both` takes both passes of a repeated time.
//   3. A change of more than 3 hours (Samoa's skipped day) is no summer time: what it skips is not caught up, what it
//      repeats is due again.
//
// Invariants: the result lies strictly after `after`; it depends on (fields, zone, after) alone, not on earlier calls,
// so a chain restarted at any instant goes on as if it had never stopped; and it is found, or given up, within 40 years,
// or up to the last year that the expression names.

import type { Instant } from '../time/instant.ts'
import { ZONE_MAX_S, type Zone } from '../time/zone.ts'
import {
  BOTH_PASSES,
  type CronFields,
  FOLLOWS_CLOCK,
  HAS_RULES,
  hasSeconds,
  lastYearOf,
  SKIPS_GAPS,
} from './expression.ts'
import { findMatch } from './match.ts'

/** How far ahead a slot is looked for: 40 years of 365.25 days. */
export const HORIZON_S = 40 * 31_557_600

/** The largest change of offset that counts as summer time. */
const LARGEST_SHIFT_S = 3 * 3600

/**
 * The first slot strictly after `after`, or undefined if there is none within 40 years (or in the
 * years that the expression names) or before the year 2300.
 * @throws {RangeError} if `after` is no instant (NaN or infinite).
 */
export function findNextSlot(fields: CronFields, zone: Zone, after: Instant): Instant | undefined {
  if (!Number.isFinite(after)) throw new RangeError(`not an instant: ${after}`)
  const from = Math.floor(after / 1000) + 1
  if (from > ZONE_MAX_S) return undefined
  const limit = Math.min(
    (fields.calendar & HAS_RULES) === 0 ? from + HORIZON_S : horizonOf(fields, from),
    ZONE_MAX_S,
  )
  if (from > limit) return undefined
  const catchesUp = (fields.calendar & (FOLLOWS_CLOCK | SKIPS_GAPS)) === 0
  const firstPassOnly = (fields.calendar & (FOLLOWS_CLOCK | BOTH_PASSES)) === 0
  // A period's rules look at the offset before it, for at most 3 hours.
  zone.cover(from - LARGEST_SHIFT_S - 60, from + 1)
  const { startsS, offsetsS } = zone
  let searched = Number.POSITIVE_INFINITY
  let match = Number.NEGATIVE_INFINITY
  for (let i = zone.periodAt(from); ; i++) {
    const start = startsS[i]!
    if (start > limit) return undefined
    const offset = offsetsS[i]!
    let low = from > start ? from : start
    if (i > 0 && (catchesUp || firstPassOnly)) {
      const shift = offset - offsetsS[i - 1]!
      if (catchesUp && shift > 0 && shift <= LARGEST_SHIFT_S) {
        const caughtUp = hasSeconds(fields) ? start : start + positiveModulo(-(start + offset), 60)
        const gap = start + offset - shift
        if (from <= caughtUp && findMatch(fields, gap, gap + shift) < gap + shift) return caughtUp * 1000
      } else if (firstPassOnly && shift < 0 && -shift <= LARGEST_SHIFT_S && low < start - shift) {
        low = start - shift
      }
    }
    // Nothing matches between the second that was searched from and the match found, so a later period whose wall
    // clock begins between them needs no search of its own.
    const wall = low + offset
    if (wall < searched || wall > match) {
      match = findMatch(fields, wall, limit + offset)
      searched = wall
    }
    const slot = match - offset
    // The last period known ends where the table does; one past it is looked up before it is believed.
    while (i === startsS.length - 1 && slot >= zone.coveredUntilS && zone.coveredUntilS < limit) {
      zone.cover(from, Math.min(slot, limit) + 1)
    }
    if (i === startsS.length - 1 || slot < startsS[i + 1]!) return slot <= limit ? slot * 1000 : undefined
  }
}

/** How far to look where the expression may name its years: 40 years, or until a day after the last of them. */
function horizonOf(fields: CronFields, from: number): number {
  const lastYear = lastYearOf(fields)
  return lastYear === undefined ? from + HORIZON_S : Date.UTC(lastYear + 1, 0, 2) / 1000
}

function positiveModulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus
}
