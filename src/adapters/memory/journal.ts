// A journal in memory: same promises as the one on disk (test/contract/journal.contract.ts) but for the power cut.
// For tests and for trying things out; nothing survives the process.

import type { Event, SegmentOpened, SegmentSealed } from '../../core/state-machine/event.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import type { Commit, Journal } from '../../ports/journal.ts'

/** Lines of a block. One array of hundreds of thousands would be copied, as a whole, each time that it grows. */
const BLOCK_LINES = 8_192

export interface MemoryJournalOptions {
  now?(): Instant
  journalId?: string
  /** Size at which `wantsRoll` becomes true, in bytes of JSON. Default 64 MiB. */
  segmentBytes?: number
  /** Called at the start of every append and roll; what it throws is what the disk said: nothing is taken. */
  beforeWrite?(): void
}

export class MemoryJournal implements Journal {
  readonly journalId: string
  lastSeq = 0
  activeBytes = 0

  readonly #options: MemoryJournalOptions
  /** Lines as text, so that nobody can change what was written; all blocks but the last are full. */
  readonly #blocks: string[][] = [[]]
  #segment = 1
  #segmentLines = 0
  #activeFrom = 0
  #openingBytes = 0
  #isBusy = false
  #isClosed = false

  constructor(options: MemoryJournalOptions = {}) {
    this.#options = options
    this.journalId = options.journalId ?? 'memory'
    this.#write([this.#header()])
    this.#openingBytes = this.activeBytes
  }

  get wantsRoll(): boolean {
    return (
      this.activeBytes >= Math.max(this.#options.segmentBytes ?? 64 * 1024 * 1024, 2 * this.#openingBytes)
    )
  }

  append(commits: readonly Commit[]): Promise<void> {
    return this.#exclusively(commits, () => this.#write(commits.flat()))
  }

  roll(checkpoint: Commit): Promise<void> {
    if (checkpoint.length === 0 || checkpoint.some(({ event }) => event !== 'checkpoint')) {
      return Promise.reject(
        new TypeError('a roll needs a commit of checkpoint events: the next segment begins with it'),
      )
    }
    return this.#exclusively([], () => {
      this.#write([this.#footer()])
      this.#segment++
      this.#segmentLines = 0
      this.#activeFrom = this.lastSeq
      this.activeBytes = 0
      this.#write([this.#header(), ...checkpoint])
      this.#openingBytes = this.activeBytes
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  /** All that was ever written, in order, as new objects. */
  events(): Event[] {
    return this.#blocks.flat().map(line => JSON.parse(line) as Event)
  }

  /** What the next start would fold: the active segment. */
  activeEvents(): Event[] {
    return this.events().slice(this.#activeFrom)
  }

  async #exclusively(commits: readonly Commit[], operation: () => void): Promise<void> {
    if (this.#isClosed) throw new Error('the journal is closed')
    if (this.#isBusy) throw new Error('the journal takes one append or roll at a time')
    this.#isBusy = true
    try {
      let seq = this.lastSeq
      for (const commit of commits) for (const event of commit) event.seq = ++seq
      this.#options.beforeWrite?.()
      // As on a disk, nothing is there before the caller has let go.
      await Promise.resolve()
      operation()
    } finally {
      this.#isBusy = false
    }
  }

  #write(events: readonly Event[]): void {
    for (const event of events) {
      event.seq = ++this.lastSeq
      const line = JSON.stringify(event)
      this.#room().push(line)
      this.#segmentLines++
      this.activeBytes += line.length + 1
    }
  }

  /** The block that has room for one more. */
  #room(): string[] {
    const last = this.#blocks.at(-1)!
    if (last.length < BLOCK_LINES) return last
    const next: string[] = []
    this.#blocks.push(next)
    return next
  }

  #timestamp(): string {
    return formatInstant(this.#options.now?.() ?? 0)
  }

  #header(): SegmentOpened {
    return {
      timestamp: this.#timestamp(),
      event: 'segment_opened',
      seq: 0,
      format: 1,
      journal_id: this.journalId,
      segment: this.#segment,
      prev_last_seq: this.lastSeq,
      prev_crc: '00000000',
    }
  }

  #footer(): SegmentSealed {
    return {
      timestamp: this.#timestamp(),
      event: 'segment_sealed',
      seq: 0,
      segment: this.#segment,
      lines: this.#segmentLines + 1,
    }
  }
}
