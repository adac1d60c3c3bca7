// `simulate` against the daemon itself: the same definitions, the same span, the same durations, compared event for event,
// timestamps, ids and `seq` included. The daemon is the real one, with its loop and its dispatcher, on a virtual clock.
//
// A month by default; DAGBOK_SIMULATE_DAYS=365 takes longer.

import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { loadDefinitions } from '../../src/compose.ts'
import { loadSettings } from '../../src/config.ts'
import { Agenda } from '../../src/core/planner/agenda.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { ROLL_CONVENTIONS } from '../../src/core/schedule/roll.ts'
import { type SimulatedAttempt, simulate, withoutNotifications } from '../../src/core/simulation/simulate.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { emptyState } from '../../src/core/state-machine/state.ts'
import { DAY_MS, type Instant } from '../../src/core/time/instant.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import type { AttemptKey, AttemptOutcome } from '../../src/ports/executor.ts'
import type { Commit, Journal } from '../../src/ports/journal.ts'
import type { Worker, WorkerReports } from '../../src/ports/worker.ts'
import { aDag, aSchedule, definitionsOf } from '../support/builders.ts'
import { Chance, hashText } from './chance.ts'
import { drawDefinitions } from './random-definitions.ts'
import { TurnPump } from './turn-pump.ts'
import { VirtualTime } from './virtual-clock.ts'

const LIMITS = { maxParallel: 3, maxTasks: 16 }
const DAYS = Number(process.env['DAGBOK_SIMULATE_DAYS'] ?? 31)

interface Span {
  readonly from: Instant
  readonly until: Instant
  readonly limits?: typeof LIMITS
  durationOf(attempt: SimulatedAttempt): number
}

/** Keeps nothing: what was committed is compared at once. */
class PassingJournal implements Journal {
  readonly journalId = 'passing'
  lastSeq = 0
  readonly activeBytes = 0
  readonly wantsRoll = false
  async append(commits: readonly Commit[]): Promise<void> {
    for (const commit of commits) for (const event of commit) event.seq = ++this.lastSeq
  }
  roll(): Promise<void> {
    return Promise.reject(new Error('this journal is never full'))
  }
  async close(): Promise<void> {}
}

/** Ends every attempt well after its duration, or at once when it is cancelled. */
function createTimedWorker(time: VirtualTime, reports: WorkerReports, { durationOf }: Span): Worker {
  const running = new Map<string, () => void>()
  const textOf = ({ runId, taskId, attempt }: AttemptKey) => `${runId}\n${taskId}\n${attempt}`
  const finish = (owner: object, key: AttemptKey, afterMs: number, outcome: AttemptOutcome) => {
    const callOff = time.after(owner, afterMs, () => {
      running.delete(textOf(key))
      reports.finished(key, outcome, afterMs)
    })
    running.set(textOf(key), callOff)
  }
  return {
    get running() {
      return running.size
    },
    start({ runId, dagName, taskId, attempt }) {
      const durationMs = durationOf({ runId, dagName, taskId, attempt })
      finish(this, { runId, taskId, attempt }, durationMs, { kind: 'ok', output: {} })
    },
    adopt() {
      throw new Error('nothing ran before')
    },
    cancel(key, reason) {
      running.get(textOf(key))?.()
      finish(this, key, 0, { kind: 'cancelled', reason })
    },
    async close() {},
  }
}

/** Drives a daemon through the span; hands over each of its events. */
async function drive(definitions: Definitions, span: Span, see: (event: Event) => void): Promise<void> {
  const time = new VirtualTime(span.from)
  const clock = time.clockFor({})
  const pump = new TurnPump()
  const release = pump.install()
  const settle = async () => {
    do {
      pump.runWaiting()
      await pump.settleMicrotasks()
    } while (pump.waiting > 0)
  }
  try {
    const daemon = new Daemon(
      {
        clock,
        random: {
          next: () => {
            throw new Error('nothing is drawn where nothing fails')
          },
        },
        journal: new PassingJournal(),
        state: emptyState(),
        agenda: new Agenda(),
        source: {
          load: async () => ({ ok: true, definitions, warnings: [] }),
          loadDag: () => Promise.reject(new Error('nobody asks for a file')),
          watch: async () => async () => {},
        },
        blobs: {
          put: () => Promise.reject(new Error('no blobs')),
          get: () => Promise.reject(new Error('no blobs')),
        },
        probe: { ask: async () => ({ holds: true, saw: { assumed: true } }) },
        notifier: { send: async () => ({ kind: 'sent' }) },
        createWorker: reports => createTimedWorker(time, reports, span),
        followers: [],
        readEvents: async function* () {},
        release: async () => {},
      },
      {
        mode: 'serve',
        pid: 1,
        host: 'h',
        version: '0',
        statePath: '/none',
        drainTimeoutMs: 1_000,
        killGraceMs: 1_000,
        limits: span.limits ?? LIMITS,
        // The longest sleep: what is due wakes it exactly, so a long one only saves empty turns.
        tickMs: 3_600_000,
        isDiskFull: () => false,
        fatal: error => {
          throw error
        },
        note: () => {},
      },
      definitions,
    )
    daemon.onEvent(see)
    void daemon.open().then(() => daemon.serve())
    await settle()
    for (let next = time.nextTimerMs; next !== undefined; next = time.nextTimerMs) {
      time.pass(next - time.monotonicMs)
      if (time.wallMs >= span.until) return
      time.fireDue()
      await settle()
    }
  } finally {
    release()
  }
}

/** Events of the daemon that a simulation has none of: those of its process. */
const OF_THE_PROCESS = new Set(['segment_opened', 'scheduler_started'])

interface Comparison {
  readonly counts: ReadonlyMap<string, number>
  /** The first event that is not the same on both sides. */
  readonly difference: { daemon: unknown; simulated: unknown } | undefined
}

async function compare(definitions: Definitions, span: Span, simulatedSpan = span): Promise<Comparison> {
  const simulated = simulate(definitions, { limits: LIMITS, ...simulatedSpan })
  const counts = new Map<string, number>()
  let before = 0
  let difference: Comparison['difference']
  await drive(definitions, span, event => {
    if (OF_THE_PROCESS.has(event.event)) {
      before += 1
      return
    }
    if (difference !== undefined) return
    const daemon = JSON.stringify({ ...event, seq: event.seq - before })
    const { value } = simulated.next()
    if (JSON.stringify(value) !== daemon) difference = { daemon: JSON.parse(daemon), simulated: value }
    counts.set(event.event, (counts.get(event.event) ?? 0) + 1)
  })
  if (difference === undefined) {
    const { value } = simulated.next()
    if (value !== undefined) difference = { daemon: undefined, simulated: value }
  }
  return { counts, difference }
}

/** A length that is a function of the attempt, so that both sides get the same. */
function drawnDuration(seed: number, longestMs: number) {
  return ({ runId, taskId, attempt }: SimulatedAttempt) =>
    hashText(`${seed} ${runId} ${taskId} ${attempt}`) % longestMs
}

test(`the example schedules: ${DAYS} days, event for event`, { timeout: 1_800_000 }, async () => {
  const root = resolve(import.meta.dirname, '../..')
  const { settings } = await loadSettings({ flags: { root }, env: {}, cwd: root })
  const loaded = await loadDefinitions(settings)
  if (!loaded.ok) throw new Error('the examples are broken')
  // March has the clock changes of New York and Berlin; what is switched off among the examples takes part as well.
  const from = Date.UTC(2026, 2, 1, 0, 0, 30)
  const { schedules } = loaded.definitions
  const all = new Map([...schedules].map(([id, schedule]) => [id, { ...schedule, enabled: true }]))
  const { counts, difference } = await compare(
    { ...loaded.definitions, schedules: all },
    {
      from,
      until: from + DAYS * DAY_MS,
      // Up to 4 minutes a task: chains overlap with their next slot, and runs wait for room.
      durationOf: drawnDuration(1, 240_000),
    },
  )
  expect(difference).toBeUndefined()
  expect(counts.get('schedule_enqueued')).toBeGreaterThan(DAYS * 300)
  expect(counts.get('schedule_skipped')).toBeGreaterThan(DAYS * 10)
})

test('drawn definitions of every policy, with attempts of no length and of hours', async () => {
  let skipped = 0
  let cancelled = 0
  for (let seed = 1; seed <= 40; seed++) {
    const definitions = withoutNotifications(drawDefinitions(new Chance(`simulate ${seed}`)))
    const from = Date.UTC(2026, 0, 5, 5, 58, 30) + seed * 7_919_000
    const { counts, difference } = await compare(definitions, {
      from,
      until: from + 2 * DAY_MS,
      limits: { maxParallel: 1 + (seed % 4), maxTasks: 1 + (seed % 3) },
      durationOf: drawnDuration(seed, [1, 1_000, 120_000, 7_200_000][seed % 4]!),
    })
    expect(difference, `seed ${seed}`).toBeUndefined()
    skipped += counts.get('schedule_skipped') ?? 0
    cancelled += counts.get('task_cancelled') ?? 0
  }
  expect(skipped).toBeGreaterThan(100)
  expect(cancelled).toBeGreaterThan(10)
})

test('rolled slots, two of them at one instant', async () => {
  const definitions = definitionsOf(
    [aDag('d', { a: [] })],
    ROLL_CONVENTIONS.map((convention, index) =>
      aSchedule(convention, `30 ${index} * * *`, 'd', {
        timing: {
          crons: [`30 ${index} * * *`, '30 2 1,30,31 * *'],
          timezone: 'Europe/Berlin',
          roll: {
            convention,
            calendar: 'office',
            days: {
              weekend: ['SUN', 'SAT'],
              rules: [{ easter: -2 }, { easter: 1 }],
              workdays: ['2026-03-29'],
            },
          },
        },
      }),
    ),
  )
  const from = Date.parse('2026-03-20T06:00Z')
  const span = { from, until: from + 50 * DAY_MS, durationOf: () => 60_000 }
  const { counts, difference } = await compare(definitions, span)
  expect(difference).toBeUndefined()
  expect(counts.get('schedule_enqueued')).toBeGreaterThan(100)
})

test('slots and ends at one instant: what is due comes first', async () => {
  const definitions = definitionsOf(
    [aDag('d', { a: [], b: ['a'], c: ['a'] })],
    [
      aSchedule('skips', '* * * * *', 'd'),
      aSchedule('queues', '* * * * *', 'd', { overlap: 'queue' }),
      aSchedule('seconds', '*/30 * * * * *', 'd', { overlap: 'allow' }),
    ],
  )
  const from = Date.UTC(2026, 0, 5, 6, 0, 0)
  for (const durationMs of [0, 30_000, 60_000]) {
    const span = { from, until: from + 3_600_000, durationOf: () => durationMs }
    expect((await compare(definitions, span)).difference).toBeUndefined()
  }
})

test('the comparison sees a millisecond, and an event too few', async () => {
  const definitions = definitionsOf([aDag('d', { a: [] })], [aSchedule('s', '* * * * *', 'd')])
  const from = Date.UTC(2026, 0, 5, 6, 0, 0)
  const span = { from, until: from + 600_000, durationOf: () => 1_000 }
  const longer = await compare(definitions, span, { ...span, durationOf: () => 1_001 })
  expect(longer.difference?.daemon).toMatchObject({ event: 'task_ok', duration_ms: 1_000 })
  expect(longer.difference?.simulated).toMatchObject({ event: 'task_ok', duration_ms: 1_001 })
  const further = await compare(definitions, span, { ...span, until: span.until + 60_000 })
  expect(further.difference).toMatchObject({ daemon: undefined, simulated: { event: 'schedule_enqueued' } })
})

test('an empty span and an empty set', () => {
  const options = { from: 1_000, until: 1_000, limits: LIMITS, durationOf: () => 1 }
  expect([...simulate(definitionsOf([]), options)]).toEqual([])
  const loaded = [...simulate(definitionsOf([]), { ...options, until: 2_000 })]
  expect(loaded.map(({ event, seq }) => [event, seq])).toEqual([['definitions_loaded', 1]])
})
