// The three ways in which a slot is disposed of, as events: its run is enqueued, it is skipped, it was missed. What leads
// to them is decided elsewhere; here they get their form, so that each has the same one whoever decides.

import type { JsonObject } from '../json.ts'
import type { Decision } from '../planner/decision.ts'
import { jitterOf } from '../planner/jitter.ts'
import { scheduledRunId } from '../run/run-id.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { formatInstant, formatSlot, type Instant } from '../time/instant.ts'
import { lateOf, tellMissed, tellUnanswered } from './decide-notifications.ts'
import { cancelRun, termsOf } from './decide-runs.ts'
import type { Decider } from './decision-context.ts'
import { emitDefinition } from './emit-definition.ts'
import type { ScheduleEnqueued, ScheduleSkipped } from './event.ts'

export function emitSkipped(
  decider: Decider,
  scheduleId: string,
  at: Instant,
  reason: ScheduleSkipped['reason'],
  inputs: JsonObject,
): void {
  const slot = formatSlot(at)
  decider.emit({ event: 'schedule_skipped', schedule_id: scheduleId, slot, minute: slot, reason, inputs })
  if (reason === 'condition_error') tellUnanswered(decider, scheduleId, at)
}

/** The runs in the way are told to end; the new one starts when they have. */
export function replaceActive(decider: Decider, scheduleId: string, slot: Instant): void {
  const active = decider.state.schedules.get(scheduleId)?.active ?? []
  for (const runId of [...active]) cancelRun(decider, runId, `replaced by the slot ${formatSlot(slot)}`)
}

export function emitEnqueued(
  decider: Decider,
  schedule: Schedule,
  at: Instant,
  reason: ScheduleEnqueued['reason'],
  inputs?: JsonObject,
): void {
  const dag = decider.context.definitions.dags.get(schedule.dagName)!
  emitDefinition(decider, dag)
  const slot = formatSlot(at)
  const event: ScheduleEnqueued = {
    timestamp: decider.timestamp,
    event: 'schedule_enqueued',
    seq: 0,
    schedule_id: schedule.id,
    slot,
    minute: slot,
    run_id: scheduledRunId(schedule.id, at),
    dag_name: dag.name,
    tenant_id: schedule.tenantId,
    definition_hash: dag.hash,
    reason,
    order: schedule.overlap === 'allow' ? 'parallel' : 'serial',
  }
  const limits = reason === 'by_hand' ? undefined : limitsOfStart(schedule, at)
  const late = lateOf(dag.notification, at)
  const terms = termsOf(schedule)
  // What most slots do not have comes after what all have: spread into the literal it would cost each of them a copy.
  if (limits !== undefined) Object.assign(event, limits)
  if (late !== undefined) Object.assign(event, late)
  if (terms !== undefined) Object.assign(event, terms)
  if (inputs !== undefined) event.inputs = inputs
  decider.emitWhole(event)
}

/** When the run of a slot may start, and when at the latest. Most schedules say neither. */
function limitsOfStart(
  schedule: Schedule,
  slot: Instant,
): { start_after?: string; start_by?: string } | undefined {
  const { jitterMs, startingDeadlineMs } = schedule
  if (jitterMs === undefined && startingDeadlineMs === undefined) return undefined
  const delayMs = jitterMs === undefined ? 0 : jitterOf(schedule.id, slot, jitterMs)
  return {
    ...(delayMs === 0 ? undefined : { start_after: formatInstant(slot + delayMs) }),
    // A run that is held back on purpose is not late for it.
    ...(startingDeadlineMs === undefined
      ? undefined
      : { start_by: formatInstant(slot + delayMs + startingDeadlineMs) }),
  }
}

export function emitMissed(
  decider: Decider,
  scheduleId: string,
  decision: Decision & { kind: 'miss' },
): void {
  decider.emit({
    event: 'schedule_missed',
    schedule_id: scheduleId,
    from: formatSlot(decision.from),
    to: formatSlot(decision.to),
    count: decision.count,
    reason: decision.reason,
  })
  tellMissed(decider, scheduleId, decision)
}
