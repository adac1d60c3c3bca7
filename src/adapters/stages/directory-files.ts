// The files of a folder, one by one, however many there are.
//
//   1. Names are read in portions and looked at one after the other: the event loop gets its turn between any two, and the
//      pool of threads that also writes the journal gives at most one to a listing.
//   2. Nothing outside the folder is shown: a link counts if it leads to a file inside, a link to a folder never does (what
//      lies inside is listed under its own name).
//   3. What vanishes between name and look is not there. What cannot be looked at fails the listing: a stage that is seen in
//      part would say that the rest is gone.
//   4. A name that is not UTF-8 cannot be a key: it is passed over, and told of.

import type { BigIntStats, Dirent } from 'node:fs'
import { lstat, opendir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { StageError } from '../../ports/stage-reader.ts'
import { isIgnoredName } from './ignored-keys.ts'
import type { FoundFile } from './selection.ts'

/** Names that one turn of a thread brings. */
const PORTION = 256

/** What stands in a name for bytes that are no character. */
const REPLACEMENT = '\ufffd'

/** What these mean is that it has gone, or that it leads nowhere. */
const VANISHED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

export interface DirectoryWalk {
  /** Absolute. */
  readonly root: string
  found(file: FoundFile): void
  /** A name that is not UTF-8, as far as it can be shown. */
  nameless(key: string): void
  /** Called for every name. */
  progress(): void
  readonly signal: AbortSignal
}

/**
 * Calls `found` for each file under `root`, except ignored ones.
 * @throws StageError if the folder or one within cannot be read; whatever `signal` was aborted with
 */
export async function walkDirectory({
  root,
  found,
  nameless,
  progress,
  signal,
}: DirectoryWalk): Promise<void> {
  const realRoot = await realpath(root).catch(error => {
    throw explain(root, error)
  })
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of readNames(root, folder)) {
      signal.throwIfAborted()
      progress()
      if (isIgnoredName(entry.name)) continue
      const key = `${folder}${entry.name}`
      const kind = await kindOf(root, key, entry)
      if (kind === 'folder') folders.push(`${key}/`)
      if (kind !== 'file' && kind !== 'link') continue
      const stats = await (kind === 'file' ? look(root, key) : follow(root, realRoot, key))
      if (stats?.isFile()) found(describe(key, stats))
      else if (stats === undefined && kind === 'file' && key.includes(REPLACEMENT)) nameless(key)
    }
  }
}

async function* readNames(root: string, folder: string): AsyncIterable<Dirent> {
  const path = join(root, folder)
  try {
    yield* await opendir(path, { bufferSize: PORTION })
  } catch (error) {
    // The stage itself must be there; a folder within may have gone since its name was read.
    if (folder !== '' && isVanished(error)) return
    throw explain(path, error)
  }
}

async function kindOf(
  root: string,
  key: string,
  entry: Dirent,
): Promise<'file' | 'folder' | 'link' | 'other' | undefined> {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'link'
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return 'other'
  // A file system that does not say what a name stands for.
  const stats = await look(root, key)
  if (stats?.isFile()) return 'file'
  if (stats?.isDirectory()) return 'folder'
  return stats?.isSymbolicLink() ? 'link' : 'other'
}

async function look(root: string, key: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(join(root, key), { bigint: true })
  } catch (error) {
    if (isVanished(error)) return undefined
    throw explain(join(root, key), error)
  }
}

/** The file that a link leads to, if it lies inside. A link that leads nowhere, or where we may not look, is no file. */
async function follow(root: string, realRoot: string, key: string): Promise<BigIntStats | undefined> {
  try {
    const target = await realpath(join(root, key))
    const inside = realRoot.endsWith(sep) ? realRoot : `${realRoot}${sep}`
    return target.startsWith(inside) ? await stat(target, { bigint: true }) : undefined
  } catch {
    return undefined
  }
}

function describe(key: string, { size, mtimeNs, mtimeMs, ctimeMs, ctimeNs, ino }: BigIntStats): FoundFile {
  const version = `${size}:${mtimeNs}:${ino}`
  return {
    key,
    version,
    size: Number(size),
    modifiedNs: mtimeNs,
    changedMs: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs),
    appearance: `${version}:${ctimeNs}`,
  }
}

function isVanished(error: unknown): boolean {
  return VANISHED.has((error as NodeJS.ErrnoException).code ?? '')
}

/** The failures that people can mend, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is no folder',
  EACCES: 'the scheduler may not read it',
  EPERM: 'the scheduler may not read it',
  ESTALE: 'the file system that it lies on has gone away',
  EIO: 'the disk cannot be read',
}

export function explain(path: string, error: unknown): StageError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words = WORDS[code]
  return new StageError(`${path} cannot be listed: ${words === undefined ? message : `${words} (${code})`}`, {
    cause: error,
  })
}
