// The run index on SQLite: ports/run-index.ts in one file that any number of processes may read and catch up at once.
//
// Boundary: opening, applying, asking. Making the file is rebuild.ts, checking it through and through verify.ts.
//
//   Q1. Events and checkpoint change in one IMMEDIATE transaction, and which events are new is decided inside it:
//       whoever comes second finds nothing left to do.
//   Q2. A file that is missing, broken, of another journal or of another schema is never an exception of `open`: it
//       says `needsRebuild`. While in use the same is an IndexRebuildNeededError.
//   Q3. Opening never creates the file: only rebuild.ts does, so that no half-made index can be met.
//   Q4. A line is given out only if its checksum holds.

import { crc32 } from 'node:zlib'
import Database from 'better-sqlite3'
import type { Event } from '../../core/state-machine/event.ts'
import { parseInstant } from '../../core/time/instant.ts'
import {
  type EventQuery,
  type IndexCheckpoint,
  IndexRebuildNeededError,
  type RebuildReason,
  type RunIndex,
  type RunQuery,
  type RunRow,
  type SlotRow,
  type TaskRow,
} from '../../ports/run-index.ts'
import { canonicalText, indexedEvent, queryInstant } from '../../ports/run-rows.ts'
import { dumpTables } from './dump.ts'
import { identify } from './exclusive-file.ts'
import { RUN_SELECT, TASK_SELECT } from './row-columns.ts'
import { createRowWriter } from './row-writer.ts'
import {
  APPLICATION_ID,
  BLOCK_LINES,
  blockOf,
  type Connection,
  configureForUse,
  SCHEMA_VERSION,
} from './schema.ts'
import { newEvents } from './sequence.ts'
import { requireRoom, reserveSharedMemory } from './shared-memory.ts'
import { translateErrors } from './sqlite-error.ts'
import { findFaults } from './verify.ts'

export interface OpenOptions {
  readonly file: string
  readonly journalId: string
  /** How long a write waits for another process's transaction, ms; the event loop waits with it. Default 1,000. */
  readonly busyTimeoutMs?: number
  /** Reads the whole file and compares every row with its events: about as long as a rebuild takes. Default false. */
  readonly verify?: boolean
}

export type Opened =
  | { readonly index: SqliteRunIndex; readonly needsRebuild?: undefined }
  | { readonly index?: undefined; readonly needsRebuild: RebuildReason; readonly detail: string }

export interface SqliteRunIndex extends RunIndex {
  /** Which file it is, whatever its name becomes. */
  readonly identity: string
  /** False once the file has been deleted or replaced: this one goes on, but nobody else sees it. One `stat`. */
  isCurrentFile(): boolean
  /** What is wrong with it, one sentence each; empty if nothing is. Reads everything. */
  verify(): string[]
  /** All of it as canonical text: equal texts, equal indexes. */
  dump(): string
}

/**
 * Opens the index of a journal.
 * @throws DagbokError INDEX_UNAVAILABLE when the file is there and cannot be opened: permission, no descriptors
 */
export function openRunIndex(options: OpenOptions): Opened {
  const { file } = options
  const before = identify(file)
  if (before === undefined) return { needsRebuild: 'missing', detail: `${file} is not there` }
  let db: Connection | undefined
  try {
    return translateErrors(file, () => {
      requireRoom(file)
      db = new Database(file, { fileMustExist: true, timeout: options.busyTimeoutMs ?? 1_000 })
      requireIndexOf(db, options)
      configureForUse(db)
      reserveSharedMemory(db, file)
      const index = indexOn(db, file, before)
      const faults = options.verify ? index.verify() : []
      // Replaced in this very moment: the new file's log would be read with the old file's pages.
      if (identify(file) !== before) throw new IndexRebuildNeededError('missing', `${file} was replaced`)
      if (faults.length > 0) throw new IndexRebuildNeededError('damaged', `${file}: ${faults.join('; ')}`)
      return { index }
    })
  } catch (error) {
    db?.close()
    if (error instanceof IndexRebuildNeededError) return { needsRebuild: error.reason, detail: error.message }
    if (identify(file) === undefined) return { needsRebuild: 'missing', detail: `${file} is not there` }
    throw error
  }
}

function requireIndexOf(db: Connection, { file, journalId }: OpenOptions): void {
  const application = db.pragma('application_id', { simple: true })
  if (application !== APPLICATION_ID) {
    throw new IndexRebuildNeededError('damaged', `${file} is not a run index`)
  }
  const version = db.pragma('user_version', { simple: true })
  if (version !== SCHEMA_VERSION) {
    throw new IndexRebuildNeededError('other_schema', `${file} has version ${version}, not ${SCHEMA_VERSION}`)
  }
  const checkpoint = readCheckpoint(db)
  if (checkpoint === undefined) throw new IndexRebuildNeededError('damaged', `${file} has no checkpoint`)
  if (checkpoint.journalId !== journalId) {
    throw new IndexRebuildNeededError(
      'other_journal',
      `${file} is of journal ${checkpoint.journalId}, not ${journalId}`,
    )
  }
}

function readCheckpoint(db: Connection): IndexCheckpoint | undefined {
  const row = db
    .prepare('SELECT journal_id, seq, (SELECT max(seq) FROM events) AS last FROM checkpoint WHERE id = 1')
    .get() as { journal_id: string; seq: number; last: number | null } | undefined
  if (row === undefined || (row.last ?? 0) !== row.seq) return undefined
  return { journalId: row.journal_id, seq: row.seq }
}

function indexOn(db: Connection, file: string, identity: string): SqliteRunIndex {
  const writer = createRowWriter(db)
  const selectCheckpoint = db.prepare('SELECT journal_id, seq FROM checkpoint WHERE id = 1')
  const setCheckpoint = db.prepare('UPDATE checkpoint SET seq = ? WHERE id = 1')
  const selectRun = db.prepare(`SELECT ${RUN_SELECT} FROM runs WHERE run_id = ?`)
  const selectTasks = db.prepare(`SELECT ${TASK_SELECT} FROM tasks WHERE run_id = ? ORDER BY first_seq`)
  const selectSlots = db.prepare(
    `SELECT schedule_id, slot, slot_to, count, disposition, reason, run_id, decided_at FROM slots
     WHERE schedule_id = ? AND slot_to_ms >= ? AND slot_ms <= ? ORDER BY slot_ms DESC LIMIT ?`,
  )
  const selectLine = db.prepare('SELECT seq, line, crc FROM events WHERE seq = ?')

  /** An event that is here already came from another process, which read the journal's file: is it the same one? */
  function requireKnown(event: Event): void {
    const stored = selectLine.get(event.seq) as StoredLine | undefined
    if (stored === undefined) return
    if (canonicalText(parseLine(stored)) === canonicalText(indexedEvent(event))) return
    throw new IndexRebuildNeededError('diverged', `${file} has another line ${event.seq} than the one given`)
  }

  const applyInTransaction = db.transaction((journalId: string, events: readonly Event[]) => {
    const { journal_id, seq } = selectCheckpoint.get() as { journal_id: string; seq: number }
    if (journal_id !== journalId) {
      throw new IndexRebuildNeededError('other_journal', `${file} is of ${journal_id}, not ${journalId}`)
    }
    const fresh = newEvents(events, seq)
    const known = events[events.length - fresh.length - 1]
    if (known !== undefined) requireKnown(known)
    const last = fresh.at(-1)
    if (last === undefined) return
    writer.write(fresh)
    writer.flush()
    setCheckpoint.run(last.seq)
  })

  return {
    identity,
    checkpoint: () =>
      translateErrors(file, () => {
        const row = selectCheckpoint.get() as { journal_id: string; seq: number }
        return row.seq === 0 ? undefined : { journalId: row.journal_id, seq: row.seq }
      }),
    apply: (journalId, events) => {
      if (events.length > 0) translateErrors(file, () => applyInTransaction.immediate(journalId, events))
    },
    runs: query => translateErrors(file, () => queryRuns(db, query)),
    run: runId => translateErrors(file, () => selectRun.get(runId) as RunRow | undefined),
    tasks: runId => translateErrors(file, () => selectTasks.all(runId) as TaskRow[]),
    slots: (scheduleId, { since, until, limit }) =>
      translateErrors(file, () => {
        const sinceMs = since === undefined ? -8.64e15 : parseInstant(queryInstant(since))
        const untilMs = until === undefined ? 8.64e15 : parseInstant(queryInstant(until))
        return selectSlots.all(scheduleId, sinceMs, untilMs, sqlLimit(limit)) as SlotRow[]
      }),
    events: query => translateErrors(file, () => queryEvents(db, query)),
    close: () => {
      db.close()
    },
    isCurrentFile: () => identify(file) === identity,
    verify: () => translateErrors(file, () => db.transaction(() => findFaults(db))()),
    dump: () => translateErrors(file, () => db.transaction(() => dumpTables(db))()),
  }
}

function queryRuns(db: Connection, query: RunQuery): RunRow[] {
  const filters: string[] = []
  const values: (string | number)[] = []
  if (query.dagName !== undefined) {
    filters.push('dag_name = ?')
    values.push(query.dagName)
  }
  if (query.scheduleId !== undefined) {
    filters.push('schedule_id = ?')
    values.push(query.scheduleId)
  }
  if (query.status !== undefined) {
    filters.push(`status IN (${query.status.map(() => '?').join(', ')})`)
    values.push(...query.status)
  }
  if (query.since !== undefined) {
    filters.push('enqueued_at >= ?')
    values.push(queryInstant(query.since))
  }
  const sql = `SELECT ${RUN_SELECT} FROM runs ${where(filters)} ORDER BY enqueued_at DESC, first_seq DESC LIMIT ?`
  return db.prepare(sql).all(...values, sqlLimit(query.limit)) as RunRow[]
}

function queryEvents(db: Connection, query: EventQuery): Event[] {
  const {
    runId,
    scheduleId,
    event,
    afterSeq = 0,
    beforeSeq = Number.MAX_SAFE_INTEGER,
    timestamp,
    limit,
  } = query
  const subjects = [
    { kind: 'run', column: 'run_id', value: runId },
    { kind: 'schedule', column: 'schedule_id', value: scheduleId },
    { kind: 'event', column: 'event', value: event },
  ].filter((subject): subject is typeof subject & { value: string } => subject.value !== undefined)
  const values = subjects.map(({ value }) => value)
  const filters = [...subjects.map(({ column }) => `${column} = ?`), 'seq > ?', 'seq < ?']
  const bounds: (number | string)[] = [afterSeq, beforeSeq]
  if (timestamp !== undefined) {
    filters.push('timestamp = ?')
    bounds.push(timestamp)
  }
  if (subjects.length === 0) {
    const sql = `SELECT seq, line, crc FROM events ${where(filters)} ORDER BY seq DESC LIMIT ?`
    return (db.prepare(sql).all(...bounds, sqlLimit(limit)) as StoredLine[]).map(parseLine)
  }
  // CROSS JOIN fixes the order of the loops: the newest block that holds all of them, its lines, the next block.
  const blocks = subjects.map((_, i) => `blocks AS b${i}`).join(' CROSS JOIN ')
  const held = subjects.map(
    ({ kind }, i) => `b${i}.kind = '${kind}' AND b${i}.subject = ? AND b${i}.block = b0.block`,
  )
  const sql = `SELECT seq, line, crc FROM ${blocks} CROSS JOIN events
    ${where([...held, 'b0.block BETWEEN ? AND ?', `seq BETWEEN b0.block * ${BLOCK_LINES} AND b0.block * ${BLOCK_LINES} + ${BLOCK_LINES - 1}`, ...filters])}
    ORDER BY b0.block DESC, seq DESC LIMIT ?`
  const blockBounds = [blockOf(afterSeq), blockOf(beforeSeq)]
  const rows = db.prepare(sql).all(...values, ...blockBounds, ...values, ...bounds, sqlLimit(limit))
  return (rows as StoredLine[]).map(parseLine)
}

export interface StoredLine {
  seq: number
  line: string
  crc: number
}

/** @throws IndexRebuildNeededError `damaged` when the line is not the one that was stored */
export function parseLine({ seq, line, crc }: StoredLine): Event {
  if (typeof line !== 'string' || crc32(line) !== crc) {
    throw new IndexRebuildNeededError('damaged', `line ${seq} does not have its checksum`)
  }
  return JSON.parse(line) as Event
}

function where(filters: readonly string[]): string {
  return filters.length === 0 ? '' : `WHERE ${filters.join(' AND ')}`
}

/** SQLite has no infinity: -1 is "all". */
function sqlLimit(limit: number): number {
  return Number.isFinite(limit) ? Math.max(0, Math.trunc(limit)) : -1
}
