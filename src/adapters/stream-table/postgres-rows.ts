// Rows of a PostgreSQL table behind a key.
//
//   1. No row is passed over, in whatever order writers commit: postgres-fence.ts says how far can be read.
//   2. Rows are fetched a few at a time: a table of large rows fills no memory.

import type { JsonObject } from '../../core/json.ts'
import type { TableStream } from '../../core/stream/stream.ts'
import type { PostgresSession, ReadPostgres } from '../../ports/database.ts'
import type { StreamBatch } from '../../ports/stream-reader.ts'
import { quoteName, quoteTable } from './identifier.ts'
import type { FenceKeeper } from './postgres-fence.ts'
import { postgresJson } from './postgres-value.ts'
import {
  BATCH_BYTES_MAX,
  cutBatch,
  emptyBatch,
  type HighestKey,
  type KeyedRow,
  type KeyPosition,
} from './row-batch.ts'

const FIRST_ROWS = 10
const ROWS_AT_ONCE = 1_000

/** How a read is done. */
export interface PostgresRead {
  readonly readPostgres: ReadPostgres
  readonly fences: FenceKeeper
  /** How long writers are waited for. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

export interface PostgresRange {
  readonly source: TableStream
  readonly from: KeyPosition | undefined
  /** Of a batch. */
  readonly maxRecords: number
  /** Of this answer. */
  readonly limit: number
}

interface Found {
  readonly rows: KeyedRow[]
  readonly hasMore: boolean
  readonly highest?: HighestKey | undefined
}

export async function readPostgresRows(
  { readPostgres, fences, waitMs, signal }: PostgresRead,
  { source: { database, table: name, key }, from, maxRecords, limit }: PostgresRange,
): Promise<StreamBatch> {
  const table = quoteTable(name)
  const column = `r.${quoteName(key)}`
  const behind = `from ${table} as r where ${column} ${from === undefined ? 'is not null' : '> $1'}`
  const bound = from === undefined ? [] : [from.key]
  const find = async (session: PostgresSession): Promise<Found> => {
    await refuseOtherKinds(session, table, name)
    const { rows } = await session.query(
      `select seen.k::text from (select ${column} as k ${behind} order by ${column} limit ${maxRecords + 1}) as seen order by seen.k desc limit 1`,
      bound,
    )
    const [seen] = rows[0] ?? []
    if (typeof seen !== 'string')
      return { rows: [], hasMore: false, highest: await findHighest(session, { table, column, from }) }
    const stream = JSON.stringify([database, name, key])
    const place = { stream, table, from: from?.key, key: seen }
    const last = await fences.settle(session, place, waitMs, signal)
    if (last === undefined) return { rows: [], hasMore: false }
    return fetchRows(
      session,
      `select ${column}::text, r.* ${behind} and ${column} <= $${bound.length + 1} order by ${column} limit ${limit + 1}`,
      [...bound, last],
      limit,
    )
  }
  const { rows, hasMore, highest } = await readPostgres(database, find, signal)
  if (rows.length === 0) return emptyBatch(name, from, highest)
  const { last, ...batch } = cutBatch(name, rows, hasMore, limit)
  return { ...batch, to: last ?? from ?? {} }
}

/** Rows of what is no table come from elsewhere, and who writes there is not seen. */
async function refuseOtherKinds(session: PostgresSession, table: string, name: string): Promise<void> {
  const { rows } = await session.query(`select relkind from pg_class where oid = $1::regclass`, [table])
  if (rows[0]?.[0] !== 'r' && rows[0]?.[0] !== 'p')
    throw new Error(
      `${name} is not a table: expected one, or one with partitions, that rows are inserted into`,
    )
}

async function fetchRows(
  session: PostgresSession,
  text: string,
  parameters: readonly string[],
  limit: number,
): Promise<Found> {
  await session.query(`declare stream no scroll cursor for ${text}`, parameters)
  const rows: KeyedRow[] = []
  let bytes = 0
  for (let count = FIRST_ROWS; ; ) {
    const { columns, rows: fetched } = await session.query(`fetch forward ${count} from stream`)
    for (const [key, ...values] of fetched) {
      const record: JsonObject = {}
      for (const [index, value] of values.entries()) {
        const { name, typeId } = columns[index + 1]!
        record[name] = postgresJson(value, typeId)
        bytes += value?.length ?? 4
      }
      rows.push({ position: { key: key! }, record })
    }
    if (fetched.length < count) return { rows, hasMore: rows.length > limit }
    if (bytes > BATCH_BYTES_MAX) return { rows, hasMore: true }
    const fitting = Math.ceil((BATCH_BYTES_MAX - bytes) / Math.ceil(bytes / rows.length))
    count = Math.max(FIRST_ROWS, Math.min(ROWS_AT_ONCE, fitting))
  }
}

async function findHighest(
  session: PostgresSession,
  { table, column, from }: { table: string; column: string; from: KeyPosition | undefined },
): Promise<HighestKey | undefined> {
  if (from === undefined) return undefined
  const { rows } = await session.query(
    `select ${column}::text, ${column} < $1 from ${table} as r where ${column} is not null order by ${column} desc limit 1`,
    [from.key],
  )
  const [key, isBelow] = rows[0] ?? []
  return typeof key === 'string' ? { key, isBelow: isBelow === 't' } : undefined
}
