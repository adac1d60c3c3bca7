// Rows in the order of their key, cut to a batch.
//
//   1. Rows of one key stay together: the next batch begins behind a key, and would pass over the others.
//   2. A row that fits no output is a dead record; its place names it, and the table keeps it.
//   3. Keys that begin anew are said once. What stands behind a position can then never be read: the table was emptied or
//      replaced, and a stream of another name is what helps.

import { type JsonObject, jsonBytes } from '../../core/json.ts'
import type { StreamPosition } from '../../core/stream/stream.ts'
import type { DeadRecord, StreamBatch } from '../../ports/stream-reader.ts'

/** An output has at most 1 MiB; the rest is for what stands beside the records. */
export const BATCH_BYTES_MAX = 900 * 1024
const RECORD_BYTES_MAX = 512 * 1024
const TEXT_CHARACTERS_MAX = 64 * 1024

export interface KeyPosition extends JsonObject {
  /** As a text, whatever its type. */
  key: string
  /** Of SQLite, whose values have types of their own. */
  type?: string
  /** The highest key there was, where it was less than what had been read: this has been said. */
  below?: string
}

export interface KeyedRow {
  readonly position: KeyPosition
  readonly record: JsonObject
}

export class TiedKeysError extends Error {}

/** The highest key of a table. */
export interface HighestKey {
  readonly key: string
  readonly isBelow: boolean
}

/**
 * @param hasMore whether rows were left out that stand behind these
 * @throws TiedKeysError if no batch can be cut because all these rows have one key
 */
export function cutBatch(
  table: string,
  rows: readonly KeyedRow[],
  hasMore: boolean,
  maxRecords: number,
): Pick<StreamBatch, 'records' | 'dead' | 'more'> & { last: KeyPosition | undefined } {
  const records: JsonObject[] = []
  const dead: DeadRecord[] = []
  let bytes = 0
  let count = 0
  // Of the row that comes after the batch the key must be known.
  const available = hasMore ? rows.length - 1 : rows.length
  const sizes = rows.slice(0, available).map(({ record }) => jsonBytes(record))
  while (count < Math.min(available, maxRecords)) {
    const size = Math.min(sizes[count]!, RECORD_BYTES_MAX)
    if (count > 0 && bytes + size > BATCH_BYTES_MAX) break
    bytes += size + 1
    count++
  }
  while (count > 0 && count < rows.length && isSameKey(rows[count - 1]!, rows[count]!)) count--
  const next = rows[count]
  if (count === 0 && next !== undefined)
    throw new TiedKeysError(
      `${table} has more rows with the key ${next.position.key} than fit one batch: ` +
        'name a column whose values are unique, or raise max_records',
    )
  for (const [index, { position, record }] of rows.slice(0, count).entries()) {
    if (sizes[index]! <= RECORD_BYTES_MAX) records.push(record)
    else
      dead.push({
        place: `${table}:${position.key}`,
        error: `the row has more than ${RECORD_BYTES_MAX / 1024} KiB as JSON`,
        text: JSON.stringify(record).slice(0, TEXT_CHARACTERS_MAX),
      })
  }
  return { records, dead, more: count < rows.length, last: rows[count - 1]?.position }
}

function isSameKey(a: KeyedRow, b: KeyedRow): boolean {
  return a.position.key === b.position.key && a.position.type === b.position.type
}

/** Nothing stands behind the position: is that because there is nothing new? */
export function emptyBatch(
  table: string,
  from: KeyPosition | undefined,
  highest: HighestKey | undefined,
): StreamBatch {
  const nothing: StreamBatch = { records: [], dead: [], to: from ?? {}, more: false }
  if (from === undefined || highest?.isBelow !== true || from.below !== undefined) return nothing
  const error =
    `the highest key of ${table} is ${highest.key}, and rows up to ${from.key} were read. If its keys have begun anew, ` +
    'new rows are not read until they pass that: give the stream another name to read the table from its beginning'
  return {
    ...nothing,
    dead: [{ place: `${table}:${from.key}`, error, text: JSON.stringify(from) }],
    to: { ...from, below: highest.key },
  }
}

/** @throws Error if somebody else made the position */
export function readPosition(position: StreamPosition | undefined): KeyPosition | undefined {
  if (position === undefined || Object.keys(position).length === 0) return undefined
  const { key, type, below } = position
  if (typeof key !== 'string')
    throw new Error(
      `the position is not one of a table: ${JSON.stringify(position).slice(0, 200)}; give a stream that has become another one another name`,
    )
  return {
    key,
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof below === 'string' ? { below } : {}),
  }
}
