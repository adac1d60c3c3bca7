// The one file that is being written: the check before each batch, the write, the sync, the way back when it is full.
//
//   A1. Before anything is written, the file is still the one that was opened, under its name, and as long as it was
//       left; and the lock is still held. Else JournalChangedError.
//   A2. A batch is in the file whole and synced, or not at all (JournalFullError), or nobody knows (any other error):
//       then this object must not be used again.

import { JournalChangedError, JournalIoError } from '../../ports/journal.ts'
import type { Disk, DiskFile } from './disk.ts'
import { describeFailure, isFull } from './disk-error.ts'
import { syncFile } from './durable-file.ts'

const HINT_STRANGER =
  'Only the scheduler may touch this file: leave it out of logrotate and editors (it rotates itself). ' +
  'Start again: what was acknowledged and is still there is kept, the rest is reported.'

export class ActiveFile {
  readonly path: string
  /** Bytes that are on disk; the file is exactly so long between two batches. */
  durableBytes: number

  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #dev: number
  readonly #ino: number
  readonly #isLockHeld: () => boolean

  /** @param durableBytes  how long the file is expected to be */
  constructor(disk: Disk, path: string, file: DiskFile, durableBytes: number, isLockHeld: () => boolean) {
    this.#disk = disk
    this.path = path
    this.#file = file
    this.durableBytes = durableBytes
    this.#isLockHeld = isLockHeld
    const { dev, ino } = file.factsSync()
    this.#dev = dev
    this.#ino = ino
  }

  /** A1. @throws JournalChangedError, JournalIoError */
  check(): void {
    let open: ReturnType<DiskFile['factsSync']>
    let named: ReturnType<Disk['factsSync']>
    try {
      open = this.#file.factsSync()
      named = this.#disk.factsSync(this.path)
    } catch (error) {
      throw describeFailure(`Could not look at ${this.path}`, error)
    }
    if (named === undefined)
      throw this.#changed(open.nlink === 0 ? 'was deleted' : 'was renamed or moved away')
    if (open.nlink === 0 || named.ino !== this.#ino || named.dev !== this.#dev)
      throw this.#changed('was replaced by another file')
    if (open.size < this.durableBytes) {
      throw this.#changed(`was truncated: ${this.durableBytes} bytes were written, ${open.size} are left`)
    }
    if (open.size > this.durableBytes) {
      throw this.#changed(
        `was written by another process: ${this.durableBytes} bytes were written here, it has ${open.size}`,
      )
    }
    if (!this.#isLockHeld()) {
      throw new JournalChangedError(
        `The lock of the journal ${this.path} is not held any more: its lock file was removed or replaced`,
        'Another scheduler may have started. See `scheduler status`, and keep one.',
      )
    }
  }

  #changed(how: string): JournalChangedError {
    return new JournalChangedError(`The journal ${this.path} ${how} while it was in use`, HINT_STRANGER)
  }

  /**
   * Checks and writes before it returns its promise; resolves when the bytes are on disk.
   * @throws see A1, A2
   */
  async append(bytes: Buffer): Promise<void> {
    this.check()
    try {
      for (let done = 0; done < bytes.length; ) {
        const written = this.#file.writeSync(done === 0 ? bytes : bytes.subarray(done))
        if (written === 0) throw new JournalIoError(`The disk took no byte of a write to ${this.path}`)
        done += written
      }
    } catch (error) {
      if (isFull(error)) await this.#takeBack()
      throw describeFailure(`Could not write to ${this.path}`, error)
    }
    await syncFile(this.#file, this.path)
    this.durableBytes += bytes.length
  }

  /** What a full disk took of a batch is cut off again; this works without free space. */
  async #takeBack(): Promise<void> {
    try {
      await this.#file.truncate(this.durableBytes)
    } catch (error) {
      const reason = (error as Error).message
      throw new JournalIoError(
        `The disk is full, and the half-written end of ${this.path} could not be cut off: ${reason}`,
        undefined,
        error,
      )
    }
    await syncFile(this.#file, this.path)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
