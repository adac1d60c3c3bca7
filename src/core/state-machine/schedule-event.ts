// What can happen to schedules and their slots: the decisions that Dagbok exists for, in the very shape of their lines. The
// rules of event.ts hold here too.

import type { ConditionReason } from '../condition/condition.ts'
import type { JsonObject } from '../json.ts'
import type { TimingFields } from '../schedule/timing.ts'
import type { Line } from './event-line.ts'

/** From here on the slots after `cursor` are this schedule's to decide. */
export interface ScheduleRegistered extends Line, TimingFields {
  event: 'schedule_registered'
  schedule_id: string
  cause: 'first_seen' | 'enabled' | 'timing_changed'
  cursor: string
}
/** No slot after the last decided one is due until it is registered again. */
export interface ScheduleRetired extends Line {
  event: 'schedule_retired'
  schedule_id: string
  cause: 'disabled' | 'removed'
}
/** Slots after this line's timestamp are skipped, up to `until` or until somebody resumes it. */
export interface SchedulePaused extends Line {
  event: 'schedule_paused'
  schedule_id: string
  reason: string
  until?: string
}
export interface ScheduleResumed extends Line {
  event: 'schedule_resumed'
  schedule_id: string
  reason: string
}
/** As `schedule_paused`, for every schedule at once. */
export interface SchedulingFrozen extends Line {
  event: 'scheduling_frozen'
  reason: string
  until?: string
}
export interface SchedulingThawed extends Line {
  event: 'scheduling_thawed'
  reason: string
}
/** A slot to come will be skipped. */
export interface SlotSkipRequested extends Line {
  event: 'slot_skip_requested'
  schedule_id: string
  slot: string
  reason: string
}
/** It will be decided as if nobody had asked. */
export interface SlotSkipWithdrawn extends Line {
  event: 'slot_skip_withdrawn'
  schedule_id: string
  slot: string
  reason: string
}
/**
 * The slot is due and nothing that can be known without asking is in its way: its conditions are asked, and its decision
 * follows. From here on the slots after it are decided without waiting for it.
 */
export interface SlotOpened extends Line {
  event: 'slot_opened'
  schedule_id: string
  slot: string
  minute: string
  /** What its run will be enqueued for. */
  reason: 'due' | 'catchup'
}
/** The conditions of an open slot do not hold yet, or nobody knows: they are asked again at `retry_at`. */
export interface SlotDeferred extends Line {
  event: 'slot_deferred'
  schedule_id: string
  slot: string
  minute: string
  /** How often they have been asked. */
  ask: number
  reason: ConditionReason
  inputs: JsonObject
  retry_at: string
}
/** The slot's run is in the line. */
export interface ScheduleEnqueued extends Line {
  event: 'schedule_enqueued'
  schedule_id: string
  slot: string
  /** The slot under its seed name: the key of `{schedule_id, minute}`. Equal to `slot`. */
  minute: string
  run_id: string
  dag_name: string
  tenant_id: string
  definition_hash: string
  /** `by_hand`: somebody ran a slot before it was due; when it comes, it has had its run. */
  reason: 'due' | 'catchup' | 'by_hand'
  /** `serial`: runs of this schedule go one after the other. */
  order: 'serial' | 'parallel'
  /** The run does not start before it: the slot and its jitter. */
  start_after?: string
  /** If the run has not started by then, it is cancelled. */
  start_by?: string
  /** If it has not ended by then, it is late. */
  late_at?: string
  /** The pool whose room the run needs, from its start to its end. */
  pool?: string
  /** How many slots of the pool it holds. Left out: 1. */
  weight?: number
  /** Runs of a higher one start first. Left out: 0. */
  priority?: number
  /** What the world said when the conditions were asked. */
  inputs?: JsonObject
}
export interface ScheduleSkipped extends Line {
  event: 'schedule_skipped'
  schedule_id: string
  slot: string
  minute: string
  reason: 'overlap' | 'paused' | 'frozen' | 'skipped_by_hand' | 'too_many_open' | ConditionReason
  inputs: JsonObject
}
/** Each of the `count` slots from `from` to `to`, both included, was due and did not run. */
export interface ScheduleMissed extends Line {
  event: 'schedule_missed'
  schedule_id: string
  from: string
  to: string
  count: number
  reason:
    | 'catchup_none'
    | 'catchup_latest'
    | 'catchup_window'
    | 'max_catchup'
    | 'deadline'
    | 'definition_changed'
}
