// Is there a journal here, which one, and does this segment belong to it? And the very first segment.
//
//   - A journal whose active segment is gone is not a new journal: its state directory remembers (`journal-id`).
//   - A segment gets its name only with a whole first line on disk, so a torn first line is always damage.

import type { Event, SegmentOpened } from '../../core/state-machine/event.ts'
import { JournalDamagedError } from '../../ports/journal.ts'
import { encodeBatch } from './batch.ts'
import type { Disk } from './disk.ts'
import { placeFile, readWhole } from './durable-file.ts'
import { SEALED_MODE } from './finish-roll.ts'
import { type Layout, listSegments, sealedPath } from './layout.ts'
import { formatCrc } from './line.ts'
import { FORMAT, type OpenedSegment } from './recovery.ts'

/** The id of the journal that the state directory belongs to; undefined if it has none yet. */
export async function readIdentity(disk: Disk, layout: Layout): Promise<string | undefined> {
  if (disk.factsSync(layout.identity) === undefined) return undefined
  return (await readWhole(disk, layout.identity)).toString('utf8').trim()
}

/**
 * True if there is no journal yet: neither a file (or an empty one) nor a state directory that remembers one.
 * @throws JournalDamagedError if the active segment of a journal is missing or empty
 */
export async function checkPresence(disk: Disk, layout: Layout, known: string | undefined): Promise<boolean> {
  const facts = disk.factsSync(layout.active)
  if (facts !== undefined && facts.size > 0) return false
  const { sealed } = await listSegments(disk, layout)
  if (known === undefined && sealed.length === 0) return true
  throw new JournalDamagedError(
    {
      file: layout.active,
      line: 1,
      offset: 0,
      reason:
        `the active segment is ${facts === undefined ? 'missing' : 'empty'}, but ${layout.state} belongs to ` +
        `a journal${sealed.length > 0 ? ` with ${sealed.length} sealed segments` : ''}`,
    },
    'Restore the file from a backup. To begin a new journal and forget everything, move that directory away.',
  )
}

/** Begins a journal with segment 1. */
export async function createFirst(
  disk: Disk,
  layout: Layout,
  accept: (event: Event) => void,
  timestamp: string,
  journalId: string,
): Promise<OpenedSegment> {
  const opened: SegmentOpened = {
    timestamp,
    event: 'segment_opened',
    seq: 0,
    format: FORMAT,
    journal_id: journalId,
    segment: 1,
    prev_last_seq: 0,
    prev_crc: formatCrc(0),
  }
  const { bytes, lines, lastSeq, crc } = encodeBatch([[opened]], 0, 0)
  await placeFile(disk, layout.active, bytes, layout.recovering)
  const file = await disk.open(layout.active, 'append')
  accept(opened)
  return { file, bytes: bytes.length, openingBytes: bytes.length, lines, segment: 1, lastSeq, crc, journalId }
}

/**
 * The segment belongs where it lies: to this state directory, behind its sealed segments.
 * Finishes what a crash may have left undone there.
 * @throws JournalDamagedError
 */
export async function checkPlace(
  disk: Disk,
  layout: Layout,
  { segment, journalId }: OpenedSegment,
  known: string | undefined,
): Promise<void> {
  const place = { file: layout.active, line: 1, offset: 0 }
  if (known !== undefined && known !== journalId) {
    const reason = `it is the journal ${journalId}, but ${layout.state} belongs to the journal ${known}`
    throw new JournalDamagedError({ ...place, reason }, 'Put the file and its directory together again.')
  }
  const { sealed } = await listSegments(disk, layout)
  const newest = sealed.at(-1)
  if (newest !== undefined && newest >= segment) {
    const reason = `it is segment ${segment}, but segment ${newest} is sealed already: an older copy was put back`
    throw new JournalDamagedError(
      { ...place, reason },
      'Restore the active segment and its directory together.',
    )
  }
  if (newest !== undefined && disk.factsSync(sealedPath(layout, newest))?.mode !== SEALED_MODE) {
    await disk.chmod(sealedPath(layout, newest), SEALED_MODE)
  }
  if (known === undefined) await placeFile(disk, layout.identity, Buffer.from(`${journalId}\n`))
}
