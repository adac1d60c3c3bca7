// Run ids are computed, not random: the same slot can never become two runs (DESIGN §3).

import { formatSlot, type Instant } from '../time/instant.ts'

/** `<schedule_id>@2026-01-05T06:00Z` */
export function scheduledRunId(scheduleId: string, slot: Instant): string {
  return `${scheduleId}@${formatSlot(slot)}`
}

/** `<dag>@manual-<ulid>` */
export function manualRunId(dagName: string, ulid: string): string {
  return `${dagName}@manual-${ulid}`
}

/** `<dag>@after-<ulid>`: of a run that the end of another one asked for. */
export function afterRunId(dagName: string, ulid: string): string {
  return `${dagName}@after-${ulid}`
}

/** `<dag>@arrival-<ulid>`: of a run that new files or records asked for. */
export function arrivalRunId(dagName: string, ulid: string): string {
  return `${dagName}@arrival-${ulid}`
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * A ULID: 48 bits of time, 80 bits of chance, sortable as text.
 * @param random uniform in [0, 1)
 */
export function ulid(now: Instant, random: () => number): string {
  let time = ''
  for (let rest = now, digit = 0; digit < 10; digit++) {
    time = CROCKFORD[rest % 32] + time
    rest = Math.floor(rest / 32)
  }
  let chance = ''
  for (let digit = 0; digit < 16; digit++) chance += CROCKFORD[Math.floor(random() * 32)]
  return time + chance
}
