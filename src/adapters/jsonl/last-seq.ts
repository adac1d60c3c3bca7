// Where a journal ends, without reading it: what a reader asks before it waits, and a status line shows.

import { setTimeout as delay } from 'node:timers/promises'
import type { Disk, DiskFile } from './disk.ts'
import { codeOf } from './disk-error.ts'
import { readRange } from './durable-file.ts'
import { layoutOf, listSegments } from './layout.ts'
import { LineDecoder, parseCrc } from './line.ts'
import { nodeDisk } from './node-disk.ts'
import { SegmentParser } from './segment-parser.ts'
import { scanSegment } from './segment-scan.ts'

const TAIL_BYTES = 256 * 1024

/**
 * `seq` of the last complete commit, from the end of the active segment; 0 if there is no journal.
 * Reads the end only, unless it holds a commit that is larger than that.
 */
export async function lastSeq(path: string, { disk = nodeDisk }: { disk?: Disk } = {}): Promise<number> {
  const file = await openTail(disk, path)
  if (file === undefined) return 0
  let seq = 0
  try {
    const { size } = file.factsSync()
    const from = Math.max(0, size - TAIL_BYTES)
    const tail = await readRange(file, from, size)
    const decoder = new LineDecoder()
    let start = 0
    if (from > 0) {
      // The first whole line gives the seed; what can be checked begins behind it.
      start = tail.indexOf(0x0a) + 1
      const end = tail.indexOf(0x0a, start)
      decoder.crc = parseCrc(tail.toString('latin1', end - 10, end - 2)) ?? -1
      start = end + 1
    }
    if (from > 0 && decoder.crc >= 0) {
      for (let end = tail.indexOf(0x0a, start); end >= 0; end = tail.indexOf(0x0a, start)) {
        const event = decoder.decode(tail, start, end, false)
        if (event === undefined) break
        if (decoder.part === decoder.parts) seq = event.seq
        start = end + 1
      }
    }
  } finally {
    await file.close()
  }
  if (seq > 0) return seq
  const parser = new SegmentParser()
  await scanSegment(disk, path, parser)
  return parser.lastSeq
}

/** During a roll the active segment has no name for an instant. */
async function openTail(disk: Disk, path: string): Promise<DiskFile | undefined> {
  for (let retries = 0; ; retries++) {
    try {
      return await disk.open(path, 'read')
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      const { unfinished } = await listSegments(disk, layoutOf(path))
      if (unfinished.length === 0 || retries > 20) return undefined
      await delay(5)
    }
  }
}
