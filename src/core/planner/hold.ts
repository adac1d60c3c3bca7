// What people have put in a slot's way: a pause of its schedule, a pause of everything, a slot skipped or run by hand.
//
//   H1. A pause covers the slots after it was asked for and before it ends, whenever they are decided: a slot that was due
//       before the pause is decided as if there were none, one that fell into it stays skipped after it is over.
//   H2. What lies behind the cursor is forgotten.

import type { ConditionReason } from '../condition/condition.ts'
import type { JsonObject } from '../json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'

export interface Pause {
  /** Slots after it … */
  readonly since: Instant
  /** … and before it are skipped. Undefined: until somebody resumes. */
  readonly until?: Instant
  readonly reason: string
}

export interface SlotByHand {
  readonly slot: Instant
  /** `run`: it has its run already. */
  readonly did: 'skip' | 'run'
  readonly reason: string
}

/** Why a slot is not the planner's to decide as usual. */
export type Hold =
  | { kind: 'done' }
  | {
      kind: 'skip'
      reason: 'paused' | 'frozen' | 'skipped_by_hand' | ConditionReason
      inputs: JsonObject
    }

/** Where holds come from: a schedule's own, and those of everything. */
export interface Holds {
  readonly pauses?: readonly Pause[] | undefined
  readonly byHand?: readonly SlotByHand[] | undefined
  readonly freezes: readonly Pause[]
}

/** True if a slot after `cursor` may be held. A pause of everything that is long over costs nobody anything. */
export function hasHolds({ pauses, byHand, freezes }: Holds, cursor: Instant): boolean {
  if (pauses !== undefined || byHand !== undefined) return true
  return freezes.length > 0 && freezes.some(({ until }) => until === undefined || until > cursor)
}

/** What somebody did to this very slot counts before a pause of the schedule, and that before one of everything. */
export function holdOf({ pauses, byHand, freezes }: Holds, slot: Instant): Hold | undefined {
  const wish = byHand?.find(known => known.slot === slot)
  if (wish?.did === 'run') return { kind: 'done' }
  if (wish !== undefined) return { kind: 'skip', reason: 'skipped_by_hand', inputs: { note: wish.reason } }
  const pause = pauseAt(pauses, slot)
  if (pause !== undefined) return { kind: 'skip', reason: 'paused', inputs: describePause(pause) }
  const freeze = pauseAt(freezes, slot)
  if (freeze !== undefined) return { kind: 'skip', reason: 'frozen', inputs: describePause(freeze) }
  return undefined
}

/** The pause that covers an instant. */
export function pauseAt(pauses: readonly Pause[] | undefined, at: Instant): Pause | undefined {
  return pauses?.findLast(({ since, until }) => since < at && (until === undefined || at < until))
}

function describePause({ since, until, reason }: Pause): JsonObject {
  const ends = until === undefined ? {} : { until: formatInstant(until) }
  return { since: formatInstant(since), ...ends, note: reason }
}

/** The pauses, of which none reaches beyond `at`. */
export function endPauses(pauses: readonly Pause[] | undefined, at: Instant): Pause[] {
  return (pauses ?? []).map(pause =>
    pause.until !== undefined && pause.until <= at ? pause : { ...pause, until: Math.max(pause.since, at) },
  )
}

/** The wishes without the one to skip `slot`. */
export function withoutSkip(byHand: SlotByHand[] | undefined, slot: Instant): SlotByHand[] | undefined {
  return keep(byHand, wish => wish.did !== 'skip' || wish.slot !== slot)
}

/** H2. */
export function forgetPassed(schedule: {
  cursor: Instant
  pauses: Pause[] | undefined
  byHand: SlotByHand[] | undefined
}): void {
  const { cursor } = schedule
  schedule.pauses = keep(schedule.pauses, ({ until }) => until === undefined || until > cursor)
  schedule.byHand = keep(schedule.byHand, ({ slot }) => slot > cursor)
}

function keep<T>(items: T[] | undefined, isNeeded: (item: T) => boolean): T[] | undefined {
  const left = items?.filter(isNeeded)
  return left === undefined || left.length === 0 ? undefined : left
}
