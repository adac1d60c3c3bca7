// The plug is pulled at a random operation of the disk, and again while the next start recovers. What was not synced is
// lost page by page, name by name, in any combination (test/simulation/virtual-disk.ts). After each cut: everything
// acknowledged is there, in order, once; no start is refused.
//
// CUTS=20000 runs longer, SEED=… repeats a run.

import { describe, expect, it } from 'vitest'
import type { Disk } from '../../src/adapters/jsonl/disk.ts'
import { openJournal } from '../../src/adapters/jsonl/journal.ts'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import { verifyJournal } from '../../src/adapters/jsonl/verify.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualDisk } from '../simulation/virtual-disk.ts'
import { checkpoint, numbered, numbersOf, stopped } from '../support/journal-folder.ts'

const CUTS = Number(process.env['CUTS'] ?? 1000)
const SEED = Number(process.env['SEED'] ?? 20260105)
const PATH = '/var/state.jsonl'

interface Progress {
  acknowledged: number
  attempted: number
}

/** One life: opens, appends batches of up to several pages, rolls; ends when the disk dies or after `batches`. */
async function live(disk: Disk, chance: Chance, progress: Progress, batches: number): Promise<void> {
  const { journal } = await openJournal({ path: PATH, now: () => 0, disk, newJournalId: () => 'j-1' })
  for (let batch = 0; batch < batches; batch++) {
    if (chance.happens(0.25))
      await journal.roll(checkpoint(chance.between(1, 4), 'x'.repeat(chance.between(0, 4000))))
    const commits = Array.from({ length: chance.between(1, 6) }, () =>
      Array.from({ length: chance.between(1, 3) }, () =>
        numbered(++progress.attempted, { text: 'é'.repeat(chance.between(0, 1500)) }),
      ),
    )
    await journal.append(commits)
    progress.acknowledged = progress.attempted
  }
  await journal.append([[stopped()]])
  await journal.close()
}

/** Runs a life that the disk may end at its so-manieth operation. */
async function liveUntil(
  disk: VirtualDisk,
  chance: Chance,
  progress: Progress,
  crashIn: number,
  kind: 'power' | 'kill',
): Promise<boolean> {
  let isDead = false
  const died = new Promise<void>(resolve => {
    disk.crashIn(crashIn, () => {
      isDead = true
      // The operation itself is still to be cut short.
      setImmediate(resolve)
    })
  })
  const life = live(disk.mount(), chance, progress, 6)
  // What a dead process throws, nobody sees; a dead promise never settles.
  await Promise.race([died, life.catch(error => (isDead ? undefined : Promise.reject(error)))])
  disk.crash(isDead ? kind : 'kill')
  return isDead
}

async function collect(disk: Disk): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of readEvents(PATH, { disk })) all.push(event)
  return all
}

describe('a journal whose power is cut', () => {
  it(`keeps what it acknowledged and always starts again: ${CUTS} lives`, async () => {
    let deaths = 0
    const total = { nulTails: 0, lostPages: 0, lostNames: 0, tornWrites: 0 }
    for (let seed = SEED; deaths < CUTS; seed++) {
      const chance = new Chance(seed)
      const disk = new VirtualDisk(chance)
      const progress: Progress = { acknowledged: 0, attempted: 0 }
      for (let boot = 1; boot <= 5; boot++) {
        const label = `SEED=${seed} boot ${boot}`
        const before = progress.acknowledged
        const kind = chance.happens(0.8) ? 'power' : 'kill'
        await expect(
          liveUntil(disk, chance, progress, chance.between(1, 90), kind).then(isDead => {
            if (isDead) deaths++
          }),
          label,
        ).resolves.toBeUndefined()
        // A healthy look: opens for good, reads everything, verifies.
        const mount = disk.mount()
        const { journal } = await openJournal({
          path: PATH,
          now: () => 0,
          disk: mount,
          newJournalId: () => 'j-1',
        })
        const history = await collect(mount)
        expect(
          history.map(({ seq }) => seq),
          label,
        ).toEqual(history.map((_, index) => index + 1))
        const numbers = numbersOf(history)
        expect(numbers, label).toEqual(numbers.map((_, index) => index + 1))
        expect(numbers.length, label).toBeGreaterThanOrEqual(progress.acknowledged)
        expect(numbers.length, label).toBeLessThanOrEqual(progress.attempted)
        expect(progress.acknowledged, label).toBeGreaterThanOrEqual(before)
        expect((await verifyJournal(PATH, { disk: mount })).problems, label).toEqual([])
        await journal.close()
        progress.attempted = numbers.length
        progress.acknowledged = numbers.length
      }
      for (const name of ['nulTails', 'lostPages', 'lostNames', 'tornWrites'] as const)
        total[name] += disk.counts[name]
    }
    for (const [name, happened] of Object.entries(total)) expect(happened, name).toBeGreaterThan(CUTS / 40)
  }, 600_000)
})
