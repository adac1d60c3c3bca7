// Both journals keep the one contract.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal } from '../../src/adapters/jsonl/journal.ts'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import { MemoryJournal } from '../../src/adapters/memory/journal.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { describeJournal } from './journal.contract.ts'

const SEGMENT_BYTES = 4096

async function collect(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of events) all.push(event)
  return all
}

describeJournal('jsonl', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dagbok-journal-'))
  const path = join(directory, 'logs', 'state.jsonl')
  return {
    open: async () => (await openJournal({ path, now: () => 0, segmentBytes: SEGMENT_BYTES })).journal,
    history: () => collect(readEvents(path)),
    tail: async () => {
      const all = await collect(readEvents(path))
      return all.slice(all.findLastIndex(({ event }) => event === 'segment_opened'))
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  }
})

describeJournal('memory', async () => {
  const journal = new MemoryJournal({ segmentBytes: SEGMENT_BYTES })
  return {
    open: async () => journal,
    history: async () => journal.events(),
    tail: async () => journal.activeEvents(),
    dispose: async () => {},
  }
})
