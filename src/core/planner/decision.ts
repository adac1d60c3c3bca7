// What the planner chose for the slots of a schedule. Every slot is in exactly one decision.

import type { ScheduleMissed } from '../state-machine/event.ts'
import type { Instant } from '../time/instant.ts'

export type Decision =
  | { kind: 'enqueue'; slot: Instant; reason: 'due' | 'catchup' }
  | { kind: 'skip'; slot: Instant; reason: 'overlap'; blockedBy: string }
  /** `count` slots, the first `from`, the last `to`. */
  | { kind: 'miss'; from: Instant; to: Instant; count: number; reason: ScheduleMissed['reason'] }
