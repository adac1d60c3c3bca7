// Where a feed file ends: its last complete line that carries a `seq`, and what is torn behind it.
//
// Reads backwards from the end, a chunk at a time; the length of the file does not matter.

import type { FileHandle } from 'node:fs/promises'

const CHUNK_BYTES = 64 * 1024
/** Lines of others at the end are read over, up to this far: further back than that nothing of ours is looked for. */
const SEARCH_BYTES = 4 * 1024 * 1024
const LINE_START = '{"timestamp":"'

export interface FeedTail {
  /** `seq` of the last complete line that has one; 0: there is none. */
  readonly lastSeq: number
  /** Where the last complete line ends. */
  readonly completeBytes: number
  readonly sizeBytes: number
  /** What is behind it was begun by a feed (or is a hole that a power cut left): it may be cut off. */
  readonly isTornByUs: boolean
}

/** Reads the end of a regular file. */
export async function readFeedTail(file: FileHandle): Promise<FeedTail> {
  const { size } = await file.stat()
  let text: Buffer = Buffer.alloc(0)
  let from = size
  let completeBytes: number | undefined
  let isTornByUs = false
  while (from > 0 && size - from < SEARCH_BYTES) {
    const length = Math.min(CHUNK_BYTES, from)
    from -= length
    text = Buffer.concat([await readAt(file, from, length), text])
    if (completeBytes === undefined) {
      const lineFeed = text.lastIndexOf(0x0a)
      if (lineFeed < 0 && from > 0) continue
      completeBytes = from + lineFeed + 1
      isTornByUs = looksTorn(text.subarray(lineFeed + 1))
      text = text.subarray(0, lineFeed + 1)
    }
    // The first line of the chunk may have begun before it: it is left for the next round.
    const start = from === 0 ? 0 : text.indexOf(0x0a) + 1
    const lastSeq = findLastSeq(text.subarray(start))
    if (lastSeq !== undefined) return { lastSeq, completeBytes, sizeBytes: size, isTornByUs }
    text = text.subarray(0, start)
  }
  return { lastSeq: 0, completeBytes: completeBytes ?? 0, sizeBytes: size, isTornByUs }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function findLastSeq(text: Buffer): number | undefined {
  const lines = text.toString('utf8').split('\n')
  for (let i = lines.length - 1; i >= 0; i--) {
    const seq = seqOf(lines[i]!)
    if (seq !== undefined) return seq
  }
  return undefined
}

function seqOf(line: string): number | undefined {
  if (!line.startsWith(LINE_START)) return undefined
  try {
    const { seq } = JSON.parse(line) as { seq?: unknown }
    return Number.isSafeInteger(seq) ? (seq as number) : undefined
  } catch {
    return undefined
  }
}

function looksTorn(tail: Buffer): boolean {
  const start = tail.subarray(0, LINE_START.length).toString('latin1')
  return tail.length > 0 && (LINE_START.startsWith(start) || start.startsWith(LINE_START) || tail[0] === 0)
}
