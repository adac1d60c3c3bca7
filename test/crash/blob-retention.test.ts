// The same large output comes again after what named it before is gone: retention must not take it from under the line
// that is about to name it.

import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBlobStore } from '../../src/adapters/jsonl/blob-store.ts'
import { layoutOf } from '../../src/adapters/jsonl/layout.ts'
import { deleteBlobs } from '../../src/adapters/jsonl/retention.ts'

test('an old blob that is put again is young', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dagbok-blob-'))
  try {
    const path = join(folder, 'journal.jsonl')
    const bytes = Buffer.from('the same report as yesterday')
    const blobs = openBlobStore(path)
    const ref = await blobs.put(bytes)
    const old = new Date(Date.now() - 86_400_000)
    await utimes(join(layoutOf(path).blobs, ref.sha256), old, old)
    expect(await blobs.put(bytes)).toEqual(ref)
    expect(await deleteBlobs(path, () => false, Date.now())).toEqual([])
    expect(Buffer.from(await blobs.get(ref))).toEqual(bytes)
    await utimes(join(layoutOf(path).blobs, ref.sha256), old, old)
    expect(await deleteBlobs(path, () => false, Date.now())).toEqual([ref.sha256])
  } finally {
    await rm(folder, { recursive: true })
  }
})
