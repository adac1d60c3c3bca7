// Reads a PostgreSQL database in one read-only transaction. The driver is loaded when it is first asked for.
//
//   1. The connection URL comes from the environment, and neither it nor its password gets into a message.
//   2. Every wait ends: for the connection, for each answer, by the signal. A connection is never kept.
//   3. Values come as the server writes them: what becomes of them is not the driver's to say.

import { Socket } from 'node:net'
import type { Client } from 'pg'
import type { PostgresSession, ReadPostgres } from '../../ports/database.ts'

const CONNECT_MS = 10_000
const QUERY_MS = 60_000
/** How long a goodbye may take. */
const END_MS = 1_000

export interface PostgresOptions {
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly connectMs?: number
  readonly queryMs?: number
}

export function createPostgresReader({
  environment = process.env,
  connectMs = CONNECT_MS,
  queryMs = QUERY_MS,
}: PostgresOptions = {}): ReadPostgres {
  return async (variable, work, signal) => {
    signal.throwIfAborted()
    const url = environment[variable]
    if (url === undefined || url === '')
      throw new Error(
        `the environment variable ${variable} is not set: it holds the connection URL, postgres://user:password@host/database`,
      )
    const socket = new Socket()
    const stop = () => void socket.destroy()
    let client: Client | undefined
    try {
      client = await createClient(url, socket, connectMs, queryMs)
      // What happens to the connection between two queries is said by the next one.
      client.on('error', () => {})
      signal.addEventListener('abort', stop, { once: true })
      await client.connect()
      await client.query('begin read only')
      await client.query(`set local statement_timeout = ${queryMs}`)
      await client.query(`set local timezone = 'UTC'`)
      await client.query(`set local datestyle = 'ISO'`)
      await client.query(`set local bytea_output = 'hex'`)
      return await work(sessionOf(client))
    } catch (error) {
      signal.throwIfAborted()
      throw new Error(`the database of ${variable} cannot be read: ${describe(error, url)}`)
    } finally {
      signal.removeEventListener('abort', stop)
      if (client !== undefined && !socket.destroyed)
        await Promise.race([client.end().catch(() => {}), after(END_MS)])
      socket.destroy()
    }
  }
}

async function createClient(
  url: string,
  socket: Socket,
  connectMs: number,
  queryMs: number,
): Promise<Client> {
  const { default: pg } = await import('pg')
  return new pg.Client({
    connectionString: url,
    // Ours, since the driver waits for a server that says nothing.
    stream: () => socket,
    connectionTimeoutMillis: connectMs,
    // The server's own limit comes first, unless it is not there any more.
    query_timeout: queryMs + END_MS,
    application_name: 'dagbok',
    types: { getTypeParser: () => (text: string | Buffer) => String(text) },
  })
}

function sessionOf(client: Client): PostgresSession {
  return {
    async query(text, parameters = []) {
      const { fields, rows } = await client.query<(string | null)[]>({
        text,
        values: [...parameters],
        rowMode: 'array',
      })
      return { columns: fields.map(({ name, dataTypeID }) => ({ name, typeId: dataTypeID })), rows }
    },
  }
}

/** In one line, without the URL and its password, as they stand and decoded. */
function describe(error: unknown, url: string): string {
  const { message = '', code = '' } = error as { message?: string; code?: string }
  const errors = error instanceof AggregateError ? error.errors.map(each => (each as Error).message) : []
  let text = (message || errors.join('; ') || code || String(error)).split('\n')[0]!
  for (const secret of secretsIn(url)) text = text.replaceAll(secret, '…')
  return text
}

function secretsIn(url: string): string[] {
  const [, password = ''] = /^[^:]*:\/\/[^:@/]*:([^@]*)@/.exec(url) ?? []
  const secrets = [url, password]
  try {
    secrets.push(decodeURIComponent(password))
  } catch {
    // It stands as it is.
  }
  const { searchParams } = URL.canParse(url) ? new URL(url) : { searchParams: new URLSearchParams() }
  secrets.push(searchParams.get('password') ?? '')
  return secrets.filter(secret => secret !== '')
}

function after(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms).unref()
  })
}
