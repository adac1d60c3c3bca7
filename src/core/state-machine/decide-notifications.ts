// Decisions about notifications: what is worth telling and to whom, and what becomes of an attempt to tell it.
//
//   N1. What is told is queued in the same commit as what it tells of: no crash loses it, none tells of what was not.
//   N2. A DAG without a policy costs a look into a map.
//   N3. Nothing that is secret gets into an event: channels are named, what failed is said in words of our own making.

import type { Notification as Policy } from '../dag/notification.ts'
import { clip } from '../json.ts'
import { CHANNEL_DEFAULTS } from '../notification/channel.ts'
import {
  type ChannelLine,
  COLLAPSED_AT_ONCE,
  OUTBOX_MAX,
  RETRY_WAIT_MS_MAX,
  toldKey,
} from '../notification/outbox.ts'
import { isFailure, typeOfEnd } from '../notification/policy.ts'
import type { Decision } from '../planner/decision.ts'
import { formatDuration } from '../time/duration.ts'
import { formatInstant, formatSlot, type Instant } from '../time/instant.ts'
import type { Command } from './command.ts'
import type { Decider, Draft } from './decision-context.ts'
import type { NotificationQueued } from './notification-event.ts'

const SUMMARY_CHARACTERS = 1_500
const ERROR_CHARACTERS = 300

/** The wait after the first failure; each further one doubles it. */
const BACKOFF_MS = { first: 1_000, max: 300_000 }

type RunFinishedDraft = Extract<Draft, { event: 'run_finished' }>

/** What is known of an occasion, whatever channel it is told to. */
type Occasion = Pick<
  NotificationQueued,
  'outcome' | 'tenant_id' | 'run_id' | 'schedule_id' | 'slot' | 'subject' | 'summary'
> & { type: Exclude<NotificationQueued['type'], 'MORE'>; dag_name: string }

/** Emits the end of a run, and with it whatever its DAG wants told of it. */
export function emitRunFinished(decider: Decider, draft: RunFinishedDraft): void {
  const { dag_name, status, error } = draft
  const { streaks } = decider.state.outbox
  const before = streaks.get(dag_name) ?? 0
  decider.emit(draft)
  const policy = policyOf(decider, dag_name)
  if (policy === undefined) return
  const failures = isFailure(status) ? (streaks.get(dag_name) ?? 0) : before
  const type = typeOfEnd(policy, status, failures)
  if (type === undefined) return
  const words = type === 'ON_RECOVERY' ? 'recovered' : ENDED[status]
  const streak =
    failures < 2 ? '' : `; ${failures} failures in a row${type === 'ON_RECOVERY' ? ' before it' : ''}`
  tell(decider, policy, {
    type,
    outcome: status,
    ...subjectOf(draft),
    subject: `DAG ${dag_name} ${words}`,
    summary: `${countsOf(draft)} after ${formatDuration(draft.duration_ms)}${streak}${error === undefined ? '' : `\n${error}`}`,
  })
}

function countsOf(draft: RunFinishedDraft): string {
  const { clients_succeeded: ok = 0, clients_failed: failed = 0, clients_skipped: skipped = 0 } = draft
  const tasks = `${draft.tasks_succeeded} ok, ${draft.tasks_failed} failed, ${draft.tasks_skipped} skipped`
  if (ok + failed + skipped === 0) return tasks
  return `${tasks} (of clients ${ok} ok, ${failed} failed, ${skipped} skipped)`
}

const ENDED = {
  success: 'succeeded',
  failed: 'failed',
  partial: 'failed in part',
  skipped: 'was skipped',
  cancelled: 'was cancelled',
} as const

function subjectOf({ dag_name, tenant_id, run_id, schedule_id, slot }: RunFinishedDraft) {
  return {
    dag_name,
    tenant_id,
    run_id,
    ...(schedule_id === undefined ? undefined : { schedule_id }),
    ...(slot === undefined ? undefined : { slot }),
  }
}

/** Slots that were due and did not run. */
export function tellMissed(
  decider: Decider,
  scheduleId: string,
  decision: Decision & { kind: 'miss' },
): void {
  const { from, to, count, reason } = decision
  const span =
    count === 1
      ? `the slot ${formatSlot(from)}`
      : `${count} slots from ${formatSlot(from)} to ${formatSlot(to)}`
  tellOfSlot(
    decider,
    scheduleId,
    to,
    'ON_MISSED',
    'missed',
    `missed slots`,
    `${span} did not run (${reason})`,
  )
}

/** A slot that was skipped because nobody could say whether its conditions hold. */
export function tellUnanswered(decider: Decider, scheduleId: string, slot: Instant): void {
  const summary = `the conditions of the slot ${formatSlot(slot)} could not be answered, so it did not run`
  tellOfSlot(decider, scheduleId, slot, 'ON_SKIP', 'skipped', 'was skipped', summary)
}

function tellOfSlot(
  decider: Decider,
  scheduleId: string,
  slot: Instant,
  type: 'ON_MISSED' | 'ON_SKIP',
  outcome: 'missed' | 'skipped',
  words: string,
  summary: string,
): void {
  const { schedules } = decider.context.definitions
  const schedule = schedules.get(scheduleId)
  const policy = schedule === undefined ? undefined : policyOf(decider, schedule.dagName)
  if (schedule === undefined || policy?.types.includes(type) !== true) return
  const { dagName, tenantId } = schedule
  tell(decider, policy, {
    type,
    outcome,
    dag_name: dagName,
    tenant_id: tenantId,
    schedule_id: scheduleId,
    slot: formatSlot(slot),
    subject: `DAG ${dagName} ${words}`,
    summary: `schedule ${scheduleId}: ${summary}`,
  })
}

/** When the run of a slot is late; part of its `schedule_enqueued`. */
export function lateOf(policy: Policy | undefined, slot: Instant): { late_at: string } | undefined {
  if (policy?.lateAfterMs === undefined || !policy.types.includes('ON_LATE')) return undefined
  return { late_at: formatInstant(slot + policy.lateAfterMs) }
}

/** Runs that should have ended by now and have not. One commit each. */
export function tellLate(decider: Decider): void {
  const { state, context } = decider
  for (let due = state.lateness.takeDue(context.now); due !== undefined; ) {
    const run = state.runs.get(due.item)
    const policy = run?.lateAt === due.at ? policyOf(decider, run.dagName) : undefined
    if (run !== undefined && policy?.types.includes('ON_LATE') === true) {
      const { dagName, tenantId, runId, scheduleId, slot, status } = run
      tell(decider, policy, {
        type: 'ON_LATE',
        outcome: 'late',
        dag_name: dagName,
        tenant_id: tenantId,
        run_id: runId,
        ...(scheduleId === undefined ? undefined : { schedule_id: scheduleId }),
        ...(slot === undefined ? undefined : { slot }),
        subject: `DAG ${dagName} is late`,
        summary: `its run was to end by ${formatInstant(due.at)} and is ${status}`,
      })
      decider.commit()
    }
    due = state.lateness.takeDue(context.now)
  }
}

function policyOf({ context }: Decider, dagName: string): Policy | undefined {
  return context.definitions.dags.get(dagName)?.notification
}

function tell(decider: Decider, { channels }: Policy, occasion: Occasion): void {
  for (const channel of new Set(channels)) queue(decider, channel, occasion)
}

function queue(decider: Decider, channel: string, occasion: Occasion): void {
  const { state, context } = decider
  const { outbox } = state
  const { now } = context
  // A channel that was taken away is found out when it is tried, and said there.
  const {
    dedupeMs = CHANNEL_DEFAULTS.dedupeMs,
    groupMs = 0,
    retryForMs = CHANNEL_DEFAULTS.retryForMs,
  } = context.definitions.channels.get(channel) ?? {}
  const told = outbox.told.get(toldKey(channel, occasion.subject))
  // Only what was told before now: the clock may have been set back since.
  if (told !== undefined && now < told.until && told.until - dedupeMs <= now) {
    const { type, dag_name, run_id, schedule_id, slot, subject } = occasion
    return decider.emit({
      event: 'notification_suppressed',
      notification_ids: [idOf(outbox.count + 1)],
      channel,
      reason: 'duplicate',
      duplicate_of: told.id,
      type,
      dag_name,
      ...(run_id === undefined ? undefined : { run_id }),
      ...(schedule_id === undefined ? undefined : { schedule_id }),
      ...(slot === undefined ? undefined : { slot }),
      subject,
    })
  }
  if (outbox.size >= OUTBOX_MAX) makeRoom(decider, channel)
  const { outcome, type, subject, summary, ...of } = occasion
  decider.emit({
    event: 'notification_queued',
    notification_id: idOf(outbox.count + 1),
    channel,
    type,
    outcome,
    ...of,
    subject,
    summary: clip(summary, SUMMARY_CHARACTERS),
    ...(groupMs === 0 ? undefined : { send_at: formatInstant(now + groupMs) }),
    give_up_at: formatInstant(now + retryForMs),
    ...(dedupeMs === 0 ? undefined : { dedupe_until: formatInstant(now + dedupeMs) }),
  })
}

function idOf(count: number): string {
  return `n${count}`
}

/** The oldest of this channel become one; of the fullest one if this has hardly any. */
function makeRoom(decider: Decider, wanted: string): void {
  const { outbox } = decider.state
  let channel = wanted
  if ((outbox.lines.get(wanted)?.waiting.size ?? 0) < 2)
    for (const [name, { waiting }] of outbox.lines)
      if (waiting.size > (outbox.lines.get(channel)?.waiting.size ?? 0)) channel = name
  const old = outbox.lines.get(channel)!.waiting.values().take(COLLAPSED_AT_ONCE).toArray()
  const more = old.reduce((sum, { more: each = 1 }) => sum + each, 0)
  decider.emit({
    event: 'notification_suppressed',
    notification_ids: old.map(({ id }) => id),
    channel,
    reason: 'outbox_full',
  })
  decider.emit({
    event: 'notification_queued',
    notification_id: idOf(outbox.count + 1),
    channel,
    type: 'MORE',
    outcome: 'more',
    subject: `${more} more notifications`,
    summary: `${more} notifications could not be sent in time and are not told one by one, the first: ${old[0]!.subject}`,
    more,
    give_up_at: formatInstant(Math.max(...old.map(({ giveUpAt }) => giveUpAt))),
  })
}

/** What became of a message. What it says of notifications that do not wait any more comes too late. */
export function takeNotified(
  decider: Decider,
  { channel, notificationIds, result }: Command & { type: 'notified' },
): void {
  const line = decider.state.outbox.lines.get(channel)
  const ids = notificationIds.filter(id => line?.waiting.has(id))
  if (line === undefined || ids.length === 0) return
  const attempt = line.failures + 1
  const of = { channel, attempt }
  if (result.kind === 'sent')
    return decider.emit({ event: 'notification_sent', notification_ids: ids, ...of })
  const error = clip(result.error, ERROR_CHARACTERS)
  if (result.kind === 'refused')
    return decider.emit({
      event: 'notification_failed',
      notification_ids: ids,
      ...of,
      reason: 'refused',
      error,
    })
  const { now } = decider.context
  const isOver = (id: string) => line.waiting.get(id)!.giveUpAt <= now
  const over = ids.filter(isOver)
  const left = ids.filter(id => !isOver(id))
  if (over.length > 0)
    decider.emit({ event: 'notification_failed', notification_ids: over, ...of, reason: 'gave_up', error })
  if (left.length > 0)
    decider.emit({
      event: 'notification_retry',
      notification_ids: left,
      ...of,
      error,
      retry_at: formatInstant(nextTry(decider, line, left, attempt, result.retryAfterMs ?? 0)),
    })
}

/** The last try is at the end of their time itself, unless the channel asked for more patience. */
function nextTry(
  { context: { now, random } }: Decider,
  { waiting }: ChannelLine,
  ids: readonly string[],
  attempt: number,
  askedMs: number,
): Instant {
  const ceiling = Math.min(BACKOFF_MS.first * 2 ** (attempt - 1), BACKOFF_MS.max)
  const delayMs = Math.round(ceiling * (0.5 + random() / 2))
  const end = Math.min(...ids.map(id => waiting.get(id)!.giveUpAt))
  return Math.max(Math.min(now + delayMs, end), now + Math.min(askedMs, RETRY_WAIT_MS_MAX))
}
