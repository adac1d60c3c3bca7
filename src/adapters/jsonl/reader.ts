// Reading the journal without the lock: for followers, the command line, tools. Never writes, never repairs.
//
//   G1. Events come in order of `seq`, each once, only from complete commits, over sealed segments and the active one.
//   G2. A torn tail is the end of what there is; damage is thrown (JournalDamagedError), never skipped.
//   G3. A roll or a recovery in the middle of a read is survived: an open file stays readable under any name, and the
//       next segment says which `seq` it continues.
//   G4. A reader of a running scheduler's file may see a line an instant before its fdatasync is done. What must not
//       act before that takes its events from the scheduler instead.

import { setTimeout as delay } from 'node:timers/promises'
import type { Event, SegmentOpened } from '../../core/state-machine/event.ts'
import { type EventBatch, type EventReading, JournalDamagedError } from '../../ports/journal.ts'
import type { Disk, DiskFile } from './disk.ts'
import { attempt, codeOf } from './disk-error.ts'
import { readRange } from './durable-file.ts'
import { type Layout, layoutOf, listSegments, sealedPath } from './layout.ts'
import { nodeDisk } from './node-disk.ts'
import { SegmentParser } from './segment-parser.ts'

export { lastSeq } from './last-seq.ts'

const CHUNK_BYTES = 256 * 1024
const POLL_MS = 250
const STALE_RETRIES = 10

export interface ReadOptions {
  /** Events up to this `seq` are left out. If older segments were deleted, reading begins at the oldest kept one. */
  afterSeq?: number
  disk?: Disk
  /** Waits for a roll or a recovery that is under way. Default: a timer of this process. */
  wait?(ms: number): Promise<void>
}

export interface FollowOptions extends ReadOptions {
  /** Ends the following; the iteration then ends without an error. */
  signal?: AbortSignal
  /** How often to look for more. Default 250. */
  pollMs?: number
}

/** One open segment, read as far as it goes. */
class SegmentCursor {
  readonly path: string
  readonly parser: SegmentParser
  readonly #file: DiskFile
  #position = 0
  #events: Event[] = []
  #texts: string[] = []

  constructor(path: string, file: DiskFile, afterSeq: () => number) {
    this.path = path
    this.#file = file
    this.parser = new SegmentParser((event, text) => {
      if (event.seq <= afterSeq()) return
      this.#events.push(event)
      this.#texts.push(text)
    })
  }

  /** The next accepted events; empty at the end of what is written. */
  async read(): Promise<EventBatch> {
    while (this.parser.bad === undefined) {
      const bytes = await attempt(
        `Could not read ${this.path}`,
        readRange(this.#file, this.#position, this.#position + CHUNK_BYTES),
      )
      if (bytes.length === 0) break
      this.#position += bytes.length
      this.parser.push(bytes)
      if (this.#events.length > 0) break
    }
    const batch = { events: this.#events, texts: this.#texts }
    this.#events = []
    this.#texts = []
    return batch
  }

  /** Reads on behind a bad line, to learn whether it is a torn tail. */
  async readToVerdict(): Promise<void> {
    while (!this.parser.bad?.damage) {
      const bytes = await readRange(this.#file, this.#position, this.#position + CHUNK_BYTES)
      if (bytes.length === 0) break
      this.#position += bytes.length
      this.parser.push(bytes)
    }
  }

  get size(): number {
    return this.#file.factsSync().size
  }

  /** True if the path names another file by now, or this one lost its end. */
  hasMoved(disk: Disk): boolean {
    const open = this.#file.factsSync()
    const named = disk.factsSync(this.path)
    return (
      named === undefined || named.ino !== open.ino || named.dev !== open.dev || open.size < this.#position
    )
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** The first line of a segment, unchecked; undefined if the file is not there or has none. */
async function readHeader(disk: Disk, path: string): Promise<SegmentOpened | undefined> {
  let file: DiskFile
  try {
    file = await disk.open(path, 'read')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = await readRange(file, 0, 4096)
    const header = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf(0x0a))) as SegmentOpened
    return header.event === 'segment_opened' ? header : undefined
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}

/** Sealed segments that hold events after `afterSeq`, oldest first: all from the last that begins at or before it. */
async function findSealed(disk: Disk, layout: Layout, afterSeq: number): Promise<string[]> {
  const active = await readHeader(disk, layout.active)
  if (active !== undefined && active.prev_last_seq <= afterSeq) return []
  const { sealed } = await listSegments(disk, layout)
  let first = 0
  for (let low = 0, high = sealed.length - 1; low <= high; ) {
    const middle = (low + high) >> 1
    const header = await readHeader(disk, sealedPath(layout, sealed[middle]!))
    if (header !== undefined && header.prev_last_seq <= afterSeq) {
      first = middle
      low = middle + 1
    } else {
      high = middle - 1
    }
  }
  return sealed.slice(first).map(segment => sealedPath(layout, segment))
}

async function openCursor(
  disk: Disk,
  path: string,
  afterSeq: () => number,
): Promise<SegmentCursor | undefined> {
  try {
    return new SegmentCursor(path, await disk.open(path, 'read'), afterSeq)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Reads on after `last.seq` up to the present end; ends with the cursor of the active segment, still open. */
async function* readBatches(
  disk: Disk,
  layout: Layout,
  last: { seq: number },
  wait: (ms: number) => Promise<void> = delay,
): AsyncGenerator<EventBatch, SegmentCursor | undefined> {
  for (let retries = 0; retries < STALE_RETRIES; retries++) {
    if (retries > 0) {
      if (await isAbsent(disk, layout)) return undefined
      await wait(5 * retries)
    }
    for (const path of [...(await findSealed(disk, layout, last.seq)), layout.active]) {
      const cursor = await openCursor(disk, path, () => last.seq)
      // Between two steps of a roll the active segment has no name; a sealed one may just have been deleted.
      if (cursor === undefined) break
      let isKept = false
      try {
        let batch = await cursor.read()
        if (await skips(disk, layout, cursor, last.seq)) break
        for (; batch.events.length > 0; batch = await cursor.read()) {
          retries = 0
          yield batch
          last.seq = batch.events.at(-1)!.seq
        }
        await checkEnd(cursor, path !== layout.active)
        isKept = path === layout.active
        if (isKept) return cursor
      } finally {
        if (!isKept) await cursor.close()
      }
    }
  }
  const reason = `the events after seq ${last.seq} are in no segment: one is missing`
  throw new JournalDamagedError({ file: layout.active, line: 1, offset: 0, reason })
}

/** No segment at all: there is no journal (yet). */
async function isAbsent(disk: Disk, layout: Layout): Promise<boolean> {
  if (disk.factsSync(layout.active) !== undefined) return false
  const { sealed, unfinished } = await listSegments(disk, layout)
  return sealed.length + unfinished.length === 0
}

/** True if there are events between `seq` and this segment: it was sealed since the list was made, or one is missing. */
async function skips(disk: Disk, layout: Layout, { parser }: SegmentCursor, seq: number): Promise<boolean> {
  const { header } = parser
  if (header === undefined || header.prev_last_seq <= seq) return false
  // Older ones may have been deleted: then this one's checkpoint is where the journal begins.
  const { sealed } = await listSegments(disk, layout)
  return sealed.some(segment => segment < header.segment)
}

async function checkEnd(cursor: SegmentCursor, isSealed: boolean): Promise<void> {
  if (cursor.parser.bad !== undefined) await cursor.readToVerdict()
  else if (isSealed) cursor.parser.finish()
  if (cursor.parser.bad === undefined && (!isSealed || cursor.parser.last?.event === 'segment_sealed')) return
  const { bad, lines, validBytes } = cursor.parser
  if (isSealed || bad?.damage) {
    const end = { line: lines + 1, offset: validBytes, reason: 'the segment ends without its last line' }
    throw new JournalDamagedError({ file: cursor.path, ...(bad ?? end) })
  }
}

/**
 * Every event after `afterSeq` that is there now, oldest first. No journal is no event.
 * @throws JournalDamagedError, JournalIoError
 */
export function readEvents(path: string, options: ReadOptions = {}): EventReading {
  return Object.assign(eventsOf(readToEnd(path, options)), { batches: () => readToEnd(path, options) })
}

async function* eventsOf(batches: AsyncIterable<EventBatch>): AsyncGenerator<Event, void> {
  for await (const { events } of batches) yield* events
}

async function* readToEnd(path: string, options: ReadOptions): AsyncGenerator<EventBatch, void> {
  const { afterSeq = 0, disk = nodeDisk, wait } = options
  const reading = readBatches(disk, layoutOf(path), { seq: afterSeq }, wait)
  try {
    for (;;) {
      const step = await reading.next()
      if (step.done) {
        await step.value?.close()
        return
      }
      yield step.value
    }
  } finally {
    await reading.return(undefined)
  }
}

/**
 * The same, and then what comes, until `signal` says stop. Waits for a journal that is not there yet.
 * @throws JournalDamagedError, JournalIoError
 */
export async function* followEvents(path: string, options: FollowOptions = {}): AsyncGenerator<Event, void> {
  const { afterSeq = 0, disk = nodeDisk, signal, pollMs = POLL_MS } = options
  const layout = layoutOf(path)
  const last = { seq: afterSeq }
  const pause = () => delay(pollMs, undefined, { signal }).catch(() => {})
  while (!signal?.aborted) {
    const reading = readBatches(disk, layout, last)
    let cursor: SegmentCursor | undefined
    try {
      for (;;) {
        const step = await reading.next()
        if (step.done) {
          cursor = step.value
          break
        }
        yield* untilAborted(step.value.events, signal)
        if (signal?.aborted) return
      }
      // The active segment, for as long as it is the active one; then everything is looked up again.
      while (cursor !== undefined && !signal?.aborted && cursor.parser.bad === undefined) {
        const hasMoved = cursor.hasMoved(disk)
        const { events } = await cursor.read()
        if (events.length > 0) {
          yield* untilAborted(events, signal)
          last.seq = events.at(-1)!.seq
        } else if (hasMoved) {
          break
        } else {
          await pause()
        }
      }
      // A bad line at the end is a torn tail or a write under way: look again. Damage is thrown by readBatches.
      if (cursor === undefined || cursor.parser.bad !== undefined) await pause()
    } finally {
      await cursor?.close()
      await reading.return(undefined)
    }
  }
}

function* untilAborted(events: readonly Event[], signal: AbortSignal | undefined): Generator<Event> {
  for (const event of events) {
    if (signal?.aborted) return
    yield event
  }
}
