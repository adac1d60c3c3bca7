// One batch of a stream in files, from one look at them.
//
//   1. Who is read next is decided by content (file-identity.ts): a file that was renamed is read to its end, then those
//      after it, then the present one from its beginning. Of copytruncate the copy is read.
//   2. If the file that was read is nowhere any more, that is said as a dead record, once, and the present file is read
//      from its beginning: nothing is lost in silence, and nobody has to come before it goes on.
//   3. A line is read when it has its line feed. In a file that was rotated away what comes after the last one is read when
//      a later file has a line: its writer has gone on by then.
//   4. Memory is bounded by the batch, whatever is in the files.

import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { JsonObject } from '../../core/json.ts'
import type { StreamPosition } from '../../core/stream/stream.ts'
import type { DeadRecord, StreamBatch } from '../../ports/stream-reader.ts'
import {
  compareFile,
  describePosition,
  FileMovedError,
  type FilePosition,
  readPosition,
} from './file-identity.ts'
import { type Line, readLines } from './lines.ts'
import { readRecord } from './record.ts'
import { listLater, listStreamFiles, type StreamFile, type StreamFiles } from './rotation.ts'

/** An output has at most 1 MiB; the rest is for what stands beside the records. */
const BATCH_BYTES_MAX = 900 * 1024
/** Of what is no record, which goes into a file. */
const DEAD_CHARACTERS_MAX = 4 * 1024 * 1024

interface Cursor {
  readonly file: StreamFile
  readonly offset: number
  readonly line: number
}

export class BatchReader {
  readonly #path: string
  readonly #signal: AbortSignal
  readonly #handles = new Map<string, FileHandle>()

  constructor(path: string, signal: AbortSignal) {
    this.#path = path
    this.#signal = signal
  }

  /**
   * @param isLastLook what is not found now is taken to be gone
   * @throws FileMovedError to look again
   */
  async read(
    maxRecords: number,
    from: StreamPosition | undefined,
    isLastLook: boolean,
  ): Promise<StreamBatch> {
    this.#signal.throwIfAborted()
    const position = readPosition(from)
    const files = await listStreamFiles(this.#path)
    const nothing: StreamBatch = { records: [], dead: [], to: from ?? {}, more: false }
    if (position === undefined)
      return this.#begin(listLater(undefined, files, this.#path), maxRecords, nothing)
    const file = await this.#find(position, files)
    if (file !== undefined) {
      const later = file.inode === files.present?.inode ? [] : listLater(file, files, this.#path)
      return this.#collect([file, ...later], { ...position, file }, maxRecords, nothing)
    }
    // It may come back; if another comes in its place, that is said then.
    if (files.present === undefined) return nothing
    if (!isLastLook) throw new FileMovedError()
    return this.#begin([files.present], maxRecords, { ...nothing, dead: [this.#tellLoss(position)] })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.values()].map(handle => handle.close()))
  }

  /** The file that was read; else a copy of it. */
  async #find(position: FilePosition, { present, others }: StreamFiles): Promise<StreamFile | undefined> {
    const files = present === undefined ? others : [present, ...others]
    const isLongEnough = ({ size }: StreamFile) => size >= position.offset
    // Most often it is the one with the inode; a copy that was made for a rotation is older than what replaced it.
    const candidates = [
      ...files.filter(({ inode }) => inode === position.inode),
      ...others.filter(({ inode }) => inode !== position.inode),
      ...(present === undefined || present.inode === position.inode ? [] : [present]),
    ].filter(isLongEnough)
    for (const file of candidates) {
      this.#signal.throwIfAborted()
      if ((await compareFile(await this.#open(file), file.inode, position)) !== 'other') return file
    }
    return undefined
  }

  /** A file that is not there (yet) has no records. */
  async #begin(files: readonly StreamFile[], maxRecords: number, nothing: StreamBatch): Promise<StreamBatch> {
    const [file] = files
    return file === undefined
      ? nothing
      : this.#collect(files, { file, offset: 0, line: 0 }, maxRecords, nothing)
  }

  async #collect(
    chain: readonly StreamFile[],
    begin: Cursor,
    maxRecords: number,
    { to, dead: said }: StreamBatch,
  ): Promise<StreamBatch> {
    const records: JsonObject[] = []
    const dead = [...said]
    let cursor = begin
    let bytes = 0
    let deadCharacters = 0
    let more = false
    for await (const [file, line] of this.#walk(chain, begin.offset)) {
      const before = cursor.file === file ? cursor.line : 0
      const next = { file, offset: line.end, line: before + 1 }
      const reading = readRecord(line, next.line === 1)
      if (reading.kind !== 'blank') {
        const isFull =
          records.length + dead.length >= maxRecords ||
          (reading.kind === 'record'
            ? bytes + reading.bytes > BATCH_BYTES_MAX
            : deadCharacters > DEAD_CHARACTERS_MAX)
        if (isFull) {
          more = true
          break
        }
        if (reading.kind === 'record') {
          records.push(reading.record)
          bytes += reading.bytes + 1
        } else {
          const { error, text } = reading
          dead.push({ place: `${file.name}:${next.line}`, error, text })
          deadCharacters += text.length
        }
      }
      cursor = next
    }
    const isWhereItWas = cursor === begin && dead.length === 0
    return {
      records,
      dead,
      to: isWhereItWas
        ? to
        : await describePosition(await this.#open(cursor.file), cursor.file.inode, cursor),
      more,
    }
  }

  /** The lines of files one after the other; what is not whole only where rule 3 allows it. */
  async *#walk(chain: readonly StreamFile[], offset: number): AsyncGenerator<[StreamFile, Line]> {
    for (const [index, file] of chain.entries()) {
      let rest: Line | undefined
      for await (const line of readLines(await this.#open(file), index === 0 ? offset : 0, this.#signal)) {
        if (line.isWhole) yield [file, line]
        else rest = line
      }
      if (!(await this.#hasLine(chain.slice(index + 1)))) return
      if (rest !== undefined) yield [file, rest]
    }
  }

  async #hasLine(files: readonly StreamFile[]): Promise<boolean> {
    for (const file of files)
      for await (const { isWhole } of readLines(await this.#open(file), 0, this.#signal)) {
        if (isWhole) return true
      }
    return false
  }

  /** @throws FileMovedError if another file has its name by now */
  async #open({ path, inode }: StreamFile): Promise<FileHandle> {
    const known = this.#handles.get(inode)
    if (known !== undefined) return known
    let handle: FileHandle
    try {
      handle = await open(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new FileMovedError()
      throw error
    }
    this.#handles.set(inode, handle)
    const { ino } = await handle.stat({ bigint: true })
    if (String(ino) !== inode) throw new FileMovedError()
    return handle
  }

  #tellLoss({ offset, line, inode }: FilePosition): DeadRecord {
    const name = basename(this.#path)
    return {
      place: `${name}:${line}`,
      error:
        `the file that was read up to line ${line} is there no more: it was truncated, replaced, deleted or compressed. ` +
        `What it held behind that line was not read; ${name} is read from its beginning. ` +
        'Rotate by renaming, and leave the last file uncompressed (logrotate: delaycompress) until it has been read',
      text: JSON.stringify({ inode, offset, line }),
    }
  }
}
