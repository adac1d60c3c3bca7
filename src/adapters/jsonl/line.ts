// One line of the journal: what it looks like, and how it is read back into an event. batch.ts writes lines.
//
//   {"timestamp":"…","event":"…","seq":7, …,"commit":[2,3],"c":"5d1f09aa"}\n
//
// Boundary: bytes and events; no file, no segment. What may follow what is segment-parser.ts.
//
//   L1. `c` is the CRC-32 of the line's bytes before `,"c"`, continued from the CRC of the line before: a line that was
//       changed, removed, repeated or moved does not fit its neighbours. (Two in three flipped bits leave valid JSON.)
//   L2. A line holds no byte 0x0A but its last, and no U+2028 or U+2029, which some readers take for line ends.
//   L3. The lines of one write say so: `commit` is [part, parts], and has as a third number the line's position in its
//       write where that is another than its part. A line without it is the first of its write, so everything before
//       it had been synced when it was written: this tells a hole in the last write from damage (segment-parser.ts).
//   L4. `commit` and `c` belong to the line, not to the event: they are added here and taken off here.

import { isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { Event } from '../../core/state-machine/event.ts'

/** The longest line that is written, in bytes, with its `\n`. Larger things go to a blob. */
export const LINE_LIMIT_BYTES = 64 * 1024
/** The longest line that is read. More than is written, so that a later version may write longer ones. */
export const READ_LIMIT_BYTES = 1024 * 1024

const NEWLINE = 0x0a
export const COMMA = 0x2c
const ZERO = 0x30
const NINE = 0x39
export const BRACKET = 0x5d
export const BLANK_CHECKSUM = ',"c":"00000000"}\n'
const CHECKSUM_BYTES = BLANK_CHECKSUM.length - 1
export const DIGITS = Buffer.from('0123456789abcdef')
export const COMMIT_MARK = ',"commit":['
export const LONGEST_COMMIT = `${COMMIT_MARK}9999999999,9999999999,9999999999]`.length

/** Node's own ways between text and bytes without looking an encoding up; public, but missing from its types. */
export interface DirectBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  latin1Write(text: string, at: number): number
  utf8Write(text: string, at: number): number
}

/** `5d1f09aa`: eight lower-case hexadecimal digits. */
export function formatCrc(crc: number): string {
  return (crc + 0x1_0000_0000).toString(16).slice(1)
}

/** Reads what `formatCrc` writes; undefined for anything else. */
export function parseCrc(text: unknown): number | undefined {
  return typeof text === 'string' && /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : undefined
}

const HEX = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++) HEX[DIGITS[digit]!] = digit

function readCrc(bytes: Buffer, start: number): number {
  let crc = 0
  for (let index = start; index < start + 8; index++) {
    const digit = HEX[bytes[index]!]!
    if (digit < 0) return -1
    crc = crc * 16 + digit
  }
  return crc
}

function hasChecksum(bytes: Buffer, end: number): boolean {
  const start = end - CHECKSUM_BYTES
  return (
    bytes[start] === 0x2c && // ,"c":"
    bytes[start + 1] === 0x22 &&
    bytes[start + 2] === 0x63 &&
    bytes[start + 3] === 0x22 &&
    bytes[start + 4] === 0x3a &&
    bytes[start + 5] === 0x22 &&
    bytes[end - 2] === 0x22 && // "}
    bytes[end - 1] === 0x7d
  )
}

/** Has the three fields that every line has. */
function isLine(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null) return false
  const { timestamp, event, seq } = value as Record<string, unknown>
  return typeof timestamp === 'string' && typeof event === 'string' && Number.isSafeInteger(seq)
}

/**
 * Reads lines one after the other along the chain. What it learns of the last line beside the event stands in its
 * fields, so that a restart over a million lines makes no object per line but the event.
 */
export class LineDecoder {
  /** CRC of the last line that was accepted: the seed for the next. */
  crc: number
  /** `[part, parts]` of the last line's commit; `[1, 1]` where it has none. */
  part = 1
  parts = 1
  /** The last line as JSON text, less what the journal adds to an event: `c` and `commit`. */
  text = ''
  /** Why the last call returned undefined. */
  problem = ''

  constructor(crc = 0) {
    this.crc = crc
  }

  /**
   * @param start  first byte of the line
   * @param end    the byte of its `\n`
   * @param ascii  true if the caller knows that every byte is below 0x80
   * @returns the event, or undefined: see `problem`; the chain then stands where it stood
   */
  decode(bytes: Buffer, start: number, end: number, ascii: boolean): Event | undefined {
    if (end - start > READ_LIMIT_BYTES) return this.#refuse(`it is longer than ${READ_LIMIT_BYTES} bytes`)
    if (end - start < CHECKSUM_BYTES + 2 || !hasChecksum(bytes, end)) {
      return this.#refuse('it does not end in a checksum')
    }
    const bodyEnd = end - CHECKSUM_BYTES
    const raw = bytes.subarray(start, bodyEnd)
    const crc = crc32(raw, this.crc)
    if (crc !== readCrc(bytes, bodyEnd + 6)) {
      return this.#refuse('its checksum does not fit it and the line before')
    }
    if (!ascii && !isUtf8(raw)) return this.#refuse('it is not UTF-8')
    const eventEnd = this.#readCommit(bytes, bodyEnd)
    const direct = bytes as DirectBuffer
    const text = `${ascii ? direct.latin1Slice(start, eventEnd) : direct.utf8Slice(start, eventEnd)}}`
    let event: unknown
    try {
      event = JSON.parse(text)
    } catch {
      return this.#refuse('it is not JSON')
    }
    if (!isLine(event)) return this.#refuse('it lacks timestamp, event or seq')
    if (eventEnd === bodyEnd && 'commit' in event) return this.#refuse('its commit is not [part, parts]')
    this.crc = crc
    this.text = text
    return event
  }

  /**
   * Takes `part` and `parts` from what the line says of its commit. Byte by byte, from behind: a restart does it for
   * every line.
   * @returns where the event's own fields end
   */
  #readCommit(bytes: Buffer, end: number): number {
    this.part = 1
    this.parts = 1
    if (bytes[end - 1] !== BRACKET) return end
    // The third number, if there is one, is for whoever looks at a hole (L3).
    let [first, second, commas, scale] = [0, 0, 0, 1]
    let at = end - 2
    for (; ; at--) {
      const byte = bytes[at]!
      if (byte === COMMA) {
        second = first
        first = 0
        commas += 1
        scale = 1
      } else if (byte >= ZERO && byte <= NINE) {
        first += (byte - ZERO) * scale
        scale *= 10
      } else break
    }
    for (let index = COMMIT_MARK.length - 1; index >= 0; index--, at--)
      if (bytes[at] !== COMMIT_MARK.charCodeAt(index)) return end
    if (commas === 0 || commas > 2) return end
    this.part = first
    this.parts = second
    return at + 1
  }

  #refuse(problem: string): undefined {
    this.problem = problem
    return undefined
  }
}

/** What a line says about itself. */
export interface RecognizedLine {
  readonly seq: number
  /** `seq` of the first line of the same write: all before it was on disk when it was written. */
  readonly writeSeq: number
}

/**
 * Reads bytes that look like a whole line, whether or not the chain leads to it; undefined if they do not.
 * Forgiving on purpose (a `\r` at the end passes): it answers "was something recorded here?".
 */
export function recognizeLine(bytes: Buffer, start: number, end: number): RecognizedLine | undefined {
  if (end - start > READ_LIMIT_BYTES || end - start < CHECKSUM_BYTES + 2) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', start, end))
    if (!isLine(value)) return undefined
    const { seq, c, commit } = value as Event & { c?: unknown; commit?: number[] }
    if (parseCrc(c) === undefined) return undefined
    return { seq, writeSeq: seq + 1 - (commit?.[2] ?? commit?.[0] ?? 1) }
  } catch {
    return undefined
  }
}

/** Like `recognizeLine` for a line that begins somewhere inside the bytes: what is left when a `\n` was lost. */
export function recognizeLineWithin(bytes: Buffer, start: number, end: number): RecognizedLine | undefined {
  for (let at = bytes.indexOf('{"timestamp":"', start + 1); at >= 0 && at < end; ) {
    const line = recognizeLine(bytes, at, end)
    if (line !== undefined) return line
    at = bytes.indexOf('{"timestamp":"', at + 1)
  }
  return undefined
}

/** Position of the next `\n` at or after `from`, or -1. */
export function findNewline(bytes: Buffer, from: number): number {
  return bytes.indexOf(NEWLINE, from)
}
