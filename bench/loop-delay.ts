// How long the event loop is held under load: 500 slots due each second, 100 producers that record as fast as they are
// answered, runs that start and end, and the run index and the feed that follow all of it.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { inFolder, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { everySecondSomeGroup, manySchedules, onEventNamed, openDaemon } from './world.ts'

const LOAD_MS = QUICK ? 3_000 : 15_000
const PRODUCERS = 100
const RESOLUTION_MS = 1
const FIELDS = { event: 'deployed', version: '1.2.3', by: 'someone', note: 'x'.repeat(60) }

/** Percentiles of how late the loop comes round, beyond the interval at which it is asked. */
async function watch(work: () => Promise<unknown>): Promise<{ p50: number; p99: number; max: number }> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  await work()
  histogram.disable()
  const late = (ns: number) => Math.max(0, ns / 1_000_000 - RESOLUTION_MS)
  return {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
  }
}

await inFolder(async folder => {
  const definitions = manySchedules(10_000, everySecondSomeGroup)
  const idle = await watch(() => sleep(QUICK ? 1_000 : 3_000))
  const { daemon, close } = await openDaemon(folder, definitions)
  let enqueued = 0
  let finished = 0
  let recorded = 0
  onEventNamed(daemon, 'schedule_enqueued', () => {
    enqueued += 1
  })
  onEventNamed(daemon, 'run_finished', () => {
    finished += 1
  })
  const produce = async (untilMs: number) => {
    while (performance.now() < untilMs) {
      await daemon.control.record({ fields: FIELDS })
      recorded += 1
    }
  }
  const load = (ms: number) => {
    const untilMs = performance.now() + ms
    return Promise.all(Array.from({ length: PRODUCERS }, () => produce(untilMs)))
  }
  await load(1_000)
  enqueued = finished = recorded = 0
  const busy = await watch(() => load(LOAD_MS))
  const lag = (await daemon.control.status()).lag.index
  await close()
  if (enqueued === 0 || finished === 0) throw new Error('no slot was due or no run ended: that was no load')

  const seconds = LOAD_MS / 1_000
  deliver({
    name: 'loop-delay',
    title: 'Event loop under load',
    method: `${LOAD_MS / 1_000} s of load on a whole daemon: ${formatNumber(enqueued / seconds)} slots/s, ${formatNumber(finished / seconds)} runs/s of three tasks, ${formatNumber(recorded / seconds)} recorded events/s by ${PRODUCERS} producers, journal, run index and feed included. How late the loop came round, asked every ${RESOLUTION_MS} ms; the probe is an idle loop of the same process.`,
    rows: [
      { what: 'delay, p50', value: busy.p50, unit: 'ms', probe: idle.p50, against: 'idle' },
      { what: 'delay, p99', value: busy.p99, unit: 'ms', probe: idle.p99, against: 'idle' },
      { what: 'delay, worst', value: busy.max, unit: 'ms', probe: idle.max, against: 'idle' },
      { what: 'events that the run index had still to take at the end', value: lag, unit: 'events' },
    ],
    goals: [
      {
        text: 'p99 of the delay is at most 20 ms',
        isMet: busy.p99 <= 20,
        measured: `${formatNumber(busy.p99)} ms`,
      },
    ],
  })
})
