// What has happened to notifications → what is in the outbox.

import { assertNever } from '../error.ts'
import { type Notification, type Outbox, toldKey } from '../notification/outbox.ts'
import { isFailure } from '../notification/policy.ts'
import { parseInstant } from '../time/instant.ts'
import type { RunFinished } from './event.ts'
import type { NotificationEvent, NotificationQueued } from './notification-event.ts'
import type { State } from './state.ts'

export function foldNotification(state: State, event: NotificationEvent): void {
  const { outbox } = state
  switch (event.event) {
    case 'notification_queued': {
      const notification = readNotification(event)
      outbox.count += 1
      outbox.add(notification)
      outbox.forget(notification.queuedAt)
      if (event.dedupe_until !== undefined) {
        const told = { until: parseInstant(event.dedupe_until), id: event.notification_id }
        outbox.remember(toldKey(event.channel, event.subject), told)
      }
      return noteLateTold(state, event)
    }
    case 'notification_sent':
      outbox.remove(event.channel, event.notification_ids)
      return outbox.setRetry(event.channel, 0, undefined)
    case 'notification_retry':
      return outbox.setRetry(event.channel, event.attempt, parseInstant(event.retry_at))
    case 'notification_failed':
      outbox.remove(event.channel, event.notification_ids)
      // Whoever refuses a message is there: the next one goes at once.
      if (event.reason === 'refused') outbox.setRetry(event.channel, 0, undefined)
      return
    case 'notification_suppressed':
      if (event.reason === 'outbox_full') return outbox.remove(event.channel, event.notification_ids)
      outbox.count += 1
      return noteLateTold(state, event)
    default:
      return assertNever(event)
  }
}

/** A run that is late is so once. */
function noteLateTold({ runs }: State, { type, run_id }: { type?: string; run_id?: string }): void {
  const run = type === 'ON_LATE' ? runs.get(run_id ?? '') : undefined
  if (run !== undefined) run.lateAt = undefined
}

/** Failures of a DAG's runs one after the other: only DAGs whose last run failed have an entry. */
export function countStreak({ streaks }: Outbox, { dag_name, status }: RunFinished): void {
  if (isFailure(status)) streaks.set(dag_name, (streaks.get(dag_name) ?? 0) + 1)
  else if (status === 'success' && streaks.size > 0) streaks.delete(dag_name)
}

function readNotification(event: NotificationQueued): Notification {
  const { dag_name, tenant_id, run_id, schedule_id, slot, more, send_at } = event
  return {
    id: event.notification_id,
    channel: event.channel,
    type: event.type,
    outcome: event.outcome,
    ...(dag_name === undefined ? undefined : { dagName: dag_name }),
    ...(tenant_id === undefined ? undefined : { tenantId: tenant_id }),
    ...(run_id === undefined ? undefined : { runId: run_id }),
    ...(schedule_id === undefined ? undefined : { scheduleId: schedule_id }),
    ...(slot === undefined ? undefined : { slot }),
    subject: event.subject,
    summary: event.summary,
    ...(more === undefined ? undefined : { more }),
    queuedAt: parseInstant(event.timestamp),
    ...(send_at === undefined ? undefined : { sendAt: parseInstant(send_at) }),
    giveUpAt: parseInstant(event.give_up_at),
  }
}
