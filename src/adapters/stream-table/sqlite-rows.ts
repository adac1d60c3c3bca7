// Rows of an SQLite table behind a key. Writers of SQLite are serial, so no row with a smaller key becomes visible later.

import type { Json, JsonObject } from '../../core/json.ts'
import type { TableStream } from '../../core/stream/stream.ts'
import type { ReadSqlite, SqliteValue } from '../../ports/database.ts'
import type { StreamBatch } from '../../ports/stream-reader.ts'
import { quoteName, quoteTable } from './identifier.ts'
import {
  BATCH_BYTES_MAX,
  cutBatch,
  emptyBatch,
  type HighestKey,
  type KeyedRow,
  type KeyPosition,
} from './row-batch.ts'

export async function readSqliteRows(
  readSqlite: ReadSqlite,
  { database, table, key }: TableStream,
  from: KeyPosition | undefined,
  maxRecords: number,
  signal: AbortSignal,
): Promise<StreamBatch> {
  // With the table's name before it a column that is not there is an error; alone it would be read as a text.
  const column = `r.${quoteName(key)}`
  const source = `${quoteTable(table)} as r`
  const keys = `${column}, typeof(${column})`
  const bound = from === undefined ? [] : [bindKey(from)]
  const behind = from === undefined ? `${column} is not null` : `${column} > ?`
  const isBelow = from === undefined ? '0' : `${column} < ?`
  const queries = [
    {
      text: `select ${keys}, r.* from ${source} where ${behind} order by ${column} limit ${maxRecords + 1}`,
      parameters: bound,
    },
    {
      text: `select ${keys}, ${isBelow} from ${source} where ${column} is not null order by ${column} desc limit 1`,
      parameters: bound,
    },
  ]
  const reading = { database, queries, rowsMax: maxRecords + 1, bytesMax: BATCH_BYTES_MAX }
  const [found, highest] = await readSqlite(reading, signal)
  const names = found!.columns.slice(2)
  const rows = found!.rows.map((row): KeyedRow => {
    const record: JsonObject = {}
    for (const [index, name] of names.entries()) record[name] = toJson(row[index + 2]!)
    return { position: readKey(table, key, row), record }
  })
  if (rows.length === 0) return emptyBatch(table, from, highestOf(table, key, highest!.rows[0]))
  const { last, ...batch } = cutBatch(table, rows, found!.more, maxRecords)
  return { ...batch, to: last ?? from ?? {} }
}

function highestOf(
  table: string,
  key: string,
  row: readonly SqliteValue[] | undefined,
): HighestKey | undefined {
  return row === undefined ? undefined : { key: readKey(table, key, row).key, isBelow: row[2] === 1n }
}

function readKey(table: string, column: string, [value, type]: readonly SqliteValue[]): KeyPosition {
  if (type !== 'integer' && type !== 'text' && type !== 'real')
    throw new Error(`${table}.${column} holds a ${type}: expected whole numbers, numbers or texts`)
  return { key: String(value), type }
}

function bindKey({ key, type }: KeyPosition): bigint | number | string {
  if (type === 'integer') return BigInt(key)
  return type === 'real' ? Number(key) : key
}

function toJson(value: SqliteValue): Json {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
