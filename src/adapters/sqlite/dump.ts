// Everything an index holds as canonical text: one line a row, tables in order, rows in order of their keys.
// Two indexes are equal exactly when their dumps are; the memory adapter writes the same text.

import { canonicalText } from '../../ports/run-rows.ts'
import { RUN_SELECT, TASK_SELECT } from './row-columns.ts'
import type { Connection } from './schema.ts'

/** Checkpoint, events, runs, tasks and slots of an open index. */
export function dumpTables(db: Connection): string {
  const lines: string[] = []
  function put(kind: string, sql: string): void {
    for (const row of db.prepare(sql).iterate()) lines.push(`${kind} ${canonicalText(row)}`)
  }
  put('checkpoint', 'SELECT journal_id AS journalId, seq FROM checkpoint WHERE seq > 0')
  for (const row of db.prepare('SELECT line FROM events ORDER BY seq').iterate()) {
    lines.push(`event ${canonicalText(JSON.parse((row as { line: string }).line))}`)
  }
  put('run', `SELECT first_seq, ${RUN_SELECT} FROM runs ORDER BY first_seq`)
  put('task', `SELECT first_seq, ${TASK_SELECT} FROM tasks ORDER BY first_seq`)
  put(
    'slot',
    `SELECT schedule_id, slot, slot_to, count, disposition, reason, run_id, decided_at FROM slots
     ORDER BY schedule_id, slot_ms`,
  )
  return lines.join('\n') + '\n'
}
