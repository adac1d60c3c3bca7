// When a failed attempt is tried again. The instant is drawn once and journaled; replay never draws.

import type { Task } from '../dag/task.ts'
import type { Instant } from '../time/instant.ts'

/** No wait between two attempts is longer. */
export const RETRY_DELAY_MS_MAX = 3_600_000

/** An attempt that was interrupted this often in one run is not tried again: it may be what brings the host down. */
export const LOSSES_MAX = 5

/**
 * Exponential backoff with full jitter: uniform between 0 and `retryDelayMs · 2^(failures − 1)`, at most an hour.
 * `fixed` waits `retryDelayMs` each time.
 * @param failures how many attempts have failed so far, 1 after the first
 * @param random   uniform in [0, 1)
 */
export function nextRetryAt(task: Task, failures: number, now: Instant, random: () => number): Instant {
  if (task.backoff === 'fixed') return now + Math.min(task.retryDelayMs, RETRY_DELAY_MS_MAX)
  const ceiling = Math.min(task.retryDelayMs * 2 ** (failures - 1), RETRY_DELAY_MS_MAX)
  return now + Math.round(random() * ceiling)
}
