// A schedule: when its DAG is due, and what happens to the slots that could not run in time.

import type { Condition } from '../condition/condition.ts'
import { type Slots, sameTiming, type Timing } from './timing.ts'

/** What happens to slots that passed while nothing could decide them (DESIGN §5.1). */
export type Catchup = 'none' | 'latest' | 'all'

/** What happens to a slot that comes while a run of the same schedule is enqueued or running. */
export type Overlap = 'skip' | 'allow' | 'queue' | 'replace'

/** What happens while the questions of its conditions have no yes. */
export interface ConditionPolicy {
  /** They are asked again until so long after the slot. Undefined: they are asked once. */
  readonly retryUntilMs?: number | undefined
  readonly retryEveryMs: number
  /** What a slot gets when nobody knows whether its conditions hold. */
  readonly onError: 'skip' | 'run'
}

export interface Schedule {
  readonly id: string
  readonly timing: Timing
  /** `timing`, compiled. Schedules with the same expression share one. */
  readonly slots: Slots
  readonly dagName: string
  readonly tenantId: string
  readonly enabled: boolean
  readonly catchup: Catchup
  readonly catchupWindowMs: number
  readonly maxCatchup: number
  readonly overlap: Overlap
  /** A slot whose run has not started so long after it is given up. */
  readonly startingDeadlineMs?: number | undefined
  /** All of them must hold for a slot to get a run. Undefined: nothing must. */
  readonly conditions?: readonly Condition[] | undefined
  /** There if and only if one of the conditions is a question. */
  readonly conditionPolicy?: ConditionPolicy | undefined
  /** Runs start up to so much after their slot: how much is a function of (schedule, slot). */
  readonly jitterMs?: number | undefined
  /** Name of the pool that its runs share with others. */
  readonly pool?: string | undefined
  /** How many slots of the pool a run holds. Default: 1. */
  readonly weight?: number | undefined
  /** Runs of a higher one start first. Default: 0. */
  readonly priority?: number | undefined
}

/** True if two schedules say the same, whether or not they are one object. */
export function sameSchedule(a: Omit<Schedule, 'slots'>, b: Omit<Schedule, 'slots'>): boolean {
  if (a === b) return true
  // By name of the field, so that none that comes later is forgotten; all but these three are plain values.
  const { slots: _, timing, conditions, conditionPolicy, ...fields } = a as Schedule
  for (const name of Object.keys(fields) as (keyof typeof fields)[])
    if (fields[name] !== b[name]) return false
  return (
    sameTiming(timing, b.timing) &&
    JSON.stringify(conditions) === JSON.stringify(b.conditions) &&
    JSON.stringify(conditionPolicy) === JSON.stringify(b.conditionPolicy)
  )
}
