// The memory through which processes share one database: the file `…-shm`, which SQLite maps.
//
// A full disk is an error for who writes to a file, and death (SIGBUS) for who writes to a mapped page that has no block
// on the disk yet. SQLite takes one byte of each page in advance, which is the whole page only where blocks are as large
// as pages; small file systems have smaller ones.
//
//   S1. Nobody opens an index whose shared memory is not all on the disk, unless the disk has room for it.
//   S2. Whoever opens it first has every page of it written to at once, while there is room.

import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DagbokError, EXIT } from '../../core/error.ts'
import { type Connection, SCHEMA_VERSION } from './schema.ts'

/** What is mapped until the log holds more than 4,062 pages: it is emptied at 1,000, unless a reader is in the way. */
const SHARED_BYTES = 32 * 1024

/** Many times what the first change of all takes: the shared memory, and a page or two of the log. */
const ROOM_BYTES = 1024 * 1024

/** `stat` counts blocks of 512 bytes, whatever those of the disk are. */
const STAT_BLOCK_BYTES = 512

function isOnDisk(file: string): boolean {
  const stats = statSync(`${file}-shm`, { throwIfNoEntry: false })
  return stats !== undefined && stats.blocks * STAT_BLOCK_BYTES >= SHARED_BYTES
}

/**
 * To be called before the database is opened.
 * @throws DagbokError INDEX_UNAVAILABLE: there is no room (S1)
 */
export function requireRoom(file: string): void {
  if (isOnDisk(file)) return
  const { bavail, bsize } = statfsSync(dirname(file))
  if (bavail * bsize >= ROOM_BYTES) return
  throw new DagbokError(
    'INDEX_UNAVAILABLE',
    `the run index ${file} cannot be opened: its disk has ${bavail * bsize} bytes left, and it needs ${ROOM_BYTES}`,
    {
      hint: 'it is only a follower of the journal: free the disk, the next attempt goes on from there',
      exitCode: EXIT.runFailed,
    },
  )
}

/**
 * To be called as soon as it is open (S2): the first page of a log clears all of the shared memory. It has to be a page
 * that is written: a row that gets the values it has is left as it is.
 * @throws DagbokError INDEX_UNAVAILABLE: there is no room any more
 */
export function reserveSharedMemory(db: Connection, file: string): void {
  requireRoom(file)
  if (!isOnDisk(file)) db.pragma(`user_version = ${SCHEMA_VERSION}`)
}
