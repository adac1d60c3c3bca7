// Blobs on the disk: `blobs/<sha256>` in the journal's state directory, mode 0600.
//
//   - A blob has its name only when its bytes are on disk: written beside, synced, moved in, directory synced.
//   - What is put is young, even if the same bytes were there: retention leaves it alone until a line names it.
//   - The name is the hash, and the hash is checked on every read: a blob is right or an error.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { BlobRef } from '../../core/state-machine/event.ts'
import type { BlobStore } from '../../ports/blob-store.ts'
import type { Disk } from './disk.ts'
import { attempt, codeOf } from './disk-error.ts'
import { placeFile, readWhole } from './durable-file.ts'
import { layoutOf } from './layout.ts'
import { nodeDisk } from './node-disk.ts'

const SHA256 = /^[0-9a-f]{64}$/

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

class DiskBlobStore implements BlobStore {
  readonly #disk: Disk
  readonly #directory: string
  /** Same bytes at the same time are one write. */
  readonly #underWay = new Map<string, Promise<void>>()
  #isReady = false

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  async put(bytes: Uint8Array): Promise<BlobRef> {
    const sha256 = hashOf(bytes)
    let writing = this.#underWay.get(sha256)
    if (writing === undefined) {
      writing = attempt(`Could not write the blob ${sha256}`, this.#place(sha256, bytes)).finally(() =>
        this.#underWay.delete(sha256),
      )
      this.#underWay.set(sha256, writing)
    }
    await writing
    return { sha256, bytes: bytes.length }
  }

  async #place(sha256: string, bytes: Uint8Array): Promise<void> {
    if (!this.#isReady) {
      await this.#disk.makeDirectory(this.#directory)
      await this.#disk.syncDirectory(join(this.#directory, '..'))
      this.#isReady = true
    }
    // Anew, even if it is there: retention leaves alone what is young, and the line that will name it is not yet written.
    await placeFile(this.#disk, join(this.#directory, sha256), bytes)
  }

  async get({ sha256, bytes: size }: BlobRef): Promise<Uint8Array> {
    if (!SHA256.test(sha256)) throw refuse('JOURNAL_BLOB_MISSING', `${JSON.stringify(sha256)} names no blob`)
    const path = join(this.#directory, sha256)
    let bytes: Buffer
    try {
      bytes = await readWhole(this.#disk, path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw refuse('JOURNAL_BLOB_MISSING', `The blob ${path} is missing`)
      return await attempt(`Could not read the blob ${path}`, Promise.reject(error))
    }
    if (bytes.length !== size || hashOf(bytes) !== sha256) {
      throw refuse(
        'JOURNAL_BLOB_DAMAGED',
        `The blob ${path} is damaged: expected ${size} bytes with its name as SHA-256, it has ${bytes.length} with ${hashOf(bytes)}`,
      )
    }
    return bytes
  }
}

function refuse(code: string, message: string): DagbokError {
  return new DagbokError(code, message, {
    hint: 'Restore the file from a backup: blobs are part of the journal and go with it.',
    exitCode: EXIT.journalDamaged,
  })
}

/** @param path  the journal's active segment: the blobs lie in its state directory */
export function openBlobStore(path: string, { disk = nodeDisk }: { disk?: Disk } = {}): BlobStore {
  return new DiskBlobStore(disk, layoutOf(path).blobs)
}
