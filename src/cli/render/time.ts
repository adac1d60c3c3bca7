// Times and durations for people. Machines get ISO 8601 and milliseconds.

import type { Instant } from '../../core/time/instant.ts'
import { MINUTE_MS } from '../../core/time/instant.ts'

/** `2.34s`, the form of the run summary. */
export function formatSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(2)}s`
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
]

/** The two largest units: `3d 4h`, `1m 20s`, `12s`; `now` below a second. */
export function formatSpan(ms: number): string {
  let seconds = Math.floor(Math.max(0, ms) / 1000)
  const parts: string[] = []
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size)
    if (count > 0) parts.push(`${count}${unit}`)
    // After the first unit comes its neighbour or nothing: "3d 12s" says less than "3d".
    else if (parts.length > 0) break
    seconds -= count * size
    if (parts.length === 2) break
  }
  return parts.length === 0 ? 'now' : parts.join(' ')
}

/** `2026-01-05 07:00+01:00`: the wall clock of a zone, with its offset; UTC as `Z`. */
export function formatWallClock(instant: Instant, offsetMs: number): string {
  const wall = new Date(instant + offsetMs).toISOString()
  const clock = instant % MINUTE_MS === 0 ? wall.slice(11, 16) : wall.slice(11, 19)
  return `${wall.slice(0, 10)} ${clock}${formatOffset(offsetMs)}`
}

function formatOffset(offsetMs: number): string {
  if (offsetMs === 0) return 'Z'
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS)
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`
}

/** ISO text, to the second, for a table; `-` for none. */
export function formatStamp(iso: string | null | undefined): string {
  return iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z` : '-'
}
