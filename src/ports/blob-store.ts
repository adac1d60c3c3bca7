// Blobs: what is too large for a journal line, in files named by the SHA-256 of their bytes.

import type { BlobRef } from '../core/state-machine/event.ts'

export interface BlobStore {
  /** Durable (file and directory synced) when it resolves. The same bytes twice are one file. */
  put(bytes: Uint8Array): Promise<BlobRef>
  /** @throws if the file is missing or its bytes do not have this hash */
  get(ref: BlobRef): Promise<Uint8Array>
}
