// A file that one process at a time can hold, by an SQLite (fcntl) lock: the kernel frees it when the process dies.
//
// Boundary: knows nothing of schedulers, holders or waiting; `lock.ts` and `rebuild.ts` are built on it.
//
//   X1. Only SQLite opens the file. Any `open` and `close` of it through `node:fs` in the holder's process drops the
//       lock without a word (POSIX: closing any descriptor of a file drops the process's locks on it). `stat` is safe.
//   X2. The handle lives in a module-level set until `release`: a collected handle would be a released lock.
//   X3. What is held is the file that the path names: its device and inode are the same before SQLite opens it and
//       after the lock is taken, and an inode cannot be used again while it is open.
//   X4. Nothing is ever written into it: it stays an empty file.

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import Database from 'better-sqlite3'

type Connection = InstanceType<typeof Database>

/** How long SQLite itself retries: long enough for starters that collide, too short to be felt. */
const COLLISION_MS = 50

const openHandles = new Map<string, Connection>()

export interface HeldFile {
  /** True while the path still names the file that is held. One `stat`. */
  isHeld(): boolean
  /** Idempotent. */
  release(): void
}

/**
 * Takes the file, creating it if need be; its directory must exist.
 * @returns undefined when a process, this one included, holds it
 * @throws SqliteError when the file cannot be opened or locked, or is no empty database (`SQLITE_NOTADB`)
 */
export function holdExclusively(path: string): HeldFile | undefined {
  const file = resolve(path)
  if (openHandles.has(file)) return undefined
  for (let attempt = 1; attempt <= 10; attempt++) {
    const held = tryOnce(file)
    if (held !== 'replaced') return held
  }
  throw new Error(`${file} is deleted or replaced again and again while it is being locked`)
}

function tryOnce(file: string): HeldFile | undefined | 'replaced' {
  // Creating is its own step: `before` must be known when the handle that will hold the lock is opened.
  if (identify(file) === undefined) new Database(file, { timeout: COLLISION_MS }).close()
  const before = identify(file)
  const connection = new Database(file, { timeout: COLLISION_MS })
  try {
    connection.exec('PRAGMA journal_mode = DELETE')
    connection.exec('BEGIN EXCLUSIVE')
    // Only now: set earlier, a loser would keep its shared lock and starve the winner.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE')
  } catch (error) {
    connection.close()
    if (isBusy(error)) return undefined
    throw error
  }
  if (before === undefined || identify(file) !== before) {
    connection.close()
    return 'replaced'
  }
  openHandles.set(file, connection)
  return {
    isHeld: () => openHandles.get(file) === connection && identify(file) === before,
    release: () => {
      if (openHandles.get(file) !== connection) return
      openHandles.delete(file)
      connection.close()
    },
  }
}

/**
 * True while some process, this one included, holds the file. It asks for a shared lock for some microseconds, which
 * a holder does not notice and a process that is just taking the lock waits out.
 * @throws SqliteError when the file is there but cannot be opened
 */
export function isHeldByAnyone(path: string): boolean {
  const file = resolve(path)
  if (openHandles.has(file)) return true
  if (identify(file) === undefined) return false
  let connection: Connection | undefined
  try {
    connection = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 })
    connection.prepare('SELECT count(*) FROM sqlite_master').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    if (identify(file) === undefined) return false
    throw error
  } finally {
    connection?.close()
  }
}

/** True for the errors that mean "someone else has it just now". */
export function isBusy(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
}

/** Device and inode of a file that has a name, or undefined. Never opens it. */
export function identify(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat === undefined || stat.nlink < 1n ? undefined : `${stat.dev}:${stat.ino}`
}
