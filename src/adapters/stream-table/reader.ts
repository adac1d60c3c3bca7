// Reads streams in tables: rows in the order of a key that only grows, on from the last one that was read.

import type { Stream, StreamPosition, TableStream } from '../../core/stream/stream.ts'
import type { ReadPostgres, ReadSqlite } from '../../ports/database.ts'
import type { StreamReader } from '../../ports/stream-reader.ts'
import { FenceKeeper } from './postgres-fence.ts'
import { readPostgresRows } from './postgres-rows.ts'
import { readPosition, TiedKeysError } from './row-batch.ts'
import { readSqliteRows } from './sqlite-rows.ts'

/** How long a batch waits for those who write to its table. */
const WRITERS_WAIT_MS = 5_000

export function createTableStreamReader({
  readSqlite,
  readPostgres,
  writersWaitMs = WRITERS_WAIT_MS,
}: {
  readSqlite: ReadSqlite
  readPostgres: ReadPostgres
  writersWaitMs?: number
}): StreamReader {
  const fences = new FenceKeeper()
  const read = async (
    { name, source, maxRecords }: Stream,
    from: StreamPosition | undefined,
    { limit, waitMs }: { limit: number; waitMs: number },
    signal: AbortSignal,
  ) => {
    const table = tableOf(name, source)
    const position = readPosition(from)
    return table.kind === 'sqlite'
      ? await readSqliteRows(readSqlite, table, position, limit, signal)
      : await readPostgresRows(
          { readPostgres, fences, waitMs, signal },
          { source: table, from: position, maxRecords, limit },
        )
  }
  return {
    read: (stream, from, signal) =>
      read(stream, from, { limit: stream.maxRecords, waitMs: writersWaitMs }, signal),
    async hasMore(stream, from, signal) {
      try {
        const { records, dead } = await read(stream, from, { limit: 1, waitMs: 0 }, signal)
        return records.length + dead.length > 0
      } catch (error) {
        if (error instanceof TiedKeysError) return true
        throw error
      }
    },
  }
}

function tableOf(name: string, source: Stream['source']): TableStream {
  if (source.kind === 'file') throw new Error(`the stream ${name} is a file, not a table`)
  return source
}
