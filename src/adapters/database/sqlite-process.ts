// The other end of sqlite.ts: reads one database, answers, and ends.
//
//   1. The database is opened for reading only and must be there; each statement must be one that reads. All of them see
//      the same moment.
//   2. Nothing keeps it alive: a thread of its own ends it when its time is up, also if the scheduler is gone and the
//      query still runs.

import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import type { SqliteQuery, SqliteRows, SqliteValue } from '../../ports/database.ts'
import type { SqliteAnswer, SqliteRequest } from './sqlite.ts'

/** After the time limit, for whoever asked to end this process first. */
const GRACE_MS = 1_000
/** How long a writer is waited for. */
const BUSY_MS = 5_000

process.once('disconnect', () => process.exit())
process.once('message', (request: SqliteRequest) => {
  const watchdog = new Worker(
    `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Number(request.timeoutMs) + GRACE_MS})`,
    { eval: true },
  )
  // Its clock runs before the query does.
  watchdog.once('online', () => process.send!(answerOf(request), () => process.exit()))
})

function answerOf({ file, database, queries, rowsMax, bytesMax }: SqliteRequest): SqliteAnswer {
  let connection: Database.Database
  try {
    connection = new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_MS })
  } catch (error) {
    return { error: `the database ${database} cannot be opened: ${(error as Error).message}` }
  }
  try {
    connection.exec('begin')
    return { results: queries.map(query => ask(connection, query, rowsMax, bytesMax)) }
  } catch (error) {
    return { error: `the query of the database ${database} failed: ${(error as Error).message}` }
  }
}

function ask(
  connection: Database.Database,
  { text, parameters }: SqliteQuery,
  rowsMax: number,
  bytesMax: number,
): SqliteRows {
  const statement = connection.prepare(text)
  if (!statement.readonly || !statement.reader)
    throw new Error('it must be one statement that reads, such as select')
  const columns = statement.columns().map(({ name }) => name)
  const rows: SqliteValue[][] = []
  let bytes = 0
  for (const row of statement
    .safeIntegers()
    .raw()
    .iterate(...parameters) as Iterable<SqliteValue[]>) {
    if (rows.length === rowsMax || (rows.length > 1 && bytes > bytesMax)) return { columns, rows, more: true }
    rows.push(row)
    for (const value of row) bytes += sizeOf(value)
  }
  return { columns, rows, more: false }
}

function sizeOf(value: SqliteValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}
