// The journal: the truth. An append-only sequence of commits; each commit is one decision's events, all or none.
//
//   J1. `append` resolves only after every line of the batch is on disk (fdatasync). Nothing is visible before.
//   J2. Commits are all or none, also across a crash. Lines are never rewritten.
//   J3. `seq` is 1, 2, 3 … without a hole over the whole life of the journal, segments included.
//   J4. One writer: the caller holds the lock (ports/lock.ts). A stranger's change of the file underneath is detected
//       before the next batch is written.
//   J5. A failed fdatasync is final (JournalSyncFailedError): the process must end with 74 and write nothing more.

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
