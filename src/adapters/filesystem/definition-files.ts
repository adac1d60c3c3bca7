// Definition files on disk: which there are, and their bytes, read with care.
//
//   R1. Nothing outside the given folders is read: a symlink that leads out of the root and of the folder it was found
//       in is refused by name. Hidden files and folders are passed over (`..data` of a ConfigMap, editors' swap files).
//   R2. Only regular files of at most 1 MiB that belong to this process's user, to root, or to whoever owns the root.
//   R3. What cannot be read becomes a problem that names the file; nothing throws.

import { constants } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import type { InputFile } from '../../definition/load-definitions.ts'
import { makeFileProblem } from '../../definition/problem.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'

export const MAX_FILE_BYTES = 1024 * 1024
/** Folders below a definition folder; deeper is a slip or a loop of symlinks. */
const MAX_FOLDER_DEPTH = 16

/** The folder that relative paths stand in, and who may own what is read. */
export interface Ground {
  /** Absolute. */
  readonly root: string
  readonly realRoot: string
  readonly trustedUids: ReadonlySet<number>
}

/** Looks at the root. One that does not exist yields a ground on which nothing is found. */
export async function openGround(root: string): Promise<Ground> {
  const absolute = resolve(root)
  const trustedUids = new Set([0])
  if (process.getuid) trustedUids.add(process.getuid())
  try {
    trustedUids.add((await stat(absolute)).uid)
    return { root: absolute, realRoot: await realpath(absolute), trustedUids }
  } catch {
    return { root: absolute, realRoot: absolute, trustedUids }
  }
}

/** What people see of an absolute path: relative to the root where it is inside, with `/`. */
export function displayPath(ground: Ground, path: string): string {
  const inside = relative(ground.root, path)
  const shown = inside === '' ? '.' : inside.startsWith('..') || resolve(inside) === inside ? path : inside
  return sep === '/' ? shown : shown.replaceAll(sep, '/')
}

export interface FolderListing {
  /** Absolute paths, sorted. */
  readonly files: readonly string[]
  /** Sizes of the files together, as far as they can be seen. */
  readonly bytes: number
  readonly problems: readonly DefinitionProblem[]
}

/** The files below a folder whose name `wants`, in sorted order; none for a folder that does not exist. */
export async function listFiles(
  ground: Ground,
  folder: string,
  wants: (name: string) => boolean,
  { mustExist = false }: { mustExist?: boolean } = {},
): Promise<FolderListing> {
  const files: string[] = []
  let bytes = 0
  const problems: DefinitionProblem[] = []
  const visited = new Set<string>()
  const walk = async (directory: string, depth: number): Promise<void> => {
    let entries: string[]
    try {
      const real = await realpath(directory)
      if (visited.has(real)) return
      visited.add(real)
      if (!isWithin(real, ground.realRoot) && depth > 0 && !isWithin(real, [...visited][0]!)) {
        problems.push(refuseSymlink(ground, directory))
        return
      }
      entries = await readdir(directory)
    } catch (error) {
      if (depth > 0 || mustExist || codeOf(error) !== 'ENOENT')
        problems.push(tellUnreadable(ground, directory, error, 'folder'))
      return
    }
    for (const name of entries.sort()) {
      if (name.startsWith('.') || name === 'node_modules') continue
      const path = join(directory, name)
      const found = await stat(path).catch(() => undefined)
      if (found?.isDirectory()) {
        if (depth < MAX_FOLDER_DEPTH) await walk(path, depth + 1)
        else
          problems.push(
            makeFileProblem(displayPath(ground, path), `more than ${MAX_FOLDER_DEPTH} folders deep`),
          )
      } else if (wants(name)) {
        files.push(path)
        bytes += found?.size ?? 0
      }
    }
  }
  await walk(folder, 0)
  return { files: files.sort(), bytes, problems }
}

/** Reads one definition file. `folder` is the one it was found in, absolute. */
export async function readDefinitionFile(ground: Ground, path: string, folder: string): Promise<InputFile> {
  const file = displayPath(ground, path)
  const fail = (key: string, problem: DefinitionProblem): InputFile => ({ file, key, content: { problem } })
  let real: string
  try {
    real = await realpath(path)
    const realFolder = await realpath(folder)
    if (!isWithin(real, ground.realRoot) && !isWithin(real, realFolder))
      return fail(path, refuseSymlink(ground, path))
  } catch (error) {
    return fail(path, tellUnreadable(ground, path, error, 'file'))
  }
  try {
    // O_NONBLOCK: a FIFO must not hold up the load; it is refused right after.
    await using handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile())
      return fail(real, makeFileProblem(file, 'expected a file, got something else', { help: 'remove it' }))
    if (!ground.trustedUids.has(stats.uid))
      return fail(
        real,
        makeFileProblem(
          file,
          `the file belongs to user ${stats.uid}: expected this process's user, root, or the root's owner`,
          {
            help: `chown it to user ${process.getuid?.() ?? 0}`,
          },
        ),
      )
    if (stats.size > MAX_FILE_BYTES) return fail(real, tellTooLarge(file, stats.size))
    const bytes = await handle.readFile()
    if (bytes.length > MAX_FILE_BYTES) return fail(real, tellTooLarge(file, bytes.length))
    return { file, key: real, content: { bytes } }
  } catch (error) {
    return fail(real, tellUnreadable(ground, path, error, 'file'))
  }
}

function tellTooLarge(file: string, bytes: number): DefinitionProblem {
  return makeFileProblem(file, `expected a file of at most ${MAX_FILE_BYTES} bytes, got ${bytes}`, {
    help: 'split it into several files',
  })
}

function refuseSymlink(ground: Ground, path: string): DefinitionProblem {
  return makeFileProblem(displayPath(ground, path), 'the symlink leads out of the root folder', {
    help: 'put the file itself there, or name its folder with --dir',
  })
}

function tellUnreadable(
  ground: Ground,
  path: string,
  error: unknown,
  noun: 'file' | 'folder',
): DefinitionProblem {
  const code = codeOf(error)
  const [message, help] =
    code === 'ENOENT'
      ? [`no such ${noun}`, `create it, or correct the path`]
      : code === 'EACCES' || code === 'EPERM'
        ? [`the ${noun} cannot be read: permission denied`, `give this user the right to read it`]
        : code === 'ENOTDIR'
          ? ['expected a folder, got a file', 'name the folder that holds the file']
          : [
              `the ${noun} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
              undefined,
            ]
  return makeFileProblem(displayPath(ground, path), message!, help === undefined ? {} : { help })
}

/** True if `path` is `folder` or lies below it. Both absolute and real. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code
}
