// Commits → the bytes of one write: each event as a line (line.ts) with its place in the write and its checksum.
//
// Boundary: events and bytes; whoever calls knows where the chain stands, and writes.
//
//   B1. All or nothing: an event that cannot be a line is refused by throwing, and the caller has written nothing.
//   B2. Each line is finished where it will be written from. One long text for the batch would be half a megabyte of
//       fresh memory each time, and a page fault for every 4 KiB of it just while slots wait for their line on disk.

import { crc32 } from 'node:zlib'
import { DagbokError } from '../../core/error.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { Commit } from '../../ports/journal.ts'
import {
  BLANK_CHECKSUM,
  BRACKET,
  COMMA,
  COMMIT_MARK,
  DIGITS,
  type DirectBuffer,
  LINE_LIMIT_BYTES,
  LONGEST_COMMIT,
} from './line.ts'

/** What a room begins with, and the most that it keeps for the next batch. */
const ROOM_BYTES = { first: 4 * 1024, kept: 1024 * 1024 }

/** The most bytes that UTF-8 needs for one of JavaScript's characters. */
const BYTES_PER_CHARACTER = 3

const MARK = Buffer.from(COMMIT_MARK)
const CHECKSUM_BYTES = BLANK_CHECKSUM.length
const CHECKSUM_DIGITS = BLANK_CHECKSUM.indexOf('0')
const LONGEST_TAIL = LONGEST_COMMIT + CHECKSUM_BYTES
const SEPARATORS = /[\u2028\u2029]/

/** A batch that is ready to be written, and where the chain stands once it has been. */
export interface EncodedBatch {
  /** Where a room was given they are its memory: they stand until the next batch is encoded into it. */
  readonly bytes: Buffer
  readonly lines: number
  readonly lastSeq: number
  readonly crc: number
}

/** Memory that one batch after the other is encoded into. */
export class Room {
  bytes = allocate(ROOM_BYTES.first)

  /** Makes place for `more` bytes behind the first `used`, which stay. */
  reserve(used: number, more: number): DirectBuffer {
    if (used + more > this.bytes.length) {
      const larger = allocate(Math.max(2 * this.bytes.length, used + more))
      this.bytes.copy(larger, 0, 0, used)
      this.bytes = larger
    }
    return this.bytes
  }

  /** A rare large batch must not stay in memory for good. */
  shrink(): void {
    if (this.bytes.length > ROOM_BYTES.kept) this.bytes = allocate(ROOM_BYTES.first)
  }
}

function allocate(size: number): DirectBuffer {
  return Buffer.allocUnsafeSlow(size) as DirectBuffer
}

/**
 * Turns commits into the bytes of one write, and sets `seq` on each event.
 * @param lastSeq  `seq` of the line before
 * @param crc      CRC of the line before
 * @param room     to be given by who encodes often, and has written a batch before it encodes the next
 * @throws DagbokError JOURNAL_LINE_TOO_LONG, JOURNAL_LINE_INVALID
 */
export function encodeBatch(
  commits: readonly Commit[],
  lastSeq: number,
  crc: number,
  room = new Room(),
): EncodedBatch {
  room.shrink()
  let end = 0
  let lines = 0
  for (const commit of commits) {
    for (let index = 0; index < commit.length; index++) {
      const event = commit[index]!
      event.seq = lastSeq + ++lines
      const start = end
      // Behind the last field: the brace comes again after the checksum.
      end += writeText(room, stringifyEvent(event), start) - 1
      const { bytes } = room
      const part = index + 1
      if (lines > 1 || commit.length > 1) end = writeMark(bytes, end, part, commit.length, lines)
      crc = crc32(bytes.subarray(start, end), crc)
      bytes.latin1Write(BLANK_CHECKSUM, end)
      writeCrc(bytes, end + CHECKSUM_DIGITS, crc)
      end += CHECKSUM_BYTES
      if (end - start > LINE_LIMIT_BYTES) refuseLength(event, end - start)
    }
  }
  return { bytes: room.bytes.subarray(0, end), lines, lastSeq: lastSeq + lines, crc }
}

/**
 * Leaves place behind it for the rest of its line. U+2028 and U+2029 become escapes (line.ts, L2).
 * @returns how many bytes it took
 */
function writeText(room: Room, text: string, at: number): number {
  const written = room.reserve(at, BYTES_PER_CHARACTER * text.length + LONGEST_TAIL).utf8Write(text, at)
  // As many bytes as characters: all of it is ASCII.
  if (written === text.length || !SEPARATORS.test(text)) return written
  return writeText(room, text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'), at)
}

/** The eight digits of `formatCrc`, straight into the bytes. */
function writeCrc(bytes: Buffer, start: number, crc: number): void {
  for (let at = start + 7, rest = crc; at >= start; at--, rest >>>= 4) bytes[at] = DIGITS[rest & 15]!
}

/**
 * `,"commit":[2,3,7]` (line.ts, L3), byte by byte: a text that is made for it costs five times as much.
 * @returns where it ends
 */
function writeMark(bytes: Buffer, at: number, part: number, parts: number, position: number): number {
  for (let index = 0; index < MARK.length; index++) bytes[at + index] = MARK[index]!
  let end = writeNumber(bytes, at + MARK.length, part)
  bytes[end] = COMMA
  end = writeNumber(bytes, end + 1, parts)
  if (position !== part) {
    bytes[end] = COMMA
    end = writeNumber(bytes, end + 1, position)
  }
  bytes[end] = BRACKET
  return end + 1
}

/** @returns where it ends */
function writeNumber(bytes: Buffer, at: number, value: number): number {
  let end = at + 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end += 1
  for (let index = end - 1, rest = value; index >= at; index--, rest = Math.floor(rest / 10))
    bytes[index] = DIGITS[rest % 10]!
  return end
}

/** The event as JSON, `timestamp event seq` first. */
function stringifyEvent(event: Event): string {
  const { c, commit } = event as { c?: unknown; commit?: unknown }
  if (c !== undefined || commit !== undefined)
    refuseEvent(event, 'the fields c and commit are the journal’s own')
  let text: string
  try {
    text = JSON.stringify(event)
    if (!hasHead(text)) {
      const { timestamp, event: name, seq, ...rest } = event as Event & Record<string, unknown>
      if (typeof timestamp !== 'string') refuseEvent(event, 'its timestamp is not text')
      if (typeof name !== 'string' || name === '') refuseEvent(event, 'it has no name')
      text = JSON.stringify({ timestamp, event: name, seq, ...rest })
    }
  } catch (error) {
    if (error instanceof DagbokError) throw error
    return refuseEvent(event, 'it is not JSON', error)
  }
  return text
}

/** True for `{"timestamp":"<24 characters>","event":"<name>","seq":`: the order every event is made in. */
function hasHead(text: string): boolean {
  if (!text.startsWith('{"timestamp":"') || !text.startsWith('","event":"', 38)) return false
  const end = text.indexOf('"', 49)
  return end > 49 && text.startsWith(',"seq":', end + 1)
}

function describeEvent(event: Event): string {
  const { event: name, run_id, task_id, schedule_id } = event as unknown as Record<string, unknown>
  const subject = [schedule_id, run_id, task_id].filter(Boolean).join(' ')
  return subject === '' ? `'${name}'` : `'${name}' (${subject})`
}

function refuseEvent(event: Event, what: string, cause?: unknown): never {
  throw new DagbokError(
    'JOURNAL_LINE_INVALID',
    `The event ${describeEvent(event)} cannot be a line: ${what}`,
    {
      hint: 'This is a defect of whatever made the event; nothing was written.',
      cause,
    },
  )
}

function refuseLength(event: Event, bytes: number): never {
  throw new DagbokError(
    'JOURNAL_LINE_TOO_LONG',
    `The event ${describeEvent(event)} needs a line of ${bytes} bytes; at most ${LINE_LIMIT_BYTES} fit`,
    { hint: 'Put what is large into a file and record its path, or return less output.' },
  )
}
