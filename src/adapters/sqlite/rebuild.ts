// Makes the file of a run index from the journal: beside the old one, then in its place.
//
// Boundary: reads no journal; the events come from the caller's reader.
//
//   B1. Whoever makes or replaces the file holds `<file>.rebuild` (exclusive-file.ts): one at a time over all
//       processes, and a dead one's half-made file is nobody's.
//   B2. The file gets its name only when it is complete and synced. At every moment before, the old one, or none, is
//       there: both mean that the next one tries again.
//   B3. The old write-ahead log goes before the new file comes: SQLite would play it into the wrong file.

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Event } from '../../core/state-machine/event.ts'
import { type HeldFile, holdExclusively } from './exclusive-file.ts'
import { createRowWriter } from './row-writer.ts'
import { configureForBuilding, createIndexes, createTables } from './schema.ts'
import { newEvents } from './sequence.ts'
import { translateErrors } from './sqlite-error.ts'

/** Events folded between two breaths of the event loop: some 15 ms. */
const BATCH = 2_000
const POLL_MS = 50

export interface RebuildOptions {
  readonly file: string
  readonly journalId: string
  /** From the oldest line that is kept to the newest, in order of `seq`. */
  readonly events: Iterable<Event> | AsyncIterable<Event>
}

export interface RebuildResult {
  readonly events: number
  readonly ms: number
}

/**
 * Builds the index anew and puts it in the place of what was there. Waits while another process does the same.
 * @throws IndexRebuildNeededError `gap` when the events have a hole
 * @throws DagbokError INDEX_UNAVAILABLE when the disk is full or the file cannot be written
 */
export async function rebuildRunIndex(options: RebuildOptions): Promise<RebuildResult> {
  const turn = await awaitTurn(options.file)
  try {
    return await rebuildInTurn(options)
  } finally {
    turn.release()
  }
}

/** Waits until this process is the one that may make the file. Release it. */
export async function awaitTurn(file: string): Promise<HeldFile> {
  translateErrors(file, () => mkdirSync(dirname(file), { recursive: true, mode: 0o700 }))
  for (;;) {
    const turn = translateErrors(file, () => holdExclusively(`${file}.rebuild`))
    if (turn !== undefined) return turn
    await sleep(POLL_MS)
  }
}

/** `rebuildRunIndex` for a caller whose turn it is. */
export async function rebuildInTurn({ file, journalId, events }: RebuildOptions): Promise<RebuildResult> {
  const startedMs = performance.now()
  const building = `${file}.building`
  const db = translateErrors(file, () => {
    removeDatabase(building)
    return new Database(building)
  })
  let count = 0
  let lastSeq = 0
  try {
    translateErrors(file, () => {
      configureForBuilding(db)
      createTables(db, journalId)
      db.exec('BEGIN')
    })
    const writer = createRowWriter(db)
    const write = (batch: readonly Event[]) => {
      const fresh = newEvents(batch, lastSeq)
      translateErrors(file, () => writer.write(fresh))
      lastSeq = fresh.at(-1)?.seq ?? lastSeq
      count += fresh.length
    }
    let batch: Event[] = []
    const take = (event: Event) => {
      batch.push(event)
      if (batch.length < BATCH) return false
      write(batch)
      batch = []
      return true
    }
    // `for await` over a plain iterable would cost a turn of the microtask queue per event.
    if (Symbol.asyncIterator in events) {
      for await (const event of events) if (take(event)) await breathe()
    } else {
      for (const event of events) if (take(event)) await breathe()
    }
    write(batch)
    translateErrors(file, () => {
      db.prepare('UPDATE checkpoint SET seq = ?').run(lastSeq)
      createIndexes(db)
      db.exec('COMMIT')
      db.pragma('locking_mode = NORMAL')
      db.pragma('journal_mode = WAL')
      db.close()
      syncFile(building)
    })
  } catch (error) {
    db.close()
    removeDatabase(building)
    throw error
  }
  translateErrors(file, () => {
    removeDatabase(file)
    renameSync(building, file)
    syncFile(dirname(file))
  })
  return { events: count, ms: performance.now() - startedMs }
}

/** The main file first: without it the others mean nothing, with it they must be its own (B3). */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
