// The other end of sql-question.ts: asks one database one query, answers, and ends.
//
//   1. The database is opened for reading only and must be there; the statement must be one that reads.
//   2. Nothing keeps it alive: a thread of its own ends it when its time is up, also if the scheduler is gone and the
//      query still runs.

import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import type { Answer } from '../../core/condition/question.ts'
import { clip, type Json } from '../../core/json.ts'
import { describeFailure } from './asker.ts'
import type { SqlRequest } from './sql-question.ts'

/** After the time limit, for whoever asked to end this process first. */
const GRACE_MS = 1_000
const VALUE_CHARACTERS = 500

process.once('disconnect', () => process.exit())
process.once('message', (request: SqlRequest) => {
  const watchdog = new Worker(
    `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Number(request.timeoutMs) + GRACE_MS})`,
    { eval: true },
  )
  // Its clock runs before the query does.
  watchdog.once('online', () => {
    const answer = answerOf(request)
    process.send!(answer, () => process.exit())
  })
})

function answerOf({ file, database, query, parameters, timeoutMs }: SqlRequest): Answer {
  let connection: Database.Database
  try {
    connection = new Database(file, { readonly: true, fileMustExist: true, timeout: timeoutMs })
  } catch (error) {
    return { error: `the database ${database} cannot be opened: ${describeFailure(error)}` }
  }
  try {
    const statement = connection.prepare(query)
    if (!statement.readonly || !statement.reader)
      return { error: 'the query is no question: it must be one statement that reads, such as select' }
    const row = statement.safeIntegers().raw().get(parameters) as unknown[] | undefined
    if (row === undefined) return { holds: false, saw: { rows: 0 } }
    return { holds: isTrue(row[0]), saw: { value: describeValue(row[0]) } }
  } catch (error) {
    return { error: `the query failed: ${describeFailure(error)}` }
  }
}

/** Not 0, not empty, not null. */
function isTrue(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.length > 0
  return typeof value === 'bigint' ? value !== 0n : Boolean(value)
}

function describeValue(value: unknown): Json {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'string') return clip(value, VALUE_CHARACTERS)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return Buffer.isBuffer(value) ? { bytes: value.length } : null
}
