import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { JournalFolder } from '../../../test/support/journal-folder.ts'
import { openBlobStore } from './blob-store.ts'

const bytes = Buffer.from('a large output')
const sha256 = createHash('sha256').update(bytes).digest('hex')

describe('the blob store', () => {
  it('gives back what was put, under its hash, private to its user', async () => {
    using folder = new JournalFolder()
    const store = openBlobStore(folder.path)
    expect(await store.put(bytes)).toEqual({ sha256, bytes: bytes.length })
    expect(Buffer.from(await store.get({ sha256, bytes: bytes.length }))).toEqual(bytes)
    expect(statSync(join(folder.state, 'blobs', sha256)).mode & 0o777).toBe(0o600)
    const empty = await store.put(new Uint8Array())
    expect(await store.get(empty)).toHaveLength(0)
  })

  it('keeps the same bytes once, also when they come twice at the same time', async () => {
    using folder = new JournalFolder()
    const disk = new FaultyDisk()
    const store = openBlobStore(folder.path, { disk })
    const writes = () => disk.log.filter(line => line.startsWith('rename')).length
    await Promise.all([store.put(bytes), store.put(bytes)])
    expect(writes()).toBe(1)
    // Later they are written anew: what is young is safe from retention until a line names it.
    await store.put(bytes)
    expect(writes()).toBe(2)
    expect(readdirSync(join(folder.state, 'blobs'))).toEqual([sha256])
  })

  it('writes again what has the name and the size but not the bytes', async () => {
    using folder = new JournalFolder()
    const store = openBlobStore(folder.path)
    const ref = await store.put(bytes)
    writeFileSync(join(folder.state, 'blobs', sha256), 'b large output')
    await expect(store.get(ref)).rejects.toMatchObject({ code: 'JOURNAL_BLOB_DAMAGED', exitCode: 78 })
    await store.put(bytes)
    expect(Buffer.from(await store.get(ref))).toEqual(bytes)
  })

  it('has its name only when it is on disk: dies at every operation in turn', async () => {
    let crashes = 0
    for (let at = 1; ; at++) {
      using folder = new JournalFolder()
      const disk = new FaultyDisk()
      disk.plan({ at, kind: 'crash' })
      const done = await openBlobStore(folder.path, { disk })
        .put(bytes)
        .then(
          () => true,
          () => false,
        )
      if (disk.faults === 0) break
      crashes++
      expect(done).toBe(false)
      const store = openBlobStore(folder.path)
      const found = await store
        .get({ sha256, bytes: bytes.length })
        .catch((error: { code: string }) => error.code)
      expect(found === 'JOURNAL_BLOB_MISSING' || bytes.equals(found as Uint8Array)).toBe(true)
      await store.put(bytes)
      expect(readdirSync(join(folder.state, 'blobs'))).toEqual([sha256])
    }
    expect(crashes).toBeGreaterThanOrEqual(9)
  })

  it('says when the disk is full, and works later', async () => {
    using folder = new JournalFolder()
    const disk = new FaultyDisk()
    const store = openBlobStore(folder.path, { disk })
    disk.plan({ at: 1, on: ['write'], kind: 'short', code: 'ENOSPC' })
    await expect(store.put(bytes)).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
    expect(readdirSync(join(folder.state, 'blobs'))).toEqual([])
    await store.put(bytes)
    expect(readdirSync(join(folder.state, 'blobs'))).toEqual([sha256])
  })

  it('refuses names that are none, and says which blob is missing', async () => {
    using folder = new JournalFolder()
    const store = openBlobStore(folder.path)
    const ref = await store.put(bytes)
    rmSync(join(folder.state, 'blobs', sha256))
    await expect(store.get(ref)).rejects.toThrow(sha256)
    for (const name of ['../journal-id', '', sha256.toUpperCase()]) {
      await expect(store.get({ sha256: name, bytes: 1 })).rejects.toMatchObject({
        code: 'JOURNAL_BLOB_MISSING',
      })
    }
    await expect(store.get({ sha256, bytes: 1 })).rejects.toMatchObject({ code: 'JOURNAL_BLOB_MISSING' })
  })
})
