// Streams: append-only sources of records that are read on from where the last successful run stopped (seed 000). In their
// one normal form.

import type { JsonObject } from '../json.ts'

/** One record a line, in a file that is only appended to; it may be rotated. */
export interface FileStream {
  readonly kind: 'file'
  readonly path: string
}
/** Rows of a table by a key that only grows. */
export interface TableStream {
  readonly kind: 'sqlite' | 'postgres'
  /** Path of an SQLite database; for PostgreSQL the name of the environment variable that holds the connection URL. */
  readonly database: string
  readonly table: string
  /** The increasing column. */
  readonly key: string
}
export type StreamSource = FileStream | TableStream

export interface Stream {
  /** Names it in its DAG. */
  readonly name: string
  readonly source: StreamSource
  /** Records in one run at most. */
  readonly maxRecords: number
}

/** How far a stream has been read: opaque, made and understood by whoever reads it. */
export type StreamPosition = JsonObject

/** Names a stream in the state. */
export function streamKey(dagName: string, stream: string): string {
  return `${dagName}/${stream}`
}
