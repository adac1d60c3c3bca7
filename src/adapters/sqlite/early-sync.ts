// Brings a file to the disk while another is still writing it: the last sync has little left to wait for, and none
// holds up the event loop.
//
// Boundary: opens the file for syncing only, reads and writes nothing. Closing it drops every POSIX lock that this
// process has on the file (exclusive-file.ts, X1): SQLite must be done with it by then.

import { type FileHandle, open } from 'node:fs/promises'

export interface EarlySync {
  /** Begins to sync what has been written, unless that is under way. */
  nudge(): void
  /** Resolves when everything is on disk. @throws what the disk said, now or at an earlier sync */
  finish(): Promise<void>
  /** Waits for a sync that is under way. Idempotent. */
  close(): Promise<void>
}

/** @throws when the file cannot be opened */
export async function openEarlySync(path: string): Promise<EarlySync> {
  const file: FileHandle = await open(path, 'r')
  let underWay: Promise<void> | undefined
  // The kernel reports a failed write to one sync only: whichever that was, the file is not on disk.
  let failure: unknown
  return {
    nudge: () => {
      underWay ??= file
        .sync()
        .catch(error => {
          failure ??= error
        })
        .finally(() => {
          underWay = undefined
        })
    },
    finish: async () => {
      await underWay
      if (failure !== undefined) throw failure
      await file.sync()
    },
    close: async () => {
      await underWay
      await file.close()
    },
  }
}
