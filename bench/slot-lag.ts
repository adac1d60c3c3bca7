// Slot lag: from the instant a slot is due to its `schedule_enqueued` on disk. 10,000 schedules, 500 of them due together.

import { closeSync, fdatasync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { Loop } from '../src/daemon/loop.ts'
import { inFolder, percentile, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { manySchedules, stateOf } from './world.ts'

const SCHEDULES = 10_000
const TOGETHER = 500
/** Groups that are due, a second apart; the first ones warm up and do not count. */
const GROUPS = QUICK ? 8 : 20
const WARM_UP = 4
const SAMPLES = QUICK ? 200 : 1_000

/** Wall-clock time in parts of a millisecond. Waits for the next whole one to find how the two clocks stand. */
function readFineClock(): () => number {
  const last = Date.now()
  let now = last
  while (now === last) now = Date.now()
  const offset = now - performance.now()
  return () => performance.now() + offset
}

/** How late a timer is on an idle loop, set the way the daemon sets its own. */
async function sampleTimer(): Promise<number[]> {
  const lags: number[] = []
  const fineNow = readFineClock()
  for (let n = 0; n < SAMPLES; n++) {
    const dueAt = Date.now() + 3 + (n % 11)
    await new Promise<void>(resolve => {
      systemClock.after(dueAt - Date.now(), resolve)
    })
    lags.push(fineNow() - dueAt)
  }
  return lags
}

async function sampleSync(path: string): Promise<number[]> {
  const fd = openSync(path, 'a')
  const line = Buffer.alloc(200, 'x')
  const times: number[] = []
  for (let n = 0; n < SAMPLES; n++) {
    const startedMs = performance.now()
    await new Promise<void>((resolve, reject) => {
      write(fd, line, error => {
        if (error) reject(error)
        else fdatasync(fd, failure => (failure ? reject(failure) : resolve()))
      })
    })
    times.push(performance.now() - startedMs)
  }
  closeSync(fd)
  return times
}

await inFolder(async folder => {
  const { journal } = await openJournal({ path: join(folder, 'state.jsonl'), now: systemClock.now })
  const definitions = manySchedules(SCHEDULES, n => `${Math.floor(n / TOGETHER)} * * * * *`)
  const { state, agenda } = stateOf(definitions, Date.now())
  const lags: number[] = []
  const done = Promise.withResolvers<void>()
  let fineNow = readFineClock()
  const loop = new Loop(
    { clock: systemClock, random: systemRandom, journal, state, agenda },
    {
      limits: { maxParallel: 3, maxTasks: 16 },
      tickMs: 1_000,
      isDiskFull: () => false,
      committed(events) {
        const now = fineNow()
        let seen = 0
        for (const event of events) {
          if (event.event !== 'schedule_enqueued') continue
          lags.push(now - Date.parse(String((event as { slot?: unknown }).slot)))
          seen += 1
        }
        // The clocks drift by less than this measures between two groups, not over all of them.
        if (seen > 0) fineNow = readFineClock()
        if (lags.length >= GROUPS * TOGETHER) done.resolve()
      },
      turned() {},
      fatal: done.reject,
    },
    definitions,
  )
  // Before and after: the probes must have met the same neighbours as the slots.
  const timers = await sampleTimer()
  const syncs = await sampleSync(join(folder, 'raw'))
  loop.admission = 'open'
  loop.ticking = true
  loop.start()
  await done.promise
  await loop.stop()
  await journal.close()
  timers.push(...(await sampleTimer()))
  syncs.push(...(await sampleSync(join(folder, 'raw'))))

  lags.splice(0, WARM_UP * TOGETHER)
  const limit = percentile(timers, 99) + 3 * percentile(syncs, 99)
  const lag = percentile(lags, 99)
  deliver({
    name: 'slot-lag',
    title: 'Slot lag',
    method: `${SCHEDULES.toLocaleString('en')} schedules, ${TOGETHER} due at the same instant, a second apart; ${lags.length.toLocaleString('en')} slots after a warm-up of ${WARM_UP} seconds; from the due instant to the moment at which \`schedule_enqueued\` is on disk. Probes: a timer on an idle loop and a write of 200 bytes with fdatasync, ${(SAMPLES * 2).toLocaleString('en')} of each, half before and half after.`,
    rows: [
      { what: 'slot lag, p50', value: percentile(lags, 50), unit: 'ms' },
      { what: 'slot lag, p99', value: lag, unit: 'ms', probe: limit, against: 'the goal below' },
      { what: 'slot lag, worst', value: percentile(lags, 100), unit: 'ms' },
      { what: 'timer lag, p99', value: percentile(timers, 99), unit: 'ms' },
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
