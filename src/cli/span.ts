// A span of time as a person gives it: `--from 2026-01-01 --to 2026-02-01T12:00+01:00`.

import { formatSlot, type Instant, parseInstant } from '../core/time/instant.ts'
import { UsageError } from './usage.ts'

export interface Span {
  readonly from: Instant
  /** Not included. */
  readonly until: Instant
}

/** Five years, leap days included. */
const LONGEST_MS = (5 * 365 + 2) * 86_400_000

/**
 * The span of `--from` and `--to`; everything that is wrong with the two in one message.
 * @throws UsageError (exit 2)
 */
export function readSpan(
  flags: { from?: string; to?: string },
  defaults: { from: Instant; lengthMs: number },
): Span {
  const wrong: string[] = []
  const read = (flag: string, text: string | undefined, fallback: () => Instant): Instant => {
    if (text === undefined) return fallback()
    const at = readInstant(text)
    if (Number.isNaN(at)) {
      wrong.push(`${flag}: expected a date or ISO 8601 with an offset, got ${JSON.stringify(text)}`)
    }
    return at
  }
  const from = read('--from', flags.from, () => defaults.from)
  const until = read('--to', flags.to, () => from + defaults.lengthMs)
  if (wrong.length > 0)
    throw new UsageError(wrong.join('; '), 'write 2026-01-05 (midnight in UTC), or 2026-01-05T06:00+01:00')
  if (from >= until) {
    throw new UsageError(
      `--from ${formatSlot(from)} is not before --to ${formatSlot(until)}`,
      'swap them, or give a later --to: it is not part of the span',
    )
  }
  if (until - from > LONGEST_MS) {
    throw new UsageError(
      `from ${formatSlot(from)} to ${formatSlot(until)} it is more than 5 years`,
      'simulate a year at a time: --from 2026-01-01 --to 2027-01-01',
    )
  }
  return { from, until }
}

/** ISO 8601 with an offset, or a date as its midnight in UTC; NaN for anything else, the 30th of February too. */
export function readInstant(text: string): Instant {
  const date = /^(\d{4})-(\d{2})-(\d{2})(?:T|$)/.exec(text)
  if (date === null) return Number.NaN
  const [, year, month, day] = date.map(Number)
  const midnight = new Date(Date.UTC(year!, month! - 1, day))
  if (midnight.getUTCDate() !== day || midnight.getUTCMonth() !== month! - 1) return Number.NaN
  return text.length === 10 ? midnight.getTime() : parseInstant(text)
}
