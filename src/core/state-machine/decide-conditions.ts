// Decisions about slots whose conditions only the world can answer: opened when they are due, decided when the answers have
// come, asked again in between.
//
//   C1. An open slot ends in one decision like any other; until then it stands in the journal as open, also across a restart.
//   C2. It holds up no other slot: the cursor has moved on.
//   C3. Overlap and deadline are judged when the answers have come. An error is not a no: on_error says what it comes to.

import { type ConditionReason, judgeSlot, questionsOf, type Surroundings } from '../condition/condition.ts'
import { recordedTerms } from '../condition/recorded-terms.ts'
import type { JsonObject } from '../json.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { formatInstant, formatSlot, type Instant } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import type { Command } from './command.ts'
import type { Decider } from './decision-context.ts'
import { emitEnqueued, emitMissed, emitSkipped, replaceActive } from './emit-disposition.ts'
import { ask, openSlotOf } from './open-slot.ts'
import type { OpenSlot, State } from './state.ts'

/** Slots of one schedule that may be open at once: more would be asked faster than anybody answers. */
export const OPEN_SLOTS_MAX = 100

/** True if the schedule has conditions that must be asked. */
export function asks({ conditions }: Schedule): boolean {
  return conditions !== undefined && questionsOf(conditions).length > 0
}

/** Open slots whose time to be asked again has come join the line. */
export function askAgain(state: State, now: Instant): void {
  for (let due = state.reasks.takeDue(now); due !== undefined; due = state.reasks.takeDue(now)) {
    const open = openSlotOf(state, due.item)
    if (open?.retryAt === due.at) ask(state, due.item)
  }
}

/** A slot that is due: unless what is known without asking decides it, it is open. */
export function openSlot(
  decider: Decider,
  schedule: Schedule,
  at: Instant,
  reason: OpenSlot['reason'],
): void {
  const { conditions = [] } = schedule
  const { verdict } = judgeSlot(conditions, at, surroundings(decider, schedule))
  if (verdict === 'met') return settle(decider, schedule, at, reason, undefined)
  const open = decider.state.schedules.get(schedule.id)?.open ?? []
  if (open.length >= OPEN_SLOTS_MAX) {
    const inputs = { open: open.length, oldest: formatSlot(open[0]!.slot) }
    return emitSkipped(decider, schedule.id, at, 'too_many_open', inputs)
  }
  const slot = formatSlot(at)
  decider.emit({ event: 'slot_opened', schedule_id: schedule.id, slot, minute: slot, reason })
}

function surroundings({ context }: Decider, { timing }: Schedule): Surroundings {
  return { zone: zoneOf(timing.timezone), calendars: context.definitions.calendars }
}

/** What was answered to an ask that is over, or about a slot that has its decision, is ignored. */
export function takeAnswers(decider: Decider, command: Command & { type: 'answered' }): void {
  const { scheduleId, slot, conditions, answers } = command
  const open = openSlotOf(decider.state, command)
  const schedule = decider.context.definitions.schedules.get(scheduleId)
  if (open === undefined || open.asks !== command.ask || schedule === undefined) return
  const { verdict, reason, terms } = judgeSlot(conditions, slot, surroundings(decider, schedule), answers)
  const inputs = { conditions: recordedTerms(terms) }
  if (verdict === 'met') return settle(decider, schedule, slot, open.reason, inputs)
  const retryAt = nextAsk(schedule, slot, decider.context.now)
  if (retryAt !== undefined) return defer(decider, schedule, open, retryAt, reason, inputs)
  const runsAnyway = verdict === 'error' && schedule.conditionPolicy?.onError === 'run'
  if (runsAnyway) settle(decider, schedule, slot, open.reason, inputs)
  else emitSkipped(decider, scheduleId, slot, reason, { ...inputs, asked: open.asks + 1 })
}

/** The last time is at the end of the window itself. */
function nextAsk({ conditionPolicy }: Schedule, slot: Instant, now: Instant): Instant | undefined {
  if (conditionPolicy?.retryUntilMs === undefined) return undefined
  const end = slot + conditionPolicy.retryUntilMs
  return now < end ? Math.min(now + conditionPolicy.retryEveryMs, end) : undefined
}

function defer(
  decider: Decider,
  { id }: Schedule,
  { slot: at, asks }: OpenSlot,
  retryAt: Instant,
  reason: ConditionReason,
  inputs: JsonObject,
): void {
  const slot = formatSlot(at)
  decider.emit({
    event: 'slot_deferred',
    schedule_id: id,
    slot,
    minute: slot,
    ask: asks + 1,
    reason,
    inputs,
    retry_at: formatInstant(retryAt),
  })
}

/** The conditions of a slot hold: what the planner judges of other slots when they are due is judged now. */
function settle(
  decider: Decider,
  schedule: Schedule,
  slot: Instant,
  reason: OpenSlot['reason'],
  inputs: JsonObject | undefined,
): void {
  const { id, overlap, startingDeadlineMs } = schedule
  const { state, context } = decider
  if (startingDeadlineMs !== undefined && context.now - slot > startingDeadlineMs)
    return emitMissed(decider, id, { kind: 'miss', from: slot, to: slot, count: 1, reason: 'deadline' })
  const blockedBy = state.schedules.get(id)?.active?.[0]
  if (reason === 'due' && blockedBy !== undefined) {
    if (overlap === 'skip')
      return emitSkipped(decider, id, slot, 'overlap', { blocked_by: blockedBy, ...inputs })
    if (overlap === 'replace') replaceActive(decider, id, slot)
  }
  emitEnqueued(decider, schedule, slot, reason, inputs)
}
