// From a schedule's last decided slot to now: what becomes of each slot in between. On time, after a stall, a suspend, a
// clock jump and a restart it is this one path (DESIGN §5.1).
//
//   P1. The decisions cover the slots after `cursor` up to now, in order, each once, without a hole.
//   P2. It works from planned slots, never from how late the tick was.
//   P3. One call looks at no more than SLOTS_MAX slots; `more` says that it must be called again.

import type { Catchup, Overlap } from '../schedule/schedule.ts'
import { type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Decision } from './decision.ts'
import type { Hold } from './hold.ts'

/** Slots looked at in one call: keeps the longest downtime of the fastest schedule from stopping the loop. */
export const SLOTS_MAX = 10_000

/** The last slot counts as on time, not as catch-up, until this much later: the minute in progress is due. */
export const ON_TIME_MS = MINUTE_MS

export interface SchedulePolicy {
  readonly slots: { next(after: Instant): Instant | undefined }
  readonly catchup: Catchup
  readonly catchupWindowMs: number
  readonly maxCatchup: number
  readonly overlap: Overlap
  readonly startingDeadlineMs?: number | undefined
}

/** What people or conditions have put in a slot's way. */
export type HoldOf = (slot: Instant) => Hold | undefined

export interface SchedulePlan {
  readonly decisions: Decision[]
  /** True: slots up to now are left. */
  readonly more: boolean
  /** The first slot after now, if `more` is false; undefined: there is none. */
  readonly next: Instant | undefined
}

/**
 * @param blockedBy id of an unfinished run of this schedule, if there is one
 * @param holdOf what stands in the way of a slot, if anything; undefined: nothing ever does, as nearly always
 */
export function planSchedule(
  policy: SchedulePolicy,
  cursor: Instant,
  now: Instant,
  blockedBy: string | undefined,
  holdOf?: HoldOf,
): SchedulePlan {
  if (holdOf !== undefined) return planHeld(policy, cursor, now, blockedBy, holdOf)
  const first = policy.slots.next(cursor)
  if (first === undefined || first > now) return { decisions: [], more: false, next: first }
  const second = policy.slots.next(first)
  if (second === undefined || second > now)
    return { decisions: [planLast(policy, first, now, blockedBy)], more: false, next: second }
  return planBacklog(policy, first, now, blockedBy)
}

/** The usual case: one slot since the last decision. */
function planLast(
  policy: SchedulePolicy,
  slot: Instant,
  now: Instant,
  blockedBy: string | undefined,
): Decision {
  const onTime = now - slot < ON_TIME_MS
  if (onTime && isTooLate(policy, slot, now)) {
    return { kind: 'miss', from: slot, to: slot, count: 1, reason: 'deadline' }
  }
  if (onTime && blockedBy !== undefined) {
    if (policy.overlap === 'skip') {
      return { kind: 'skip', slot, reason: 'overlap', inputs: { blocked_by: blockedBy } }
    }
    if (policy.overlap === 'replace') return { kind: 'enqueue', slot, reason: 'due', replaces: true }
  }
  if (onTime) return { kind: 'enqueue', slot, reason: 'due' }
  const reason = refusal(policy, slot, now)
  if (reason !== undefined) return { kind: 'miss', from: slot, to: slot, count: 1, reason }
  // No overlap here: a slot that queues up after a downtime is not swallowed by the run in front of it.
  return { kind: 'enqueue', slot, reason: 'catchup' }
}

/** Why a late slot cannot run even if it is the last one; undefined if it can. */
function refusal(
  policy: SchedulePolicy,
  slot: Instant,
  now: Instant,
): 'catchup_none' | 'catchup_window' | 'deadline' | undefined {
  if (policy.catchup === 'none') return 'catchup_none'
  if (isTooLate(policy, slot, now)) return 'deadline'
  return now - slot > policy.catchupWindowMs ? 'catchup_window' : undefined
}

function isTooLate({ startingDeadlineMs }: SchedulePolicy, slot: Instant, now: Instant): boolean {
  return startingDeadlineMs !== undefined && now - slot > startingDeadlineMs
}

/** Several slots since the last decision: a tail of them may run, the rest is missed. */
function planBacklog(
  policy: SchedulePolicy,
  first: Instant,
  now: Instant,
  blockedBy: string | undefined,
): SchedulePlan {
  const keep = keptAtOnce(policy)
  const decisions: Decision[] = []
  const tail: Instant[] = []
  const drop = (slot: Instant) =>
    miss(decisions, slot, refusal(policy, slot, now) ?? OVERFLOW[policy.catchup])

  let slot: Instant | undefined = first
  let seen = 0
  while (slot !== undefined && slot <= now && seen < SLOTS_MAX) {
    tail.push(slot)
    if (tail.length > keep) drop(tail.shift()!)
    slot = policy.slots.next(slot)
    seen += 1
  }
  // The tail is decided by the call that sees the end. Its slots are looked at again, which the cursor allows.
  if (slot !== undefined && slot <= now) return { decisions, more: true, next: undefined }

  if (tail.length === 1) {
    const decision = planLast(policy, tail[0]!, now, blockedBy)
    if (decision.kind === 'miss') miss(decisions, decision.to, decision.reason)
    else decisions.push(decision)
    return { decisions, more: false, next: slot }
  }
  const last = tail.at(-1)!
  for (const kept of tail) decideKept(policy, decisions, kept, kept === last, now)
  return { decisions, more: false, next: slot }
}

/** Slots of one backlog queue up in order, the last one too: overlap does not judge them. */
function decideKept(
  policy: SchedulePolicy,
  decisions: Decision[],
  slot: Instant,
  isLast: boolean,
  now: Instant,
  joins = true,
): void {
  if (isLast && now - slot < ON_TIME_MS && !isTooLate(policy, slot, now)) {
    decisions.push({ kind: 'enqueue', slot, reason: 'due' })
    return
  }
  const reason = refusal(policy, slot, now)
  if (reason !== undefined) miss(decisions, slot, reason, joins)
  else decisions.push({ kind: 'enqueue', slot, reason: 'catchup' })
}

/** As without holds, but for the slots that are held: they are decided where they stand, and count for no limit. */
function planHeld(
  policy: SchedulePolicy,
  cursor: Instant,
  now: Instant,
  blockedBy: string | undefined,
  holdOf: HoldOf,
): SchedulePlan {
  const slots: Instant[] = []
  let slot = policy.slots.next(cursor)
  while (slot !== undefined && slot <= now && slots.length < SLOTS_MAX) {
    slots.push(slot)
    slot = policy.slots.next(slot)
  }
  const more = slot !== undefined && slot <= now
  const held = new Map<Instant, Hold>()
  for (const each of slots) {
    const hold = holdOf(each)
    if (hold !== undefined) held.set(each, hold)
  }
  const free = slots.filter(each => !held.has(each))
  const kept = free.slice(Math.max(0, free.length - keptAtOnce(policy)))
  // If more are to come, another call sees which free slots are the last: what may be one of them waits for it. But one
  // that stands first is decided, or ten thousand held slots behind it would stop the planner.
  const waiting = kept[0] === slots[0] ? kept[1] : kept[0]
  const until = (more ? waiting : undefined) ?? Number.POSITIVE_INFINITY
  const decisions: Decision[] = []
  let afterDone = false
  for (const each of slots) {
    if (each >= until) break
    const hold = held.get(each)
    const joins = !afterDone
    afterDone = hold?.kind === 'done'
    if (hold?.kind === 'skip')
      decisions.push({ kind: 'skip', slot: each, reason: hold.reason, inputs: hold.inputs })
    else if (hold !== undefined) continue
    else if (each < kept[0]!)
      miss(decisions, each, refusal(policy, each, now) ?? OVERFLOW[policy.catchup], joins)
    else if (kept.length === 1 && !more) decisions.push(planLast(policy, each, now, blockedBy))
    else decideKept(policy, decisions, each, each === kept.at(-1), now, joins)
  }
  return { decisions, more, next: more ? undefined : slot }
}

const OVERFLOW = { none: 'catchup_none', latest: 'catchup_latest', all: 'max_catchup' } as const

/** Slots of one backlog that may run. */
function keptAtOnce(policy: SchedulePolicy): number {
  return policy.catchup === 'all' ? Math.max(1, policy.maxCatchup) : 1
}

/**
 * Adds a missed slot to the span before it if the reason is the same.
 * @param joins false: a slot stands between them that had its decision long ago
 */
export function miss(
  decisions: Decision[],
  slot: Instant,
  reason: (Decision & { kind: 'miss' })['reason'],
  joins = true,
): void {
  const before = decisions.at(-1)
  if (joins && before?.kind === 'miss' && before.reason === reason) {
    before.to = slot
    before.count += 1
  } else decisions.push({ kind: 'miss', from: slot, to: slot, count: 1, reason })
}
