// Writes events and the rows they change into the tables of an index, inside the caller's transaction.
//
// Boundary: which events are new, and the checkpoint, are the caller's (`run-index.ts`, `rebuild.ts`); what an event
// does to a row is ports/run-rows.ts.
//
//   R1. Within one call a row is read once and written once, however many events change it.

import { crc32 } from 'node:zlib'
import type { Event } from '../../core/state-machine/event.ts'
import { parseInstant } from '../../core/time/instant.ts'
import type { RunRow, TaskRow } from '../../ports/run-index.ts'
import {
  foldRun,
  foldTask,
  indexedEvent,
  runIdOf,
  slotRowOf,
  subjectOf,
  taskOf,
} from '../../ports/run-rows.ts'
import type { Connection } from './schema.ts'

const RUN_COLUMNS = [
  'run_id',
  'dag_name',
  'tenant_id',
  'schedule_id',
  'slot',
  'status',
  'cause',
  'enqueued_at',
  'started_at',
  'finished_at',
  'duration_ms',
  'tasks_succeeded',
  'tasks_failed',
  'tasks_skipped',
  'error',
] as const satisfies readonly (keyof RunRow)[]

/** What changes after a run's first event, as a rule; the rest is in secondary indexes that need no touching. */
const RUN_PROGRESS = [
  'status',
  'started_at',
  'finished_at',
  'duration_ms',
  'tasks_succeeded',
  'tasks_failed',
  'tasks_skipped',
  'error',
] as const satisfies readonly (keyof RunRow)[]

const TASK_COLUMNS = [
  'run_id',
  'task_id',
  'status',
  'attempt',
  'workflow_ref',
  'started_at',
  'finished_at',
  'duration_ms',
  'retry_at',
  'reason',
  'error',
  'output',
] as const satisfies readonly (keyof TaskRow)[]

/** The columns of a run, of a task, in the order of their rows' keys: for SELECT. */
export const RUN_SELECT = RUN_COLUMNS.join(', ')
export const TASK_SELECT = TASK_COLUMNS.join(', ')

const EVENT_COLUMNS = 8
/** One statement for so many rows takes a quarter less time than one for each; more rows gain nothing. */
const EVENTS_AT_ONCE = 16

export interface RowWriter {
  /** Events in order of `seq`, none of which is in the tables yet: the events and the rows they change. */
  write(events: readonly Event[]): void
  /** Only the rows they change. */
  fold(events: readonly Event[]): void
}

interface Kept<Row> {
  row: Row
  firstSeq: number
  isNew: boolean
}

/** Prepares the statements on this connection. */
export function createRowWriter(db: Connection): RowWriter {
  const insertEvent = db.prepare(`INSERT INTO events VALUES (${marks(EVENT_COLUMNS)})`)
  const insertEvents = db.prepare(
    `INSERT INTO events VALUES ${Array(EVENTS_AT_ONCE)
      .fill(`(${marks(EVENT_COLUMNS)})`)
      .join(', ')}`,
  )
  const putSlot = db.prepare('INSERT OR REPLACE INTO slots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const selectRun = db.prepare('SELECT * FROM runs WHERE run_id = ?')
  const insertRun = db.prepare(
    `INSERT INTO runs (first_seq, ${RUN_SELECT}) VALUES (${marks(RUN_COLUMNS.length + 1)})`,
  )
  const updateRun = db.prepare(`UPDATE runs SET ${assign(RUN_PROGRESS)} WHERE first_seq = ?`)
  const updateRunPlace = db.prepare(
    'UPDATE runs SET schedule_id = ?, slot = ?, cause = ?, enqueued_at = ? WHERE first_seq = ?',
  )
  const selectTask = db.prepare('SELECT * FROM tasks WHERE run_id = ? AND task_id = ?')
  const insertTask = db.prepare(
    `INSERT INTO tasks (first_seq, ${TASK_SELECT}) VALUES (${marks(TASK_COLUMNS.length + 1)})`,
  )
  const updateTask = db.prepare(`UPDATE tasks SET ${assign(TASK_COLUMNS.slice(2))} WHERE first_seq = ?`)

  const runs = new Map<string, Kept<RunRow> & { place: string }>()
  /** Run id → task id → row. */
  const tasks = new Map<string, Map<string, Kept<TaskRow>>>()

  function writeEvents(events: readonly Event[]): void {
    let values: (string | number | null)[] = []
    for (const event of events) {
      pushEvent(values, event)
      if (values.length < EVENT_COLUMNS * EVENTS_AT_ONCE) continue
      insertEvents.run(values)
      values = []
    }
    for (let from = 0; from < values.length; from += EVENT_COLUMNS) {
      insertEvent.run(values.slice(from, from + EVENT_COLUMNS))
    }
  }

  function changeRun(runId: string, event: Event): void {
    const kept = runs.get(runId) ?? loadRun(runId)
    if (kept === undefined) {
      runs.set(runId, { row: foldRun(undefined, event), firstSeq: event.seq, isNew: true, place: '' })
    } else {
      kept.row = foldRun(kept.row, event)
    }
  }

  function loadRun(runId: string): (Kept<RunRow> & { place: string }) | undefined {
    const stored = selectRun.get(runId) as (RunRow & { first_seq: number }) | undefined
    if (stored === undefined) return undefined
    const { first_seq: firstSeq, ...row } = stored
    const kept = { row, firstSeq, isNew: false, place: placeOf(row) }
    runs.set(runId, kept)
    return kept
  }

  function changeTask(runId: string, taskId: string, event: Event): void {
    let ofRun = tasks.get(runId)
    if (ofRun === undefined) {
      ofRun = new Map()
      tasks.set(runId, ofRun)
    }
    const kept = ofRun.get(taskId) ?? loadTask(runId, taskId)
    if (kept === undefined) {
      ofRun.set(taskId, { row: foldTask(undefined, event), firstSeq: event.seq, isNew: true })
    } else {
      kept.row = foldTask(kept.row, event)
      ofRun.set(taskId, kept)
    }
  }

  function loadTask(runId: string, taskId: string): Kept<TaskRow> | undefined {
    const stored = selectTask.get(runId, taskId) as (TaskRow & { first_seq: number }) | undefined
    if (stored === undefined) return undefined
    const { first_seq: firstSeq, ...row } = stored
    return { row, firstSeq, isNew: false }
  }

  function writeSlot(event: Event): void {
    const slot = slotRowOf(event)
    if (slot === undefined) return
    const [fromMs, toMs] = [parseInstant(slot.slot), parseInstant(slot.slot_to)]
    if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return
    putSlot.run(
      slot.schedule_id,
      fromMs,
      toMs,
      slot.slot,
      slot.slot_to,
      slot.count,
      slot.disposition,
      slot.reason,
      slot.run_id,
      slot.decided_at,
    )
  }

  function store(): void {
    for (const { row, firstSeq, isNew, place } of runs.values()) {
      if (isNew) {
        insertRun.run(
          firstSeq,
          RUN_COLUMNS.map(column => row[column]),
        )
        continue
      }
      if (placeOf(row) !== place) {
        updateRunPlace.run(row.schedule_id, row.slot, row.cause, row.enqueued_at, firstSeq)
      }
      updateRun.run(
        RUN_PROGRESS.map(column => row[column]),
        firstSeq,
      )
    }
    for (const ofRun of tasks.values()) {
      for (const { row, firstSeq, isNew } of ofRun.values()) {
        const values = TASK_COLUMNS.map(column => row[column])
        if (isNew) insertTask.run(firstSeq, values)
        else updateTask.run(values.slice(2), firstSeq)
      }
    }
  }

  function foldRows(events: readonly Event[]): void {
    try {
      for (const event of events) {
        const task = taskOf(event)
        if (task !== undefined) {
          changeTask(task.run_id, task.task_id, event)
          continue
        }
        const runId = runIdOf(event)
        if (runId !== undefined) changeRun(runId, event)
        writeSlot(event)
      }
      store()
    } finally {
      runs.clear()
      tasks.clear()
    }
  }

  return {
    write: events => {
      writeEvents(events)
      foldRows(events)
    },
    fold: foldRows,
  }
}

function pushEvent(values: (string | number | null)[], event: Event): void {
  const line = JSON.stringify(indexedEvent(event))
  values.push(
    event.seq,
    event.event,
    event.timestamp,
    subjectOf(event, 'run_id'),
    subjectOf(event, 'schedule_id'),
    subjectOf(event, 'task_id'),
    line,
    crc32(line),
  )
}

function placeOf(row: RunRow): string {
  return `${row.schedule_id}\0${row.slot}\0${row.cause}\0${row.enqueued_at}`
}

function marks(count: number): string {
  return Array(count).fill('?').join(', ')
}

function assign(columns: readonly string[]): string {
  return columns.map(column => `${column} = ?`).join(', ')
}
