// The sync of the last word of a stop fails, and the process ends. The page cache shows a clean stop; the disk may lack
// a page of it. The next start must not take it for one.

import { expect, test } from 'vitest'
import { openJournal } from '../../src/adapters/jsonl/journal.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { Chance } from './chance.ts'
import { readJournalText } from './journal-text.ts'
import { VirtualDisk } from './virtual-disk.ts'

const PATH = '/state/journal.jsonl'
const AT = '2026-01-05T06:00:00.000Z'

function open(disk: VirtualDisk) {
  return openJournal({ path: PATH, now: () => 0, newJournalId: () => 'j', disk: disk.mount() })
}

const note = (text: string): Event => ({ timestamp: AT, event: 'noted', seq: 0, source: 'user', text })
const stopped = (): Event => ({ timestamp: AT, event: 'scheduler_stopped', seq: 0, epoch: 1 })

test('what is written behind a stop that was not synced is on disk all the same', async () => {
  let lost = 0
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new VirtualDisk(new Chance(seed))
    const first = await open(disk)
    // The last word lies across two pages: one of them may be lost while the other one is written again.
    await first.journal.append([[note('x'.repeat(4_096 - disk.peek(PATH)!.length - 170))]])
    disk.failSyncIn = 1
    await expect(first.journal.append([[note('y')], [stopped()]])).rejects.toMatchObject({ exitCode: 74 })
    lost += disk.counts.lostPages
    disk.crash('kill')

    const second = await open(disk)
    expect(second.recovery.outcome).toBe('recovered')
    await second.journal.append([[note('acknowledged')]])
    disk.crash('power')
    await open(disk)
    const { lines, problems } = readJournalText([disk.peek(PATH)!])
    expect(problems, `seed ${seed}`).toEqual([])
    expect(lines.some(line => line['text'] === 'acknowledged')).toBe(true)
  }
  expect(lost).toBeGreaterThan(0)
})

test('a stop that was synced is found clean, also after a power cut', async () => {
  const disk = new VirtualDisk(new Chance(1))
  for (const kind of ['kill', 'kill', 'power'] as const) {
    const { journal, recovery } = await open(disk)
    expect(recovery.outcome).toBe(journal.lastSeq === 1 ? 'created' : 'clean')
    await journal.append([[stopped()]])
    await journal.close()
    disk.crash(kind)
  }
})
