// Checks a whole journal: every line of every segment, and the links between them. `scheduler journal verify`.
// Reads only, without the lock; finds every damaged segment, not just the first.

import type { Event } from '../../core/state-machine/event.ts'
import type { JournalPlace } from '../../ports/journal.ts'
import type { Disk } from './disk.ts'
import { attempt } from './disk-error.ts'
import { layoutOf, listSegments, sealedPath } from './layout.ts'
import { formatCrc } from './line.ts'
import { nodeDisk } from './node-disk.ts'
import { SegmentParser } from './segment-parser.ts'
import { scanSegment } from './segment-scan.ts'

export interface VerifiedSegment {
  readonly file: string
  /** Accepted lines. */
  readonly lines: number
  /** 0 if there is none. */
  readonly firstSeq: number
  readonly lastSeq: number
  readonly bytes: number
  readonly ok: boolean
  /** Bytes behind the last complete commit of the active segment: a write under way, or what the next start cuts off. */
  readonly tornBytes: number
}

export interface Verification {
  readonly segments: readonly VerifiedSegment[]
  /** In the order of the segments; empty for a sound journal. */
  readonly problems: readonly JournalPlace[]
}

/** What the next segment has to begin with. */
interface Link {
  readonly file: string
  readonly journalId: string
  readonly segment: number
  readonly lastSeq: number
  readonly crc: number
}

/**
 * @param path  the active segment; a journal that is not there has no segment and no problem
 * @param accept  gets every accepted event
 * @throws JournalIoError if a file cannot be read
 */
export async function verifyJournal(
  path: string,
  { disk = nodeDisk, accept = () => {} }: { disk?: Disk; accept?(event: Event): void } = {},
): Promise<Verification> {
  const layout = layoutOf(path)
  return attempt(`Could not read the journal ${path}`, verify())

  async function verify(): Promise<Verification> {
    const segments: VerifiedSegment[] = []
    const problems: JournalPlace[] = []
    const { sealed } = await listSegments(disk, layout)
    const hasActive = disk.factsSync(path) !== undefined
    let link: Link | undefined
    for (const file of [
      ...sealed.map(segment => sealedPath(layout, segment)),
      ...(hasActive ? [path] : []),
    ]) {
      const isActive = file === path
      const parser = new SegmentParser(accept)
      await scanSegment(disk, file, parser)
      const found = problemsOf(file, parser, isActive, link)
      problems.push(...found)
      segments.push({
        file,
        lines: parser.lines,
        firstSeq: parser.header?.seq ?? 0,
        lastSeq: parser.header === undefined ? 0 : parser.lastSeq,
        bytes: parser.size,
        ok: found.length === 0,
        tornBytes: isActive && !parser.bad?.damage ? parser.size - parser.validBytes : 0,
      })
      link = linkOf(file, parser)
    }
    if (!hasActive && sealed.length > 0) {
      const reason = 'the active segment is missing, but there are sealed ones'
      problems.push({ file: path, line: 1, offset: 0, reason })
    }
    return { segments, problems }
  }
}

/** Behind a segment with a problem nothing is known: the next one is checked in itself only. */
function linkOf(file: string, { header, lastSeq, crc, bad }: SegmentParser): Link | undefined {
  if (header === undefined || bad !== undefined) return undefined
  return { file, journalId: header.journal_id, segment: header.segment, lastSeq, crc }
}

function problemsOf(
  file: string,
  parser: SegmentParser,
  isActive: boolean,
  link: Link | undefined,
): JournalPlace[] {
  const { header, bad, last, lines, validBytes, size } = parser
  const problems: JournalPlace[] = []
  const report = (line: number, offset: number, reason: string) =>
    problems.push({ file, line, offset, reason })
  if (header !== undefined && link !== undefined) {
    const atStart = (reason: string) => report(1, 0, reason)
    if (header.journal_id !== link.journalId) {
      atStart(`it belongs to the journal ${header.journal_id}, the segment before it to ${link.journalId}`)
    } else if (header.segment !== link.segment + 1) {
      atStart(`it is segment ${header.segment}, the one before it is segment ${link.segment}: one is missing`)
    } else if (header.prev_last_seq !== link.lastSeq) {
      atStart(`it continues seq ${header.prev_last_seq}, but ${link.file} ends with seq ${link.lastSeq}`)
    } else if (header.prev_crc !== formatCrc(link.crc)) {
      atStart(
        `it continues the checksum ${header.prev_crc}, but ${link.file} ends with ${formatCrc(link.crc)}`,
      )
    }
  }
  if (bad !== undefined && (bad.damage || (!isActive && size > 0))) report(bad.line, bad.offset, bad.reason)
  else if (!isActive && last?.event !== 'segment_sealed') {
    report(lines + 1, validBytes, 'a sealed segment ends without segment_sealed')
  }
  return problems
}
