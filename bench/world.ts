// What several benches need: definitions in memory, a state that knows them, a whole daemon on a real journal whose
// attempts end at once.

import { join } from 'node:path'
import { openBlobStore } from '../src/adapters/jsonl/blob-store.ts'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { readEvents } from '../src/adapters/jsonl/reader.ts'
import { createQueue } from '../src/adapters/p-queue/queue.ts'
import { createIndexFollower } from '../src/adapters/sqlite/follower.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { createTaskFeed } from '../src/adapters/task-feed/feed.ts'
import { Agenda } from '../src/core/planner/agenda.ts'
import type { Definitions } from '../src/core/schedule/definitions.ts'
import { timingFields } from '../src/core/schedule/timing.ts'
import { replay } from '../src/core/state-machine/checkpoint.ts'
import type { Event } from '../src/core/state-machine/event.ts'
import { evolve } from '../src/core/state-machine/evolve.ts'
import { emptyState, type State } from '../src/core/state-machine/state.ts'
import { formatInstant, type Instant } from '../src/core/time/instant.ts'
import { Daemon } from '../src/daemon/daemon.ts'
import type { Executor } from '../src/ports/executor.ts'
import { createWorker } from '../src/worker/worker.ts'
import { aDag, aSchedule, definitionsOf } from '../test/support/builders.ts'

/** A chain of three tasks that do nothing. */
export const NO_OP_DAG = aDag('noop', { first: [], second: ['first'], third: ['second'] })

/** @param cronOf the expression of the nth schedule */
export function manySchedules(count: number, cronOf: (n: number) => string): Definitions {
  const schedules = Array.from({ length: count }, (_, n) =>
    aSchedule(`schedule_${n}`, cronOf(n), NO_OP_DAG.name),
  )
  return definitionsOf([NO_OP_DAG], schedules)
}

/**
 * Six fields for groups of 500 of 10,000 schedules: each second one group is due, each schedule every 20 seconds.
 * @param n which schedule
 */
export function everySecondSomeGroup(n: number): string {
  const second = Math.floor(n / 500) % 20
  return `${second},${second + 20},${second + 40} * * * * *`
}

/** A state in which every schedule is registered and has decided everything up to `cursor`. */
export function stateOf(definitions: Definitions, cursor: Instant): { state: State; agenda: Agenda } {
  const state = emptyState()
  for (const { id, timing } of definitions.schedules.values()) {
    evolve(state, {
      timestamp: formatInstant(cursor),
      event: 'schedule_registered',
      seq: 0,
      schedule_id: id,
      cause: 'first_seen',
      cursor: formatInstant(cursor),
      ...timingFields(timing),
    })
  }
  const agenda = new Agenda()
  agenda.rebuild(definitions, state)
  return { state, agenda }
}

/** Ends every attempt at once, well. */
export const instantExecutor: Executor = {
  start: () => ({ outcome: Promise.resolve({ kind: 'ok', output: {} }), cancel() {} }),
  adopt: () => ({ outcome: Promise.resolve({ kind: 'ok', output: {} }), cancel() {} }),
  close: () => Promise.resolve(),
}

export interface DaemonOfBench {
  readonly daemon: Daemon
  readonly path: string
  close(): Promise<void>
}

/** A daemon on a real journal in `folder`, with the run index and the feed behind it, serving. */
export async function openDaemon(
  folder: string,
  definitions: Definitions,
  { limits = { maxParallel: 100, maxTasks: 200 }, findClients = instantExecutor } = {},
): Promise<DaemonOfBench> {
  const path = join(folder, 'state.jsonl')
  const state = emptyState()
  const { journal } = await openJournal({
    path,
    now: systemClock.now,
    onEvent: event => replay(state, event),
  })
  const read = (afterSeq: number) => readEvents(path, { afterSeq })
  const queue = createQueue({ concurrency: limits.maxTasks })
  const executors = { builtIn: new Map(), function: instantExecutor, findClients }
  const daemon = new Daemon(
    {
      clock: systemClock,
      random: systemRandom,
      journal,
      state,
      agenda: new Agenda(),
      source: {
        load: async () => ({ ok: true, definitions, warnings: [] }),
        loadDag: async () => ({ ok: false, problems: [] }),
        watch: async () => async () => {},
      },
      blobs: openBlobStore(path),
      probe: { ask: async () => ({ holds: true, saw: {} }) },
      notifier: { send: async () => ({ kind: 'sent' }) },
      createWorker: reports => createWorker({ queue, reports, executors, clock: systemClock }),
      followers: [
        createIndexFollower({
          file: join(folder, 'index.sqlite'),
          journalId: journal.journalId,
          readEvents: ({ afterSeq }) => read(afterSeq),
        }),
        createTaskFeed({ path: join(folder, 'events.jsonl'), headSeq: () => journal.lastSeq }),
      ],
      readEvents: read,
      release: () => journal.close(),
    },
    {
      mode: 'serve',
      pid: process.pid,
      host: 'bench',
      version: '0.0.0',
      statePath: path,
      drainTimeoutMs: 1_000,
      killGraceMs: 1_000,
      limits,
      tickMs: 1_000,
      isDiskFull: () => false,
      fatal: error => {
        throw error
      },
      note: (level, message) => process.stderr.write(`${level}: ${message}\n`),
    },
    definitions,
  )
  await daemon.open()
  const served = daemon.serve()
  return {
    daemon,
    path,
    close: async () => {
      await daemon.stop({ now: true, reason: 'the bench is done' })
      await served
    },
  }
}

/** Calls back for every durable event of one name. */
export function onEventNamed(daemon: Daemon, name: string, listener: (event: Event) => void): () => void {
  return daemon.onEvent(event => {
    if (event.event === name) listener(event)
  })
}
