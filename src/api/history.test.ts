import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event } from '../core/state-machine/event.ts'
import { createHistory, indexBy, lastRuns } from './history.ts'

function eventsOf(...drafts: Record<string, unknown>[]): Event[] {
  return drafts.map((draft, i) => ({
    timestamp: '2026-01-05T06:00:00.000Z',
    event: 'noted',
    seq: i + 1,
    ...draft,
  })) as unknown as Event[]
}

const seqs = (events: Iterable<Event>) => [...events].map(event => event.seq)

test('lastRuns gives the last 20 events, newest last', () => {
  const events = eventsOf(...Array.from({ length: 50 }, () => ({})))
  expect(seqs(lastRuns(events))).toEqual(Array.from({ length: 20 }, (_, i) => i + 31))
  expect(seqs(lastRuns(events, 2))).toEqual([49, 50])
  expect(seqs(lastRuns(events.slice(0, 3)))).toEqual([1, 2, 3])
  expect(lastRuns([], 5)).toEqual([])
  expect(lastRuns(events, 0)).toEqual([])
})

test('for any journal and limit it is the tail', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(45), (length, limit) => {
      const events = eventsOf(...Array.from({ length }, () => ({})))
      expect(lastRuns(events, limit)).toEqual(limit === 0 ? [] : events.slice(-limit))
    }),
  )
})

test('indexBy gives the last event of each value among the last ones', () => {
  const events = eventsOf(
    { schedule_id: 'early' },
    { schedule_id: 'a', n: 1 },
    { schedule_id: 'b' },
    { schedule_id: 'a', n: 2 },
    { other: 'x' },
  )
  const index = indexBy(events, 'schedule_id', 4)
  expect([...index].map(([key, event]) => [key, event.seq])).toEqual([
    ['a', 4],
    ['b', 3],
  ])
  expect(indexBy(events, 'schedule_id').get('early')?.seq).toBe(1)
  expect(indexBy(events, 'nothing').size).toBe(0)
})

test('keys are plain text: numbers and booleans too, nothing else, and no name is special', () => {
  const events = eventsOf(
    { k: 7 },
    { k: true },
    { k: null },
    { k: {} },
    { k: [1] },
    { k: '__proto__' },
    { k: '7' },
  )
  expect([...indexBy(events, 'k')].map(([key, event]) => [key, event.seq])).toEqual([
    ['7', 7],
    ['true', 2],
    ['__proto__', 6],
  ])
  expect(indexBy(eventsOf({}), 'toString').size).toBe(0)
})

test('what the journal says about itself does not count; a user line of that name does', () => {
  const events = eventsOf(
    { event: 'run_finished' },
    { event: 'segment_sealed' },
    { event: 'segment_opened' },
    { event: 'checkpoint' },
    { event: 'checkpoint', source: 'user' },
  )
  expect(seqs(lastRuns(events, 2))).toEqual([1, 5])
})

test('a limit that is no count is refused', () => {
  for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => createHistory(limit)).toThrow(RangeError)
  }
})
