// Dates and times as people write them, read in a zone: `2026-12-24`, `2026-12-24 18:00`, `2026-12-24T18:00:30+01:00`.
//
//   1. A text with an offset or `Z` means that instant, whatever the zone.
//   2. A text without one is the zone's wall clock. A time that the zone repeats means its first pass; one that it leaves
//      out means the first instant after the gap: as for a schedule of a fixed time (cron/next.ts).

import { DagbokError, EXIT } from '../error.ts'
import { DAY_MS, type Instant } from './instant.ts'
import { instantsOf, parseWallClock } from './wall-clock.ts'
import type { Zone } from './zone.ts'

const TEXT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,3})?(?: ?(Z|[+-]\d\d:?\d\d))?)?$/i

/**
 * @throws DagbokError DATE_INVALID (3) with what was expected
 */
export function readInstant(text: string, zone: Zone): Instant {
  const parts = TEXT.exec(text.trim())
  if (parts === null) throw instantError(text, 'it has another form')
  const [, day, time = '00:00', offset] = parts
  if (parseWallClock(`${day} 00:00`) === undefined) throw instantError(text, 'there is no such day')
  const wall = parseWallClock(`${day} ${time}`)
  if (wall === undefined) throw instantError(text, 'there is no such time of day')
  return offset === undefined ? instantOfWall(wall, zone) : wall - offsetMs(offset)
}

/** Rule 2. */
function instantOfWall(wall: number, zone: Zone): Instant {
  const first = instantsOf(zone, wall)[0]
  if (first !== undefined) return first
  const gap = zone
    .transitions(wall - DAY_MS, wall + DAY_MS)
    .find(({ at, offsetBeforeMs, offsetAfterMs }) => wall >= at + offsetBeforeMs && wall < at + offsetAfterMs)
  return gap?.at ?? wall - zone.offsetAt(wall)
}

function offsetMs(text: string): number {
  if (text.toUpperCase() === 'Z') return 0
  const sign = text.startsWith('-') ? -1 : 1
  const digits = text.slice(1).replace(':', '')
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000
}

function instantError(text: string, why: string): DagbokError {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
  return new DagbokError('DATE_INVALID', `${shown} is no date or time: ${why}`, {
    hint: 'write 2026-12-24, 2026-12-24 18:00, or 2026-12-24T18:00:00Z',
    exitCode: EXIT.configInvalid,
  })
}
