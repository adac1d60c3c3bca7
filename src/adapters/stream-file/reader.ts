// Reads streams in files: JSON objects, one a line, in a file that is only appended to and may be rotated. What happens
// within one look at the files is in batch.ts; here they are looked at again if they were moved meanwhile.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stream } from '../../core/stream/stream.ts'
import type { StreamReader } from '../../ports/stream-reader.ts'
import { BatchReader } from './batch.ts'
import { FileMovedError, readPosition } from './file-identity.ts'

/** A rotation is several steps: in the middle of it a file may seem to be gone. */
const LOOKS = 5
const BETWEEN_LOOKS_MS = 40

/** @param root paths are relative to it */
export function createFileStreamReader({ root }: { root: string }): StreamReader {
  const read: StreamReader['read'] = async (stream, from, signal) => {
    const name = pathOf(stream)
    for (let look = 1; ; look++) {
      const reader = new BatchReader(resolve(root, name), signal)
      try {
        return await reader.read(stream.maxRecords, from, look === LOOKS)
      } catch (error) {
        if (!(error instanceof FileMovedError)) throw explain(name, error)
        if (look === LOOKS) throw new Error(`${name} is moved again and again while it is read`)
      } finally {
        await reader.close()
      }
      await sleep(BETWEEN_LOOKS_MS, undefined, { signal })
    }
  }
  return {
    read,
    async hasMore(stream, from, signal) {
      const position = readPosition(from)
      if (position !== undefined) {
        const present = await lookAt(resolve(root, pathOf(stream)))
        if (present?.inode === position.inode && present.size === position.offset) return false
      }
      const { records, dead } = await read({ ...stream, maxRecords: 1 }, from, signal)
      return records.length + dead.length > 0
    },
  }
}

async function lookAt(path: string): Promise<{ inode: string; size: number } | undefined> {
  try {
    const { ino, size } = await stat(path, { bigint: true })
    return { inode: String(ino), size: Number(size) }
  } catch {
    // Why it cannot be looked at is said when it is read.
    return undefined
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
