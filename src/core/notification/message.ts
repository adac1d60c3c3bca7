// A message: what one channel is sent at once, in words for people. One notification speaks for itself; several are a list.

import { clip, type JsonObject } from '../json.ts'
import { formatInstant } from '../time/instant.ts'
import type { Notification } from './outbox.ts'

export interface Message {
  /** The same for every attempt with the same notifications: receivers know a repeat by it. */
  readonly id: string
  readonly channel: string
  /** The oldest first; at least one. */
  readonly notifications: readonly Notification[]
  readonly subject: string
  readonly text: string
}

/** Longer texts are refused by some of those who are sent them. */
const TEXT_CHARACTERS = 12_000

/** @param journalId makes ids of different schedulers differ */
export function makeMessage(
  channel: string,
  notifications: readonly Notification[],
  journalId: string,
): Message {
  const first = notifications[0]!
  const last = notifications.at(-1)!
  const id = `${journalId}:${first === last ? first.id : `${first.id}-${last.id}`}`
  if (first === last) return { id, channel, notifications, subject: first.subject, text: describe(first) }
  const count = notifications.reduce((sum, { more = 1 }) => sum + more, 0)
  const subject = `${count} notifications: ${clip(first.subject, 80)}, …`
  const text = clip(notifications.map(describe).join('\n\n'), TEXT_CHARACTERS)
  return { id, channel, notifications, subject, text }
}

/** The subject, what there is to say, and what to look it up by. */
function describe({ subject, summary, runId, scheduleId, slot, queuedAt }: Notification): string {
  const facts = [
    runId === undefined ? undefined : `run ${runId}`,
    scheduleId === undefined ? undefined : `schedule ${scheduleId}`,
    slot === undefined ? undefined : `slot ${slot}`,
    `told at ${formatInstant(queuedAt)}`,
  ]
  return `${subject}\n${summary}\n${facts.filter(fact => fact !== undefined).join(', ')}`
}

/** The message as data, for programs that are sent it: names as in the journal. */
export function messageBody({ id, channel, notifications, subject, text }: Message): JsonObject {
  return { id, channel, subject, text, notifications: notifications.map(notificationBody) }
}

function notificationBody(notification: Notification): JsonObject {
  const { id, type, outcome, dagName, tenantId, runId, scheduleId, slot, subject, summary, more } =
    notification
  return {
    notification_id: id,
    type,
    outcome,
    dag_name: dagName,
    tenant_id: tenantId,
    run_id: runId,
    schedule_id: scheduleId,
    slot,
    subject,
    summary,
    more,
    queued_at: formatInstant(notification.queuedAt),
  }
}
