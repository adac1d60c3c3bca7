// Dead letters: what stood in a stream and is no record, kept in files for people.
//
//   1. One file for each position that was read from. Read again from there, the same stands in the same file.
//   2. A file is whole or not there, and durable when `write` resolves: its records count as read after that.

import { createHash } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { encodePathSegment } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import type { StreamPosition } from '../core/stream/stream.ts'
import type { DeadRecord } from '../ports/stream-reader.ts'

export interface DeadLetterPlace {
  /** Relative to the root. */
  readonly folder: string
  readonly dagName: string
  readonly stream: string
  /** Undefined: the beginning. */
  readonly from: StreamPosition | undefined
}

/** @returns the file, relative to the root */
export async function writeDeadLetters(
  root: string,
  { folder, dagName, stream, from }: DeadLetterPlace,
  dead: readonly DeadRecord[],
): Promise<string> {
  const name = `${nameOf(from)}.jsonl`
  const file = join(folder, encodePathSegment(dagName), encodePathSegment(stream), name)
  const path = resolve(root, file)
  const made = await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.tmp`
  const handle = await open(draft, 'w')
  try {
    await handle.writeFile(dead.map(record => `${JSON.stringify(record)}\n`).join(''))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, path)
  await syncFolders(dirname(path), made)
  return file
}

/** Of the file, and of every folder that was made for it, the one above. */
async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  for (let each = folder; ; each = dirname(each)) {
    const handle = await open(each, 'r')
    await handle.sync().finally(() => handle.close())
    if (made === undefined || each === dirname(made) || each === dirname(each)) return
  }
}

function nameOf(from: StreamPosition | undefined): string {
  if (from === undefined || Object.keys(from).length === 0) return 'from-beginning'
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(from)))
    .digest('hex')
  return `from-${digest.slice(0, 16)}`
}

/** With the keys in one order: a position that was written down and read again is the same. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(
    keys.flatMap(key => (value[key] === undefined ? [] : [[key, sorted(value[key])]])),
  )
}
