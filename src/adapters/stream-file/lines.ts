// Lines of a file from an offset, split at byte 0x0A, in bounded memory however long a line is.

import type { FileHandle } from 'node:fs/promises'

const CHUNK_BYTES = 64 * 1024

/** Bytes of a line at most. */
export const LINE_BYTES_MAX = 256 * 1024

export interface Line {
  /** Without the line feed; of a line that is too long its beginning. */
  readonly bytes: Buffer
  readonly isTooLong: boolean
  /** Offset behind it. */
  readonly end: number
  /** False: the file ends without a line feed. Only the last one can be so. */
  readonly isWhole: boolean
}

export async function* readLines(
  file: FileHandle,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  let at = offset
  let parts: Buffer[] = []
  let kept = 0
  let length = 0
  const keep = (part: Buffer) => {
    length += part.length
    if (kept > LINE_BYTES_MAX) return
    parts.push(part)
    kept += part.length
  }
  const take = (end: number, isWhole: boolean): Line => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    const isTooLong = length > LINE_BYTES_MAX
    parts = []
    kept = 0
    length = 0
    return { bytes: isTooLong ? bytes.subarray(0, LINE_BYTES_MAX) : bytes, isTooLong, end, isWhole }
  }
  for (;;) {
    signal.throwIfAborted()
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at)
    if (bytesRead === 0) break
    let from = 0
    for (
      let feed = indexOfFeed(chunk, from, bytesRead);
      feed >= 0;
      feed = indexOfFeed(chunk, from, bytesRead)
    ) {
      keep(chunk.subarray(from, feed))
      from = feed + 1
      yield take(at + from, true)
    }
    keep(chunk.subarray(from, bytesRead))
    at += bytesRead
  }
  if (length > 0) yield take(at, false)
}

function indexOfFeed(chunk: Buffer, from: number, to: number): number {
  const feed = chunk.indexOf(0x0a, from)
  return feed < to ? feed : -1
}
