// Commits: so many producers, each waiting for its own event to be durable before it asks for the next. Against a raw
// group commit that writes ready-made bytes of the same length with the same two system calls.

import { fdatasync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { Agenda } from '../src/core/planner/agenda.ts'
import { NO_DEFINITIONS } from '../src/core/schedule/definitions.ts'
import { emptyState } from '../src/core/state-machine/state.ts'
import { Loop } from '../src/daemon/loop.ts'
import { inFolder, median, QUICK, takeTurns } from './measure.ts'
import { deliver, formatNumber } from './report.ts'

const ROUNDS = QUICK ? 3 : 7
const ROUND_MS = QUICK ? 300 : 1_000
const PRODUCERS = [1, 10, 100] as const

/** A line of the journal is then some 200 bytes, as most are. */
const FIELDS = { event: 'deployed', version: '1.2.3', by: 'someone', note: 'x'.repeat(60) }

/** Commits a second of `producers` that each wait for their own. */
async function produce(producers: number, commit: () => Promise<unknown>): Promise<number> {
  let commits = 0
  const untilMs = performance.now() + ROUND_MS
  const startedMs = performance.now()
  const one = async () => {
    while (performance.now() < untilMs) {
      await commit()
      commits += 1
    }
  }
  await Promise.all(Array.from({ length: producers }, one))
  return commits / ((performance.now() - startedMs) / 1_000)
}

/** What waits is joined, written and synced; then everyone who waited is told. Nothing else. */
function openRaw(path: string, lineBytes: number): () => Promise<void> {
  const fd = openSync(path, 'a')
  const line = Buffer.alloc(lineBytes, 'x')
  line[lineBytes - 1] = 0x0a
  let waiting: (() => void)[] = []
  let isBusy = false
  const turn = () => {
    if (waiting.length === 0) {
      isBusy = false
      return
    }
    isBusy = true
    const told = waiting
    waiting = []
    const bytes = Buffer.concat(told.map(() => line))
    write(fd, bytes, error => {
      if (error) throw error
      fdatasync(fd, failure => {
        if (failure) throw failure
        for (const tell of told) tell()
        // Those who were told ask again before the next turn, as they do behind the loop.
        setImmediate(turn)
      })
    })
  }
  return () =>
    new Promise(resolve => {
      waiting.push(resolve)
      if (!isBusy) {
        isBusy = true
        setImmediate(turn)
      }
    })
}

await inFolder(async folder => {
  const { journal } = await openJournal({
    path: join(folder, 'state.jsonl'),
    now: systemClock.now,
    segmentBytes: 2 ** 40,
  })
  const loop = new Loop(
    { clock: systemClock, random: systemRandom, journal, state: emptyState(), agenda: new Agenda() },
    {
      limits: { maxParallel: 3, maxTasks: 16 },
      tickMs: 1_000,
      isDiskFull: () => false,
      committed() {},
      turned() {},
      fatal: error => {
        throw error
      },
    },
    NO_DEFINITIONS,
  )
  loop.start()
  const before = journal.activeBytes
  await loop.submit({ type: 'record', fields: FIELDS })
  const lineBytes = journal.activeBytes - before
  const raw = openRaw(join(folder, 'raw'), lineBytes)

  const rows = []
  const ratios = new Map<number, number>()
  for (const producers of PRODUCERS) {
    const { ours, theirs } = await takeTurns(ROUNDS, {
      theirs: () => produce(producers, raw),
      ours: () => produce(producers, () => loop.submit({ type: 'record', fields: FIELDS })),
    })
    rows.push({
      what: `${producers} producer${producers === 1 ? '' : 's'}`,
      value: median(ours),
      unit: 'commits/s',
      probe: median(theirs),
      against: 'raw group commit',
    })
    ratios.set(producers, median(ours) / median(theirs))
  }
  await loop.stop()
  await journal.close()

  const atHundred = ratios.get(100)!
  deliver({
    name: 'commits',
    title: 'Commits that are durable',
    method: `Producers that each wait for their own event (\`loop.submit\`: decide, evolve, encode, checksum, check the file, write, fdatasync), ${lineBytes} bytes a line, rounds of ${ROUND_MS} ms taking turns with the probe, median of ${ROUNDS}.`,
    rows,
    goals: [
      {
        text: 'at 100 producers at least 70 % of a raw group commit',
        isMet: atHundred >= 0.7,
        measured: `${formatNumber(atHundred * 100)} %`,
      },
    ],
  })
})
