// Slot lag: from the instant a slot is due to its `schedule_enqueued` on disk. 10,000 schedules, 500 of them due together.

import { closeSync, fdatasync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { UnwrittenJournal } from '../src/adapters/jsonl/unwritten-journal.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { createHeapTidier } from '../src/adapters/system/heap-tidier.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { Loop } from '../src/daemon/loop.ts'
import { Rehearsal } from '../src/daemon/rehearsal.ts'
import type { Commit, Journal } from '../src/ports/journal.ts'
import { inFolder, percentile, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { everySecondSomeGroup, manySchedules, stateOf } from './world.ts'

const SCHEDULES = 10_000
const TOGETHER = 500
/**
 * Groups that are due, a second apart; the first ones warm up and do not count: a scheduler runs for weeks. The slots of a
 * group share their lag, so it is the groups that a p99 needs many of.
 */
const GROUPS = QUICK ? 8 : 420
const WARM_UP = QUICK ? 4 : 20

/** Wall-clock time in parts of a millisecond. Waits for the next whole one to find how the two clocks stand. */
function readFineClock(): () => number {
  const last = Date.now()
  let now = last
  while (now === last) now = Date.now()
  const offset = now - performance.now()
  return () => performance.now() + offset
}

/** How late a timer is on an idle loop, set to an instant. */
async function sampleTimers(count: number, into: number[]): Promise<void> {
  const fineNow = readFineClock()
  for (let n = 0; n < count; n++) {
    const dueAt = Date.now() + 3 + (n % 5)
    await sleep(dueAt - Date.now())
    into.push(fineNow() - dueAt)
  }
}

/**
 * A write and its fdatasync, after a rest, as the slots' own: a disk that is asked again at once answers several times
 * as fast.
 */
async function sampleSync(fd: number, bytes: Buffer): Promise<number> {
  await sleep(80)
  const startedMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    write(fd, bytes, error => {
      if (error) reject(error)
      else fdatasync(fd, failure => (failure ? reject(failure) : resolve()))
    })
  })
  return performance.now() - startedMs
}

await inFolder(async folder => {
  const { journal } = await openJournal({ path: join(folder, 'state.jsonl'), now: systemClock.now })
  const definitions = manySchedules(SCHEDULES, everySecondSomeGroup)
  const { state, agenda } = stateOf(definitions, Date.now())
  const fd = openSync(join(folder, 'raw'), 'a')
  /** One entry per slot; of a fixed size, or its growth would be most of what the collector does. */
  const room = new Float64Array((GROUPS - WARM_UP) * TOGETHER)
  let counted = 0
  const timers: number[] = []
  /** Of as many bytes as a group's lines have, and of one short line. */
  const syncs: number[] = []
  const shortSyncs: number[] = []
  const shortLine = Buffer.alloc(200, 'x')
  /** One for all: what the probes throw away the collector would come for while slots are due. */
  const manyBytes = Buffer.alloc(2 ** 20, 'x')
  let groupOfLines = shortLine
  /** Of each group: from the due instant to the append, and the append itself. */
  const before: number[] = []
  const appends: number[] = []
  const done = Promise.withResolvers<void>()
  let fineNow = readFineClock()
  let appendBegunAt = 0
  let bytesBefore = 0

  const watched: Journal = Object.create(journal, {
    lastSeq: { get: () => journal.lastSeq },
    wantsRoll: { get: () => false },
    append: {
      value: (commits: readonly Commit[]) => {
        appendBegunAt = fineNow()
        bytesBefore = journal.activeBytes
        return journal.append(commits)
      },
    },
  })

  /** In the idle second until the next group: the probes meet the neighbours that the slots met. */
  async function probe(): Promise<void> {
    await sampleTimers(30, timers)
    for (let n = 0; n < 3; n++) {
      syncs.push(await sampleSync(fd, groupOfLines))
      shortSyncs.push(await sampleSync(fd, shortLine))
    }
    await endRuns()
    fineNow = readFineClock()
    if (before.length === GROUPS) done.resolve()
  }

  /**
   * Runs end before their schedules are due again: all but the three that the first group started, for nobody works on
   * them here. The later slots of their schedules are skipped as overlapping and are not counted.
   */
  async function endRuns(): Promise<void> {
    const queued = [...state.runs.values()].filter(({ status }) => status === 'queued')
    await Promise.all(queued.map(({ runId }) => loop.submit({ type: 'cancel', runId, reason: 'bench' })))
  }

  const limits = { maxParallel: 3, maxTasks: 16 }
  const loop = new Loop(
    { clock: systemClock, random: systemRandom, journal: watched, state, agenda },
    {
      limits,
      tickMs: 1_000,
      isDiskFull: () => false,
      committed(events) {
        const now = fineNow()
        const due = events.filter(({ event }) => event === 'schedule_enqueued')
        if (due.length === 0) return
        const slots = due.map(event => Date.parse(String((event as { slot?: unknown }).slot)))
        if (before.length >= WARM_UP) for (const slot of slots) room[counted++] = now - slot
        before.push(appendBegunAt - slots[0]!)
        appends.push(now - appendBegunAt)
        groupOfLines = manyBytes.subarray(0, journal.activeBytes - bytesBefore)
        probe().catch(done.reject)
      },
      turned() {},
      tidy: createHeapTidier(),
      fatal: done.reject,
    },
    definitions,
  )
  loop.admission = 'open'
  loop.ticking = true
  loop.start()
  // As a scheduler does when it begins to serve.
  const stage = { clock: systemClock, agenda, definitions, limits, journal: new UnwrittenJournal() }
  const rehearsal = new Rehearsal(stage)
  rehearsal.run().catch(done.reject)
  await done.promise
  rehearsal.close()
  await loop.stop()
  await journal.close()
  closeSync(fd)

  const lags = room.subarray(0, counted)
  before.splice(0, WARM_UP)
  appends.splice(0, WARM_UP)
  // Which they were tells a burst from a period, and the parts tell the processor from the disk.
  const slowest = before
    .map((ms, n) => ({ second: n + WARM_UP, before: ms, append: appends[n]!, lag: ms + appends[n]! }))
    .sort((a, b) => b.lag - a.lag)
    .slice(0, 8)
    .map(group => `${group.second}: ${formatNumber(group.before)} + ${formatNumber(group.append)}`)
  const limit = percentile(timers, 99) + 3 * percentile(syncs, 99)
  const lag = percentile(lags, 99)
  deliver({
    name: 'slot-lag',
    title: 'Slot lag',
    method: `${SCHEDULES.toLocaleString('en')} schedules, ${TOGETHER} due at the same instant, a second apart; ${lags.length.toLocaleString('en')} slots after a warm-up of ${WARM_UP} seconds; from the due instant to the moment at which \`schedule_enqueued\` is on disk. It begins with a rehearsal, as a scheduler does that begins to serve. Probes, in the idle time between: a timer (${timers.length.toLocaleString('en')}), and a write with fdatasync, each after a rest of 80 ms: of as many bytes as the lines of ${TOGETHER} slots have (${groupOfLines.length.toLocaleString('en')}), and of 200 bytes (${syncs.length.toLocaleString('en')} of each). The goal counts the first. The slowest groups (the second after the start: milliseconds before the append + of the append): ${slowest.join(', ')}.`,
    rows: [
      { what: 'slot lag, p50', value: percentile(lags, 50), unit: 'ms' },
      { what: 'slot lag, p99', value: lag, unit: 'ms', probe: limit, against: 'the goal below' },
      { what: 'slot lag, worst', value: percentile(lags, 100), unit: 'ms' },
      {
        what: `of which before the append (timer, ${TOGETHER} decisions), p50`,
        value: percentile(before, 50),
        unit: 'ms',
      },
      {
        what: `of which the append (${TOGETHER} lines encoded, written, synced), p50`,
        value: percentile(appends, 50),
        unit: 'ms',
      },
      { what: 'timer lag, p50', value: percentile(timers, 50), unit: 'ms' },
      { what: 'timer lag, p99', value: percentile(timers, 99), unit: 'ms' },
      { what: 'write + fdatasync of as many bytes, p50', value: percentile(syncs, 50), unit: 'ms' },
      { what: 'write + fdatasync of as many bytes, p99', value: percentile(syncs, 99), unit: 'ms' },
      { what: 'write + fdatasync of as many bytes, worst', value: percentile(syncs, 100), unit: 'ms' },
      { what: 'write + fdatasync of 200 bytes, p50', value: percentile(shortSyncs, 50), unit: 'ms' },
      { what: 'write + fdatasync of 200 bytes, p99', value: percentile(shortSyncs, 99), unit: 'ms' },
    ],
    goals: [
      {
        text: 'p99 of the slot lag is at most the p99 of a bare timer and three times that of fdatasync',
        isMet: lag <= limit,
        measured: `${formatNumber(lag)} ms of ${formatNumber(limit)} ms`,
      },
    ],
  })
})
