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
import type { EventBatch, EventReading } from '../../ports/journal.ts'
import { type EarlySync, openEarlySync } from './early-sync.ts'
import { type HeldFile, holdExclusively } from './exclusive-file.ts'
import { createRowWriter } from './row-writer.ts'
import { type Connection, configureForBuilding, createTables, INDEXES } from './schema.ts'
import { newEvents } from './sequence.ts'
import { translateErrors, translateLater } from './sqlite-error.ts'

/** Events written between two breaths of the event loop: some 5 ms. What a reader brings at once is mostly less. */
const BATCH = 1_500
/** Some 6 MB: what the disk has to do is spread out, and so is what the event loop has to wait for. */
const BATCHES_PER_COMMIT = 16
const POLL_MS = 50

export interface RebuildOptions {
  readonly file: string
  readonly journalId: string
  /** From the oldest line that is kept to the newest, in order of `seq`. By the batch where that can be had. */
  readonly events: Iterable<Event> | AsyncIterable<Event> | Pick<EventReading, 'batches'>
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
  let sync: EarlySync | undefined
  let count: number
  try {
    translateErrors(file, () => {
      configureForBuilding(db)
      createTables(db, journalId)
    })
    sync = await translateLater(file, openEarlySync(building))
    count = await fill(db, file, events, sync)
    translateErrors(file, () => {
      // While it is locked: else it would want its shared memory for these few bytes (shared-memory.ts).
      db.pragma('journal_mode = WAL')
      db.close()
    })
    await translateLater(file, sync.finish())
    await sync.close()
  } catch (error) {
    db.close()
    await sync?.close()
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

/** Writes all events, and says how many. */
async function fill(
  db: Connection,
  file: string,
  events: RebuildOptions['events'],
  sync: EarlySync,
): Promise<number> {
  const writer = createRowWriter(db, { isEmpty: true })
  let count = 0
  let lastSeq = 0
  let batches = 0
  translateErrors(file, () => db.exec('BEGIN'))
  for await (const batch of batchesOf(events)) {
    const fresh = newEvents(batch.events, lastSeq)
    const texts = batch.texts?.slice(batch.events.length - fresh.length)
    translateErrors(file, () => {
      writer.write(fresh, texts)
      // Without a journal nothing can be undone anyway: a commit hands what was written to the kernel.
      if (++batches % BATCHES_PER_COMMIT === 0) db.exec('COMMIT; BEGIN')
    })
    if (batches % BATCHES_PER_COMMIT === 0) sync.nudge()
    lastSeq = fresh.at(-1)?.seq ?? lastSeq
    count += fresh.length
    await breathe()
  }
  translateErrors(file, () => {
    writer.flush()
    db.prepare('UPDATE checkpoint SET seq = ?').run(lastSeq)
  })
  for (const createIndex of INDEXES) {
    translateErrors(file, () => db.exec(createIndex))
    await breathe()
  }
  translateErrors(file, () => db.exec('COMMIT'))
  return count
}

/** Batches that are written between two breaths of the event loop. */
async function* batchesOf(
  events: RebuildOptions['events'],
): AsyncGenerator<{ readonly events: readonly Event[]; readonly texts?: readonly string[] }> {
  if ('batches' in events) {
    for await (const batch of events.batches()) yield* cut(batch)
    return
  }
  let batch: Event[] = []
  // `for await` over a plain iterable would cost a turn of the microtask queue per event.
  if (Symbol.asyncIterator in events) {
    for await (const event of events) {
      if (batch.push(event) < BATCH) continue
      yield { events: batch }
      batch = []
    }
  } else {
    for (const event of events) {
      if (batch.push(event) < BATCH) continue
      yield { events: batch }
      batch = []
    }
  }
  yield { events: batch }
}

function* cut(batch: EventBatch): Generator<EventBatch> {
  const { events, texts } = batch
  if (events.length <= BATCH) {
    yield batch
    return
  }
  for (let from = 0; from < events.length; from += BATCH) {
    yield { events: events.slice(from, from + BATCH), texts: texts.slice(from, from + BATCH) }
  }
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
