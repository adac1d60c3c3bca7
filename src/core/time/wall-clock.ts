// A wall clock's text → instants. A clock change makes it none, or two.

import type { Instant } from './instant.ts'
import type { Zone } from './zone.ts'

const DAY_MS = 86_400_000
const FORM = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?$/

/** Milliseconds of `2026-01-05 06:00` (or `T`, or with seconds) were it UTC; undefined if it is no such text. */
export function parseWallClock(text: string): number | undefined {
  const parts = FORM.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(wall)
  // What Date.UTC carries over (31 February, 25:00) is no date.
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour
  return isReal && minute < 60 && second < 60 ? wall : undefined
}

/** The instants at which a zone's clock shows `wall`, in order: usually one, none in a gap, two in a repeated hour. */
export function instantsOf(zone: Zone, wall: number): Instant[] {
  const offsets = new Set([zone.offsetAt(wall - DAY_MS), zone.offsetAt(wall + DAY_MS), zone.offsetAt(wall)])
  for (const { offsetBeforeMs, offsetAfterMs } of zone.transitions(wall - DAY_MS, wall + DAY_MS)) {
    offsets.add(offsetBeforeMs)
    offsets.add(offsetAfterMs)
  }
  return [...offsets]
    .map(offset => wall - offset)
    .filter(instant => zone.offsetAt(instant) === wall - instant)
    .sort((a, b) => a - b)
}
