// Finds clients where they are: folders, rows, schemas, lines of a command. The structure is the state (ports/client-finder.ts).

import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ClientSource } from '../../core/client/client.ts'
import type { ClientFinder } from '../../ports/client-finder.ts'
import type { ReadPostgres, ReadSqlite } from '../../ports/database.ts'
import { listLines } from './command-lines.ts'

/** Far more than a fan-out may have: who has too many is told how many. */
const ROWS_MAX = 100_000
const BYTES_MAX = 16 * 1024 * 1024

/** Schemas that are PostgreSQL's own. */
const SCHEMAS = `select schema_name from information_schema.schemata
  where schema_name !~ '^pg_' and schema_name <> 'information_schema'`

export interface ClientFinderOptions {
  /** Paths are relative to it, and commands run in it. */
  readonly root: string
  readonly readSqlite: ReadSqlite
  readonly readPostgres: ReadPostgres
  /** The scheduler's own, of which commands see the base variables only. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Of a command. */
  readonly timeoutMs?: number
}

export function createClientFinder(options: ClientFinderOptions): ClientFinder {
  return {
    async find(source, occasion, signal) {
      signal.throwIfAborted()
      const names = await listNames(source, occasion, signal, options)
      return [...new Set(names)].sort()
    },
  }
}

async function listNames(
  source: ClientSource,
  occasion: { readonly tenantId: string },
  signal: AbortSignal,
  options: ClientFinderOptions,
): Promise<string[]> {
  const { root, readSqlite, readPostgres } = options
  switch (source.kind) {
    case 'directory':
      return listFolders(resolve(root, source.path), source.path)
    case 'sqlite': {
      const { database, query } = source
      const queries = [{ text: query, parameters: [] }]
      const reading = { database, queries, rowsMax: ROWS_MAX, bytesMax: BYTES_MAX }
      const [found] = await readSqlite(reading, signal)
      if (found!.more) throw new Error(`the query of ${database} gives more than ${ROWS_MAX} rows`)
      return found!.rows.map(([value]) => nameOf(value, database))
    }
    case 'postgres': {
      const { rows } = await readPostgres(source.database, session => session.query(SCHEMAS), signal)
      return rows.map(([name]) => name!)
    }
    case 'command':
      return listLines(source.command, occasion, options, signal)
  }
}

/** Each folder that is not hidden, also one that a symbolic link leads to. */
async function listFolders(path: string, shown: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readFolder(path, shown)) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(path, entry.name)))))
      names.push(entry.name)
  }
  return names
}

async function readFolder(path: string, shown: string) {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'it is not there' : code === 'ENOTDIR' ? 'it is no folder' : message
    throw new Error(`the clients in ${shown} cannot be listed: ${why}`)
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    // It leads nowhere.
    return false
  }
}

function nameOf(value: unknown, database: string): string {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number')
    return String(value)
  throw new Error(
    `the query of ${database} gives ${value === null ? 'null' : 'bytes'} in its first column: expected names of clients`,
  )
}
