// Example workflow: sorts a week's inbox lines and drive files by how soon they want a person.
//
// A plain function, so that it runs as it stands: no import, no build, no registration.

interface Args {
  /** One mail a line: `From: subject`, or just a subject. */
  inbox_items?: string
  /** One file a line. */
  drive_files?: string
}

type Priority = 'high' | 'medium' | 'low'

interface Item {
  text: string
  source: 'inbox' | 'drive'
  priority: Priority
  score: number
  reasons: string[]
}

/** Points for what a line says. Above 2 is high, below 0 is low. */
const RULES: readonly (readonly [reason: string, pattern: RegExp, points: number])[] = [
  ['urgent', /\b(?:urgent|asap|immediately|critical|outage|incident)\b/i, 4],
  ['due', /\b(?:deadline|due|overdue|today|tomorrow|eod|expires?|expiring)\b/i, 3],
  ['money or law', /\b(?:invoice|payment|contract|legal|renewal|refund)\b/i, 2],
  ['asks for an answer', /\?|\b(?:please|approve|approval|review|confirm|sign|respond|reply)\b/i, 2],
  ['customer', /\b(?:customer|client|complaint)\b/i, 1],
  ['blocked', /\b(?:blocked|blocker|waiting)\b/i, 2],
  ['for information', /\b(?:fyi|newsletter|digest|no action|unsubscribe|promotion|webinar)\b/i, -3],
  ['draft or copy', /\b(?:draft|copy of|archive|old|backup)\b/i, -1],
]

function readLines(text: string | undefined): string[] {
  return (text ?? '')
    .split(/\r?\n|;/)
    .map(line => line.replace(/^\s*(?:[-*•]|\d+[.)])\s+/, '').trim())
    .filter(line => line !== '')
}

function rate(text: string, source: Item['source']): Item {
  const hits = RULES.filter(([, pattern]) => pattern.test(text))
  const score = hits.reduce((sum, [, , points]) => sum + points, 0)
  const priority = score > 2 ? 'high' : score < 0 ? 'low' : 'medium'
  return { text, source, priority, score, reasons: hits.map(([reason]) => reason) }
}

export default function inboxDriveSweep({ inbox_items, drive_files }: Args) {
  const items = [
    ...readLines(inbox_items).map(text => rate(text, 'inbox')),
    ...readLines(drive_files).map(text => rate(text, 'drive')),
  ]
  // A stable sort: equal ones keep the order they came in.
  items.sort((a, b) => b.score - a.score)
  const counts = { total: items.length, high: 0, medium: 0, low: 0 }
  for (const { priority } of items) counts[priority] += 1
  return {
    items,
    counts,
    top: items.slice(0, 3).map(({ text }) => text),
    summary: `Prioritized ${items.length} ${items.length === 1 ? 'item' : 'items'}`,
  }
}
