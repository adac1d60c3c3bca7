// The journal on the disk: `Journal` over an active segment and the sealed ones before it (layout.ts).
//
// Boundary: order and durability. It knows its own events (segment_opened, segment_sealed, journal_recovered) and
// `scheduler_stopped`; what the others mean is the owner's. The promises J1–J5 stand in ports/journal.ts, the format
// in docs/journal-format.md, the steps of an interrupted roll in finish-roll.ts.
//
//   - One batch: check the file, one write, one fdatasync. Then, and only then, memory moves on.
//   - A full disk leaves file, `seq` and chain as they were. Any other failure closes the handle for good.

import { randomUUID } from 'node:crypto'
import type { Event, JournalRecovered, SegmentOpened, SegmentSealed } from '../../core/state-machine/event.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type Commit, type Journal, JournalFullError, JournalIoError } from '../../ports/journal.ts'
import { ActiveFile } from './active-file.ts'
import { type EncodedBatch, encodeBatch, Room } from './batch.ts'
import type { Disk } from './disk.ts'
import { attempt } from './disk-error.ts'
import { createAfresh, moveFile, removeFile, syncFile, writeAll } from './durable-file.ts'
import { finishRoll, SEALED_MODE } from './finish-roll.ts'
import { checkPlace, checkPresence, createFirst, readIdentity } from './genesis.ts'
import { type Layout, layoutOf, nextPath, sealedPath } from './layout.ts'
import { formatCrc } from './line.ts'
import { nodeDisk } from './node-disk.ts'
import { prepareDirectories } from './preflight.ts'
import { CLOSED_MODE, FORMAT, isCleanStop, type OpenedSegment, openActive } from './recovery.ts'

const SEGMENT_BYTES = 64 * 1024 * 1024

export interface JournalOptions {
  /** The active segment: STATE_STORE_PATH. The caller holds the lock of its state directory. */
  path: string
  /** Wall clock, for the timestamps of the journal's own lines. */
  now(): Instant
  /** Gets every event of the active segment in order, before `openJournal` resolves: what the state is folded from. */
  onEvent?(event: Event): void
  /** Asked before every batch. */
  isLockHeld?(): boolean
  /** Size at which `wantsRoll` becomes true. Default 64 MiB. */
  segmentBytes?: number
  /** Accept NFS, SMB, 9p and FUSE. */
  unsafeNetworkFs?: boolean
  disk?: Disk
  /** Names a new journal. Default: a random UUID. */
  newJournalId?(): string
}

/** What opening found. */
export interface Recovery {
  readonly outcome: 'created' | 'clean' | 'recovered'
  /** Events handed to `onEvent`. */
  readonly events: number
  /** The line that a recovery appended. */
  readonly recovered?: JournalRecovered
  /** True if a roll that was cut by a crash was finished. */
  readonly rollFinished: boolean
}

/**
 * Opens the journal for appending, or begins a new one.
 * @throws JournalDamagedError (78); JournalIoError, JournalFullError, JournalSyncFailedError (74);
 *   DagbokError JOURNAL_NETWORK_FS, JOURNAL_FORMAT_NEWER (78), JOURNAL_NOT_WRITABLE (74)
 */
export async function openJournal(
  options: JournalOptions,
): Promise<{ journal: Journal; recovery: Recovery }> {
  const { path, now, onEvent = () => {}, isLockHeld = () => true, disk = nodeDisk } = options
  const layout = layoutOf(path)
  const timestamp = () => formatInstant(now())
  await prepareDirectories(disk, layout, options)
  return attempt(`Could not open the journal ${path}`, open())

  async function open() {
    const rollFinished = await finishRoll(disk, layout)
    const known = await readIdentity(disk, layout)
    const isFresh = await checkPresence(disk, layout, known)
    let events = 0
    const accept = (event: Event) => {
      events++
      onEvent(event)
    }
    const opened = isFresh
      ? await createFirst(disk, layout, accept, timestamp(), options.newJournalId?.() ?? randomUUID())
      : await openActive(disk, layout, accept, timestamp)
    const file = new ActiveFile(disk, path, opened.file, opened.bytes, isLockHeld)
    try {
      file.check()
      await checkPlace(disk, layout, opened, known)
    } catch (error) {
      await file.close()
      throw error
    }
    const journal = new JsonlJournal(disk, layout, options, file, opened, isLockHeld)
    const outcome = isFresh ? 'created' : opened.recovered ? 'recovered' : 'clean'
    const recovery: Recovery = { outcome, events, rollFinished, ...pick(opened) }
    return { journal, recovery }
  }
}

function pick({ recovered }: OpenedSegment): { recovered?: JournalRecovered } {
  return recovered === undefined ? {} : { recovered }
}

// --- the open journal ----------------------------------------------------------------------------------------------

class JsonlJournal implements Journal {
  readonly journalId: string
  lastSeq: number

  readonly #disk: Disk
  readonly #layout: Layout
  readonly #options: JournalOptions
  readonly #isLockHeld: () => boolean
  #file: ActiveFile
  #segment: number
  #crc: number
  #lines: number
  #rollAtBytes: number
  #isBusy = false
  readonly #room = new Room()
  /** The last line is `scheduler_stopped`, and it is on disk. */
  #isStopped = false
  /** Set for good by the first failure that is not a full disk. */
  #failure: unknown

  constructor(
    disk: Disk,
    layout: Layout,
    options: JournalOptions,
    file: ActiveFile,
    opened: OpenedSegment,
    isLockHeld: () => boolean,
  ) {
    this.#disk = disk
    this.#layout = layout
    this.#options = options
    this.#file = file
    this.#isLockHeld = isLockHeld
    this.journalId = opened.journalId
    this.lastSeq = opened.lastSeq
    this.#crc = opened.crc
    this.#lines = opened.lines
    this.#segment = opened.segment
    this.#rollAtBytes = this.#limitFor(opened.openingBytes)
  }

  get activeBytes(): number {
    return this.#file.durableBytes
  }

  get wantsRoll(): boolean {
    return this.#file.durableBytes >= this.#rollAtBytes
  }

  /** A state larger than a segment must not roll at every step: a segment may always double its opening. */
  #limitFor(openingBytes: number): number {
    return Math.max(this.#options.segmentBytes ?? SEGMENT_BYTES, 2 * openingBytes)
  }

  append(commits: readonly Commit[]): Promise<void> {
    return this.#exclusively(() => {
      const batch = encodeBatch(commits, this.lastSeq, this.#crc, this.#room)
      if (batch.lines === 0) return Promise.resolve()
      const isStopped = isCleanStop(commits.findLast(commit => commit.length > 0)?.at(-1))
      return this.#write(batch).then(() => {
        this.#isStopped = isStopped
      })
    })
  }

  roll(checkpoint: Commit): Promise<void> {
    if (checkpoint.length === 0 || checkpoint.some(({ event }) => event !== 'checkpoint')) {
      return Promise.reject(
        new TypeError('a roll needs a commit of checkpoint events: the next segment begins with it'),
      )
    }
    return this.#exclusively(() => this.#rollTo(checkpoint))
  }

  /** Runs one operation at a time; remembers the failure that ends them all. Begins before it returns. */
  #exclusively(operation: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isBusy) return Promise.reject(new Error('the journal takes one append or roll at a time'))
    let work: Promise<void>
    try {
      work = operation()
    } catch (error) {
      // Nothing has been written: an event that cannot be a line.
      return Promise.reject(error)
    }
    this.#isBusy = true
    return work.then(
      () => {
        this.#isBusy = false
      },
      error => {
        this.#isBusy = false
        if (!(error instanceof JournalFullError)) this.#failure = error
        throw error
      },
    )
  }

  async #write(batch: EncodedBatch): Promise<void> {
    await this.#file.append(batch.bytes)
    this.lastSeq = batch.lastSeq
    this.#crc = batch.crc
    this.#lines += batch.lines
  }

  /** The steps of a roll; finish-roll.ts has what a crash between them leads to. */
  async #rollTo(checkpoint: Commit): Promise<void> {
    const segment = this.#segment + 1
    const footer = encodeBatch([[this.#footer()]], this.lastSeq, this.#crc)
    const opening = encodeBatch([[this.#header(segment, footer)], checkpoint], footer.lastSeq, footer.crc)
    const path = nextPath(this.#layout, segment)
    this.#file.check()
    const disk = this.#disk
    const file = await attempt(`Could not create ${path}`, createAfresh(disk, path))
    const { active } = this.#layout
    try {
      await attempt(`Could not write ${path}`, writeAll(file, opening.bytes))
      await syncFile(file, path)
      await attempt(`Could not sync ${this.#layout.segments}`, disk.syncDirectory(this.#layout.segments))
      await this.#write(footer)
    } catch (error) {
      await file.close()
      if (error instanceof JournalFullError) await removeFile(disk, path)
      throw error
    }
    try {
      await this.#exchange(path)
    } catch (error) {
      // The footer is written: from here on only a restart can tell what stands under which name.
      await file.close()
      const reason = (error as Error).message
      throw new JournalIoError(
        `Could not put ${path} in the place of the full segment: ${reason}`,
        undefined,
        error,
      )
    }
    await this.#file.close()
    this.#file = new ActiveFile(disk, active, file, opening.bytes.length, this.#isLockHeld)
    this.#segment = segment
    this.lastSeq = opening.lastSeq
    this.#crc = opening.crc
    this.#lines = opening.lines
    this.#rollAtBytes = this.#limitFor(opening.bytes.length)
  }

  /** The active segment takes its number for a name, the next one its place. */
  async #exchange(next: string): Promise<void> {
    const { active } = this.#layout
    const sealed = sealedPath(this.#layout, this.#segment)
    await moveFile(this.#disk, active, sealed)
    await moveFile(this.#disk, next, active)
    await this.#disk.chmod(sealed, SEALED_MODE)
  }

  #footer(): SegmentSealed {
    return {
      timestamp: formatInstant(this.#options.now()),
      event: 'segment_sealed',
      seq: 0,
      segment: this.#segment,
      lines: this.#lines + 1,
    }
  }

  #header(segment: number, footer: EncodedBatch): SegmentOpened {
    return {
      timestamp: formatInstant(this.#options.now()),
      event: 'segment_opened',
      seq: 0,
      format: FORMAT,
      journal_id: this.journalId,
      segment,
      prev_last_seq: footer.lastSeq,
      prev_crc: formatCrc(footer.crc),
    }
  }

  async close(): Promise<void> {
    if (this.#failure instanceof JournalClosedError) return
    if (this.#isBusy) throw new Error('the journal is closed while a batch is under way')
    const isWhole = this.#failure === undefined && this.#isStopped
    this.#failure = new JournalClosedError(`The journal ${this.#layout.active} is closed`)
    await this.#file.close()
    // Without it the next start only makes a copy that it need not make.
    if (isWhole) await this.#disk.chmod(this.#layout.active, CLOSED_MODE).catch(() => {})
  }
}

class JournalClosedError extends JournalIoError {}
