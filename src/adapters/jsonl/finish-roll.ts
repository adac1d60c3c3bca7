// A roll that a crash cut in the middle: decides which of its steps were done, and finishes it or calls it off.
//
// A live roll (journal.ts) goes: (1) the next segment is built as `segments/N+1.jsonl.new` and synced; (2) the footer
// is written to the active segment and synced; (3) active → `segments/N.jsonl`; (4) `.new` → active. So:
//
//   | active segment        | `.new`             | what happened        | what is done                              |
//   | --------------------- | ------------------ | -------------------- | ----------------------------------------- |
//   | N without its footer  | torn or whole      | stopped in (1), (2)  | `.new` goes: nobody ever saw it           |
//   | N with its footer     | whole, continues N | stopped before (3)   | a copy of N is sealed, `.new` moves in    |
//   | N with its footer     | none, torn, other  | `.new` was removed   | N goes on; a later footer ends it         |
//   | missing               | whole, continues N | stopped before (4)   | `.new` moves in                           |
//   | missing               | none or torn       | not by a roll        | damage                                    |
//   | N+1                   | N+1 again          | (4), half its rename | `.new` goes                               |
//   | N, and N is sealed    | whole, continues N | a start had sealed a | `.new` moves in: the sealed copy is what  |
//   |                       |                    | copy; then power cut | is durable, the active one an older image |

import { JournalDamagedError } from '../../ports/journal.ts'
import type { Disk } from './disk.ts'
import { createAfresh, moveFile, removeFile, syncFile } from './durable-file.ts'
import { type Layout, listSegments, nextPath, sealedPath } from './layout.ts'
import { parseCrc } from './line.ts'
import { SegmentParser } from './segment-parser.ts'
import { peekLastLine, SegmentCopy, scanSegment } from './segment-scan.ts'

export const SEALED_MODE = 0o400

async function parseSegment(disk: Disk, path: string, copy?: SegmentCopy): Promise<SegmentParser> {
  const parser = new SegmentParser()
  await scanSegment(disk, path, parser, copy)
  return parser
}

/** The next segment is whole: it opens with a checkpoint and nothing stands behind it. */
function isComplete(next: SegmentParser, segment: number): boolean {
  return next.bad === undefined && next.header?.segment === segment && next.last?.event === 'checkpoint'
}

/** `next` begins exactly where `previous`, with its footer, ends. */
function continues(next: SegmentParser, previous: SegmentParser): boolean {
  return (
    previous.bad === undefined &&
    previous.last?.event === 'segment_sealed' &&
    previous.header?.journal_id === next.header?.journal_id &&
    previous.lastSeq === next.header?.prev_last_seq &&
    previous.crc === parseCrc(next.header?.prev_crc)
  )
}

/** @returns true if a roll was finished */
export async function finishRoll(disk: Disk, layout: Layout): Promise<boolean> {
  const { sealed, unfinished } = await listSegments(disk, layout)
  const activeFacts = disk.factsSync(layout.active)
  const isMissing = activeFacts === undefined || activeFacts.size === 0
  let isFinished = false
  for (const segment of unfinished) {
    const path = nextPath(layout, segment)
    const isSealed = !isFinished && (isMissing || (await isSealedAlready(disk, layout, segment - 1, sealed)))
    if (isSealed) {
      if (await moveIn(disk, layout, segment, sealed)) isFinished = true
    } else if (!isFinished && (await sealAndMoveIn(disk, layout, segment))) {
      isFinished = true
    } else {
      await removeFile(disk, path)
    }
  }
  return isFinished
}

/** True if what is still active stands among the sealed segments too. */
async function isSealedAlready(
  disk: Disk,
  layout: Layout,
  segment: number,
  sealed: readonly number[],
): Promise<boolean> {
  if (!sealed.includes(segment)) return false
  return (await parseSegment(disk, layout.active)).header?.segment === segment
}

/** The active segment is sealed, and the next one was about to take its place. */
async function moveIn(
  disk: Disk,
  layout: Layout,
  segment: number,
  sealed: readonly number[],
): Promise<boolean> {
  if (!sealed.includes(segment - 1)) return false
  const next = await parseSegment(disk, nextPath(layout, segment))
  if (!isComplete(next, segment)) return false
  if (!continues(next, await parseSegment(disk, sealedPath(layout, segment - 1)))) return false
  await moveFile(disk, nextPath(layout, segment), layout.active)
  await disk.chmod(sealedPath(layout, segment - 1), SEALED_MODE)
  return true
}

/** The active segment may have its footer: then a fresh copy of it is sealed (the page cache is not trusted). */
async function sealAndMoveIn(disk: Disk, layout: Layout, segment: number): Promise<boolean> {
  if (!(await peekLastLine(disk, layout.active)).includes('"event":"segment_sealed"')) return false
  const next = await parseSegment(disk, nextPath(layout, segment))
  if (!isComplete(next, segment)) return false
  const copy = new SegmentCopy(await createAfresh(disk, layout.recovering))
  try {
    const active = await parseSegment(disk, layout.active, copy)
    await copy.settle()
    if (active.bad?.damage) throw new JournalDamagedError({ file: layout.active, ...active.bad })
    if (!continues(next, active)) {
      await removeFile(disk, layout.recovering)
      return false
    }
    await syncFile(copy.file, layout.recovering)
  } finally {
    await copy.settle().catch(() => {})
    await copy.file.close()
  }
  await moveFile(disk, layout.recovering, sealedPath(layout, segment - 1))
  await moveFile(disk, nextPath(layout, segment), layout.active)
  await disk.chmod(sealedPath(layout, segment - 1), SEALED_MODE)
  return true
}
