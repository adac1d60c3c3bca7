// The files of a stream: the one that is written to, and those that were it before. Names only; what is in them says
// file-identity.ts.
//
//   N1. The file that was read is looked for under every name that begins as the stream's does; it is known by its
//       content, so that a neighbour is never taken for it.
//   N2. Files between that one and the present one were never read, so only their names tell that they belong to the
//       stream: the stream's own with a number or a time added. `orders_eu.jsonl` is another stream.
//   N3. The order is that of the last write; where that is the same, that of the numbers and times. The present one is last.

import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

export interface StreamFile {
  readonly name: string
  readonly path: string
  readonly inode: string
  readonly size: number
  readonly modifiedNs: bigint
}

export interface StreamFiles {
  /** Undefined: not there (yet). */
  readonly present: StreamFile | undefined
  /** All others that may have been it, each once. */
  readonly others: readonly StreamFile[]
}

const COMPRESSED = /\.(?:gz|bz2|xz|zst|zip|lz4)$/i

/** `.1`, `-20260105`, `.2026-01-05T06:00:00Z` */
const ADDED = /^[-._@]?\d[\dTZ:_.+-]*$/

/** `.7`: rotated seven times; higher is older. Longer ones are times. */
const INDEX = /^\D?\d{1,3}$/

/** @throws Error if the folder is not there, or the path is no file */
export async function listStreamFiles(path: string): Promise<StreamFiles> {
  const folder = dirname(path)
  const own = basename(path)
  const stem = basename(own, extname(own))
  const present = await look(path, own)
  const others = new Map<string, StreamFile>()
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry
    if (name === own || !entry.isFile() || !name.startsWith(stem) || COMPRESSED.test(name)) continue
    const file = await look(join(folder, name), name)
    if (file !== undefined && file.inode !== present?.inode) others.set(file.inode, file)
  }
  return { present, others: [...others.values()] }
}

/** What is to be read after a file (undefined: all there is), in order, the present one last. */
export function listLater(
  file: StreamFile | undefined,
  { present, others }: StreamFiles,
  path: string,
): StreamFile[] {
  const isLater = (other: StreamFile) =>
    file === undefined || (other.inode !== file.inode && compareAge(file, other, path) < 0)
  const before = others
    .filter(other => addedTo(other.name, path) !== undefined && isLater(other))
    .sort((a, b) => compareAge(a, b, path))
  return present === undefined ? before : [...before, present]
}

/** Negative if `a` is older. */
function compareAge(a: StreamFile, b: StreamFile, path: string): number {
  if (a.modifiedNs !== b.modifiedNs) return a.modifiedNs < b.modifiedNs ? -1 : 1
  const [left = '', right = ''] = [addedTo(a.name, path), addedTo(b.name, path)]
  if (INDEX.test(left) && INDEX.test(right)) return numberIn(right) - numberIn(left)
  return left < right ? -1 : left > right ? 1 : 0
}

/** The number or time that was added to the name, before or after its ending; undefined if the name is another one. */
function addedTo(name: string, path: string): string | undefined {
  const ending = extname(path)
  const rest = name.slice(basename(path, ending).length)
  const added =
    ending === ''
      ? rest
      : rest.startsWith(ending)
        ? rest.slice(ending.length)
        : rest.endsWith(ending)
          ? rest.slice(0, -ending.length)
          : rest
  return ADDED.test(added) ? added : undefined
}

function numberIn(text: string): number {
  return Number(text.replace(/\D/g, ''))
}

async function look(path: string, name: string): Promise<StreamFile | undefined> {
  try {
    const facts = await stat(path, { bigint: true })
    if (!facts.isFile()) throw new Error(`${path} is not a file`)
    return {
      name,
      path,
      inode: String(facts.ino),
      size: Number(facts.size),
      modifiedNs: facts.mtimeNs,
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
