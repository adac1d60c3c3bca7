import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event, UserEvent } from '../../core/state-machine/event.ts'
import { encodeBatch, Room } from './batch.ts'
import { LINE_LIMIT_BYTES } from './line.ts'

const TIMESTAMP = '2026-01-05T06:00:00.000Z'

function fact(details: Record<string, unknown> = {}): UserEvent {
  return { timestamp: TIMESTAMP, event: 'fact', seq: 0, source: 'user', ...details } as UserEvent
}

describe('a room', () => {
  it('gives each batch the bytes that it has in memory of its own, whatever came before', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map(part => `${part}\u2028${part}\u2029é`),
      fc.integer({ min: 0, max: 20_000 }).map(length => 'x'.repeat(length)),
      fc.integer({ min: 0, max: 6_000 }).map(length => '\u2028'.repeat(length)),
    )
    const batch = fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 4 })
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 5 }), batches => {
        const room = new Room()
        let crc = 0
        for (const texts of batches) {
          const commits = texts.map(commit => commit.map(value => fact({ value })))
          const alone = encodeBatch(structuredClone(commits), 10, crc)
          const shared = encodeBatch(commits, 10, crc, room)
          expect(shared.bytes.equals(alone.bytes)).toBe(true)
          expect(/[\u2028\u2029]/.test(shared.bytes.toString())).toBe(false)
          expect([shared.lines, shared.lastSeq, shared.crc]).toEqual([alone.lines, alone.lastSeq, alone.crc])
          crc = shared.crc
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is used again, and given back when it became large', () => {
    const room = new Room()
    const small = [[fact({ text: 'x'.repeat(10_000) })]]
    encodeBatch(small, 0, 0, room)
    const memory = room.bytes
    encodeBatch(small, 0, 0, room)
    expect(room.bytes).toBe(memory)
    encodeBatch([Array.from({ length: 100 }, () => fact({ text: 'x'.repeat(30_000) }))], 0, 0, room)
    expect(room.bytes.length).toBeGreaterThan(3_000_000)
    encodeBatch(small, 0, 0, room)
    expect(room.bytes.length).toBeLessThan(100_000)
  })

  it('is good for the next batch after one that was refused', () => {
    const room = new Room()
    expect(() => encodeBatch([[fact({ n: 1 })], [fact({ n: 1n })]], 0, 0, room)).toThrow(/is not JSON/)
    expect(encodeBatch([[fact()]], 0, 0, room)).toEqual(encodeBatch([[fact()]], 0, 0))
  })
})

describe('what cannot be a line', () => {
  const attempt = (event: unknown) => () => encodeBatch([[event as Event]], 0, 0)

  it('is too long: the limit is in bytes, and the text says which event', () => {
    const fits = fact({ run_id: 'r-1', text: '' })
    const room = LINE_LIMIT_BYTES - encodeBatch([[fits]], 0, 0).bytes.length
    expect(encodeBatch([[{ ...fits, text: 'x'.repeat(room) }]], 0, 0).bytes).toHaveLength(LINE_LIMIT_BYTES)
    expect(attempt({ ...fits, text: 'x'.repeat(room + 1) })).toThrow(
      /'fact' \(r-1\) needs a line of 65537 bytes/,
    )
    expect(attempt({ ...fits, text: 'é'.repeat(room / 2 + 1) })).toThrow(
      expect.objectContaining({ code: 'JOURNAL_LINE_TOO_LONG' }),
    )
  })

  it('is not JSON, has no name, or uses the journal’s own fields', () => {
    const invalid = expect.objectContaining({ code: 'JOURNAL_LINE_INVALID' })
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(attempt(fact({ n: 1n }))).toThrow(invalid)
    expect(attempt(fact({ circle }))).toThrow(invalid)
    expect(attempt({ ...fact(), event: '' })).toThrow(invalid)
    expect(attempt({ ...fact(), timestamp: undefined })).toThrow(invalid)
    expect(attempt(fact({ c: 'mine' }))).toThrow(invalid)
    expect(attempt(fact({ commit: [1, 1] }))).toThrow(invalid)
  })
})
