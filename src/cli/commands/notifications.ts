// `scheduler notifications`: what waits in the outbox, what each channel is waiting for, and what became of the last ones.

import { EXIT } from '../../core/error.ts'
import { type ChannelLine, lineDueAt, type Notification } from '../../core/notification/outbox.ts'
import { type Event, isUserEvent } from '../../core/state-machine/event.ts'
import type { NotificationEvent, NotificationQueued } from '../../core/state-machine/notification-event.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { CommandContext } from '../context.ts'
import { type Journaled, readJournaledState } from '../journaled-state.ts'
import { plain, writeJsonList } from '../output.ts'
import { renderTable } from '../render/table.ts'
import { formatStamp } from '../render/time.ts'
import { readCount } from '../usage.ts'

export interface NotificationFlags {
  readonly count?: string
}

interface Row {
  readonly notification_id: string
  readonly channel: string
  readonly status: 'waiting' | 'sent' | 'failed' | 'suppressed'
  readonly type: string
  readonly subject: string
  readonly queued_at: string
  /** When it is tried next, or when it ended. */
  readonly at: string
  /** Attempts of its channel that failed one after the other, or in which it ended. */
  readonly attempts: number
  readonly why: string | null
}

export async function run(context: CommandContext, flags: NotificationFlags): Promise<number> {
  const { out, json, headers } = context
  const count = flags.count === undefined ? 20 : readCount('--count', flags.count)
  const journaled = await readJournaledState(context)
  try {
    const rows = [...listEnded(journaled, count), ...listWaiting(journaled, context.now())]
    if (json) writeJsonList(out.data, 'NotificationList', rows)
    else if (rows.length === 0) out.note.line('no notifications')
    else {
      const titles = ['ID', 'CHANNEL', 'STATUS', 'SUBJECT', 'QUEUED', 'SENT / NEXT', 'TRIES', 'WHY']
      const cells = rows.map(row => [
        row.notification_id,
        row.channel,
        row.status === 'failed' ? out.data.style('red', row.status) : row.status,
        plain(row.subject),
        formatStamp(row.queued_at),
        formatStamp(row.at),
        String(row.attempts),
        plain(row.why ?? ''),
      ])
      const columns = titles.map(title => ({ title }))
      for (const line of renderTable(columns, cells, headers)) out.data.line(line)
    }
  } finally {
    await journaled.reader?.close()
  }
  return EXIT.ok
}

function listWaiting({ state, reader }: Journaled, now: number): Row[] {
  const rows: Row[] = []
  for (const [channel, line] of state.outbox.lines) {
    const retries = eventsOf(reader?.index.events({ event: 'notification_retry', limit: RETRIES_SEEN }) ?? [])
    const last = line.failures === 0 ? undefined : retries.find(event => event.channel === channel)
    const why = last?.event === 'notification_retry' ? last.error : null
    for (const notification of line.waiting.values()) rows.push(waitingRow(notification, line, now, why))
  }
  return rows
}

const RETRIES_SEEN = 200

function waitingRow(
  { id, channel, type, subject, queuedAt }: Notification,
  line: ChannelLine,
  now: number,
  why: string | null,
): Row {
  return {
    notification_id: id,
    channel,
    status: 'waiting',
    type,
    subject,
    queued_at: formatInstant(queuedAt),
    at: formatInstant(lineDueAt(line, now)),
    attempts: line.failures,
    why,
  }
}

/** The last ones that ended, the oldest first. */
function listEnded({ state, reader }: Journaled, count: number): Row[] {
  if (reader === undefined) return []
  const { index } = reader
  const queued = new Map<string, NotificationQueued>()
  // Whatever ended lately was queued lately, but for what waits still.
  const limit = count + state.outbox.size + QUEUED_MORE
  for (const event of eventsOf(index.events({ event: 'notification_queued', limit })))
    if (event.event === 'notification_queued') queued.set(event.notification_id, event)
  const ends = ['notification_sent', 'notification_failed', 'notification_suppressed'].flatMap(event =>
    eventsOf(index.events({ event, limit: count })),
  )
  const newest = ends.sort((a, b) => b.seq - a.seq).flatMap(event => endedRows(event, queued))
  return newest.slice(0, count).reverse()
}

const QUEUED_MORE = 1_000

function endedRows(event: NotificationEvent, queued: ReadonlyMap<string, NotificationQueued>): Row[] {
  if (event.event === 'notification_queued' || event.event === 'notification_retry') return []
  return event.notification_ids.map(id => {
    const origin = queued.get(id)
    const isSuppressed = event.event === 'notification_suppressed'
    const why = event.event === 'notification_sent' ? null : isSuppressed ? event.reason : event.error
    return {
      notification_id: id,
      channel: event.channel,
      status: event.event.slice('notification_'.length) as Row['status'],
      type: origin?.type ?? (isSuppressed ? event.type : undefined) ?? '',
      subject: origin?.subject ?? (isSuppressed ? event.subject : undefined) ?? '',
      queued_at: origin?.timestamp ?? event.timestamp,
      at: event.timestamp,
      attempts: isSuppressed ? 0 : event.attempt,
      why,
    }
  })
}

/** A user may record a line of such a name; theirs are passed over. */
function eventsOf(events: readonly Event[]): NotificationEvent[] {
  return events.filter(event => !isUserEvent(event)) as NotificationEvent[]
}
