// A journal that makes the lines of its commits and drops them: for a rehearsal, whose point is that they were made.
//
// Not `MemoryJournal`, which keeps what it is given, and encodes it in its own way. Nothing of this is durable: J1 of
// ports/journal.ts does not hold, the order of `seq` does.

import { setImmediate as yieldTurn } from 'node:timers/promises'
import type { Commit, Journal } from '../../ports/journal.ts'
import { encodeBatch, Room } from './batch.ts'

export class UnwrittenJournal implements Journal {
  readonly journalId = 'unwritten'
  readonly activeBytes = 0
  readonly wantsRoll = false
  readonly #room = new Room()
  #crc = 0
  lastSeq = 0

  /** @throws DagbokError JOURNAL_LINE_TOO_LONG, JOURNAL_LINE_INVALID */
  async append(commits: readonly Commit[]): Promise<void> {
    const { lastSeq, crc } = encodeBatch(commits, this.lastSeq, this.#crc, this.#room)
    this.lastSeq = lastSeq
    this.#crc = crc
    // While a disk worked, others would have had the event loop.
    await yieldTurn()
  }

  async roll(): Promise<void> {}

  async close(): Promise<void> {}
}
