// Reads one segment, chunk by chunk, and says how far it is the journal.
//
// Boundary: bytes in, events and a verdict out. It opens no file and repairs nothing.
//
//   S1. An event is handed on only when its whole commit has been accepted.
//   S2. A line is accepted if it is short enough, UTF-8, on the CRC chain, has the next `seq`, and its commit goes on.
//   S3. Behind the first line that is not, everything is either a torn tail (nothing there can have been acknowledged)
//       or damage (a recorded line stands behind it, or lines before it are missing). Nothing is ever skipped.
//   S4. One recorded line behind a bad one is no damage: a power cut may keep a later page of the last write and lose an
//       earlier one, which then reads as NULs. So NULs in the bad line, and nothing behind it but lines of the same
//       write, are a torn tail. A line of a later write proves that the bad one had been synced.

import { isAscii } from 'node:buffer'
import type { Event, SegmentOpened } from '../../core/state-machine/event.ts'
import {
  findNewline,
  LineDecoder,
  parseCrc,
  READ_LIMIT_BYTES,
  type RecognizedLine,
  recognizeLine,
  recognizeLineWithin,
} from './line.ts'

/** The first line that was not accepted. */
export interface BadLine {
  readonly line: number
  readonly offset: number
  readonly reason: string
  /** True: something recorded is lost or changed (S3). False: a torn tail. */
  damage: boolean
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const EMPTY = Buffer.alloc(0)

export class SegmentParser {
  /** The segment's first line; undefined until it was accepted. */
  header: SegmentOpened | undefined
  /** Where the accepted part begins: 3 after a byte order mark, else 0. */
  start = 0
  /** Where it ends: behind the last complete commit. */
  validBytes = 0
  /** Accepted lines. */
  lines = 0
  lastSeq = 0
  /** CRC of the last accepted line. */
  crc = 0
  /** The last accepted event. */
  last: Event | undefined
  /** Bytes of the opening: `segment_opened` and the checkpoint. */
  openingBytes = 0
  bad: BadLine | undefined
  /** Bytes that came in so far. */
  size = 0

  readonly #accept: (event: Event, text: string) => void
  readonly #decoder = new LineDecoder()
  #carry: Buffer = EMPTY
  #offset = 0
  #commit: Event[] = []
  #texts: string[] = []
  #parts = 1
  /** NULs in the bad line: a page that was lost. */
  #hasHole = false

  /** @param accept  gets each event of each complete commit, in order, and its line less `c` and `commit` */
  constructor(accept: (event: Event, text: string) => void = () => {}) {
    this.#accept = accept
  }

  /** The chunk is read before this returns and not kept: the caller may use the memory again. */
  push(chunk: Buffer): void {
    if (this.bad?.damage) return
    this.size += chunk.length
    let at = 0
    if (this.#carry.length > 0) {
      const end = findNewline(chunk, 0)
      const line = Buffer.concat([this.#carry, end < 0 ? chunk : chunk.subarray(0, end)])
      if (end < 0) {
        this.#hold(line)
        return
      }
      this.#carry = EMPTY
      this.#take(line, 0, line.length, false)
      at = end + 1
    }
    const ascii = isAscii(chunk)
    for (;;) {
      const end = findNewline(chunk, at)
      if (end < 0 || this.bad?.damage) break
      this.#take(chunk, at, end, ascii)
      at = end + 1
    }
    if (at < chunk.length && !this.bad?.damage) this.#hold(Buffer.from(chunk.subarray(at)))
  }

  /** Call once after the last chunk. Then `bad` is final; `validBytes < size` without it cannot be. */
  finish(): void {
    if (this.bad) return
    if (this.#carry.length > 0) this.#refuse('the line has no end')
    else if (this.#commit.length > 0) this.#refuse('the commit has no end')
    else if (this.header === undefined) this.#refuse('there is no line')
  }

  /** Bytes before the first end of a line are kept until it comes; what is too long is bad without waiting for it. */
  #hold(bytes: Buffer): void {
    if (bytes.length > READ_LIMIT_BYTES && !this.bad) {
      this.#hasHole = bytes.includes(0)
      this.#refuse(`it is longer than ${READ_LIMIT_BYTES} bytes`)
    }
    // Behind a bad line only whole lines matter: keep the last part, where one may end.
    this.#carry =
      bytes.length > 2 * READ_LIMIT_BYTES
        ? Buffer.from(bytes.subarray(bytes.length - READ_LIMIT_BYTES))
        : bytes
  }

  #take(bytes: Buffer, start: number, end: number, ascii: boolean): void {
    const length = end + 1 - start
    if (this.bad) {
      if (this.#provesDamage(recognizeLine(bytes, start, end) ?? recognizeLineWithin(bytes, start, end))) {
        this.bad.damage = true
      }
      this.#offset += length
      return
    }
    if (this.lines === 0 && this.#commit.length === 0 && bytes.subarray(start, start + 3).equals(BOM)) {
      this.start = BOM.length
      start += BOM.length
    }
    const crcBefore = this.#decoder.crc
    if (this.header === undefined && this.#commit.length === 0) this.#seed(bytes, start, end)
    const event = this.#decoder.decode(bytes, start, end, ascii)
    if (event === undefined) {
      const itself = recognizeLine(bytes, start, end)
      // It reads well and comes later than the next one: no torn write looks like this, lines before it are gone.
      const isLater = itself !== undefined && itself.seq > this.#nextSeq
      this.#hasHole = bytes.subarray(start, end).includes(0)
      const damage = isLater || this.#provesDamage(recognizeLineWithin(bytes, start, end))
      this.#decoder.crc = crcBefore
      this.#refuse(this.#decoder.problem, damage || this.header === undefined)
    } else {
      this.#judge(event, length)
    }
    this.#offset += length
  }

  /** S4: of a recorded line at or behind the bad one. */
  #provesDamage(line: RecognizedLine | undefined): boolean {
    if (line === undefined || line.seq <= this.lastSeq) return false
    return !this.#hasHole || line.writeSeq > this.#nextSeq
  }

  get #nextSeq(): number {
    return this.lastSeq + this.#commit.length + 1
  }

  /** The first line says itself what it continues. */
  #seed(bytes: Buffer, start: number, end: number): void {
    try {
      const value = JSON.parse(bytes.toString('utf8', start, end)) as Partial<SegmentOpened> | null
      this.#decoder.crc = parseCrc(value?.prev_crc) ?? 0
      this.lastSeq = Number.isSafeInteger(value?.prev_last_seq) ? value!.prev_last_seq! : 0
    } catch {
      this.#decoder.crc = 0
    }
  }

  /** The line is on the chain. Whatever is wrong now was written that way. */
  #judge(event: Event, length: number): void {
    const { part, parts } = this.#decoder
    if (this.header === undefined && event.event !== 'segment_opened') {
      this.#refuse('the first line is not segment_opened', true)
    } else if (event.seq !== this.#nextSeq) {
      this.#refuse(`seq is ${event.seq}, expected ${this.#nextSeq}`, true)
    } else if (part !== this.#commit.length + 1 || part > parts || (part > 1 && parts !== this.#parts)) {
      this.#refuse(
        `it says part ${part} of ${parts} of a commit, expected part ${this.#commit.length + 1}`,
        true,
      )
    } else {
      if (this.header === undefined) this.header = event as SegmentOpened
      const { text } = this.#decoder
      if (part < parts) {
        this.#commit.push(event)
        this.#texts.push(text)
        this.#parts = parts
      } else {
        this.#acceptCommit(event, text, this.#offset + length)
      }
    }
  }

  /** @param last the last of the commit, behind those that wait; nearly always the only one */
  #acceptCommit(last: Event, text: string, end: number): void {
    const events = this.#commit
    const texts = this.#texts
    this.lines += events.length + 1
    this.last = last
    this.lastSeq = last.seq
    this.crc = this.#decoder.crc
    this.validBytes = end
    if (this.lines === 1 || last.event === 'checkpoint') this.openingBytes = end
    if (events.length > 0) {
      this.#commit = []
      this.#texts = []
      for (let i = 0; i < events.length; i++) this.#accept(events[i]!, texts[i]!)
    }
    this.#accept(last, text)
  }

  /** A segment gets its name only when its first line is on disk: without one, damage. */
  #refuse(reason: string, damage = this.header === undefined): void {
    if (this.header === undefined) this.lastSeq = 0
    this.bad = { line: this.lines + this.#commit.length + 1, offset: this.#offset, reason, damage }
  }
}
