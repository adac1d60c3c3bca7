// What the planner chose for the slots of a schedule. Every slot is in exactly one decision.

import type { JsonObject } from '../json.ts'
import type { ScheduleMissed, ScheduleSkipped } from '../state-machine/event.ts'
import type { Instant } from '../time/instant.ts'

export type Decision =
  /** `replaces`: the runs of this schedule that are active are cancelled first. */
  | { kind: 'enqueue'; slot: Instant; reason: 'due' | 'catchup'; replaces?: boolean }
  | { kind: 'skip'; slot: Instant; reason: ScheduleSkipped['reason']; inputs: JsonObject }
  /** `count` slots, the first `from`, the last `to`. */
  | { kind: 'miss'; from: Instant; to: Instant; count: number; reason: ScheduleMissed['reason'] }
