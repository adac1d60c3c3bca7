// Writes events and the rows they change into the tables of an index, inside the caller's transaction.
//
// Boundary: which events are new, and the checkpoint, are the caller's (`run-index.ts`, `rebuild.ts`); what an event
// does to a row is ports/run-rows.ts.
//
//   R1. Within one call a row is read once and written once, however many events change it.
//   R2. Nothing is remembered from one transaction to the next, but by a writer that is alone with its tables: it keeps
//       the rows of runs that are under way, as far as memory allows, and writes them when they are over.

import type { Event } from '../../core/state-machine/event.ts'
import { parseInstant } from '../../core/time/instant.ts'
import type { RunRow, TaskRow } from '../../ports/run-index.ts'
import { foldRun, foldTask, runIdOf, slotRowOf, taskOf } from '../../ports/run-rows.ts'
import { createBlockWriter } from './block-writer.ts'
import { createEventWriter } from './event-writer.ts'
import {
  RUN_COLUMNS,
  RUN_PROGRESS,
  RUN_SELECT,
  SMOOTH_TASK_COLUMNS,
  TASK_COLUMNS,
  TASK_PROGRESS,
  TASK_SELECT,
} from './row-columns.ts'
import { createRowInserter, placeholders } from './row-inserter.ts'
import type { Connection } from './schema.ts'
import { createSeenIds } from './seen-ids.ts'

/** Rows of runs under way that may be kept in memory: some 5 MB, looked through after each batch. */
const KEPT_ROWS = 5_000

/** What is written waits in part until `flush`; after an error everything that waits is forgotten. */
export interface RowWriter {
  /**
   * Events in order of `seq`, none of which is in the tables yet: the events and the rows they change.
   * @param texts  of each event its line, less `c` and `commit`, if the caller has it: making it anew takes time
   */
  write(events: readonly Event[], texts?: readonly string[]): void
  /** Only the rows they change, and the blocks they are in. */
  fold(events: readonly Event[]): void
  /** To be called before the transaction ends. */
  flush(): void
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
  const events = createEventWriter(db, { isEmpty })
  const blocks = createBlockWriter(db)
  const slots = createRowInserter(
    db,
    'INSERT OR IGNORE INTO slots',
    placeholders(10),
    'INSERT OR REPLACE INTO slots',
  )
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
  const rows = [newRuns, newTasks, smoothTasks]
  const inserters = [slots, ...rows]
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
  function changeRun(runId: string, event: Event): void {
    const kept = runs.get(runId) ?? loadRun(runId)
    if (kept === undefined) {
      runs.set(runId, { row: foldRun(undefined, event), firstSeq: event.seq, isNew: true, place: '' })
    } else {
      kept.row = foldRun(kept.row, event)
    }
  }

  /** Before a row is looked for: it may be among those that wait. */
  function flushRows(): void {
    for (const inserter of rows) inserter.flush()
  }

  function loadRun(runId: string): (Kept<RunRow> & { place: string }) | undefined {
    if (stored?.mayHave(runId) === false) return undefined
    flushRows()
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
      ofRun = { areStored: areTasksStored(runId), byId: new Map() }
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

  function areTasksStored(runId: string): boolean {
    if (stored?.mayHave(runId) === false) return false
    flushRows()
    return hasTasks.get(runId) !== undefined
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
    const fromMs = parseInstant(slot.slot)
    const toMs = slot.slot_to === slot.slot ? fromMs : parseInstant(slot.slot_to)
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

  /** Writes the rows. A writer that is alone with its tables keeps those of runs that are under way (R2). */
  function store(mayKeep: boolean): void {
    let rowCount = runs.size
    for (const { byId } of tasks.values()) rowCount += byId.size
    const keepsOpen = mayKeep && stored !== undefined && rowCount <= KEPT_ROWS
    for (const [runId, kept] of runs) {
      if (keepsOpen && kept.row.finished_at === null) continue
      storeRun(kept)
      stored?.add(runId)
      runs.delete(runId)
    }
    for (const [runId, { byId }] of tasks) {
      if (keepsOpen && runs.has(runId)) continue
      for (const kept of byId.values()) storeTask(kept)
      stored?.add(runId)
      tasks.delete(runId)
    }
  }

  function storeRun({ row, firstSeq, isNew, place }: Kept<RunRow> & { place: string }): void {
    if (isNew) {
      newRuns.add(firstSeq)
      for (const column of RUN_COLUMNS) newRuns.add(row[column])
      return
    }
    if (placeOf(row) !== place) {
      updateRunPlace.run(row.schedule_id, row.slot, row.cause, row.enqueued_at, firstSeq)
    }
    updateRun.run(
      RUN_PROGRESS.map(column => row[column]),
      firstSeq,
    )
  }

  function storeTask({ row, firstSeq, isNew }: Kept<TaskRow>): void {
    if (!isNew) {
      updateTask.run(
        TASK_PROGRESS.map(column => row[column]),
        row.run_id,
        row.task_id,
      )
    } else if (row.error === null && row.reason === null && row.retry_at === null) {
      smoothTasks.add(firstSeq)
      for (const column of SMOOTH_TASK_COLUMNS) smoothTasks.add(row[column])
    } else {
      newTasks.add(firstSeq)
      for (const column of TASK_COLUMNS) newTasks.add(row[column])
    }
  }

  function foldRows(list: readonly Event[]): void {
    for (const event of list) {
      blocks.place(event)
      const task = taskOf(event)
      if (task !== undefined) {
        changeTask(task.run_id, task.task_id, event)
        continue
      }
      const runId = runIdOf(event)
      if (runId !== undefined) changeRun(runId, event)
      writeSlot(event)
    }
    store(true)
  }

  /** All or nothing: what an error leaves half done is forgotten. */
  function attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      runs.clear()
      tasks.clear()
      events.forget()
      blocks.forget()
      for (const inserter of inserters) inserter.clear()
      throw error
    }
  }

  return {
    write: (list, texts) => {
      attempt(() => {
        events.write(list, texts)
        foldRows(list)
      })
    },
    fold: list => {
      attempt(() => foldRows(list))
    },
    flush: () => {
      attempt(() => {
        store(false)
        for (const inserter of inserters) inserter.flush()
        events.flush()
        blocks.flush()
        // Nobody knows whether the transaction will end well.
        blocks.forget()
      })
    },
  }
}

function placeOf(row: RunRow): string {
  return `${row.schedule_id}\0${row.slot}\0${row.cause}\0${row.enqueued_at}`
}

function assign(columns: readonly string[]): string {
  return columns.map(column => `${column} = ?`).join(', ')
}
