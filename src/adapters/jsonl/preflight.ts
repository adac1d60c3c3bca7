// What has to be true of the place before a journal is opened there: directories, a local file system, a disk that
// takes a file. Cheaper to say now, in clear words, than at the first commit.

import { dirname, join } from 'node:path'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Disk } from './disk.ts'
import { codeOf, describeFailure } from './disk-error.ts'
import { createAfresh, removeFile, syncFile, writeAll } from './durable-file.ts'
import type { Layout } from './layout.ts'

/** statfs(2) `f_type` of file systems whose locks, syncs or caches do not keep what the journal promises. */
const NETWORK_FILE_SYSTEMS: Record<number, string> = {
  26985: 'NFS', // 0x6969
  4283649346: 'CIFS', // 0xff534d42
  4266872130: 'SMB2', // 0xfe534d42
  16914839: '9p', // 0x1021997
  1702057286: 'FUSE', // 0x65735546
}

/**
 * Creates the directories (0700) that are missing, and makes all their names durable: also those that are there,
 * because the process that made them may have died before it could sync them.
 */
async function makeDirectories(disk: Disk, layout: Layout): Promise<void> {
  for (const directory of [layout.home, layout.state, layout.segments, layout.quarantine]) {
    if (disk.factsSync(directory) === undefined) await disk.makeDirectory(directory)
  }
  await disk.syncDirectory(layout.state)
  await disk.syncDirectory(layout.home)
  for (let at = layout.home; dirname(at) !== at; at = dirname(at)) {
    // Higher up they may be somebody else's: what cannot be opened was not made here.
    await disk.syncDirectory(dirname(at)).catch(error => {
      if (!['EACCES', 'EPERM', 'EROFS', 'EINVAL'].includes(codeOf(error))) throw error
    })
  }
}

async function refuseNetworkFileSystem(disk: Disk, layout: Layout): Promise<void> {
  // Some platforms report the magic as a signed 32-bit number.
  const name = NETWORK_FILE_SYSTEMS[(await disk.fileSystemType(layout.home)) >>> 0]
  if (name === undefined) return
  throw new DagbokError(
    'JOURNAL_NETWORK_FS',
    `The journal ${layout.active} lies on a network or user-space file system (${name}), ` +
      'where locks and fdatasync do not keep their promise',
    {
      hint: 'Put STATE_STORE_PATH on a local disk, or accept the risk with --unsafe-network-fs.',
      exitCode: EXIT.journalDamaged,
    },
  )
}

async function probe(disk: Disk, directory: string): Promise<void> {
  const path = join(directory, '.dagbok-probe')
  const file = await createAfresh(disk, path)
  try {
    await writeAll(file, Buffer.from('probe\n'))
    await syncFile(file, path)
  } finally {
    await file.close()
    await removeFile(disk, path)
  }
}

/**
 * @throws DagbokError JOURNAL_NETWORK_FS (78), JOURNAL_NOT_WRITABLE (74); JournalFullError
 */
export async function prepareDirectories(
  disk: Disk,
  layout: Layout,
  { unsafeNetworkFs = false }: { unsafeNetworkFs?: boolean } = {},
): Promise<void> {
  try {
    await makeDirectories(disk, layout)
    if (!unsafeNetworkFs) await refuseNetworkFileSystem(disk, layout)
    await probe(disk, layout.state)
    await probe(disk, layout.home)
  } catch (error) {
    if (codeOf(error).startsWith('JOURNAL_')) throw error
    const failure = describeFailure(`The journal cannot be kept in ${layout.home}`, error)
    if (failure.code === 'JOURNAL_FULL') throw failure
    throw new DagbokError('JOURNAL_NOT_WRITABLE', failure.message, {
      hint: failure.hint ?? 'Create the directory, or point STATE_STORE_PATH elsewhere.',
      exitCode: EXIT.journalIo,
      cause: error,
    })
  }
}
