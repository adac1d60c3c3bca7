// What an operation of the disk threw, said in the journal's words.

import { DagbokError } from '../../core/error.ts'
import { JournalFullError, JournalIoError } from '../../ports/journal.ts'

/** Node's error code, `''` if the thing has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** No room: file system, quota or file size limit. It passes when room is made. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error))
}

const HINTS: Record<string, string> = {
  EACCES: 'Give the user that runs the scheduler the right to read and write there.',
  EPERM: 'Give the user that runs the scheduler the right to read and write there.',
  EROFS:
    'The file system is read-only: after a disk error Linux remounts it so (see dmesg); else mount it rw.',
  ELOOP: 'It is a symbolic link: point STATE_STORE_PATH at the file itself (a linked directory is fine).',
  EISDIR: 'It is a directory: point STATE_STORE_PATH at a file.',
  ENOTDIR: 'A part of the path is a file: point STATE_STORE_PATH elsewhere.',
  EMFILE: 'Raise the limit of open files (ulimit -n, LimitNOFILE=).',
  EIO: 'The disk could not read or write: see dmesg and smartctl. Restore from a backup if it stays so.',
}

/** @param what  the sentence's subject and verb: `Could not read /var/lib/…` */
export function describeFailure(what: string, error: unknown): JournalFullError | JournalIoError {
  const reason = error instanceof Error ? error.message : String(error)
  if (isFull(error)) return new JournalFullError(`${what}: ${reason}`, error)
  return new JournalIoError(`${what}: ${reason}`, HINTS[codeOf(error)], error)
}

/** Waits for `work`; what the disk throws comes out as a journal error, everything else as it is. */
export async function attempt<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof DagbokError || codeOf(error) === '' ? error : describeFailure(what, error)
  }
}
