// A journal in a folder of its own, and what tests of the journal do with it again and again.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JournalOptions, openJournal } from '../../src/adapters/jsonl/journal.ts'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import type { Checkpoint, Event, SchedulerStopped, UserEvent } from '../../src/core/state-machine/event.ts'

const TIMESTAMP = '2026-01-05T06:00:00.000Z'

/** An event whose `n` tells it from the others. */
export function numbered(n: number, details: Record<string, string> = {}): UserEvent {
  return { timestamp: TIMESTAMP, event: 'fact_recorded', seq: 0, source: 'user', n, ...details }
}

export function stopped(): SchedulerStopped {
  return { timestamp: TIMESTAMP, event: 'scheduler_stopped', seq: 0, epoch: 1 }
}

export function checkpoint(parts = 1, text = ''): Checkpoint[] {
  return Array.from({ length: parts }, (_, index) => ({
    timestamp: TIMESTAMP,
    event: 'checkpoint',
    seq: 0,
    part: index + 1,
    parts,
    items: [{ text }],
  }))
}

/** The `n` of the numbered events among these. */
export function numbersOf(events: readonly Event[]): number[] {
  return events.flatMap(event =>
    event.event === 'fact_recorded' ? [(event as UserEvent)['n'] as number] : [],
  )
}

export class JournalFolder {
  readonly root = mkdtempSync(join(tmpdir(), 'dagbok-journal-'))
  readonly path = join(this.root, 'state.jsonl')
  readonly state = join(this.root, 'state.d')

  async open(options: Partial<JournalOptions> = {}) {
    const events: Event[] = []
    const { journal, recovery } = await openJournal({
      path: this.path,
      now: () => Date.parse(TIMESTAMP),
      newJournalId: () => 'j-1',
      onEvent: event => events.push(event),
      ...options,
    })
    return { journal, recovery, events }
  }

  /** Everything in the journal, read without it. */
  async history(): Promise<Event[]> {
    const events: Event[] = []
    for await (const event of readEvents(this.path)) events.push(event)
    return events
  }

  bytes(): Buffer {
    return readFileSync(this.path)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
