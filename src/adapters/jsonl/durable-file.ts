// Small steps that several files of this room take: write all, sync, put in place. No journal knowledge.

import { dirname } from 'node:path'
import { JournalIoError, JournalSyncFailedError } from '../../ports/journal.ts'
import type { Disk, DiskFile } from './disk.ts'
import { codeOf } from './disk-error.ts'

const CHUNK_BYTES = 1024 * 1024

/** Writes every byte, however short the disk's writes are. */
export async function writeAll(file: DiskFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(done === 0 ? bytes : bytes.subarray(done))
    if (written === 0) throw new JournalIoError('The disk took no byte of a write and gave no reason')
    done += written
  }
}

/** fdatasync, whose failure is final. */
export async function syncFile(file: DiskFile, path: string): Promise<void> {
  try {
    await file.sync()
  } catch (error) {
    throw new JournalSyncFailedError(`fdatasync of ${path} failed: ${(error as Error).message}`, error)
  }
}

/** Removes a file; one that is not there is removed already. */
export async function removeFile(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Opens a new file in place of whatever a crash left under that name. */
export async function createAfresh(disk: Disk, path: string): Promise<DiskFile> {
  await removeFile(disk, path)
  return disk.open(path, 'create')
}

/** Renames and makes the new name, and the absence of the old one, durable. */
export async function moveFile(disk: Disk, from: string, to: string): Promise<void> {
  await disk.rename(from, to)
  await disk.syncDirectory(dirname(to))
  if (dirname(from) !== dirname(to)) await disk.syncDirectory(dirname(from))
}

/** A whole small file, all or nothing: written beside its place, synced, moved in. Durable when it resolves. */
export async function placeFile(disk: Disk, path: string, bytes: Uint8Array, draft = `${path}.tmp`) {
  const file = await createAfresh(disk, draft)
  try {
    await writeAll(file, bytes)
    await syncFile(file, draft)
  } catch (error) {
    await file.close()
    await removeFile(disk, draft).catch(() => {})
    throw error
  }
  await file.close()
  await moveFile(disk, draft, path)
}

/** Bytes `from` to `to` of a file, fewer if it ends before. */
export async function readRange(file: DiskFile, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from))
  let count = 0
  while (count < bytes.length) {
    const read = await file.read(bytes.subarray(count), from + count)
    if (read === 0) break
    count += read
  }
  return bytes.subarray(0, count)
}

/** Opens, reads and closes. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, 'read')
  try {
    return await readRange(file, 0, file.factsSync().size)
  } finally {
    await file.close()
  }
}

/** Copies bytes `from` to `to` of one open file to the end of another. */
export async function copyRange(source: DiskFile, from: number, to: number, target: DiskFile): Promise<void> {
  for (let at = from; at < to; ) {
    const bytes = await readRange(source, at, Math.min(to, at + CHUNK_BYTES))
    if (bytes.length === 0) throw new JournalIoError('A file became shorter while it was copied')
    await writeAll(target, bytes)
    at += bytes.length
  }
}
