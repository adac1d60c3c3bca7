// Reads an SQLite database in a process that ends with the reading: SQLite works without a pause, and only a process can be
// stopped in the middle.

import { fork } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReadSqlite, SqliteReading, SqliteRows } from '../../ports/database.ts'

// The extension is of this file's own kind: src/*.ts in a checkout, dist/*.js in the package.
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('./sqlite-process.ts', import.meta.url)
  : new URL('./sqlite-process.js', import.meta.url)

const HEAP_MB = 256
const TIME_LIMIT_MS = 60_000

export interface SqliteRequest extends SqliteReading {
  readonly file: string
  readonly timeoutMs: number
}

export type SqliteAnswer = { readonly results: SqliteRows[] } | { readonly error: string }

/** @param root paths are relative to it */
export function createSqliteReader({
  root,
  timeoutMs = TIME_LIMIT_MS,
}: {
  root: string
  timeoutMs?: number
}): ReadSqlite {
  return async (reading, signal) => {
    signal.throwIfAborted()
    const request: SqliteRequest = { ...reading, file: resolve(root, reading.database), timeoutMs }
    const answer = await ask(request, signal)
    signal.throwIfAborted()
    if ('error' in answer) throw new Error(answer.error)
    return answer.results
  }
}

function ask(request: SqliteRequest, signal: AbortSignal): Promise<SqliteAnswer> {
  return new Promise(settle => {
    const cache = getCompileCacheDir()
    const child = fork(fileURLToPath(ENTRY), {
      detached: true,
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const kill = () => void child.kill('SIGKILL')
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      kill()
    }, request.timeoutMs)
    signal.addEventListener('abort', kill, { once: true })
    let answer: SqliteAnswer | undefined
    const finish = (otherwise: string) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      settle(
        answer ?? {
          error: isLate
            ? `the database ${request.database} did not answer within ${request.timeoutMs / 1_000}s`
            : otherwise,
        },
      )
    }
    child.once('message', message => {
      answer = message as SqliteAnswer
    })
    child.once('error', error => finish(`the database ${request.database} cannot be read: ${error.message}`))
    child.once('close', (code, ended) =>
      finish(
        `reading the database ${request.database} ended without an answer (${ended ?? `exit code ${code}`})`,
      ),
    )
    // It may be gone: its end says so.
    child.send(request, () => {})
  })
}
