// A process to be measured by plan-due.ts: compiles so many expressions, then lets the daemon's loop go through minutes at which
// 5 % of as many schedules are due. Says over IPC what that took, and ends.
//
// The loop is the daemon's own. Its journal is in memory, so that the time is that of deciding; it answers in a later turn of
// the event loop, as a disk does. The clock is moved to the minute by hand, both clocks together.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { MemoryJournal } from '../src/adapters/memory/journal.ts'
import { compileCron } from '../src/core/cron/compile.ts'
import type { CronSchedule } from '../src/core/cron/cron.ts'
import { HOUR_MS, type Instant, MINUTE_MS } from '../src/core/time/instant.ts'
import { Loop } from '../src/daemon/loop.ts'
import type { PunctualClock } from '../src/ports/clock.ts'
import type { Commit } from '../src/ports/journal.ts'
import { aSchedule, definitionsOf } from '../test/support/builders.ts'
import { QUICK } from './measure.ts'
import { NO_OP_DAG, stateOf } from './world.ts'

const SCHEDULES = Number(process.argv[2])
/** Every 20th schedule is due at each measured minute. */
const GROUPS = 20
const ROUNDS = QUICK ? 3 : 9
const BEGIN = Date.parse('2026-01-05T05:30:00Z')
const FIRST_DUE = Date.parse('2026-01-05T06:00:00Z')
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata']

/** What it says. */
export interface Planned {
  readonly compiled: { readonly seconds: number; readonly bytes: number }
  readonly buildSeconds: number
  /** Of each minute: until the last decision was durable, and each turn of the event loop until then. */
  readonly seconds: readonly number[]
  readonly turnsMs: readonly (readonly number[])[]
  /** Of each minute: the processor time of its most expensive turn, without what other processes took. */
  readonly busiestMs: readonly number[]
  readonly zones: number
}

/** All different, in four zones. */
function distinctCron(n: number): [cron: string, zone: string] {
  const minute = n % 60
  const hour = Math.floor(n / 60) % 24
  const day = 1 + (Math.floor(n / 1440) % 28)
  const month = 1 + (Math.floor(n / 40_320) % 12)
  return [`${minute} ${hour} ${day} ${month} *`, ZONES[Math.floor(n / 483_840) % ZONES.length]!]
}

/** Group g is due in minute g of hours 6 to 7, each time for other reasons; the groups beyond the measured ones later. */
function groupedCron(n: number): string {
  const group = n % GROUPS
  if (group > ROUNDS) return `${n % 60} ${8 + (n % 16)} ${1 + (n % 28)} * *`
  const kind = Math.floor(n / GROUPS) % 4
  if (kind === 0) return `${group} * * * *`
  if (kind === 1) return `${group} 6 * * *`
  if (kind === 2) return `${group},${group + 30} 6-18/2 * * MON-FRI`
  return `${group} 6,${8 + (n % 12)} * * *`
}

function collectedHeap(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function compileMany(): { seconds: number; bytes: number } {
  const before = collectedHeap()
  const startedMs = performance.now()
  const compiled: CronSchedule[] = []
  for (let n = 0; n < SCHEDULES; n++) {
    const schedule = compileCron(...distinctCron(n))
    if (schedule.next(BEGIN) === undefined) throw new Error('a schedule is never due')
    compiled.push(schedule)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const bytes = collectedHeap() - before
  if (compiled.length !== SCHEDULES) throw new Error('not all were compiled')
  return { seconds, bytes }
}

/** Durable in a later turn of the event loop, as on a disk. */
class LaterJournal extends MemoryJournal {
  override async append(commits: readonly Commit[]): Promise<void> {
    await super.append(commits)
    await nextTurn()
  }
}

/** Stands where it is put; both clocks go on from there together, so that no jump is seen. */
class MovedClock implements PunctualClock {
  #aheadMs = 0

  now(): Instant {
    return Math.floor(BEGIN + this.monotonicMs())
  }

  monotonicMs(): number {
    return performance.now() - originMs + this.#aheadMs
  }

  moveTo(instant: Instant): void {
    this.#aheadMs += instant - this.now()
  }

  after(delayMs: number, wake: () => void): () => void {
    const timer = setTimeout(wake, delayMs)
    return () => clearTimeout(timer)
  }

  at(instant: Instant, wake: () => void): () => void {
    return this.after(instant - this.now(), wake)
  }
}

const originMs = performance.now()

/** The time between two turns of the event loop, each, until `work` is done, and the most processor time of one. */
async function watchTurns(work: Promise<unknown>): Promise<{ turnsMs: number[]; busiestMs: number }> {
  const turnsMs: number[] = []
  let busiestMs = 0
  let lastCpu = process.threadCpuUsage()
  let isDone = false
  void work.finally(() => {
    isDone = true
  })
  for (let lastMs = performance.now(); !isDone; ) {
    await nextTurn()
    const nowMs = performance.now()
    turnsMs.push(nowMs - lastMs)
    const { user, system } = process.threadCpuUsage(lastCpu)
    lastCpu = process.threadCpuUsage()
    busiestMs = Math.max(busiestMs, (user + system) / 1_000)
    lastMs = nowMs
  }
  return { turnsMs, busiestMs }
}

const compiled = compileMany()

const buildStartedMs = performance.now()
const schedules = Array.from({ length: SCHEDULES }, (_, n) =>
  aSchedule(`schedule_${n}`, groupedCron(n), NO_OP_DAG.name, { overlap: 'allow' }),
)
const definitions = definitionsOf([NO_OP_DAG], schedules)
const { state, agenda } = stateOf(definitions, BEGIN)
const buildSeconds = (performance.now() - buildStartedMs) / 1_000

const clock = new MovedClock()
const journal = new LaterJournal({ now: () => clock.now(), segmentBytes: Number.MAX_SAFE_INTEGER })
let decided = 0
let whenDecided: { count: number; resolve: () => void } | undefined
const loop = new Loop(
  { clock, random: { next: () => 0.5 }, journal, state, agenda },
  {
    limits: { maxParallel: 3, maxTasks: 16 },
    tickMs: 2 * HOUR_MS,
    isDiskFull: () => false,
    committed(events) {
      for (const { event } of events) if (event === 'schedule_enqueued') decided++
      if (whenDecided !== undefined && decided >= whenDecided.count) whenDecided.resolve()
    },
    turned() {},
    fatal(error) {
      throw error
    },
  },
  definitions,
)
loop.ticking = true
loop.admission = 'open'
loop.start()

const seconds: number[] = []
const turnsMs: number[][] = []
const busiestMs: number[] = []
const perRound = SCHEDULES / GROUPS
for (let round = 0; round <= ROUNDS; round++) {
  decided = 0
  const done = new Promise<void>(resolve => {
    whenDecided = { count: perRound, resolve }
  })
  clock.moveTo(FIRST_DUE + round * MINUTE_MS)
  const startedMs = performance.now()
  loop.wake()
  const watched = await watchTurns(done)
  // The first round warms up and does not count.
  if (round > 0) {
    seconds.push((performance.now() - startedMs) / 1_000)
    turnsMs.push(watched.turnsMs)
    busiestMs.push(watched.busiestMs)
  }
  await nextTurn()
  if (decided !== perRound) throw new Error(`${decided} slots were decided, not ${perRound}`)
}
await loop.stop()
process.send?.({ compiled, buildSeconds, seconds, turnsMs, busiestMs, zones: ZONES.length } satisfies Planned)
