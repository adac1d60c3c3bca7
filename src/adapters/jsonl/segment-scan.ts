// Reads a segment file through a parser and, where a copy is wanted, writes the bytes to a new file on the way: the
// disk works while the parser computes, so that a copying restart takes hardly longer than a reading one.
//
// The copy is made of the very bytes that were parsed. Never by copy_file_range or a reflink: after a failed write-back
// the page cache shows what the disk does not have, and a reflink would share the disk's blocks.

import type { Disk, DiskFile } from './disk.ts'
import { attempt } from './disk-error.ts'
import { writeAll } from './durable-file.ts'
import type { SegmentParser } from './segment-parser.ts'

const CHUNK_BYTES = 1024 * 1024
/** Begin to sync after so many bytes: the last sync then has little left to do. */
const SYNC_EVERY_BYTES = 8 * CHUNK_BYTES
/** Chunks that may wait for the disk: the bound on memory. */
const WAITING_MAX = 24
/** Chunks that are written as one. */
const JOINED_MAX = 8
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

interface Chunk {
  readonly bytes: Buffer
  /** Its memory may be used again. */
  release(): void
}

/** Writes chunks behind the parser's back, in order. */
export class SegmentCopy {
  readonly file: DiskFile
  #chunks: Chunk[] = []
  #writing: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #unsynced = 0
  #first = true
  #failure: unknown
  /** Chunks whose memory is not free yet. */
  waiting = 0

  constructor(file: DiskFile) {
    this.file = file
  }

  /** Queues a chunk; `release` is called once its memory may be used again. */
  add(chunk: Buffer, release: () => void): void {
    // `settle` will say so.
    if (this.#failure !== undefined) return release()
    const bytes =
      this.#first && chunk.subarray(0, BOM.length).equals(BOM) ? chunk.subarray(BOM.length) : chunk
    this.#first = false
    this.waiting++
    this.#chunks.push({ bytes, release })
    this.#writing ??= this.#write()
  }

  /**
   * Whatever waits, as one: this is asked to go on once for each chunk that the parser takes, and would never make up for
   * the time that the disk was busy.
   */
  async #write(): Promise<void> {
    while (this.#chunks.length > 0) {
      const chunks = this.#chunks.splice(0, JOINED_MAX)
      try {
        // A copy that failed is thrown away: what still waits only has to be let go of.
        if (this.#failure === undefined) await this.#writeOut(chunks)
      } catch (error) {
        this.#failure = error
      } finally {
        this.waiting -= chunks.length
        for (const { release } of chunks) release()
      }
    }
    this.#writing = undefined
  }

  async #writeOut(chunks: readonly Chunk[]): Promise<void> {
    const bytes = chunks.length === 1 ? chunks[0]!.bytes : Buffer.concat(chunks.map(chunk => chunk.bytes))
    await writeAll(this.file, bytes)
    this.#unsynced += bytes.length
    if (this.#unsynced >= SYNC_EVERY_BYTES && this.#syncing === undefined) this.#startSync()
  }

  #startSync(): void {
    this.#unsynced = 0
    this.#syncing = this.file
      .sync()
      .catch(error => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#syncing = undefined
      })
  }

  /** Resolves when everything queued is written. @throws what the disk threw on the way */
  async settle(): Promise<void> {
    await this.#writing
    await this.#syncing
    if (this.#failure !== undefined) throw this.#failure
  }
}

/**
 * Feeds a whole file to the parser and finishes it.
 * @throws JournalIoError if it cannot be read: what cannot be read is not a torn tail
 */
export async function scanSegment(
  disk: Disk,
  path: string,
  parser: SegmentParser,
  copy?: SegmentCopy,
): Promise<void> {
  const what = `Could not read ${path}`
  const file = await attempt(what, disk.open(path, 'read'))
  const free: Buffer[] = []
  const read = async (position: number) => {
    const memory = free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const count = await file.read(memory, position)
    return { memory, bytes: memory.subarray(0, count) }
  }
  let ahead: ReturnType<typeof read> | undefined
  try {
    let position = 0
    let { memory, bytes } = await attempt(what, read(position))
    while (bytes.length > 0) {
      position += bytes.length
      ahead = read(position)
      ahead.catch(() => {})
      const used = memory
      const copying = copy !== undefined && parser.bad === undefined
      if (copying) copy.add(bytes, () => free.push(used))
      parser.push(bytes)
      if (!copying) free.push(used)
      ;({ memory, bytes } = await attempt(what, ahead))
      if (copy !== undefined && copy.waiting > WAITING_MAX)
        await attempt('Could not write the copy', copy.settle())
      if (parser.bad?.damage) break
    }
    parser.finish()
  } finally {
    await ahead?.catch(() => {})
    await file.close()
  }
}

/** How the last whole line of a file begins, up to `limit` bytes back: a hint, checked by nobody. */
export async function peekLastLine(disk: Disk, path: string, limit = 64 * 1024): Promise<string> {
  const file = await disk.open(path, 'read')
  try {
    const { size } = file.factsSync()
    const memory = Buffer.alloc(Math.min(limit, size))
    const count = await file.read(memory, size - memory.length)
    const tail = memory.subarray(0, count)
    if (tail.at(-1) !== 0x0a) return ''
    return tail.toString('utf8', tail.lastIndexOf(0x0a, tail.length - 2) + 1)
  } finally {
    await file.close()
  }
}
