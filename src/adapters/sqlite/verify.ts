// Checks an index through and through: SQLite's own structures, every line against its checksum, and every row
// against what the lines say. What it finds is for people; any finding means "build it again".
//
// Costs about as much as a rebuild and holds the rows of all runs in memory: for `doctor` and after a suspicion.

import { crc32 } from 'node:zlib'
import Database from 'better-sqlite3'
import type { Event } from '../../core/state-machine/event.ts'
import { canonicalText, subjectOf } from '../../ports/run-rows.ts'
import { createRowWriter } from './row-writer.ts'
import { type Connection, createTables, describeSchema, INDEXES } from './schema.ts'

const BATCH = 1_000

interface EventRow {
  seq: number
  event: string
  timestamp: string
  run_id: string | null
  schedule_id: string | null
  task_id: string | null
  line: string
  crc: number
}

/** One sentence per fault; empty when the index is what its lines say. SQLite errors come through. */
export function findFaults(db: Connection): string[] {
  const structure = db.pragma('integrity_check(5)', { simple: false }) as { integrity_check: string }[]
  const faults = structure.map(row => row.integrity_check).filter(text => text !== 'ok')
  if (faults.length > 0) return faults
  const again = new Database(':memory:')
  try {
    createTables(again, 'verify')
    for (const createIndex of INDEXES) again.exec(createIndex)
    if (describeSchema(again) !== describeSchema(db)) return ['its tables are not the ones of this version']
    const fault = again.transaction(() => foldAgain(db, again))() ?? compareRows(db, again)
    return fault === undefined ? [] : [fault]
  } finally {
    again.close()
  }
}

/** Folds the stored lines into `again`; a sentence when a line is not what it was. */
function foldAgain(db: Connection, again: Connection): string | undefined {
  const writer = createRowWriter(again, { isEmpty: true })
  let batch: Event[] = []
  let expected: number | undefined
  for (const row of db.prepare('SELECT * FROM events ORDER BY seq').iterate() as Iterable<EventRow>) {
    if (typeof row.line !== 'string' || crc32(row.line) !== row.crc) return `line ${row.seq} is damaged`
    const event = JSON.parse(row.line) as Event
    const isSame =
      event.seq === row.seq &&
      event.event === row.event &&
      event.timestamp === row.timestamp &&
      subjectOf(event, 'run_id') === row.run_id &&
      subjectOf(event, 'schedule_id') === row.schedule_id &&
      subjectOf(event, 'task_id') === row.task_id
    if (!isSame) return `the columns of line ${row.seq} are not the line's`
    if (expected !== undefined && row.seq !== expected) return `line ${expected} is missing`
    expected = row.seq + 1
    batch.push(event)
    if (batch.length < BATCH) continue
    writer.fold(batch)
    batch = []
  }
  writer.fold(batch)
  writer.flush()
  const { seq } = db.prepare('SELECT seq FROM checkpoint').get() as { seq: number }
  return seq === (expected ?? 1) - 1
    ? undefined
    : `the checkpoint is ${seq}, the last line ${(expected ?? 1) - 1}`
}

function compareRows(db: Connection, again: Connection): string | undefined {
  const orders: [string, string][] = [
    ['blocks', 'kind, subject, block'],
    ['runs', 'first_seq'],
    ['tasks', 'first_seq'],
    ['slots', 'schedule_id, slot_ms'],
  ]
  for (const [table, order] of orders) {
    const sql = `SELECT * FROM ${table} ORDER BY ${order}`
    const kept = db.prepare(sql).iterate()
    for (const row of again.prepare(sql).iterate()) {
      const next = kept.next()
      if (next.done || canonicalText(next.value) !== canonicalText(row)) {
        kept.return?.()
        return `a row of ${table} is not what its lines say: ${canonicalText(next.value ?? null)}`
      }
    }
    const surplus = !kept.next().done
    kept.return?.()
    if (surplus) return `${table} has rows that no line speaks of`
  }
  return undefined
}
