// Where the files of a journal lie. Names only: nothing here touches the disk but `listSegments`.
//
//   logs/orchestrator_state.jsonl                     the active segment: `tail -F` this
//   logs/orchestrator_state.d/                        the state directory
//     journal-id                                      tells that a journal lives here, and which
//     segments/00000001.jsonl                         sealed segments, mode 0400
//     segments/00000002.jsonl.new                     the next segment while a roll is under way
//     recovering.jsonl                                the copy that an unclean stop asks for, while it is made
//     quarantine/                                     bytes that a recovery cut off
//     blobs/<sha256>                                  what is too large for a line

import { dirname, join } from 'node:path'
import type { Disk } from './disk.ts'

export interface Layout {
  readonly active: string
  /** Directory of the active segment. */
  readonly home: string
  readonly state: string
  readonly segments: string
  readonly quarantine: string
  readonly blobs: string
  readonly identity: string
  readonly recovering: string
}

/** @param path  the active segment: STATE_STORE_PATH */
export function layoutOf(path: string): Layout {
  const state = `${path.replace(/\.jsonl$/, '')}.d`
  return {
    active: path,
    home: dirname(path),
    state,
    segments: join(state, 'segments'),
    quarantine: join(state, 'quarantine'),
    blobs: join(state, 'blobs'),
    identity: join(state, 'journal-id'),
    recovering: join(state, 'recovering.jsonl'),
  }
}

export function sealedPath(layout: Layout, segment: number): string {
  return join(layout.segments, `${String(segment).padStart(8, '0')}.jsonl`)
}

export function nextPath(layout: Layout, segment: number): string {
  return `${sealedPath(layout, segment)}.new`
}

export interface SegmentNames {
  /** Numbers of the sealed segments, ascending. */
  readonly sealed: readonly number[]
  /** Numbers of the segments that a roll began to build, ascending. */
  readonly unfinished: readonly number[]
}

/** What lies in `segments/`; both lists are empty if there is no such directory. */
export async function listSegments(disk: Disk, layout: Layout): Promise<SegmentNames> {
  const sealed: number[] = []
  const unfinished: number[] = []
  if (disk.factsSync(layout.segments) === undefined) return { sealed, unfinished }
  for (const name of await disk.list(layout.segments)) {
    const match = /^(\d{8,})\.jsonl(\.new)?$/.exec(name)
    if (match) (match[2] ? unfinished : sealed).push(Number(match[1]))
  }
  const ascending = (a: number, b: number) => a - b
  return { sealed: sealed.sort(ascending), unfinished: unfinished.sort(ascending) }
}
