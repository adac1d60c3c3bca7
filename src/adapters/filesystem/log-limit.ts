// The size limit of one log file that a stranger writes, and the end of what was written.
//
//   1. The writer has the file open with O_APPEND and is never slowed down: when the file has grown past the limit it
//      is truncated back to the limit, again and again. On disk stands the beginning, plus what one look-round missed.
//   2. What is cut off is counted, and its end is remembered (`tailBytes`), so the last line is known all the same.
//   3. Between the last look and the cut lie two system calls; what is written in that moment is lost uncounted.
//   4. A file that vanished is no error: its log is.

import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync } from 'node:fs'

export interface LimitedLogOptions {
  readonly path: string
  readonly limitBytes: number
  /** How much of the end is remembered. */
  readonly tailBytes: number
}

export interface LogTail {
  readonly bytes: Buffer
  /** True if there was more before: the first line may be the rest of one. */
  readonly partial: boolean
}

export class LimitedLog {
  readonly #path: string
  readonly #limitBytes: number
  readonly #tailBytes: number
  #dropped = 0
  /** End of what was cut off; empty as long as nothing was. */
  #cutTail: Buffer = Buffer.alloc(0)

  constructor({ path, limitBytes, tailBytes }: LimitedLogOptions) {
    this.#path = path
    this.#limitBytes = limitBytes
    this.#tailBytes = tailBytes
  }

  /** Cuts the file if it is too long. One `stat` if it is not. */
  check(): void {
    try {
      if (statSync(this.#path).size > this.#limitBytes) this.#cut()
    } catch {
      // Deleted or unreadable: nothing to limit.
    }
  }

  /** Cuts for the last time and says in a last line what is missing. Call it when nothing writes any more. */
  finish(): { tail: LogTail; droppedBytes: number } {
    this.check()
    if (this.#dropped === 0) return { tail: this.#readEnd(), droppedBytes: 0 }
    const note = `\n[dagbok] log limit reached: the first ${this.#limitBytes} bytes are kept, ${this.#dropped} were dropped\n`
    try {
      appendFileSync(this.#path, note)
    } catch {
      // A log that cannot be written must not change how the attempt ends.
    }
    return { tail: { bytes: this.#cutTail, partial: true }, droppedBytes: this.#dropped }
  }

  #cut(): void {
    const fd = openSync(this.#path, 'r+')
    try {
      let seen = this.#limitBytes
      // A second look costs little and leaves next to nothing unseen; a writer that is faster than that loses the race.
      for (let look = 0; look < 4; look++) {
        const { size } = fstatSync(fd)
        if (size <= seen) break
        const from = Math.max(seen, size - this.#tailBytes)
        this.#remember(readRange(fd, from, size), from === seen)
        this.#dropped += size - seen
        seen = size
      }
      ftruncateSync(fd, this.#limitBytes)
    } finally {
      closeSync(fd)
    }
  }

  #remember(bytes: Buffer, continues: boolean): void {
    // What precedes the first cut is the end of what is kept: a line may go across.
    if (this.#cutTail.length === 0 && continues) this.#cutTail = this.#readBefore(this.#limitBytes)
    const joined = continues ? Buffer.concat([this.#cutTail, bytes]) : bytes
    // A copy, so that the rest of a large buffer can be collected.
    this.#cutTail = Buffer.from(joined.subarray(Math.max(0, joined.length - this.#tailBytes)))
  }

  #readBefore(end: number): Buffer {
    const fd = openSync(this.#path, 'r')
    try {
      return readRange(fd, Math.max(0, end - this.#tailBytes), end)
    } finally {
      closeSync(fd)
    }
  }

  #readEnd(): LogTail {
    try {
      const { size } = statSync(this.#path)
      return { bytes: this.#readBefore(size), partial: size > this.#tailBytes }
    } catch {
      return { bytes: Buffer.alloc(0), partial: false }
    }
  }
}

/** The bytes from `from` to `to`, fewer if the file ends before. */
function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from))
  let filled = 0
  while (filled < bytes.length) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, from + filled)
    if (got === 0) break
    filled += got
  }
  return bytes.subarray(0, filled)
}
