// A point in time as a person names it in a flag: an instant with its offset, a date, or an age.

import type { Instant } from '../core/time/instant.ts'
import { readInstant } from './span.ts'
import { UsageError } from './usage.ts'

const AGE_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * `2026-01-05T06:00Z`, `2026-01-05` (its first moment in UTC), `2h` (ago).
 * @throws UsageError (exit 2)
 */
export function readInstantOrAge(flag: string, text: string, now: Instant): Instant {
  const age = /^(\d{1,9})([smhd])$/.exec(text)
  if (age !== null) return now - Number(age[1]) * AGE_MS[age[2]!]!
  const instant = readInstant(text)
  if (!Number.isNaN(instant)) return instant
  throw new UsageError(
    `${flag}: expected an instant with its offset such as 2026-01-05T06:00Z, a date, or an age such as 2h, got ${JSON.stringify(text)}`,
  )
}
