import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkpoint, JournalFolder, numbered } from '../../../test/support/journal-folder.ts'
import { DAY_MS } from '../../core/time/instant.ts'
import { openBlobStore } from './blob-store.ts'
import {
  collectBlobNames,
  deleteBlobs,
  deleteSegments,
  planRetention,
  type SealedSegment,
  surveySegments,
} from './retention.ts'
import { verifyJournal } from './verify.ts'

const NOW = 100 * DAY_MS

/** Sealed `ages` days ago, 10 bytes each. The first has no checkpoint, as the first segment of a journal. */
function sealedOf(...ages: number[]): SealedSegment[] {
  return ages.map((age, index) => ({
    segment: index + 1,
    bytes: 10,
    sealedAt: NOW - age * DAY_MS,
    opensWithCheckpoint: index > 0,
  }))
}

describe('planRetention', () => {
  it('deletes what is older than keepDays, oldest first', () => {
    expect(planRetention(sealedOf(9, 8, 3, 1), true, { keepDays: 5 }, NOW)).toEqual([1, 2])
    expect(planRetention(sealedOf(9, 8, 7), true, { keepDays: 5 }, NOW)).toEqual([1, 2, 3])
    expect(planRetention(sealedOf(5), true, { keepDays: 5 }, NOW)).toEqual([])
  })

  it('keeps at most keepCount segments and keepBytes bytes', () => {
    expect(planRetention(sealedOf(4, 3, 2, 1), true, { keepCount: 3 }, NOW)).toEqual([1])
    expect(planRetention(sealedOf(4, 3, 2, 1), true, { keepBytes: 25 }, NOW)).toEqual([1, 2])
    expect(planRetention(sealedOf(4, 3, 2, 1), true, { keepBytes: 25, keepCount: 1 }, NOW)).toEqual([1, 2, 3])
  })

  it('deletes nothing without a limit', () => {
    expect(planRetention(sealedOf(900, 800), true, {}, NOW)).toEqual([])
  })

  it('leaves no segment that needs one before it', () => {
    const sealed = sealedOf(9, 8, 7).map(one => ({ ...one, opensWithCheckpoint: one.segment === 2 }))
    expect(planRetention(sealed, true, { keepCount: 1 }, NOW)).toEqual([1])
    expect(planRetention(sealedOf(9), false, { keepCount: 0 }, NOW)).toEqual([])
  })

  it('always names a run from the oldest on, and what stays can stand alone', () => {
    const policy = fc.record(
      { keepDays: fc.nat(20), keepCount: fc.nat(6), keepBytes: fc.nat(80) },
      { requiredKeys: [] },
    )
    const segments = fc.array(fc.record({ age: fc.nat(30), opens: fc.boolean() }), { maxLength: 8 })
    fc.assert(
      fc.property(segments, policy, fc.boolean(), (made, limits, activeOpens) => {
        const sealed = made.map(({ age, opens }, index) => ({
          segment: index + 3,
          bytes: 10,
          sealedAt: NOW - age * DAY_MS,
          opensWithCheckpoint: opens,
        }))
        const plan = planRetention(sealed, activeOpens, limits, NOW)
        expect(plan).toEqual(sealed.slice(0, plan.length).map(({ segment }) => segment))
        if (plan.length > 0) expect(sealed[plan.length]?.opensWithCheckpoint ?? activeOpens).toBe(true)
      }),
    )
  })
})

describe('deleting segments', () => {
  it('surveys, deletes and leaves a sound journal', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    for (let n = 1; n <= 3; n++) {
      await journal.append([[numbered(n)]])
      await journal.roll(checkpoint(2))
    }
    const { sealed, activeOpensWithCheckpoint } = await surveySegments(folder.path)
    expect(sealed.map(({ segment, opensWithCheckpoint }) => [segment, opensWithCheckpoint])).toEqual([
      [1, false],
      [2, true],
      [3, true],
    ])
    expect(sealed[0]).toMatchObject({ sealedAt: Date.parse('2026-01-05T06:00:00Z') })
    expect(activeOpensWithCheckpoint).toBe(true)
    await deleteSegments(folder.path, planRetention(sealed, activeOpensWithCheckpoint, { keepCount: 1 }, NOW))
    expect(readdirSync(join(folder.state, 'segments'))).toEqual(['00000003.jsonl'])
    expect((await verifyJournal(folder.path)).problems).toEqual([])
    await journal.append([[numbered(4)]])
    await journal.close()
    const again = await folder.open()
    expect(again.recovery.outcome).toBe('recovered')
    await again.journal.close()
  })
})

describe('deleting blobs', () => {
  it('deletes what nothing names and what is half written, but nothing young', async () => {
    using folder = new JournalFolder()
    const store = openBlobStore(folder.path)
    const [kept, unnamed, young] = [
      await store.put(Buffer.from('kept')),
      await store.put(Buffer.from('unnamed')),
      await store.put(Buffer.from('young')),
    ]
    const blobs = join(folder.state, 'blobs')
    writeFileSync(join(blobs, `${unnamed.sha256}.tmp`), 'half')
    writeFileSync(join(blobs, 'README'), 'not ours')
    for (const name of [kept.sha256, unnamed.sha256, `${unnamed.sha256}.tmp`, 'README']) {
      utimesSync(join(blobs, name), 1, 1)
    }
    const named = new Set<string>()
    collectBlobNames({ event: 'task_ok', nested: [{ blob: kept }] }, named)
    expect(await deleteBlobs(folder.path, name => named.has(name), Date.now())).toEqual([
      unnamed.sha256,
      unnamed.sha256,
    ])
    expect(readdirSync(blobs).sort()).toEqual([kept.sha256, young.sha256, 'README'].sort())
  })

  it('does nothing where there are none', async () => {
    using folder = new JournalFolder()
    expect(await deleteBlobs(folder.path, () => false, NOW)).toEqual([])
  })
})
