import { expect, test } from 'vitest'
import type { Event } from '../../core/state-machine/event.ts'
import { UnwrittenJournal } from './unwritten-journal.ts'

const stopping = (reason: unknown): Event =>
  ({ timestamp: '2026-01-05T06:00:00.000Z', event: 'scheduler_stopping', seq: 0, reason }) as Event

test('numbers the events of every batch before it returns, and goes on from there', async () => {
  const journal = new UnwrittenJournal()
  const events = ['a', 'b', 'c'].map(stopping)
  const first = journal.append([[events[0]!, events[1]!]])
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 0])
  await first
  await journal.append([[events[2]!]])
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(journal.lastSeq).toBe(3)
})

test('refuses what the real one refuses', async () => {
  const journal = new UnwrittenJournal()
  await expect(journal.append([[stopping(1n)]])).rejects.toMatchObject({ code: 'JOURNAL_LINE_INVALID' })
  expect(journal.lastSeq).toBe(0)
})

test('leaves the event loop to others while it would have been writing', async () => {
  const journal = new UnwrittenJournal()
  let others = 0
  setImmediate(() => {
    others += 1
  })
  await journal.append([[stopping('a')]])
  expect(others).toBe(1)
})
