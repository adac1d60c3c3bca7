// `stream:` of a manifest: what is wrong with it that the schema cannot see, and its normal form.

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { Stream, StreamSource } from '../core/stream/stream.ts'
import { STREAM_DEFAULTS } from './manifest-schema.ts'
import type { ProblemList } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const SOURCE_KEYS = ['file', 'sqlite', 'postgres'] as const
const TABLE_KEYS = ['table', 'key'] as const

export function checkStream(
  stream: Json | undefined,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): void {
  if (!isJsonObject(stream)) return
  const [source, ...others] = SOURCE_KEYS.filter(key => stream[key] !== undefined)
  if (source === undefined) {
    problems.add(tree.locate(path), 'missing key "file", "sqlite" or "postgres": where records come from', {
      help: 'add file: data/orders.jsonl',
    })
    return
  }
  for (const key of others)
    problems.add(tree.locateKey(path, key), `records come from one place: "${source}" is named already`, {
      help: 'remove one of them',
    })
  for (const key of TABLE_KEYS) {
    if (source === 'file' && stream[key] !== undefined)
      problems.add(tree.locateKey(path, key), `"${key}" stands beside "sqlite" or "postgres"`, {
        help: 'remove it: lines of a file are read in their order',
      })
    if (source !== 'file' && stream[key] === undefined)
      problems.add(tree.locateKey(path, source), `missing key "${key}" beside "${source}"`, {
        help: key === 'table' ? 'add table: orders' : 'add key: id, a column that only grows',
      })
  }
}

/** Of a stream in which nothing is wrong. */
export function compileStream(stream: JsonObject): Stream {
  const { name, file, sqlite, postgres, table, key, max_records: maxRecords } = stream
  const source: StreamSource =
    file === undefined
      ? {
          kind: sqlite === undefined ? 'postgres' : 'sqlite',
          database: String(sqlite ?? postgres),
          table: String(table),
          key: String(key),
        }
      : { kind: 'file', path: String(file) }
  return {
    name: typeof name === 'string' ? name : STREAM_DEFAULTS.name,
    source,
    maxRecords: typeof maxRecords === 'number' ? maxRecords : STREAM_DEFAULTS.maxRecords,
  }
}

/** The other way: what `compileStream` makes the same of. */
export function authorStream({ name, source, maxRecords }: Stream): JsonObject {
  const from: JsonObject =
    source.kind === 'file'
      ? { file: source.path }
      : { [source.kind]: source.database, table: source.table, key: source.key }
  return { name, ...from, max_records: maxRecords }
}
