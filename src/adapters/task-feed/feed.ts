// The task-event feed: the file that people `tail` while a DAG runs. A follower of the journal, no truth of its own.
//
// Boundary: what a line says is line.ts. Reading the journal, lagging and trying again is the follower's runner
// (daemon/follower.ts, whose `Follower` this is), or `fillFeed` where there is no daemon.
//
//   E1. Its lines carry the journal's `seq`, which only grows: its last complete line says where to go on. No gap and
//       no repeat, also after kill -9 in the middle of a write.
//   E2. Only a torn line of its own is ever cut off; what others wrote into the file stays.
//   E3. A write that fails is an error of `apply`, and `open` mends what it left. Nothing is kept in memory.
//   E4. A file that is renamed or deleted underneath is made anew, and goes on from where the old one was.

import { constants, type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Event } from '../../core/state-machine/event.ts'
import { formatFeedLine } from './line.ts'
import { readFeedTail } from './tail.ts'

export interface TaskFeedOptions {
  /** ORCH_EVENTS_PATH. Its directory is made if need be. A device (`/dev/stdout`) gets what happens from now on. */
  readonly path: string
  /** `seq` of the journal's last durable line. A feed that is ahead of it is of another journal: it starts over. */
  headSeq(): number
}

export interface TaskFeed {
  readonly name: string
  /** Opens the file, cuts off a torn line, and says the `seq` of the last line that is in it; 0: none. */
  open(): Promise<number>
  /** Writes the lines of the events after the last one it has taken. Resolves when they are in the file (not synced). */
  apply(events: readonly Event[]): Promise<void>
  /** `seq` of the last event it has taken, written or none of the feed's. */
  readonly takenSeq: number
  close(): Promise<void>
}

/** A feed that is not open yet. All errors are the file system's, with their `code`. */
export function createTaskFeed({ path, headSeq }: TaskFeedOptions): TaskFeed {
  let file: FileHandle | undefined
  let identity = ''
  let isRegular = true
  let takenSeq = 0

  async function openFile(): Promise<FileHandle> {
    await mkdir(dirname(path), { recursive: true })
    const { O_RDWR, O_CREAT, O_APPEND } = constants
    const opened = await open(path, O_RDWR | O_CREAT | O_APPEND, 0o644)
    const facts = await opened.stat({ bigint: true })
    identity = `${facts.dev}:${facts.ino}`
    isRegular = facts.isFile()
    file = opened
    return opened
  }

  async function closeFile(): Promise<void> {
    const closing = file
    file = undefined
    await closing?.close()
  }

  /** True when the path no longer names the open file. */
  async function hasMoved(): Promise<boolean> {
    if (!isRegular) return false
    try {
      const facts = await stat(path, { bigint: true })
      return `${facts.dev}:${facts.ino}` !== identity
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  }

  return {
    name: 'task feed',
    get takenSeq() {
      return takenSeq
    },
    open: async () => {
      await closeFile()
      const opened = await openFile()
      if (!isRegular) {
        takenSeq = headSeq()
        return takenSeq
      }
      const tail = await readFeedTail(opened)
      if (tail.completeBytes < tail.sizeBytes) {
        if (tail.isTornByUs) await opened.truncate(tail.completeBytes)
        else await writeAll(opened, '\n')
      }
      takenSeq = tail.lastSeq > headSeq() ? 0 : tail.lastSeq
      return takenSeq
    },
    apply: async events => {
      let text = ''
      for (const event of events) if (event.seq > takenSeq) text += formatFeedLine(event) ?? ''
      if (text !== '') {
        if (file !== undefined && (await hasMoved())) await closeFile()
        await writeAll(file ?? (await openFile()), text)
      }
      takenSeq = Math.max(takenSeq, events.at(-1)?.seq ?? 0)
    },
    close: closeFile,
  }
}

/** `write` may take less than it was given, without an error. */
async function writeAll(file: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'utf8')
  let written = 0
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten
  }
}

const BATCH = 500

/**
 * Brings a feed to the end of the journal: for a process that follows no live events.
 * @returns `seq` of the last event it has taken
 */
export async function fillFeed(
  feed: TaskFeed,
  readEvents: (range: { afterSeq: number }) => Iterable<Event> | AsyncIterable<Event>,
): Promise<number> {
  let batch: Event[] = []
  for await (const event of readEvents({ afterSeq: await feed.open() })) {
    batch.push(event)
    if (batch.length < BATCH) continue
    await feed.apply(batch)
    batch = []
  }
  await feed.apply(batch)
  return feed.takenSeq
}
