// The lock of a state directory: one scheduler at a time, held by the operating system, gone with the process.
//
// Boundary: the file lock itself is exclusive-file.ts; here is who holds it, what the one who comes second is told,
// and waiting. Whether the directory lies on a network file system is the journal's check.
//
//   K1. `lock.db` is the lock, `lock.json` only says who holds it: stale, missing or broken facts do no harm.
//   K2. Facts are written after the lock is taken and removed before it is let go.
//   K3. The holder is named only by facts that are not proven wrong; else it is "unknown".

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Lock, LockHolder } from '../../ports/lock.ts'
import { type HeldFile, holdExclusively, isHeldByAnyone } from './exclusive-file.ts'

const LOCK_FILE = 'lock.db'
const FACTS_FILE = 'lock.json'
const POLL_MS = 100
/** A process that only looks (`readHolder`) or just lets go is not a reason to refuse: look again this long. */
const GRACE_MS = 150

export interface LockOptions {
  /** The state directory; created (0700) when it is not there. */
  readonly directory: string
  /** What others are told about this process. */
  readonly holder: LockHolder
  /** How long to wait for a holder to go, ms. 0: refuse at once (after a short grace for one that is just leaving). */
  readonly waitMs?: number
  /** Called once, when the lock is busy and waiting begins. `undefined`: the holder is unknown. */
  readonly onWait?: (holder: LockHolder | undefined) => void
  /** Ends the waiting: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Another process holds the state directory (exit 5). */
export class LockHeldError extends DagbokError {
  readonly holder: LockHolder | undefined

  constructor(directory: string, holder: LockHolder | undefined, waitedMs: number) {
    const waited = waitedMs > 0 ? `; waited ${waitedMs / 1000} s` : ''
    super(
      'LOCK_HELD',
      `another scheduler holds the state in ${directory}: ${describeHolder(holder)}${waited}`,
      {
        hint: remedy(directory, holder),
        exitCode: EXIT.conflict,
      },
    )
    this.holder = holder
  }
}

/**
 * Takes the state directory for this process.
 * @throws LockHeldError (LOCK_HELD, exit 5) when another process, or this one, holds it for longer than `waitMs`
 * @throws DagbokError LOCK_UNUSABLE (exit 74) when the lock file cannot be opened, locked or is not a lock file
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
  const { directory, holder, waitMs = 0, onWait, signal } = options
  const startedMs = performance.now()
  const patienceMs = Math.max(waitMs, GRACE_MS)
  let waiting = false
  for (;;) {
    signal?.throwIfAborted()
    const held = hold(directory)
    if (held !== undefined) return lockOf(directory, holder, held)
    const spentMs = performance.now() - startedMs
    if (spentMs >= patienceMs) throw new LockHeldError(directory, namedHolder(directory), waitMs)
    if (waitMs > 0 && !waiting) {
      waiting = true
      onWait?.(namedHolder(directory))
    }
    await sleep(Math.min(POLL_MS, patienceMs - spentMs + 1), undefined, { signal }).catch(error => {
      signal?.throwIfAborted()
      throw error
    })
  }
}

export interface HolderReport {
  /** Who holds it, or held it last. Undefined: nobody, or nobody knows. */
  readonly holder: LockHolder | undefined
  /** True while a process holds the lock, whatever the facts say. */
  readonly alive: boolean
}

/**
 * Says who holds a state directory, without taking it and without disturbing the holder.
 * @throws DagbokError LOCK_UNUSABLE (exit 74) when the lock file is there but cannot be asked
 */
export function readHolder(directory: string): HolderReport {
  const alive = guard(directory, () => isHeldByAnyone(join(directory, LOCK_FILE)))
  return { holder: alive ? namedHolder(directory) : readFacts(directory), alive }
}

function hold(directory: string): HeldFile | undefined {
  return guard(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return holdExclusively(join(directory, LOCK_FILE))
  })
}

function lockOf(directory: string, holder: LockHolder, held: HeldFile): Lock {
  try {
    writeFacts(directory, holder)
  } catch (error) {
    held.release()
    throw unusable(directory, error)
  }
  let released = false
  return {
    isHeld: () => held.isHeld(),
    release: () => {
      if (released) return
      released = true
      // Only while the lock is ours are the facts ours to remove.
      if (held.isHeld()) rmSync(join(directory, FACTS_FILE), { force: true })
      held.release()
    },
  }
}

function writeFacts(directory: string, holder: LockHolder): void {
  const file = join(directory, FACTS_FILE)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
    renameSync(temporary, file)
  } catch (error) {
    // A full disk still makes a name: each further attempt would leave one of its own.
    rmSync(temporary, { force: true })
    throw error
  }
}

function readFacts(directory: string): LockHolder | undefined {
  try {
    const facts: unknown = JSON.parse(readFileSync(join(directory, FACTS_FILE), 'utf8'))
    return isLockHolder(facts) ? facts : undefined
  } catch {
    return undefined
  }
}

function isLockHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false
  const facts = value as Record<string, unknown>
  return (
    Number.isSafeInteger(facts['pid']) &&
    typeof facts['start_ticks'] === 'number' &&
    ['host', 'boot_id', 'started_at', 'version', 'mode'].every(key => typeof facts[key] === 'string')
  )
}

/** The facts, unless this machine can prove that they are about a process that is gone. */
function namedHolder(directory: string): LockHolder | undefined {
  const facts = readFacts(directory)
  return facts === undefined || isProvenGone(facts) ? undefined : facts
}

function isProvenGone(facts: LockHolder): boolean {
  if (process.platform !== 'linux' || facts.host !== hostname()) return false
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    if (facts.boot_id !== '' && facts.boot_id !== bootId) return true
    const stat = readFileSync(`/proc/${facts.pid}/stat`, 'utf8')
    // Fields count from the last ')': a command name may hold spaces and brackets. Field 22 is the start time.
    const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    return facts.start_ticks > 0 && startTicks !== facts.start_ticks
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined)
    return 'holder unknown (its lock.json is missing, unreadable or of a dead process)'
  return `pid ${holder.pid} on ${holder.host}, mode ${holder.mode}, since ${holder.started_at}`
}

function remedy(directory: string, holder: LockHolder | undefined): string {
  const stop =
    holder === undefined
      ? `find it with: fuser -v ${join(directory, LOCK_FILE)}`
      : `stop it with: kill -TERM ${holder.pid} (on ${holder.host})`
  return `${stop}; or give this one its own state: STATE_STORE_PATH=<other directory>/state.jsonl. Never delete lock.db`
}

function guard<T>(directory: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw unusable(directory, error)
  }
}

function unusable(directory: string, cause: unknown): DagbokError {
  const { code = 'error', message } = cause as { code?: string; message: string }
  return new DagbokError('LOCK_UNUSABLE', `the lock in ${directory} cannot be taken: ${code}: ${message}`, {
    hint: howToUse(directory, code),
    exitCode: EXIT.journalIo,
    cause,
  })
}

function howToUse(directory: string, code: string): string {
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT')
    return `${join(directory, LOCK_FILE)} is not a lock file: move it away while no scheduler runs on this directory`
  // To take it is to begin a transaction, whose journal wants a block.
  if (code === 'SQLITE_FULL' || code === 'ENOSPC')
    return `the disk is full: free some space (df -h ${directory}) and start again, nothing was changed`
  return `the directory must exist on a local disk and be writable for this user: ls -ld ${directory}`
}
