// What does a query say? It runs in a process that ends with it: SQLite works without a pause, and only a process can be
// stopped in the middle.

import { fork } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { factsOf } from '../../core/condition/occasion.ts'
import type { Answer } from '../../core/condition/question.ts'
import type { Asker } from './asker.ts'

// The extension is of this file's own kind: src/*.ts in a checkout, dist/*.js in the package.
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('./sql-process.ts', import.meta.url)
  : new URL('./sql-process.js', import.meta.url)

const HEAP_MB = 128

export interface SqlRequest {
  readonly file: string
  /** As the definition has it: for what is said to people. */
  readonly database: string
  readonly query: string
  readonly parameters: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export function createSqlAsker({ root }: { root: string }): Asker<'sql'> {
  return ({ database, query, timeoutMs }, occasion, stop) => {
    const request: SqlRequest = {
      file: resolve(root, database),
      database,
      query,
      parameters: {
        slot: occasion.slot,
        date: factsOf(occasion).date,
        tenant: occasion.tenantId,
        schedule: occasion.scheduleId,
        dag: occasion.dagName,
        ...(occasion.clientId === undefined ? {} : { client_id: occasion.clientId }),
      },
      timeoutMs,
    }
    return ask(request, stop)
  }
}

function ask(request: SqlRequest, stop: AbortSignal): Promise<Answer> {
  return new Promise<Answer>(settle => {
    const cache = getCompileCacheDir()
    const child = fork(fileURLToPath(ENTRY), {
      detached: true,
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const kill = () => void child.kill('SIGKILL')
    stop.addEventListener('abort', kill, { once: true })
    let answer: Answer | undefined
    const finish = (otherwise: string) => {
      stop.removeEventListener('abort', kill)
      settle(answer ?? { error: otherwise })
    }
    child.once('message', message => {
      answer = message as Answer
    })
    child.once('error', error => finish(`the query could not be asked: ${error.message}`))
    child.once('close', (code, signal) =>
      finish(`the query ended without an answer (${signal ?? `exit code ${code}`})`),
    )
    // It may be gone: its end says so.
    child.send(request, () => {})
  })
}
