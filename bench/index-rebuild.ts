// Building the run index again from the journal, against a bare loop that parses each line and inserts it into one table.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { rebuildRunIndex } from '../src/adapters/sqlite/rebuild.ts'
import type { Event } from '../src/core/state-machine/event.ts'
import type { EventBatch } from '../src/ports/journal.ts'
import { writeHistory } from '../test/contract/run-index-history.ts'
import { inFolder, median, QUICK, takeTurns } from './measure.ts'
import { deliver, formatNumber } from './report.ts'

const ROUNDS = QUICK ? 3 : 7
const RUNS = QUICK ? 4_000 : 20_000

/** JSON.parse and one INSERT a line, one transaction, nothing synced, no index, no row that is ever updated. */
function insertBare(file: string, lines: readonly string[]): number {
  const startedMs = performance.now()
  const db = new Database(file)
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  db.exec(
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, event TEXT, timestamp TEXT, run_id TEXT, schedule_id TEXT,
     task_id TEXT, line TEXT, crc INTEGER); BEGIN`,
  )
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, 0)')
  for (const line of lines) {
    const { seq, event, timestamp, run_id, schedule_id, task_id } = JSON.parse(line) as Record<
      string,
      unknown
    >
    insert.run(seq, event, timestamp, run_id ?? null, schedule_id ?? null, task_id ?? null, line)
  }
  db.exec('COMMIT')
  db.close()
  return performance.now() - startedMs
}

await inFolder(async folder => {
  const lines = writeHistory(RUNS).map(event => JSON.stringify(event))
  let files = 0
  const newFile = () => join(folder, `${files++}.sqlite`)
  /** As the journal's reader hands them on: by the batch, with their text. */
  async function* parse(): AsyncGenerator<EventBatch, void> {
    for (let from = 0; from < lines.length; from += 1_000) {
      const texts = lines.slice(from, from + 1_000)
      yield { events: texts.map(text => JSON.parse(text) as Event), texts }
    }
  }
  const times = await takeTurns(ROUNDS, {
    bare: () => insertBare(newFile(), lines),
    rebuild: async () => {
      const startedMs = performance.now()
      const source = { batches: parse }
      const { events } = await rebuildRunIndex({ file: newFile(), journalId: 'j1', events: source })
      if (events !== lines.length) throw new Error(`${events} of ${lines.length} events were taken`)
      return performance.now() - startedMs
    },
  })
  const rate = (ms: readonly number[]) => lines.length / (median(ms) / 1_000)
  const share = rate(times.rebuild) / rate(times.bare)
  deliver({
    name: 'index-rebuild',
    title: 'Building the run index again',
    method: `${lines.length.toLocaleString('en')} events as text: runs, tasks, slots, events, indexes and the final sync, beside a loop that parses each line and inserts it into one table without index or sync; ${ROUNDS} rounds taking turns, median.`,
    rows: [
      {
        what: 'rebuild',
        value: rate(times.rebuild),
        unit: 'events/s',
        probe: rate(times.bare),
        against: 'parse and insert',
      },
    ],
    goals: [
      {
        text: 'at least 60 % of the bare loop',
        isMet: share >= 0.6,
        measured: `${formatNumber(share * 100)} %`,
      },
    ],
  })
})
