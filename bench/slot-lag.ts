// Slot lag: from the instant a slot is due to its `schedule_enqueued` on disk. 10,000 schedules, 500 of them due together.

import { closeSync, fdatasync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { Loop } from '../src/daemon/loop.ts'
import type { Commit, Journal } from '../src/ports/journal.ts'
import { inFolder, percentile, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { everySecondSomeGroup, manySchedules, stateOf } from './world.ts'

const SCHEDULES = 10_000
const TOGETHER = 500
/** Groups that are due, a second apart; the first ones warm up and do not count. */
const GROUPS = QUICK ? 8 : 20
const WARM_UP = 4

/** Wall-clock time in parts of a millisecond. Waits for the next whole one to find how the two clocks stand. */
function readFineClock(): () => number {
  const last = Date.now()
  let now = last
  while (now === last) now = Date.now()
  const offset = now - performance.now()
  return () => performance.now() + offset
}

/** How late a timer is on an idle loop, set the way the daemon sets its own. */
async function sampleTimers(count: number, into: number[]): Promise<void> {
  const fineNow = readFineClock()
  for (let n = 0; n < count; n++) {
    const dueAt = Date.now() + 3 + (n % 5)
    await new Promise<void>(resolve => {
      systemClock.after(dueAt - Date.now(), resolve)
    })
    into.push(fineNow() - dueAt)
  }
}

async function sampleSyncs(fd: number, count: number, into: number[]): Promise<void> {
  const line = Buffer.alloc(200, 'x')
  for (let n = 0; n < count; n++) {
    const startedMs = performance.now()
    await new Promise<void>((resolve, reject) => {
      write(fd, line, error => {
        if (error) reject(error)
        else fdatasync(fd, failure => (failure ? reject(failure) : resolve()))
      })
    })
    into.push(performance.now() - startedMs)
  }
}

await inFolder(async folder => {
  const { journal } = await openJournal({ path: join(folder, 'state.jsonl'), now: systemClock.now })
  const definitions = manySchedules(SCHEDULES, everySecondSomeGroup)
  const { state, agenda } = stateOf(definitions, Date.now())
  const fd = openSync(join(folder, 'raw'), 'a')
  const lags: number[] = []
  const timers: number[] = []
  const syncs: number[] = []
  /** Of each group: from the due instant to the append, and the append itself. */
  const before: number[] = []
  const appends: number[] = []
  const done = Promise.withResolvers<void>()
  let fineNow = readFineClock()
  let appendBegunAt = 0

  const watched: Journal = Object.create(journal, {
    lastSeq: { get: () => journal.lastSeq },
    wantsRoll: { get: () => false },
    append: {
      value: (commits: readonly Commit[]) => {
        appendBegunAt = fineNow()
        return journal.append(commits)
      },
    },
  })

  /** In the idle second until the next group: the probes meet the neighbours that the slots met. */
  async function probe(): Promise<void> {
    await sampleTimers(50, timers)
    await sampleSyncs(fd, 100, syncs)
    fineNow = readFineClock()
    if (lags.length >= GROUPS * TOGETHER) done.resolve()
  }

  const loop = new Loop(
    { clock: systemClock, random: systemRandom, journal: watched, state, agenda },
    {
      limits: { maxParallel: 3, maxTasks: 16 },
      tickMs: 1_000,
      isDiskFull: () => false,
      committed(events) {
        const now = fineNow()
        const due = events.filter(({ event }) => event === 'schedule_enqueued')
        if (due.length === 0) return
        const slots = due.map(event => Date.parse(String((event as { slot?: unknown }).slot)))
        for (const slot of slots) lags.push(now - slot)
        before.push(appendBegunAt - slots[0]!)
        appends.push(now - appendBegunAt)
        probe().catch(done.reject)
      },
      turned() {},
      fatal: done.reject,
    },
    definitions,
  )
  loop.admission = 'open'
  loop.ticking = true
  loop.start()
  await done.promise
  await loop.stop()
  await journal.close()
  closeSync(fd)

  lags.splice(0, WARM_UP * TOGETHER)
  before.splice(0, WARM_UP)
  appends.splice(0, WARM_UP)
  const limit = percentile(timers, 99) + 3 * percentile(syncs, 99)
  const lag = percentile(lags, 99)
  deliver({
    name: 'slot-lag',
    title: 'Slot lag',
    method: `${SCHEDULES.toLocaleString('en')} schedules, ${TOGETHER} due at the same instant, a second apart; ${lags.length.toLocaleString('en')} slots after a warm-up of ${WARM_UP} seconds; from the due instant to the moment at which \`schedule_enqueued\` is on disk. Probes, in the idle time between: a timer (${timers.length.toLocaleString('en')}), and a write of 200 bytes with fdatasync (${syncs.length.toLocaleString('en')}).`,
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
      { what: 'write + fdatasync, p50', value: percentile(syncs, 50), unit: 'ms' },
      { what: 'write + fdatasync, p99', value: percentile(syncs, 99), unit: 'ms' },
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
