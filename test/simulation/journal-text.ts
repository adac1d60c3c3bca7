// A journal as bytes, read without any code of the project: segments in order, lines, checksums, sequence, commits.
//
// Boundary: what docs/journal-format.md says and nothing else. It accepts a complete journal only: whoever runs it has
// stopped the scheduler cleanly, so that there is no torn tail and no exception to anything.

/** One line, parsed, without `c` and `commit`. */
export interface JournalLine {
  readonly seq: number
  readonly event: string
  readonly timestamp: string
  readonly [field: string]: unknown
}

export interface JournalText {
  readonly lines: readonly JournalLine[]
  /** Last `seq` of each commit. */
  readonly commitEnds: ReadonlySet<number>
  readonly problems: readonly string[]
}

const CRC_TABLE = new Int32Array(256)
for (let index = 0; index < 256; index++) {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  CRC_TABLE[index] = value
}

/** CRC-32 (IEEE), continued from `seed`. */
export function crc32(bytes: Uint8Array, seed: number): number {
  let crc = ~seed
  for (let index = 0; index < bytes.length; index++) {
    crc = CRC_TABLE[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

const TAIL_BYTES = ',"c":"00000000"}'.length

/** @param segments  sealed segments in order, then the active one */
export function readJournalText(segments: readonly Buffer[]): JournalText {
  const lines: JournalLine[] = []
  const commitEnds = new Set<number>()
  const problems: string[] = []
  let crc = 0
  let expectedSeq = 1
  let part = 0
  let parts = 0
  for (const [index, bytes] of segments.entries()) {
    const where = (offset: number) => `segment ${index + 1}, byte ${offset}`
    let first = true
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(0x0a, start)
      if (end < 0) {
        problems.push(`${where(start)}: the last line has no end`)
        return { lines, commitEnds, problems }
      }
      const body = bytes.subarray(start, end - TAIL_BYTES)
      let line: Record<string, unknown>
      try {
        line = JSON.parse(bytes.toString('utf8', start, end)) as Record<string, unknown>
      } catch {
        problems.push(`${where(start)}: not JSON`)
        return { lines, commitEnds, problems }
      }
      if (first) {
        if (line['event'] !== 'segment_opened') problems.push(`${where(start)}: does not open a segment`)
        if (line['prev_last_seq'] !== expectedSeq - 1)
          problems.push(`${where(start)}: continues another line`)
        if (line['prev_crc'] !== crc.toString(16).padStart(8, '0')) {
          problems.push(`${where(start)}: continues another chain`)
        }
        first = false
      }
      crc = crc32(body, crc)
      if (line['c'] !== crc.toString(16).padStart(8, '0')) problems.push(`${where(start)}: checksum`)
      if (line['seq'] !== expectedSeq) {
        problems.push(`${where(start)}: seq is ${String(line['seq'])}, expected ${expectedSeq}`)
        return { lines, commitEnds, problems }
      }
      const [at, of] = (line['commit'] ?? [1, 1]) as [number, number]
      if (at !== part + 1 || (part > 0 && of !== parts)) {
        problems.push(`${where(start)}: part ${at} of ${of} follows part ${part} of ${parts} of a commit`)
      }
      part = at === of ? 0 : at
      parts = at === of ? 0 : of
      if (part === 0) commitEnds.add(expectedSeq)
      delete line['c']
      delete line['commit']
      lines.push(line as unknown as JournalLine)
      expectedSeq += 1
      start = end + 1
    }
  }
  if (part !== 0) problems.push('the last commit has no end')
  return { lines, commitEnds, problems }
}
