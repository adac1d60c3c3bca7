import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  checkpoint,
  JournalFolder,
  numbered,
  numbersOf,
  stopped,
} from '../../../test/support/journal-folder.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { followEvents, lastSeq, readEvents } from './reader.ts'

async function collect(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of events) all.push(event)
  return all
}

const seqs = (events: readonly Event[]) => events.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Three segments: seq 1–4, 5–9, 10–13 (13 is not stopped cleanly). */
async function threeSegments(folder: JournalFolder) {
  const { journal } = await folder.open()
  await journal.append([[numbered(1), numbered(2)]])
  await journal.roll(checkpoint())
  await journal.append([[numbered(3)], [numbered(4)]])
  await journal.roll(checkpoint())
  await journal.append([[numbered(5)], [numbered(6)]])
  return journal
}

describe('readEvents', () => {
  it('gives every event once, in order, over all segments', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    const events = await collect(readEvents(folder.path))
    expect(seqs(events)).toEqual(range(1, journal.lastSeq))
    expect(numbersOf(events)).toEqual([1, 2, 3, 4, 5, 6])
    await journal.close()
  })

  it('gives the same by the batch, with the text of each line', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    await journal.append([[{ ...numbered(7), note: 'søndag \u2028 "x"' } as Event, numbered(8)]])
    const events: Event[] = []
    for await (const batch of readEvents(folder.path, { afterSeq: 2 }).batches()) {
      // A journal writes line separators as escapes.
      const texts = batch.events.map(event => JSON.stringify(event).replace('\u2028', '\\u2028'))
      expect(batch.texts).toEqual(texts)
      events.push(...batch.events)
    }
    expect(events).toEqual(await collect(readEvents(folder.path, { afterSeq: 2 })))
    expect(numbersOf(events)).toEqual([2, 3, 4, 5, 6, 7, 8])
    await journal.close()
  })

  it('begins after any seq', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    for (let afterSeq = 0; afterSeq <= journal.lastSeq + 1; afterSeq++) {
      expect(seqs(await collect(readEvents(folder.path, { afterSeq })))).toEqual(
        afterSeq >= journal.lastSeq ? [] : range(afterSeq + 1, journal.lastSeq),
      )
    }
    await journal.close()
  })

  it('gives nothing where no journal is', async () => {
    using folder = new JournalFolder()
    expect(await collect(readEvents(folder.path))).toEqual([])
    expect(await lastSeq(folder.path)).toBe(0)
    writeFileSync(folder.path, '')
    expect(await collect(readEvents(folder.path))).toEqual([])
  })

  it('ends in silence before a torn tail and before half a commit', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    await journal.append([[numbered(7), numbered(8)]])
    const { length } = folder.bytes()
    await journal.close()
    truncateSync(folder.path, length - 20)
    expect(numbersOf(await collect(readEvents(folder.path)))).toEqual([1, 2, 3, 4, 5, 6])
    appendFileSync(folder.path, '\0\0\0\n')
    expect(numbersOf(await collect(readEvents(folder.path)))).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('begins at the oldest segment that is kept', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    rmSync(join(folder.state, 'segments', '00000001.jsonl'))
    expect(seqs(await collect(readEvents(folder.path)))).toEqual(range(5, journal.lastSeq))
    rmSync(join(folder.state, 'segments', '00000002.jsonl'))
    expect(seqs(await collect(readEvents(folder.path, { afterSeq: 2 })))[0]).toBe(10)
    await journal.close()
  })

  it('throws damage: a changed line, a cut sealed segment, a segment that is missing', async () => {
    const sealed = (folder: JournalFolder, n: number) => join(folder.state, 'segments', `0000000${n}.jsonl`)
    const harms: ((folder: JournalFolder) => void)[] = [
      folder => writeFileSync(folder.path, folder.bytes().toString().replace('"n":5', '"n":7')),
      folder => {
        copyFileSync(sealed(folder, 2), join(folder.root, 'copy'))
        truncateSync(join(folder.root, 'copy'), 400)
        rmSync(sealed(folder, 2))
        renameSync(join(folder.root, 'copy'), sealed(folder, 2))
      },
      folder => {
        chmodSync(sealed(folder, 2), 0o600)
        appendFileSync(sealed(folder, 2), '\0\0')
      },
      folder => rmSync(sealed(folder, 2)),
      folder => rmSync(folder.path),
    ]
    for (const harm of harms) {
      using folder = new JournalFolder()
      await (await threeSegments(folder)).close()
      harm(folder)
      await expect(collect(readEvents(folder.path)), String(harm)).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
      })
    }
  })

  it('may be left in the middle', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    for await (const event of readEvents(folder.path)) if (event.seq === 6) break
    await journal.close()
  })

  it('goes on through a roll and a recovery in the middle of reading', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    const seen: number[] = []
    let current = journal
    for await (const event of readEvents(folder.path)) {
      seen.push(event.seq)
      if (event.seq === 7) await current.roll(checkpoint())
      if (event.seq === 11) {
        await current.append([[numbered(9)]])
        await current.close()
        current = (await folder.open()).journal
      }
    }
    expect(seen).toEqual(range(1, seen.length))
    expect(seen.length).toBeGreaterThanOrEqual(16)
    await current.close()
  })
})

describe('followEvents', () => {
  it('waits for a journal, then sees appends, rolls and restarts, each event once', async () => {
    using folder = new JournalFolder()
    const stop = new AbortController()
    const seen: Event[] = []
    const waiters: { n: number; done: () => void }[] = []
    const until = (n: number) => new Promise<void>(done => waiters.push({ n, done }))
    const following = (async () => {
      for await (const event of followEvents(folder.path, { pollMs: 2, signal: stop.signal })) {
        seen.push(event)
        for (const { n, done } of waiters) if (numbersOf([event])[0] === n) done()
      }
    })()
    const step = async (journal: { append(commits: Event[][]): Promise<void> }, n: number) => {
      const arrived = until(n)
      await journal.append([[numbered(n)]])
      await arrived
    }
    const { journal } = await folder.open()
    await step(journal, 1)
    await step(journal, 2)
    await journal.roll(checkpoint(3))
    await step(journal, 3)
    await journal.roll(checkpoint())
    await journal.roll(checkpoint())
    await step(journal, 4)
    await journal.close()
    appendFileSync(folder.path, '{"torn":')
    const second = (await folder.open()).journal
    await step(second, 5)
    await second.append([[stopped()]])
    await second.close()
    const third = (await folder.open()).journal
    await step(third, 6)
    await third.close()
    stop.abort()
    await following
    expect(seqs(seen)).toEqual(range(1, third.lastSeq))
    expect(numbersOf(seen)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('starts after a seq and ends at once when told', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    const stop = new AbortController()
    const seen: number[] = []
    for await (const event of followEvents(folder.path, {
      afterSeq: 6,
      pollMs: 60_000,
      signal: stop.signal,
    })) {
      seen.push(event.seq)
      if (event.seq === 8) stop.abort()
    }
    expect(seen).toEqual([7, 8])
    await journal.close()
  })
})

describe('lastSeq', () => {
  it('is the last complete commit, from the tail or, where that is not enough, from all of it', async () => {
    using folder = new JournalFolder()
    const journal = await threeSegments(folder)
    expect(await lastSeq(folder.path)).toBe(journal.lastSeq)
    await journal.append([range(1, 8).map(n => numbered(n, { text: 'x'.repeat(60_000) }))])
    expect(await lastSeq(folder.path)).toBe(journal.lastSeq)
    await journal.append([[numbered(9)]])
    expect(await lastSeq(folder.path)).toBe(journal.lastSeq)
    const whole = folder.bytes().length
    await journal.append([range(1, 8).map(n => numbered(n, { text: 'x'.repeat(60_000) }))])
    truncateSync(folder.path, folder.bytes().length - 1)
    expect(await lastSeq(folder.path)).toBe(journal.lastSeq - 8)
    truncateSync(folder.path, whole)
    await journal.close()
  })
})
