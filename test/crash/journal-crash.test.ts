// A scenario of appends and rolls dies, or fails, at every single operation of the disk in turn. After each: what was
// acknowledged is there, nothing is there twice, and the journal goes on.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyJournal } from '../../src/adapters/jsonl/verify.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { type Fault, FaultyDisk } from '../support/faulty-disk.ts'
import { checkpoint, JournalFolder, numbered, numbersOf } from '../support/journal-folder.ts'

/** What the scenario was told is durable, and what it tried last. */
interface Progress {
  acknowledged: number
  attempted: number
  rolls: number
}

/** Three segments: single events, commits of three, two rolls. A full disk is tried again, as the daemon does. */
async function runScenario(folder: JournalFolder, disk: FaultyDisk, progress: Progress, heal: () => void) {
  const { journal } = await folder.open({ disk })
  const persist = async (operation: () => Promise<void>) => {
    for (;;) {
      try {
        return await operation()
      } catch (error) {
        if ((error as { code?: string }).code !== 'JOURNAL_FULL') throw error
        heal()
      }
    }
  }
  try {
    for (let round = 0; round < 3; round++) {
      const n = progress.attempted
      progress.attempted += 5
      const commits = [
        [numbered(n + 1)],
        [numbered(n + 2), numbered(n + 3), numbered(n + 4, { text: 'é\u2028'.repeat(40) })],
        [numbered(n + 5)],
      ]
      await persist(() => journal.append(commits))
      progress.acknowledged = progress.attempted
      if (round < 2) {
        await persist(() => journal.roll(checkpoint(3, 'x'.repeat(50))))
        progress.rolls++
      }
    }
  } finally {
    await journal.close().catch(() => {})
  }
}

/** Opens on a healthy disk and looks at what is left. */
async function expectWhole(folder: JournalFolder, progress: Progress, label: string) {
  const { journal, events } = await folder.open()
  const history = await folder.history()
  const seqs = history.map(({ seq }) => seq)
  expect(seqs, label).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1))
  expect(history.slice(-events.length), `${label}: the fold saw the active segment`).toEqual(events)
  const numbers = numbersOf(history)
  expect(numbers, label).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1))
  expect(numbers.length, `${label}: acknowledged`).toBeGreaterThanOrEqual(progress.acknowledged)
  expect(numbers.length, `${label}: attempted`).toBeLessThanOrEqual(progress.attempted)
  expect([0, 1, 4], `${label}: all of a commit or none`).toContain(numbers.length % 5)
  const left = readdirSync(join(folder.state, 'segments')).filter(name => name.endsWith('.new'))
  expect(left, `${label}: nothing half-built is left`).toEqual([])
  expect(segmentsOf(history), label).toBeGreaterThanOrEqual(progress.rolls + (history.length > 0 ? 1 : 0))
  await journal.append([[numbered(numbers.length + 1)]])
  await journal.roll(checkpoint())
  await journal.close()
  expect((await verifyJournal(folder.path)).problems, label).toEqual([])
}

function segmentsOf(history: readonly Event[]): number {
  return history.filter(({ event }) => event === 'segment_opened').length
}

async function countOperations(): Promise<number> {
  using folder = new JournalFolder()
  const disk = new FaultyDisk()
  await runScenario(folder, disk, { acknowledged: 0, attempted: 0, rolls: 0 }, () => {})
  return disk.log.length
}

async function runWith(fault: Fault): Promise<{ faults: number; failure: unknown }> {
  using folder = new JournalFolder()
  const disk = new FaultyDisk()
  disk.plan(fault)
  const progress: Progress = { acknowledged: 0, attempted: 0, rolls: 0 }
  let failure: unknown
  try {
    await runScenario(folder, disk, progress, () => disk.plan(undefined))
  } catch (error) {
    failure = error
  }
  const label = `${JSON.stringify(fault)} after ${disk.log.at(-1)}`
  await expectWhole(folder, progress, label)
  return { faults: disk.faults, failure }
}

describe('a journal whose process dies at the Nth operation', () => {
  it('loses nothing that was acknowledged, wherever it dies', async () => {
    const operations = await countOperations()
    let torn = 0
    for (let at = 1; at <= operations; at++) {
      const { faults, failure } = await runWith({ at, kind: 'crash' })
      expect(faults, `operation ${at}`).toBe(1)
      // Only closing the file at the end may fail unnoticed.
      if (at < operations) expect(failure, `operation ${at}`).toBeDefined()
      if (String(failure).includes('in a write')) torn++
    }
    expect(torn).toBeGreaterThanOrEqual(8)
  }, 120_000)

  it('loses nothing either when it dies again while it recovers', async () => {
    let crashes = 0
    for (let first = 40; first <= 110; first += 7) {
      for (let second = 5; second <= 60; second += 5) {
        using folder = new JournalFolder()
        const progress: Progress = { acknowledged: 0, attempted: 0, rolls: 0 }
        const disk = new FaultyDisk()
        disk.plan({ at: first, kind: 'crash' })
        await runScenario(folder, disk, progress, () => {}).catch(() => {})
        const again = new FaultyDisk()
        again.plan({ at: second, kind: 'crash' })
        await folder.open({ disk: again }).then(
          ({ journal }) => journal.close().catch(() => {}),
          () => {},
        )
        crashes += disk.faults + again.faults
        await expectWhole(folder, progress, `dies at ${first}, then at ${second}`)
      }
    }
    expect(crashes).toBeGreaterThan(150)
  }, 120_000)
})

describe('a journal whose disk fails at the Nth operation', () => {
  const faults: { name: string; fault: Omit<Fault, 'at'>; codes: string[] }[] = [
    {
      name: 'EIO once',
      fault: {
        kind: 'error',
        code: 'EIO',
        on: ['write', 'sync', 'rename', 'truncate', 'syncDirectory', 'open'],
      },
      codes: ['JOURNAL_IO', 'JOURNAL_SYNC_FAILED', 'JOURNAL_NOT_WRITABLE'],
    },
    {
      name: 'ENOSPC once',
      fault: { kind: 'error', code: 'ENOSPC', on: ['write', 'open'] },
      codes: ['JOURNAL_FULL'],
    },
    {
      name: 'a short write, then ENOSPC',
      fault: { kind: 'short', code: 'ENOSPC', on: ['write'] },
      codes: ['JOURNAL_FULL'],
    },
    { name: 'a short write', fault: { kind: 'short', on: ['write'] }, codes: [] },
    {
      name: 'EROFS for ever',
      fault: {
        kind: 'error',
        code: 'EROFS',
        persists: true,
        on: ['write', 'rename', 'unlink', 'truncate', 'open', 'makeDirectory', 'chmod'],
      },
      codes: ['JOURNAL_IO', 'JOURNAL_NOT_WRITABLE'],
    },
  ]
  for (const { name, fault, codes } of faults) {
    it(`${name}: nothing acknowledged is lost`, async () => {
      let happened = 0
      for (let at = 1; ; at++) {
        const result = await runWith({ ...fault, at })
        if (result.faults === 0) break
        happened++
        if (result.failure !== undefined) {
          expect(codes, `${name} at ${at}: ${result.failure}`).toContain(
            (result.failure as { code?: string }).code,
          )
        }
      }
      expect(happened).toBeGreaterThanOrEqual(11)
    }, 120_000)
  }
})
