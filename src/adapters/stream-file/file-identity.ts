// What a position in a file says of the file, so that it is found again after a rotation, whatever its name is then.
//
//   F1. A file is the one that was read if it still has what was read of it: the first and the last bytes before the
//       offset are compared. The inode alone proves nothing, since it is used again.
//   F2. A copy is as good as the file (copytruncate). Where nothing was read there is nothing to compare, and the inode
//       decides.

import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { StreamPosition } from '../../core/stream/stream.ts'

/** Bytes at each end of what was read that are compared. */
const COMPARED_BYTES = 256
const DIGEST_CHARACTERS = 16

export interface FilePosition {
  readonly inode: string
  /** Digests of the first and the last bytes before the offset. */
  readonly head: string
  readonly tail: string
  /** Bytes that were read. */
  readonly offset: number
  /** Lines that were read. */
  readonly line: number
}

/** Raised when a file changed its place or its length while it was looked at: look again. */
export class FileMovedError extends Error {}

/** @throws FileMovedError if the file is shorter than the offset */
export async function describePosition(
  file: FileHandle,
  inode: string,
  { offset, line }: { offset: number; line: number },
): Promise<StreamPosition> {
  const digests = await digestEnds(file, offset)
  if (digests === undefined) throw new FileMovedError()
  return { file: { inode, ...digests }, offset, line } satisfies JsonObject
}

/**
 * Undefined: nothing of the stream has been read.
 * @throws Error if somebody else made the position: it is not understood
 */
export function readPosition(position: StreamPosition | undefined): FilePosition | undefined {
  if (position === undefined || Object.keys(position).length === 0) return undefined
  const { file, offset, line } = position
  if (isJsonObject(file) && isCount(offset) && isCount(line)) {
    const { inode, head, tail } = file
    if (typeof inode === 'string' && typeof head === 'string' && typeof tail === 'string')
      return { inode, head, tail, offset, line }
  }
  throw new Error(
    `the position is not one of a file: ${JSON.stringify(position).slice(0, 200)}; give a stream that has become another one another name`,
  )
}

/** `same`: the file that was read. `copy`: another one with what was read. */
export async function compareFile(
  file: FileHandle,
  inode: string,
  position: FilePosition,
): Promise<'same' | 'copy' | 'other'> {
  const isSameInode = inode === position.inode
  if (position.offset === 0) return isSameInode ? 'same' : 'other'
  const digests = await digestEnds(file, position.offset)
  if (digests?.head !== position.head || digests.tail !== position.tail) return 'other'
  return isSameInode ? 'same' : 'copy'
}

async function digestEnds(
  file: FileHandle,
  offset: number,
): Promise<{ head: string; tail: string } | undefined> {
  const length = Math.min(COMPARED_BYTES, offset)
  const head = await digest(file, 0, length)
  const tail = await digest(file, offset - length, length)
  return head === undefined || tail === undefined ? undefined : { head, tail }
}

/** Undefined if the file has fewer bytes. */
async function digest(file: FileHandle, at: number, length: number): Promise<string | undefined> {
  const bytes = Buffer.alloc(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) return undefined
    done += bytesRead
  }
  return createHash('sha256').update(bytes).digest('hex').slice(0, DIGEST_CHARACTERS)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
