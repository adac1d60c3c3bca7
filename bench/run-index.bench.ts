// How fast the run index takes events, against a bare parse-and-insert loop in the same run.
//
//   node bench/run-index.bench.ts [runs]        default 20,000 runs, some 250,000 events
//
// Prints lines/s: apply in batches of 1, 10, 100, 1,000; the bare loop (JSON.parse and one INSERT with the same columns,
// one transaction, no index, nothing synced); a rebuild from the same text, as a share of the bare loop.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { rebuildRunIndex } from '../src/adapters/sqlite/rebuild.ts'
import { openRunIndex } from '../src/adapters/sqlite/run-index.ts'
import type { Event } from '../src/core/state-machine/event.ts'
import type { EventBatch } from '../src/ports/journal.ts'
import { writeHistory } from '../test/contract/run-index-history.ts'

const ROUNDS = 5
const directory = mkdtempSync(join(tmpdir(), 'dagbok-bench-'))
const history = writeHistory(Number(process.argv[2] ?? 20_000))
const lines = history.map(event => JSON.stringify(event))
const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0)
let files = 0
/** Removes the last one first: what the kernel still has to write of it would slow the next one down. */
function newFile(): string {
  rmSync(join(directory, `${files}.db`), { force: true })
  files++
  return join(directory, `${files}.db`)
}

/** As the journal's reader hands them on: by the batch, with their text. */
async function* parse(): AsyncGenerator<EventBatch, void> {
  for (let from = 0; from < lines.length; from += 1_000) {
    const texts = lines.slice(from, from + 1_000)
    yield { events: texts.map(text => JSON.parse(text) as Event), texts }
  }
}

function insertBare(): number {
  const startedMs = performance.now()
  const db = new Database(newFile())
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  db.exec(
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, event TEXT, timestamp TEXT, run_id TEXT, schedule_id TEXT,
     task_id TEXT, line TEXT, crc INTEGER); BEGIN`,
  )
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (const line of lines) {
    const e = JSON.parse(line) as Record<string, string | undefined>
    insert.run(
      e['seq'],
      e['event'],
      e['timestamp'],
      e['run_id'] ?? null,
      e['schedule_id'] ?? null,
      e['task_id'] ?? null,
      line,
      0,
    )
  }
  db.exec('COMMIT')
  db.close()
  return performance.now() - startedMs
}

async function apply(batch: number): Promise<number> {
  const file = newFile()
  await rebuildRunIndex({ file, journalId: 'j1', events: [] })
  const index = openRunIndex({ file, journalId: 'j1' }).index!
  const events = history.slice(0, batch === 1 ? 20_000 : 100_000)
  const startedMs = performance.now()
  for (let from = 0; from < events.length; from += batch) index.apply('j1', events.slice(from, from + batch))
  const perSecond = events.length / ((performance.now() - startedMs) / 1_000)
  index.close()
  return perSecond
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function print(what: string, perSecond: number, note = ''): void {
  console.log(
    `${what.padEnd(24)} ${Math.round(perSecond).toLocaleString('en').padStart(10)} lines/s  ${note}`,
  )
}

try {
  console.log(
    `${history.length} events, ${Math.round(bytes / history.length)} bytes a line, median of ${ROUNDS}`,
  )
  for (const batch of [1, 10, 100, 1_000]) {
    const rates: number[] = []
    for (let round = 0; round < 3; round++) rates.push(await apply(batch))
    print(`apply, ${batch} a batch`, median(rates))
  }
  const bare: number[] = []
  const rebuilt: number[] = []
  const verified: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(insertBare())
    const file = newFile()
    rebuilt.push((await rebuildRunIndex({ file, journalId: 'j1', events: { batches: parse } })).ms)
    const startedMs = performance.now()
    openRunIndex({ file, journalId: 'j1', verify: true }).index!.close()
    verified.push(performance.now() - startedMs)
    if (round === 0) console.log(`index ${(statSync(file).size / bytes).toFixed(2)} times the journal's size`)
  }
  const rate = (ms: number[]) => history.length / (median(ms) / 1_000)
  print('bare parse and insert', rate(bare))
  print('rebuild', rate(rebuilt), `${Math.round((rate(rebuilt) / rate(bare)) * 100)} % of the bare loop`)
  print('verify', rate(verified))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
