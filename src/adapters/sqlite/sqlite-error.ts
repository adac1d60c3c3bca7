// Which errors mean that the index file is broken, and which that it merely cannot be used just now.

import { DagbokError, EXIT } from '../../core/error.ts'
import { IndexRebuildNeededError } from '../../ports/run-index.ts'

/** A table that is not there, a row twice, a page that is none: this file is not what was written. */
const DAMAGE =
  /^SQLITE_(ERROR|CORRUPT|NOTADB|FORMAT|SCHEMA|MISMATCH|RANGE|CONSTRAINT|TOOBIG|IOERR_READ|IOERR_SHORT_READ|IOERR_CORRUPTFS|IOERR_DATA)/

/**
 * Runs `action` on an index file and puts SQLite's and the file system's errors into the words of the port.
 * @throws IndexRebuildNeededError `damaged`
 * @throws DagbokError INDEX_UNAVAILABLE: busy, disk full, no permission; the file is sound as far as anyone knows
 */
export function translateErrors<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw translate(file, error)
  }
}

/** The same for what comes later. */
export async function translateLater<T>(file: string, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    throw translate(file, error)
  }
}

function translate(file: string, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string }
  if (typeof code !== 'string' || !(code.startsWith('SQLITE_') || 'syscall' in (error as object)))
    return error
  if (DAMAGE.test(code)) return new IndexRebuildNeededError('damaged', `${file}: ${code}: ${message}`, error)
  return new DagbokError('INDEX_UNAVAILABLE', `the run index ${file} cannot be used: ${code}: ${message}`, {
    hint: 'it is only a follower of the journal: free the disk or the permission, the next attempt goes on from there',
    exitCode: EXIT.runFailed,
    cause: error,
  })
}
