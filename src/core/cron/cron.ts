// The face of the cron room: a compiled schedule whose slots are a pure function of (text, zone, instant).

import type { Instant } from '../time/instant.ts'

export interface CronSchedule {
  readonly expression: string
  readonly timezone: string
  /**
   * The first slot strictly after `after`, or undefined if there is none within the search horizon (40 years).
   * Pure, strictly increasing, bounded, independent of the host's zone and of earlier calls.
   */
  next(after: Instant): Instant | undefined
}
