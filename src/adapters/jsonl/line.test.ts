import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event, UserEvent } from '../../core/state-machine/event.ts'
import { encodeBatch } from './batch.ts'
import { formatCrc, LineDecoder, parseCrc, recognizeLine } from './line.ts'

const TIMESTAMP = '2026-01-05T06:00:00.000Z'

function fact(details: Record<string, unknown> = {}): UserEvent {
  return { timestamp: TIMESTAMP, event: 'fact', seq: 0, source: 'user', ...details } as UserEvent
}

function decodeAll(bytes: Buffer, crc = 0, ascii = false) {
  const decoder = new LineDecoder(crc)
  const events: (Event | undefined)[] = []
  const parts: [number, number][] = []
  for (let start = 0, end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start)) {
    events.push(decoder.decode(bytes, start, end, ascii))
    parts.push([decoder.part, decoder.parts])
  }
  return { events, parts, crc: decoder.crc, problem: decoder.problem }
}

describe('a line', () => {
  it('is the event with its keys in order, the checksum last', () => {
    const { bytes, crc } = encodeBatch([[fact({ n: 1 })]], 6, 0)
    expect(bytes.toString()).toBe(
      `{"timestamp":"${TIMESTAMP}","event":"fact","seq":7,"source":"user","n":1,"c":"${formatCrc(crc)}"}\n`,
    )
  })

  it('brings timestamp, event and seq to the front', () => {
    const { bytes } = encodeBatch(
      [[{ n: 1, source: 'user', event: 'fact', seq: 0, timestamp: TIMESTAMP }]],
      0,
      0,
    )
    expect(bytes.toString()).toMatch(/^\{"timestamp":"[^"]*","event":"fact","seq":1,"n":1,/)
  })

  it('says which part of a commit it is, and only in a commit of several', () => {
    const { bytes, lines, lastSeq } = encodeBatch([[fact()], [fact({ list: [1, 2] }), fact()]], 0, 0)
    const texts = bytes.toString().trimEnd().split('\n')
    expect([lines, lastSeq]).toEqual([3, 3])
    expect(texts[0]).not.toContain('commit')
    expect(texts[1]).toContain('"list":[1,2],"commit":[1,2,2],"c":"')
    expect(texts[2]).toContain('"commit":[2,2,3],"c":"')
    const decoded = decodeAll(bytes)
    expect(decoded.parts).toEqual([
      [1, 1],
      [1, 2],
      [2, 2],
    ])
    expect(decoded.events[1]).toEqual(fact({ list: [1, 2], seq: 2 }))
  })

  it('says where it stands in its write, where that is not its part', () => {
    const commits = [[fact(), fact()], [fact()], [fact()]]
    const texts = encodeBatch(commits, 10, 0).bytes.toString().trimEnd().split('\n')
    const marks = texts.map(text => /"commit":(\S+?\])/.exec(text)?.[1])
    expect(marks).toEqual(['[1,2]', '[2,2]', '[1,1,3]', '[1,1,4]'])
    const lines = texts.map(text => recognizeLine(Buffer.from(text), 0, Buffer.byteLength(text)))
    expect(lines).toEqual([11, 12, 13, 14].map(seq => ({ seq, writeSeq: 11 })))
  })

  it('comes back as it went out, whatever JSON it carries, and holds one line end', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.jsonValue(), { maxLength: 4 }), { maxLength: 4 }), values => {
        const commits = values.map(commit => commit.map(value => fact({ value })))
        const before = structuredClone(commits)
        const { bytes, lines, crc } = encodeBatch(commits, 41, 7)
        const { events, ...decoded } = decodeAll(bytes, 7)
        expect(decoded.crc).toBe(crc)
        expect(events).toHaveLength(lines)
        const expected = before.flat().map((event, index) => ({ ...event, seq: 42 + index }))
        expect(events).toEqual(JSON.parse(JSON.stringify(expected)))
        expect(/[\u2028\u2029]/.test(bytes.toString())).toBe(false)
        expect(bytes.toString().split('\n')).toHaveLength(lines + 1)
      }),
      { numRuns: 300 },
    )
  })

  it('reads text with and without the ASCII short cut alike', () => {
    const { bytes } = encodeBatch([[fact({ text: 'plain' })]], 0, 0)
    expect(decodeAll(bytes, 0, true)).toEqual(decodeAll(bytes, 0, false))
  })

  it('is refused after any single flipped bit', () => {
    const { bytes } = encodeBatch([[fact({ text: 'née', n: 12 })]], 0, 0)
    let accepted = 0
    for (let bit = 0; bit < (bytes.length - 1) * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      if (new LineDecoder().decode(flipped, 0, flipped.length - 1, false) !== undefined) accepted++
    }
    expect(accepted).toBe(0)
  })

  it('is refused when its commit is not of two or three numbers', () => {
    const decode = (commit: string) => {
      const body = `{"timestamp":"x","event":"y","seq":1,"list":[1,2]${commit}`
      const line = Buffer.from(`${body},"c":"${formatCrc(crc32(body))}"}`)
      const decoder = new LineDecoder()
      const event = decoder.decode(line, 0, line.length, true)
      return event === undefined ? decoder.problem : [event, decoder.part, decoder.parts]
    }
    const event = { timestamp: 'x', event: 'y', seq: 1, list: [1, 2] }
    expect(decode('')).toEqual([event, 1, 1])
    expect(decode(',"commit":[2,3]')).toEqual([event, 2, 3])
    expect(decode(',"commit":[12,345,6789]')).toEqual([event, 12, 345])
    for (const commit of ['[]', '[1]', '[1,2,3,4]', '["1",2]', '[1, 2]', '[-1,2]', '[1,[2]]', '7', 'null'])
      expect(decode(`,"commit":${commit}`)).toBe('its commit is not [part, parts]')
  })

  it('is refused behind another line than its own', () => {
    const { bytes, crc } = encodeBatch([[fact()]], 0, 123)
    expect(decodeAll(bytes, 123).crc).toBe(crc)
    expect(decodeAll(bytes, 124).problem).toMatch(/checksum does not fit/)
  })

  it('is refused, with the reason, when it is something else', () => {
    const decoder = new LineDecoder()
    const refuse = (text: string | Buffer) => {
      const bytes = Buffer.from(text as string)
      return [decoder.decode(bytes, 0, bytes.length, false), decoder.problem]
    }
    expect(refuse('')).toEqual([undefined, 'it does not end in a checksum'])
    expect(refuse('{"timestamp":"x","event":"y","seq":1}')).toEqual([
      undefined,
      'it does not end in a checksum',
    ])
    expect(refuse(Buffer.alloc(2_000_000))).toEqual([undefined, expect.stringMatching(/longer than/)])
    expect(refuse('{"a":1,"c":"b37c0c5G"}')).toEqual([
      undefined,
      expect.stringMatching(/checksum does not fit/),
    ])
  })
})

describe('recognizeLine', () => {
  it('knows a line by its shape, off the chain and with \\r at its end', () => {
    const { bytes } = encodeBatch([[fact()]], 8, 99)
    expect(recognizeLine(bytes, 0, bytes.length - 1)?.seq).toBe(9)
    const windows = Buffer.from(bytes.toString().replace('\n', '\r\n'))
    expect(recognizeLine(windows, 0, windows.length - 1)?.seq).toBe(9)
  })

  it('knows what is none', () => {
    for (const text of ['{}', '{"timestamp":"x","event":"y","seq":1}', 'x'.repeat(80), '\0'.repeat(80)]) {
      expect(recognizeLine(Buffer.from(text), 0, text.length)).toBeUndefined()
    }
  })
})

describe('a checksum as text', () => {
  it('is eight lower-case digits', () => {
    expect(formatCrc(0)).toBe('00000000')
    expect(formatCrc(0xffff_ffff)).toBe('ffffffff')
    expect(parseCrc('0000000a')).toBe(10)
    expect([parseCrc('A0000000'), parseCrc('12'), parseCrc(7)]).toEqual([undefined, undefined, undefined])
  })
})
