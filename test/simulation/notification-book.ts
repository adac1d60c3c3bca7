// What a journal says of notifications, held against the promises: nothing that was queued is lost, nothing ends twice, and
// what is said to be sent was delivered, after it was durable. Shares no code with the outbox.

import type { JournalLine, JournalText } from './journal-text.ts'

/** What channels were brought, in order. */
export interface Delivery {
  readonly ids: readonly string[]
  readonly channel: string
  readonly accepted: boolean
}

/** @returns what is wrong, in words; empty if nothing is */
export function checkNotifications(
  text: JournalText,
  deliveries: readonly Delivery[],
  settled: boolean,
): string[] {
  const problems: string[] = []
  const queued = new Map<string, string>()
  const ended = new Map<string, string>()
  const commitOf = commitsOf(text)
  for (const line of text.lines) {
    if (line['source'] === 'user' || !line.event.startsWith('notification_')) continue
    const blame = (what: string) => problems.push(`I14 line ${line.seq}: ${what}`)
    if (line.event === 'notification_queued') {
      const id = String(line['notification_id'])
      if (queued.has(id) || ended.has(id)) blame(`${id} is queued twice`)
      queued.set(id, String(line['channel']))
      if (!toldOf(line, commitOf(line.seq))) blame(`${id} tells of what is not in its commit`)
      continue
    }
    const isDuplicate = line['reason'] === 'duplicate'
    for (const id of line['notification_ids'] as string[]) {
      if (!isDuplicate && queued.get(id) !== line['channel'])
        blame(`${id} was not queued for ${line['channel']}`)
      if (ended.has(id)) blame(`${id} is ${line.event}, it was ${ended.get(id)} before`)
      if (line.event !== 'notification_retry') ended.set(id, line.event)
    }
  }
  const accepted = new Set(deliveries.filter(each => each.accepted).flatMap(({ ids }) => ids))
  for (const [id, how] of ended)
    if (how === 'notification_sent' && !accepted.has(id))
      problems.push(`I14 ${id} is said to be sent and was not`)
  for (const { ids } of deliveries)
    for (const id of ids) if (!queued.has(id)) problems.push(`I14 ${id} was brought and never queued`)
  if (settled)
    for (const id of queued.keys()) if (!ended.has(id)) problems.push(`I14 ${id} was queued and never ended`)
  return problems.slice(0, 20)
}

/** The lines of the commit in which a line stands. */
function commitsOf({ lines, commitEnds }: JournalText): (seq: number) => readonly JournalLine[] {
  return seq => {
    let first = seq
    while (first > 1 && !commitEnds.has(first - 1)) first -= 1
    let last = seq
    while (last < lines.length && !commitEnds.has(last)) last += 1
    return lines.slice(first - 1, last)
  }
}

function toldOf(line: JournalLine, commit: readonly JournalLine[]): boolean {
  const type = line['type']
  if (type === 'MORE') return commit.some(({ event }) => event === 'notification_suppressed')
  // A run that is late is told of when nothing else happens.
  if (type === 'ON_LATE') return true
  if (line['run_id'] !== undefined)
    return commit.some(each => each.event === 'run_finished' && each['run_id'] === line['run_id'])
  return commit.some(each => each.event === 'schedule_missed' || each.event === 'schedule_skipped')
}
