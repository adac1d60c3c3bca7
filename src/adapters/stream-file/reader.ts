// Reads streams in files: JSON objects, one a line, in a file that is only appended to and may be rotated. What happens
// within one look at the files is in batch.ts.
//
//   1. Files that were moved during a look are looked at again.
//   2. Of all streams two are read at once: a mount that hangs takes threads of the pool that writes the journal, and may
//      never give them back. Who does not want to wait any longer leaves the hanging one behind, in its place.

import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import type { Stream, StreamPosition } from '../../core/stream/stream.ts'
import type { StreamBatch, StreamReader } from '../../ports/stream-reader.ts'
import { BatchReader } from './batch.ts'
import { compareFile, FileMovedError, type FilePosition, readPosition } from './file-identity.ts'

const AT_ONCE = 2

/** A rotation is several steps: in the middle of it a file may seem to be gone. */
const LOOKS = 5
const BETWEEN_LOOKS_MS = 40

/** @param root paths are relative to it */
export function createFileStreamReader({ root }: { root: string }): StreamReader {
  const turns = new PQueue({ concurrency: AT_ONCE })
  const inTurn = <Answer>(signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer> =>
    orAborted(
      turns.add(async () => {
        signal.throwIfAborted()
        return await work()
      }),
      signal,
    )
  return {
    read: (stream, from, signal) =>
      inTurn(signal, () => readBatch(root, stream, from, stream.maxRecords, signal)),
    hasMore: (stream, from, signal) =>
      inTurn(signal, async () => {
        const position = readPosition(from)
        if (position !== undefined && (await isAtEnd(resolve(root, pathOf(stream)), position))) return false
        const { records, dead } = await readBatch(root, stream, from, 1, signal)
        return records.length + dead.length > 0
      }),
  }
}

async function readBatch(
  root: string,
  stream: Stream,
  from: StreamPosition | undefined,
  maxRecords: number,
  signal: AbortSignal,
): Promise<StreamBatch> {
  const name = pathOf(stream)
  for (let look = 1; ; look++) {
    const reader = new BatchReader(resolve(root, name), signal)
    try {
      return await reader.read(maxRecords, from, look === LOOKS)
    } catch (error) {
      if (!(error instanceof FileMovedError)) throw explain(name, error)
      if (look === LOOKS) throw new Error(`${name} is moved again and again while it is read`)
    } finally {
      await reader.close()
    }
    await sleep(BETWEEN_LOOKS_MS, undefined, { signal })
  }
}

/** True if the file is the one that was read, and nothing was added: that is the case most often, and soon known. */
async function isAtEnd(path: string, position: FilePosition): Promise<boolean> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    // Why it cannot be opened is said when it is read.
    return false
  }
  try {
    const { ino, size } = await file.stat({ bigint: true })
    if (String(ino) !== position.inode || Number(size) !== position.offset) return false
    // Truncated and written anew it may have come to the same size.
    return (await compareFile(file, position.inode, position)) === 'same'
  } finally {
    await file.close()
  }
}

async function orAborted<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function pathOf({ name, source }: Stream): string {
  if (source.kind !== 'file') throw new Error(`the stream ${name} is no file but of kind ${source.kind}`)
  return source.path
}

function explain(name: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Error(`there is no folder for ${name}`)
  return code === 'EACCES' ? new Error(`${name} may not be read: ${message}`) : error
}
