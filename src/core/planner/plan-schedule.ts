// From a schedule's last decided slot to now: what becomes of each slot in between. On time, after a stall, a suspend, a
// clock jump and a restart it is this one path (DESIGN §5.1).
//
//   P1. The decisions cover the slots after `cursor` up to now, in order, each once, without a hole.
//   P2. It works from planned slots, never from how late the tick was.
//   P3. One call looks at no more than SLOTS_MAX slots; `more` says that it must be called again.

import type { Catchup, Overlap } from '../schedule/schedule.ts'
import { type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Decision } from './decision.ts'

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
}

export interface SchedulePlan {
  readonly decisions: Decision[]
  /** True: slots up to now are left. */
  readonly more: boolean
  /** The first slot after now, if `more` is false; undefined: there is none. */
  readonly next: Instant | undefined
}

/**
 * @param blockedBy id of an unfinished run of this schedule, if there is one
 */
export function planSchedule(
  policy: SchedulePolicy,
  cursor: Instant,
  now: Instant,
  blockedBy: string | undefined,
): SchedulePlan {
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
  if (onTime && policy.overlap === 'skip' && blockedBy !== undefined) {
    return { kind: 'skip', slot, reason: 'overlap', blockedBy }
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
): 'catchup_none' | 'catchup_window' | undefined {
  if (policy.catchup === 'none') return 'catchup_none'
  return now - slot > policy.catchupWindowMs ? 'catchup_window' : undefined
}

/** Several slots since the last decision: a tail of them may run, the rest is missed. */
function planBacklog(
  policy: SchedulePolicy,
  first: Instant,
  now: Instant,
  blockedBy: string | undefined,
): SchedulePlan {
  const keep = policy.catchup === 'all' ? Math.max(1, policy.maxCatchup) : 1
  const overflow = { none: 'catchup_none', latest: 'catchup_latest', all: 'max_catchup' } as const
  const decisions: Decision[] = []
  const tail: Instant[] = []
  const drop = (slot: Instant) =>
    miss(decisions, slot, refusal(policy, slot, now) ?? overflow[policy.catchup])

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
  // Several slots of one backlog queue up in order, the last one too: overlap does not judge them.
  const last = tail.at(-1)!
  for (const kept of tail) {
    if (kept === last && now - kept < ON_TIME_MS)
      decisions.push({ kind: 'enqueue', slot: kept, reason: 'due' })
    else if (refusal(policy, kept, now) !== undefined) drop(kept)
    else decisions.push({ kind: 'enqueue', slot: kept, reason: 'catchup' })
  }
  return { decisions, more: false, next: slot }
}

/** Adds a missed slot to the span before it if the reason is the same. */
export function miss(
  decisions: Decision[],
  slot: Instant,
  reason: (Decision & { kind: 'miss' })['reason'],
): void {
  const before = decisions.at(-1)
  if (before?.kind === 'miss' && before.reason === reason) {
    before.to = slot
    before.count += 1
  } else decisions.push({ kind: 'miss', from: slot, to: slot, count: 1, reason })
}
