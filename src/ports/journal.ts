// The journal: the truth. An append-only sequence of commits; each commit is one decision's events, all or none.
//
//   J1. `append` resolves only after every line of the batch is on disk (fdatasync). Nothing is visible before.
//   J2. Commits are all or none, also across a crash. Lines are never rewritten.
//   J3. `seq` is 1, 2, 3 … without a hole over the whole life of the journal, segments included.
//   J4. One writer: the caller holds the lock (ports/lock.ts). A stranger's change of the file underneath is detected
//       before the next batch is written.
//   J5. A failed fdatasync is final (JournalSyncFailedError): the process must end with 74 and write nothing more.

import { DagbokError, EXIT } from '../core/error.ts'
import type { Event } from '../core/state-machine/event.ts'

/** The events of one decision. */
export type Commit = readonly Event[]

export interface Journal {
  /** `seq` of the last durable line. */
  readonly lastSeq: number
  /** Bytes of the active segment that are durable. */
  readonly activeBytes: number
  readonly journalId: string
  /**
   * Writes the commits, in order, as one batch: one write, one fdatasync. Sets `seq` on each event, synchronously,
   * before it returns its promise. At most one call may be under way.
   * @throws JournalFullError     the disk is full; nothing of the batch is in the file; call again with the same commits
   * @throws JournalSyncFailedError  fdatasync failed (exit 74)
   * @throws JournalChangedError  the file was truncated, replaced, deleted or written by another (exit 74)
   * @throws JournalIoError       any other failure (exit 74); after these three the journal refuses everything
   * @throws DagbokError JOURNAL_LINE_TOO_LONG, JOURNAL_LINE_INVALID: nothing was written, the journal goes on
   */
  append(commits: readonly Commit[]): Promise<void>
  /** True once the active segment has passed its size limit: the owner should `roll` with a checkpoint of its state. */
  readonly wantsRoll: boolean
  /**
   * Seals the active segment and opens the next one, which begins with `checkpoint` as one commit.
   * Crash-safe at every step. Same errors as `append`; after JournalFullError the old segment goes on.
   */
  roll(checkpoint: Commit): Promise<void>
  /** Closes the file. The caller has appended `scheduler_stopped` if the stop is clean. */
  close(): Promise<void>
}

// --- reading ---------------------------------------------------------------------------------------------------------

/** Events in order, and of each its line as JSON text: less `c` and `commit`, which are not the event's. */
export interface EventBatch {
  readonly events: readonly Event[]
  readonly texts: readonly string[]
}

/** Events one after the other, or, for who takes a million of them, by the batch. To be read once, in one of the ways. */
export interface EventReading extends AsyncGenerator<Event, void> {
  batches(): AsyncGenerator<EventBatch, void>
}

// --- what goes wrong -----------------------------------------------------------------------------------------------

/** The disk (or a quota, or a file size limit) is full. Nothing of the batch is in the file; try again later. */
export class JournalFullError extends DagbokError {
  constructor(message: string, cause?: unknown) {
    super('JOURNAL_FULL', message, {
      hint: 'Free space on that file system. A running scheduler goes on by itself once there is room.',
      exitCode: EXIT.journalIo,
      cause,
    })
  }
}

/** fdatasync failed: from here on nobody can know what is on disk. The process must end and write nothing more. */
export class JournalSyncFailedError extends DagbokError {
  constructor(message: string, cause?: unknown) {
    super('JOURNAL_SYNC_FAILED', message, {
      hint: 'Check the disk (dmesg, smartctl), then start again: the start copies what is readable to a new file.',
      exitCode: EXIT.journalIo,
      cause,
    })
  }
}

/** Someone else truncated, replaced, deleted or wrote the file, or the lock is gone. This handle writes nothing more. */
export class JournalChangedError extends DagbokError {
  constructor(message: string, hint: string) {
    super('JOURNAL_CHANGED', message, { hint, exitCode: EXIT.journalIo })
  }
}

/** Reading or writing failed in a way that waiting does not cure. This handle writes nothing more. */
export class JournalIoError extends DagbokError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('JOURNAL_IO', message, { hint, exitCode: EXIT.journalIo, cause })
  }
}

/** A place in a journal file, and what is wrong with it. `line` counts from 1, `offset` is in bytes from 0. */
export interface JournalPlace {
  readonly file: string
  readonly line: number
  readonly offset: number
  readonly reason: string
}

/** The journal is not what was written. Nothing was changed; a person has to decide. */
export class JournalDamagedError extends DagbokError implements JournalPlace {
  readonly file: string
  readonly line: number
  readonly offset: number
  readonly reason: string

  constructor({ file, line, offset, reason }: JournalPlace, hint?: string) {
    super('JOURNAL_DAMAGED', `The journal is damaged: ${file}, line ${line} (byte ${offset}): ${reason}`, {
      hint:
        hint ??
        'Look at all of it with `scheduler journal verify`. Restore the file from a backup, or see docs/errors/JOURNAL_DAMAGED.md.',
      exitCode: EXIT.journalDamaged,
    })
    this.file = file
    this.line = line
    this.offset = offset
    this.reason = reason
  }
}
