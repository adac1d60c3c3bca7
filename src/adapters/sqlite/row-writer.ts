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
import { createRowInserter, placeholders, type RowInserter } from './row-inserter.ts'
import { blockOf, type Connection } from './schema.ts'
import { createSeenIds } from './seen-ids.ts'

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

const TASK_PROGRESS = TASK_COLUMNS.slice(2)

/** Of a task that nothing went wrong with: most of them. To bind a NULL takes twice as long as to bind a number. */
const SMOOTH_TASK_COLUMNS = TASK_COLUMNS.filter(
  column => column !== 'error' && column !== 'reason' && column !== 'retry_at',
)

/** The columns of a run, of a task, in the order of their rows' keys: for SELECT. */
export const RUN_SELECT = RUN_COLUMNS.join(', ')
export const TASK_SELECT = TASK_COLUMNS.join(', ')

export interface RowWriter {
  /**
   * Events in order of `seq`, none of which is in the tables yet: the events and the rows they change.
   * @param texts  of each event its line, less `c` and `commit`, if the caller has it: making it anew takes time
   */
  write(events: readonly Event[], texts?: readonly string[]): void
  /** Only the rows they change, and the blocks they are in. */
  fold(events: readonly Event[]): void
}

interface Kept<Row> {
  row: Row
  firstSeq: number
  isNew: boolean
}

/**
 * Prepares the statements on this connection.
 * @param options.isEmpty  no row is there yet, and none will come from elsewhere
 */
export function createRowWriter(db: Connection, { isEmpty = false } = {}): RowWriter {
  /** Runs of which there is a row, or a task's, if every row comes from this writer: no need to look for others. */
  const stored = isEmpty ? createSeenIds() : undefined
  const events = createRowInserter(db, 'INSERT OR FAIL INTO events', placeholders(8))
  const placesOf = (kind: string) => createRowInserter(db, 'INSERT OR IGNORE INTO blocks', `'${kind}', ?, ?`)
  const places = { run: placesOf('run'), schedule: placesOf('schedule'), event: placesOf('event') }
  const slots = createRowInserter(db, 'INSERT OR REPLACE INTO slots', placeholders(10))
  const newRuns = createRowInserter(
    db,
    `INSERT OR FAIL INTO runs (first_seq, ${RUN_SELECT})`,
    placeholders(RUN_COLUMNS.length + 1),
  )
  const newTasks = createRowInserter(
    db,
    `INSERT OR FAIL INTO tasks (first_seq, ${TASK_SELECT})`,
    placeholders(TASK_COLUMNS.length + 1),
  )
  const smoothTasks = createRowInserter(
    db,
    `INSERT OR FAIL INTO tasks (first_seq, ${SMOOTH_TASK_COLUMNS.join(', ')})`,
    placeholders(SMOOTH_TASK_COLUMNS.length + 1),
  )
  const inserters = [events, places.run, places.schedule, places.event, slots, newRuns, newTasks, smoothTasks]
  const selectRun = db.prepare('SELECT * FROM runs WHERE run_id = ?')
  const updateRun = db.prepare(`UPDATE runs SET ${assign(RUN_PROGRESS)} WHERE first_seq = ?`)
  const updateRunPlace = db.prepare(
    'UPDATE runs SET schedule_id = ?, slot = ?, cause = ?, enqueued_at = ? WHERE first_seq = ?',
  )
  const selectTask = db.prepare('SELECT * FROM tasks WHERE run_id = ? AND task_id = ?')
  const hasTasks = db.prepare('SELECT 1 FROM tasks WHERE run_id = ? LIMIT 1')
  const updateTask = db.prepare(`UPDATE tasks SET ${assign(TASK_PROGRESS)} WHERE run_id = ? AND task_id = ?`)

  const runs = new Map<string, Kept<RunRow> & { place: string }>()
  const tasks = new Map<string, { areStored: boolean; byId: Map<string, Kept<TaskRow>> }>()
  const placed = {
    block: -1,
    runs: new Set<string>(),
    schedules: new Set<string>(),
    names: new Set<string>(),
  }

  function insertEvents(list: readonly Event[], texts: readonly string[] | undefined): void {
    for (let i = 0; i < list.length; i++) {
      const event = list[i]!
      const kept = indexedEvent(event)
      const line = kept === event && texts !== undefined ? texts[i]! : JSON.stringify(kept)
      events.add(event.seq)
      events.add(event.event)
      events.add(event.timestamp)
      events.add(subjectOf(event, 'run_id'))
      events.add(subjectOf(event, 'schedule_id'))
      events.add(subjectOf(event, 'task_id'))
      events.add(line)
      events.add(crc32(line))
    }
  }

  /** `blocks` for one event: said once for each block, or twice where a batch ends inside. */
  function placeEvent(event: Event): void {
    const block = blockOf(event.seq)
    if (block !== placed.block) {
      forgetPlaces()
      placed.block = block
    }
    placeIn(placed.names, places.event, event.event)
    placeIn(placed.runs, places.run, subjectOf(event, 'run_id'))
    placeIn(placed.schedules, places.schedule, subjectOf(event, 'schedule_id'))
  }

  function placeIn(known: Set<string>, into: RowInserter, subject: string | null): void {
    if (subject === null || known.has(subject)) return
    known.add(subject)
    into.add(subject)
    into.add(placed.block)
  }

  function forgetPlaces(): void {
    placed.block = -1
    placed.runs.clear()
    placed.schedules.clear()
    placed.names.clear()
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
    if (stored?.mayHave(runId) === false) return undefined
    const found = selectRun.get(runId) as (RunRow & { first_seq: number }) | undefined
    if (found === undefined) return undefined
    const { first_seq: firstSeq, ...row } = found
    const kept = { row, firstSeq, isNew: false, place: placeOf(row) }
    runs.set(runId, kept)
    return kept
  }

  function changeTask(runId: string, taskId: string, event: Event): void {
    let ofRun = tasks.get(runId)
    if (ofRun === undefined) {
      ofRun = {
        areStored: stored?.mayHave(runId) !== false && hasTasks.get(runId) !== undefined,
        byId: new Map(),
      }
      tasks.set(runId, ofRun)
    }
    const kept = ofRun.byId.get(taskId) ?? (ofRun.areStored ? loadTask(runId, taskId) : undefined)
    if (kept === undefined) {
      ofRun.byId.set(taskId, { row: foldTask(undefined, event), firstSeq: event.seq, isNew: true })
    } else {
      kept.row = foldTask(kept.row, event)
      ofRun.byId.set(taskId, kept)
    }
  }

  function loadTask(runId: string, taskId: string): Kept<TaskRow> | undefined {
    const found = selectTask.get(runId, taskId) as (TaskRow & { first_seq: number }) | undefined
    if (found === undefined) return undefined
    const { first_seq: firstSeq, ...row } = found
    return { row, firstSeq, isNew: false }
  }

  function writeSlot(event: Event): void {
    const slot = slotRowOf(event)
    if (slot === undefined) return
    const [fromMs, toMs] = [parseInstant(slot.slot), parseInstant(slot.slot_to)]
    if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return
    slots.add(slot.schedule_id)
    slots.add(fromMs)
    slots.add(toMs)
    slots.add(slot.slot)
    slots.add(slot.slot_to)
    slots.add(slot.count)
    slots.add(slot.disposition)
    slots.add(slot.reason)
    slots.add(slot.run_id)
    slots.add(slot.decided_at)
  }

  function store(): void {
    for (const { row, firstSeq, isNew, place } of runs.values()) {
      if (isNew) {
        newRuns.add(firstSeq)
        for (const column of RUN_COLUMNS) newRuns.add(row[column])
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
    for (const { byId } of tasks.values()) {
      for (const { row, firstSeq, isNew } of byId.values()) {
        if (!isNew) {
          updateTask.run(
            TASK_PROGRESS.map(column => row[column]),
            row.run_id,
            row.task_id,
          )
          continue
        }
        if (row.error === null && row.reason === null && row.retry_at === null) {
          smoothTasks.add(firstSeq)
          for (const column of SMOOTH_TASK_COLUMNS) smoothTasks.add(row[column])
          continue
        }
        newTasks.add(firstSeq)
        for (const column of TASK_COLUMNS) newTasks.add(row[column])
      }
    }
    for (const inserter of inserters) inserter.flush()
    if (stored === undefined) return
    for (const runId of runs.keys()) stored.add(runId)
    for (const runId of tasks.keys()) stored.add(runId)
  }

  function foldRows(list: readonly Event[]): void {
    for (const event of list) {
      placeEvent(event)
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
  }

  /** What is kept between events is of one call: another process, or an undone transaction, may change the rows. */
  function forget(): void {
    runs.clear()
    tasks.clear()
    forgetPlaces()
    for (const inserter of inserters) inserter.clear()
  }

  return {
    write: (list, texts) => {
      try {
        insertEvents(list, texts)
        foldRows(list)
      } finally {
        forget()
      }
    },
    fold: list => {
      try {
        foldRows(list)
      } finally {
        forget()
      }
    },
  }
}

function placeOf(row: RunRow): string {
  return `${row.schedule_id}\0${row.slot}\0${row.cause}\0${row.enqueued_at}`
}

function assign(columns: readonly string[]): string {
  return columns.map(column => `${column} = ?`).join(', ')
}
