// Opening the active segment: the ordinary path of every start. Reads it once, hands its events to the fold, and leaves
// a file that can be appended to.
//
//   R1. Only the active segment is read: a restart costs the tail, not the history.
//   R2. What was acknowledged is kept. What is cut off can never have been; its bytes go to `quarantine/`.
//   R3. After any unclean stop the accepted lines are copied to a new file, which takes the old one's place: after a
//       failed write-back the page cache shows bytes that the disk does not have. Nothing is truncated in place.
//   R4. Damage stops the start; then nothing was changed.

import { join } from 'node:path'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Event, JournalRecovered } from '../../core/state-machine/event.ts'
import { isUserEvent } from '../../core/state-machine/event.ts'
import { JournalDamagedError } from '../../ports/journal.ts'
import { encodeBatch } from './batch.ts'
import type { Disk, DiskFile } from './disk.ts'
import { copyRange, createAfresh, moveFile, removeFile, syncFile, writeAll } from './durable-file.ts'
import type { Layout } from './layout.ts'
import { SegmentParser } from './segment-parser.ts'
import { peekLastLine, SegmentCopy, scanSegment } from './segment-scan.ts'

/** The format that this version writes, and the newest that it reads. */
export const FORMAT = 1

/** The active segment, open at its end. */
export interface OpenedSegment {
  readonly file: DiskFile
  readonly bytes: number
  readonly openingBytes: number
  readonly lines: number
  readonly segment: number
  readonly lastSeq: number
  readonly crc: number
  readonly journalId: string
  /** What a recovery did; undefined after a clean stop. */
  readonly recovered?: JournalRecovered
}

/**
 * Mode of an active segment that was closed after `scheduler_stopped` had been synced. The line alone proves nothing:
 * if its sync failed, the page cache shows it all the same, and the disk may lack a page of it. After a reboot what is
 * read is what is on disk, so it does not matter whether the mode itself survived.
 */
export const CLOSED_MODE = 0o400
const OPEN_MODE = 0o600

export function isCleanStop(event: Event | undefined): boolean {
  return event?.event === 'scheduler_stopped' && !isUserEvent(event)
}

/**
 * @param accept  gets every accepted event in order, `journal_recovered` included
 * @param timestamp  for `journal_recovered`
 * @throws JournalDamagedError, DagbokError JOURNAL_FORMAT_NEWER; and what the disk throws
 */
export async function openActive(
  disk: Disk,
  layout: Layout,
  accept: (event: Event) => void,
  timestamp: () => string,
): Promise<OpenedSegment> {
  const parser = new SegmentParser(accept)
  const wasClosed = disk.factsSync(layout.active)?.mode === CLOSED_MODE
  // Before anything is appended: whatever comes of this start, the next one sees that the file was open.
  if (wasClosed) await disk.chmod(layout.active, OPEN_MODE)
  // A hint only: it decides whether the copy is made while reading or, in rare cases, afterwards.
  const looksClean =
    wasClosed && (await peekLastLine(disk, layout.active)).includes('"event":"scheduler_stopped"')
  await removeFile(disk, layout.recovering)
  let copy = looksClean ? undefined : new SegmentCopy(await disk.open(layout.recovering, 'create'))
  try {
    await scanSegment(disk, layout.active, parser, copy)
    checkSegment(layout, parser)
    if (wasClosed && isCleanStop(parser.last) && parser.bad === undefined && parser.start === 0) {
      const file = await disk.open(layout.active, 'append')
      if (copy !== undefined) await discard(disk, layout, copy)
      return { file, bytes: parser.validBytes, ...positionOf(parser) }
    }
    copy ??= new SegmentCopy(await copyAccepted(disk, layout, parser))
    return await replace(disk, layout, parser, copy, accept, timestamp())
  } catch (error) {
    if (copy !== undefined) await discard(disk, layout, copy).catch(() => {})
    throw error
  }
}

function checkSegment(layout: Layout, { header, bad }: SegmentParser): void {
  if (header !== undefined && header.format > FORMAT) {
    throw new DagbokError(
      'JOURNAL_FORMAT_NEWER',
      `The journal ${layout.active} has format ${header.format}; this version reads up to ${FORMAT}`,
      { hint: 'Start the newer version of Dagbok that wrote it.', exitCode: EXIT.journalDamaged },
    )
  }
  if (bad?.damage) throw new JournalDamagedError({ file: layout.active, ...bad })
}

function positionOf({ header, lines, lastSeq, crc, openingBytes }: SegmentParser) {
  return { lines, lastSeq, crc, openingBytes, segment: header!.segment, journalId: header!.journal_id }
}

async function discard(disk: Disk, layout: Layout, copy: SegmentCopy): Promise<void> {
  await copy.settle().catch(() => {})
  await copy.file.close()
  await removeFile(disk, layout.recovering)
}

/** The stop looked clean and was not: copies what was accepted, now that it is known. */
async function copyAccepted(
  disk: Disk,
  layout: Layout,
  { start, validBytes }: SegmentParser,
): Promise<DiskFile> {
  const source = await disk.open(layout.active, 'read')
  try {
    const target = await disk.open(layout.recovering, 'create')
    await copyRange(source, start, validBytes, target)
    return target
  } finally {
    await source.close()
  }
}

/** R2, R3: keeps the torn bytes, ends the copy with `journal_recovered`, and puts it in the old file's place. */
async function replace(
  disk: Disk,
  layout: Layout,
  parser: SegmentParser,
  copy: SegmentCopy,
  accept: (event: Event) => void,
  timestamp: string,
): Promise<OpenedSegment> {
  const dropped = parser.size - parser.validBytes
  const recovered: JournalRecovered = {
    timestamp,
    event: 'journal_recovered',
    seq: 0,
    reason: dropped > 0 ? 'torn_tail' : 'unclean_stop',
    dropped_bytes: dropped,
  }
  if (dropped > 0) recovered.quarantine = await quarantine(disk, layout, parser)
  await copy.settle()
  const kept = parser.validBytes - parser.start
  if (copy.file.factsSync().size > kept) await copy.file.truncate(kept)
  const line = encodeBatch([[recovered]], parser.lastSeq, parser.crc)
  await writeAll(copy.file, line.bytes)
  await syncFile(copy.file, layout.recovering)
  await moveFile(disk, layout.recovering, layout.active)
  accept(recovered)
  return {
    ...positionOf(parser),
    file: copy.file,
    bytes: kept + line.bytes.length,
    lines: parser.lines + 1,
    lastSeq: line.lastSeq,
    crc: line.crc,
    recovered,
  }
}

/** @returns the new file's path, relative to the state directory */
async function quarantine(disk: Disk, layout: Layout, parser: SegmentParser): Promise<string> {
  const base = `${String(parser.header!.segment).padStart(8, '0')}-${parser.validBytes}`
  let name = `${base}.torn`
  for (let copy = 2; disk.factsSync(join(layout.quarantine, name)) !== undefined; copy++) {
    name = `${base}-${copy}.torn`
  }
  const path = join(layout.quarantine, name)
  const target = await createAfresh(disk, path)
  const source = await disk.open(layout.active, 'read')
  try {
    await copyRange(source, parser.validBytes, parser.size, target)
    await syncFile(target, path)
    await disk.syncDirectory(layout.quarantine)
  } finally {
    await source.close()
    await target.close()
  }
  return join('quarantine', name)
}
