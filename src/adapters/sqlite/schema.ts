// The tables of the run index, and how a connection to them is set up.
//
// Boundary: no rows are read or written here but the one that says whose index it is.
//
//   S1. Any change of a table, or of what a row means (ports/run-rows.ts), raises SCHEMA_VERSION: every index with
//       another version is deleted and built again, there are no migrations.
//   S2. Lines are found by block: BLOCK_LINES consecutive ones by `seq`. `blocks` says in which blocks lines about a run
//       or a schedule, or of a name, are; there they are looked for one by one. Index entries for each line would cost
//       as much as the lines.
//   S3. Rows of runs and tasks carry the `seq` of their first event: an order.

import type Database from 'better-sqlite3'

export type Connection = InstanceType<typeof Database>

export const SCHEMA_VERSION = 2
/** Consecutive lines in a block: looking through one takes some 0.2 ms. */
export const BLOCK_LINES = 1_024
/** "DgBk": what `file` shows, and what tells an index from any other database. */
export const APPLICATION_ID = 0x4467426b

const TABLES = `
CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  journal_id TEXT NOT NULL,
  seq INTEGER NOT NULL
);
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  event TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  run_id TEXT,
  schedule_id TEXT,
  task_id TEXT,
  line TEXT NOT NULL,
  crc INTEGER NOT NULL
);
CREATE TABLE blocks (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, block)
) WITHOUT ROWID;
CREATE TABLE runs (
  first_seq INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  dag_name TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  schedule_id TEXT,
  slot TEXT,
  status TEXT NOT NULL,
  cause TEXT NOT NULL,
  enqueued_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  duration_ms REAL,
  tasks_succeeded INTEGER NOT NULL,
  tasks_failed INTEGER NOT NULL,
  tasks_skipped INTEGER NOT NULL,
  error TEXT
);
CREATE TABLE tasks (
  first_seq INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  workflow_ref TEXT,
  started_at TEXT,
  finished_at TEXT,
  duration_ms REAL,
  retry_at TEXT,
  reason TEXT,
  error TEXT,
  output TEXT,
  PRIMARY KEY (run_id, task_id)
) WITHOUT ROWID;
CREATE TABLE slots (
  schedule_id TEXT NOT NULL,
  slot_ms INTEGER NOT NULL,
  slot_to_ms INTEGER NOT NULL,
  slot TEXT NOT NULL,
  slot_to TEXT NOT NULL,
  count INTEGER NOT NULL,
  disposition TEXT NOT NULL,
  reason TEXT NOT NULL,
  run_id TEXT,
  decided_at TEXT NOT NULL,
  PRIMARY KEY (schedule_id, slot_ms)
) WITHOUT ROWID;
`

/** The secondary indexes, one statement each. Built when the rows are there they cost a third. */
export const INDEXES: readonly string[] = [
  'CREATE INDEX runs_by_time ON runs (enqueued_at)',
  'CREATE INDEX runs_by_dag ON runs (dag_name, enqueued_at)',
  'CREATE INDEX runs_by_schedule ON runs (schedule_id, enqueued_at) WHERE schedule_id IS NOT NULL',
  'CREATE INDEX runs_by_status ON runs (status, enqueued_at)',
]

/** The block of the line with this `seq`. */
export function blockOf(seq: number): number {
  return Math.floor(seq / BLOCK_LINES)
}

/** Makes the empty tables of an index of this journal. The indexes come later. */
export function createTables(db: Connection, journalId: string): void {
  db.exec(TABLES)
  db.prepare('INSERT INTO checkpoint VALUES (1, ?, 0)').run(journalId)
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma(`user_version = ${SCHEMA_VERSION}`)
}

/** The objects of a database as text: equal texts, equal schemas. */
export function describeSchema(db: Connection): string {
  const rows = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name').all()
  return JSON.stringify(rows)
}

/** For an index in daily use: readers never wait, a commit costs no sync; a power cut may take the last commits. */
export function configureForUse(db: Connection): void {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('journal_size_limit = 67108864')
  db.pragma('trusted_schema = OFF')
  db.pragma('cell_size_check = ON')
}

/** For an index that is being built and thrown away if that fails: nothing is synced, nothing can be undone. */
export function configureForBuilding(db: Connection): void {
  db.pragma('page_size = 8192')
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('cache_size = -32768')
  db.pragma('temp_store = MEMORY')
}
