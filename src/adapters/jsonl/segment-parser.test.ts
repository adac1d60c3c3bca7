import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event, SegmentOpened, UserEvent } from '../../core/state-machine/event.ts'
import { encodeBatch } from './batch.ts'
import { SegmentParser } from './segment-parser.ts'

const TIMESTAMP = '2026-01-05T06:00:00.000Z'
const opened: SegmentOpened = {
  timestamp: TIMESTAMP,
  event: 'segment_opened',
  seq: 0,
  format: 1,
  journal_id: 'j-1',
  segment: 4,
  prev_last_seq: 100,
  prev_crc: '0000002a',
}

function fact(n: number): UserEvent {
  return {
    timestamp: TIMESTAMP,
    event: 'fact',
    seq: 0,
    source: 'user',
    n,
    text: n % 3 === 0 ? 'née' : 'born',
  }
}

/** Header, two single events, a commit of three, a single one: seq 101 to 107, in four writes. */
function segment(): Buffer {
  const writes = [[[{ ...opened }]], [[fact(1)], [fact(2)]], [[fact(3), fact(4), fact(5)]], [[fact(6)]]]
  let [lastSeq, crc] = [100, 42]
  const written: Buffer[] = []
  for (const commits of writes) {
    const batch = encodeBatch(commits, lastSeq, crc)
    lastSeq = batch.lastSeq
    crc = batch.crc
    written.push(batch.bytes)
  }
  return Buffer.concat(written)
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split(/(?<=\n)/)
}

function parse(...chunks: (Buffer | string)[]) {
  const events: Event[] = []
  const parser = new SegmentParser(event => events.push(event))
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
  parser.finish()
  const { header, lines, lastSeq, validBytes, bad, size, start } = parser
  return { events, seqs: events.map(({ seq }) => seq), header, lines, lastSeq, validBytes, bad, size, start }
}

describe('a whole segment', () => {
  it('is accepted from its own prev_crc and prev_last_seq on', () => {
    const bytes = segment()
    const { seqs, header, bad, validBytes, lines } = parse(bytes)
    expect(seqs).toEqual([101, 102, 103, 104, 105, 106, 107])
    expect(header).toMatchObject({ segment: 4, journal_id: 'j-1' })
    expect([bad, validBytes, lines]).toEqual([undefined, bytes.length, 7])
  })

  it('reads the same in chunks of any size', () => {
    const bytes = segment()
    const whole = parse(bytes)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), cuts => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)))
        expect(parse(...chunks)).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('does not keep the memory of a chunk', () => {
    const bytes = segment()
    const events: Event[] = []
    const parser = new SegmentParser(event => events.push(event))
    const memory = Buffer.alloc(64)
    for (let at = 0; at < bytes.length; at += 64) {
      const count = bytes.copy(memory, 0, at, Math.min(bytes.length, at + 64))
      parser.push(memory.subarray(0, count))
      memory.fill(0)
    }
    parser.finish()
    expect(events).toEqual(parse(bytes).events)
  })

  it('may begin with a byte order mark', () => {
    const { seqs, start, bad } = parse(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), segment()]))
    expect([seqs.length, start, bad]).toEqual([7, 3, undefined])
  })
})

describe('a torn tail', () => {
  it('ends what is accepted at the last complete commit, wherever it is cut', () => {
    const bytes = segment()
    const ends = linesOf(bytes).map((_, index, all) => all.slice(0, index + 1).join('').length)
    const commitEnds = [ends[0]!, ends[1]!, ends[2]!, ends[5]!, ends[6]!]
    for (let cut = ends[0]!; cut <= bytes.length; cut++) {
      const { validBytes, bad } = parse(bytes.subarray(0, cut))
      expect(validBytes).toBe(commitEnds.findLast(end => end <= cut))
      expect(bad?.damage ?? false).toBe(false)
      expect(bad === undefined).toBe(commitEnds.includes(cut))
    }
  })

  it('may be NULs, rubbish, or a last line that does not fit', () => {
    const lines = linesOf(segment())
    const whole = lines.join('')
    for (const tail of ['\0'.repeat(5000), 'rubbish\n', '{"timestamp":', lines[6]!, `\n`]) {
      expect(parse(whole + tail), JSON.stringify(tail)).toMatchObject({
        validBytes: whole.length,
        bad: { damage: false, line: 8, offset: whole.length },
      })
    }
  })

  it('gives back nothing of a commit whose last line is gone', () => {
    const { seqs, bad } = parse(linesOf(segment()).slice(0, 5).join(''))
    expect(seqs).toEqual([101, 102, 103])
    expect(bad).toMatchObject({ damage: false, reason: 'the commit has no end' })
  })
})

describe('a hole in the last write', () => {
  const blank = (from: number, to: number, keep = 7) =>
    parse(
      linesOf(segment())
        .slice(0, keep)
        .map((line, index) => (index >= from && index <= to ? '\0'.repeat(line.length) : line))
        .join(''),
    )

  it('is a torn tail, though whole lines of that write stand behind it', () => {
    expect(blank(3, 3, 6)).toMatchObject({ seqs: [101, 102, 103], bad: { damage: false, line: 4 } })
    expect(blank(3, 4, 6)).toMatchObject({ seqs: [101, 102, 103], bad: { damage: false, line: 4 } })
    expect(blank(4, 4, 6)).toMatchObject({ seqs: [101, 102, 103], bad: { damage: false, line: 5 } })
    expect(blank(1, 1, 3)).toMatchObject({ seqs: [101], bad: { damage: false, line: 2 } })
  })

  it('is damage once a later write stands behind it, or half a one', () => {
    expect(blank(3, 3)).toMatchObject({ seqs: [101, 102, 103], bad: { damage: true, line: 4 } })
    expect(blank(2, 2, 4)).toMatchObject({ seqs: [101, 102], bad: { damage: true, line: 3 } })
    expect(blank(2, 3, 5)).toMatchObject({ seqs: [101, 102], bad: { damage: true, line: 3 } })
  })

  it('is damage if it is no hole', () => {
    const lines = linesOf(segment()).slice(0, 6)
    expect(parse(lines.with(3, 'rubbish\n').join('')).bad).toMatchObject({ damage: true, line: 4 })
  })
})

describe('damage', () => {
  const edit = (change: (lines: string[]) => string[]) => change(linesOf(segment())).join('')

  it('is a bad line with a recorded one behind it', () => {
    const bytes = edit(lines => lines.with(1, lines[1]!.replace('born', 'torn')))
    expect(parse(bytes)).toMatchObject({
      seqs: [101],
      bad: {
        damage: true,
        line: 2,
        offset: linesOf(segment())[0]!.length,
        reason: expect.stringMatching(/checksum/),
      },
    })
  })

  it('is a line that was removed, repeated or moved, if others follow', () => {
    const changes: ((lines: string[]) => string[])[] = [
      lines => lines.toSpliced(2, 1),
      lines => lines.toSpliced(2, 0, lines[2]!),
      lines => lines.with(1, lines[2]!).with(2, lines[1]!),
    ]
    for (const change of changes) expect(parse(edit(change)).bad).toMatchObject({ damage: true })
  })

  it('is a last line behind one that is missing', () => {
    expect(parse(edit(lines => lines.toSpliced(5, 1))).bad).toMatchObject({ damage: true })
  })

  it('is NULs with a recorded line behind them, on the same line or the next', () => {
    const behind = edit(lines => lines.with(2, '\0'.repeat(lines[2]!.length)))
    const before = edit(lines => lines.with(2, `${'\0'.repeat(lines[2]!.length - 1)}\n`))
    expect(parse(behind).bad).toMatchObject({ damage: true })
    expect(parse(before).bad).toMatchObject({ damage: true })
  })

  it('is a lost line end before the last line', () => {
    expect(parse(edit(lines => lines.with(5, lines[5]!.trimEnd()))).bad).toMatchObject({ damage: true })
  })

  it('is anything wrong with the first line', () => {
    for (const bytes of ['x', 'not a journal\n', edit(lines => lines.slice(1)), segment().subarray(0, 50)]) {
      expect(parse(bytes)).toMatchObject({ seqs: [], bad: { damage: true, line: 1, offset: 0 } })
    }
  })

  it('is a commit that was written wrong, though every checksum fits', () => {
    const text = encodeBatch([[{ ...opened }], [fact(1), fact(2)]], 100, 42).bytes.toString()
    expect(parse(text).bad).toBeUndefined()
    const other = encodeBatch([[{ ...opened, prev_last_seq: 7 }], [fact(1)]], 100, 42).bytes
    expect(parse(other).bad).toMatchObject({ damage: true, reason: 'seq is 101, expected 8' })
  })
})
