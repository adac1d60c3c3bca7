// A roll cut by kill -9, its finishing cut by a power cut: the two together leave what neither leaves alone.

import { expect, test } from 'vitest'
import { openJournal } from '../../src/adapters/jsonl/journal.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { Chance } from './chance.ts'
import { readJournalText } from './journal-text.ts'
import { VirtualDisk } from './virtual-disk.ts'

const PATH = '/state/journal.jsonl'
const SEGMENTS = '/state/journal.d/segments'

async function open(disk: VirtualDisk): Promise<number> {
  const options = { path: PATH, now: () => 0, newJournalId: () => 'j', segmentBytes: 1 }
  const { journal } = await openJournal({ ...options, disk: disk.mount() })
  const line: Event = { timestamp: '2026-01-05T06:00:00.000Z', event: 'noted', seq: 0, source: 'user' }
  await journal.append([[line]])
  const acknowledged = journal.lastSeq
  const { timestamp } = line
  await journal.roll([{ event: 'checkpoint', part: 1, parts: 1, items: [], timestamp, seq: 0 }])
  await journal.append([[{ ...line }]])
  return Math.max(acknowledged, journal.lastSeq)
}

/** Runs it until it is done or its process dies in the so-manieth operation. */
async function openAndDie(disk: VirtualDisk, operations: number): Promise<'done' | 'died'> {
  const died = new Promise<'died'>(resolve => disk.crashIn(operations, () => resolve('died')))
  return Promise.race([open(disk).then(() => 'done' as const), died])
}

/** A disk whose process was killed with the old segment's last line written and the next segment in place beside it. */
async function cutRoll(seed: number, operation: number): Promise<VirtualDisk | undefined> {
  const disk = new VirtualDisk(new Chance(seed))
  if ((await openAndDie(disk, operation)) === 'done') return undefined
  disk.crash('kill')
  const isCut = disk.peek(PATH)?.includes('"event":"segment_sealed"') === true
  return isCut && disk.listPaths().some(path => path.endsWith('.jsonl.new')) ? disk : undefined
}

test('a power cut anywhere in the start that finishes a roll can be started from', async () => {
  let cuts = 0
  let doublySealed = 0
  for (let seed = 1; seed <= 10; seed++) {
    for (let first = 25; first < 70; first++) {
      if ((await cutRoll(seed, first)) === undefined) continue
      for (let second = 14; second < 70; second++) {
        const disk = (await cutRoll(seed, first))!
        if ((await openAndDie(disk, second)) === 'done') break
        disk.crash('power')
        cuts += 1
        const isSealed = disk.listPaths().includes(`${SEGMENTS}/00000001.jsonl`)
        if (isSealed && disk.peek(PATH)?.includes('"segment":1,') === true) doublySealed += 1
        disk.crashIn(0, () => {})
        await open(disk)
        const sealed = disk.listPaths().filter(path => path.startsWith(SEGMENTS) && path.endsWith('.jsonl'))
        const { problems } = readJournalText([...sealed, PATH].map(path => disk.peek(path)!))
        expect(problems, `seed ${seed}, kill in ${first}, power cut in ${second}`).toEqual([])
      }
    }
  }
  expect(cuts).toBeGreaterThan(300)
  expect(doublySealed).toBeGreaterThan(0)
})
