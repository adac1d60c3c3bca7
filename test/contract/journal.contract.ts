// What every journal promises (ports/journal.ts), as tests that any implementation runs.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Checkpoint, Event, UserEvent } from '../../src/core/state-machine/event.ts'
import type { Journal } from '../../src/ports/journal.ts'

export interface JournalHarness {
  open(): Promise<Journal>
  /** Everything that was ever written, in order. */
  history(): Promise<Event[]>
  /** What the next start would fold. */
  tail(): Promise<Event[]>
  dispose(): Promise<void>
}

export function fact(name: string, details: Record<string, string | number> = {}): UserEvent {
  return { timestamp: '2026-01-05T06:00:00.000Z', event: name, seq: 0, source: 'user', ...details }
}

export function checkpointOf(...items: string[]): Checkpoint[] {
  return items.map((id, index) => ({
    timestamp: '2026-01-05T06:00:00.000Z',
    event: 'checkpoint',
    seq: 0,
    part: index + 1,
    parts: items.length,
    items: [{ id }],
  }))
}

const names = (events: readonly Event[]) => events.map(({ event }) => event)

/** @param make  a harness with an empty journal whose segments are 4 KiB */
export function describeJournal(label: string, make: () => Promise<JournalHarness>): void {
  describe(`journal contract: ${label}`, () => {
    let harness: JournalHarness
    let journal: Journal
    beforeEach(async () => {
      harness = await make()
      journal = await harness.open()
    })
    afterEach(async () => {
      await journal.close()
      await harness.dispose()
    })

    it('begins with segment_opened, so the first event of the owner is seq 2', async () => {
      expect(journal.lastSeq).toBe(1)
      const [opened] = await harness.history()
      expect(opened).toMatchObject({
        event: 'segment_opened',
        seq: 1,
        format: 1,
        segment: 1,
        prev_last_seq: 0,
        journal_id: journal.journalId,
      })
    })

    it('sets seq before append returns, and moves lastSeq only when the batch is durable', async () => {
      const events = [fact('a'), fact('b'), fact('c')]
      const appended = journal.append([[events[0]!], [events[1]!, events[2]!]])
      expect(events.map(({ seq }) => seq)).toEqual([2, 3, 4])
      expect(journal.lastSeq).toBe(1)
      await appended
      expect(journal.lastSeq).toBe(4)
    })

    it('keeps events in order and whole', async () => {
      await journal.append([[fact('a', { n: 1, text: 'line\nbreak \u2028 \u{1f600} \ud800' })]])
      await journal.append([[fact('b'), fact('c')], [fact('d')]])
      const history = await harness.history()
      expect(names(history)).toEqual(['segment_opened', 'a', 'b', 'c', 'd'])
      expect(history.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
      expect(history[1]).toMatchObject({ n: 1, text: 'line\nbreak \u2028 \u{1f600} \ud800' })
      expect(history.every(event => !('c' in event) && !('commit' in event))).toBe(true)
    })

    it('takes an empty batch for what it is', async () => {
      const bytes = journal.activeBytes
      await journal.append([])
      await journal.append([[]])
      expect(journal.lastSeq).toBe(1)
      expect(journal.activeBytes).toBe(bytes)
    })

    it('takes one batch at a time', async () => {
      const first = journal.append([[fact('a')]])
      await expect(journal.append([[fact('b')]])).rejects.toThrow(/at a time/)
      await first
      await journal.append([[fact('c')]])
      expect(names(await harness.history())).toEqual(['segment_opened', 'a', 'c'])
    })

    it('wants to roll once a segment is full, and not again at once', async () => {
      expect(journal.wantsRoll).toBe(false)
      await journal.append([[fact('large', { text: 'x'.repeat(4096) })]])
      expect(journal.wantsRoll).toBe(true)
      await journal.roll(checkpointOf('all'))
      expect(journal.wantsRoll).toBe(false)
    })

    it('does not want to roll for ever when the checkpoint is larger than a segment', async () => {
      await journal.roll(checkpointOf('x'.repeat(5000)))
      expect(journal.wantsRoll).toBe(false)
      await journal.append([[fact('large', { text: 'x'.repeat(6000) })]])
      expect(journal.wantsRoll).toBe(true)
    })

    it('begins the next segment with the checkpoint, and seq goes on', async () => {
      await journal.append([[fact('a')]])
      await journal.roll(checkpointOf('one', 'two', 'three'))
      await journal.append([[fact('b')]])
      expect(names(await harness.history())).toEqual([
        'segment_opened',
        'a',
        'segment_sealed',
        'segment_opened',
        'checkpoint',
        'checkpoint',
        'checkpoint',
        'b',
      ])
      const tail = await harness.tail()
      expect(tail.map(({ seq }) => seq)).toEqual([4, 5, 6, 7, 8])
      expect(tail[0]).toMatchObject({ event: 'segment_opened', segment: 2, prev_last_seq: 3 })
      expect(tail.slice(1, 4)).toMatchObject([
        { items: [{ id: 'one' }] },
        { items: [{ id: 'two' }] },
        { items: [{ id: 'three' }] },
      ])
      expect(journal.lastSeq).toBe(8)
    })

    it('refuses to roll without a checkpoint, and goes on', async () => {
      await expect(journal.roll([])).rejects.toThrow(/checkpoint/)
      await expect(journal.roll([fact('a')])).rejects.toThrow(/checkpoint/)
      await journal.append([[fact('b')]])
      expect(names(await harness.history())).toEqual(['segment_opened', 'b'])
    })

    it('refuses everything once it is closed', async () => {
      await journal.close()
      await expect(journal.append([[fact('a')]])).rejects.toThrow(/closed/)
      await expect(journal.roll(checkpointOf('all'))).rejects.toThrow(/closed/)
      await expect(journal.close()).resolves.toBeUndefined()
    })
  })
}
