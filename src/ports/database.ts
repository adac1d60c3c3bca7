// Databases as streams and clients read them: a few queries, rows as the database has them.
//
//   D1. Nothing is written, whatever the query says. Each query sees one moment; of SQLite all of a reading see the same.
//   D2. Each wait ends: by the answer, a time limit of the adapter's, or the signal.
//   D3. No message holds a password or a connection URL.

/** A value of SQLite; whole numbers are bigint. */
export type SqliteValue = null | bigint | number | string | Uint8Array

export interface SqliteQuery {
  /** One statement that reads. */
  readonly text: string
  readonly parameters: readonly (bigint | number | string)[]
}

export interface SqliteRows {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly SqliteValue[])[]
  /** The limits left rows out; at least one row beyond `bytesMax` is there then. */
  readonly more: boolean
}

export interface SqliteReading {
  /** Path, relative to the root. */
  readonly database: string
  readonly queries: readonly SqliteQuery[]
  /** Of each query. */
  readonly rowsMax: number
  readonly bytesMax: number
}

/** @throws Error with words for people */
export type ReadSqlite = (reading: SqliteReading, signal: AbortSignal) => Promise<SqliteRows[]>

export interface PostgresRows {
  readonly columns: readonly { readonly name: string; readonly typeId: number }[]
  /** As the server writes them. */
  readonly rows: readonly (readonly (string | null)[])[]
}

export interface PostgresSession {
  query(text: string, parameters?: readonly string[]): Promise<PostgresRows>
}

/**
 * One read-only transaction, in which each query sees what is committed by then. The session's time zone is UTC.
 * @param variable the environment variable that holds the connection URL
 * @throws Error with words for people
 */
export type ReadPostgres = <Answer>(
  variable: string,
  work: (session: PostgresSession) => Promise<Answer>,
  signal: AbortSignal,
) => Promise<Answer>
