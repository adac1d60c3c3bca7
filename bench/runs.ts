// Runs: how many a second, from the request to `run_finished` on disk, of a chain of three tasks that do nothing.

import { closeSync, fdatasync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { NO_DEFINITIONS } from '../src/core/schedule/definitions.ts'
import { inFolder, median, QUICK } from './measure.ts'
import { deliver } from './report.ts'
import { NO_OP_DAG, onEventNamed, openDaemon } from './world.ts'

const ROUNDS = QUICK ? 3 : 7
const RUNS = QUICK ? 300 : 1_000
/** Requests under way at once: more than SCHED_MAX_PARALLEL would let start together in a default setting. */
const TOGETHER = 100
const TASKS = NO_OP_DAG.tasks.length

async function syncsPerSecond(path: string): Promise<number> {
  const fd = openSync(path, 'a')
  const line = Buffer.alloc(200, 'x')
  const startedMs = performance.now()
  for (let n = 0; n < 500; n++) {
    await new Promise<void>((resolve, reject) => {
      write(fd, line, error => {
        if (error) reject(error)
        else fdatasync(fd, failure => (failure ? reject(failure) : resolve()))
      })
    })
  }
  closeSync(fd)
  return 500 / ((performance.now() - startedMs) / 1_000)
}

await inFolder(async folder => {
  const { daemon, close } = await openDaemon(folder, {
    ...NO_DEFINITIONS,
    dags: new Map([[NO_OP_DAG.name, NO_OP_DAG]]),
  })
  let finished = 0
  let told: (() => void) | undefined
  let failed = 0
  onEventNamed(daemon, 'run_finished', event => {
    finished += 1
    if ((event as { status?: unknown }).status !== 'success') failed += 1
    told?.()
  })

  async function round(together: number, runs: number): Promise<number> {
    finished = 0
    const startedMs = performance.now()
    let asked = 0
    const all = Promise.withResolvers<void>()
    const ask = () => {
      if (finished >= runs) all.resolve()
      if (asked >= runs) return
      asked += 1
      daemon.control.trigger({ dag: NO_OP_DAG.name, cause: 'library' }).catch(all.reject)
    }
    told = ask
    for (let n = 0; n < together; n++) ask()
    await all.promise
    return runs / ((performance.now() - startedMs) / 1_000)
  }

  const alone: number[] = []
  const many: number[] = []
  const syncs: number[] = []
  await round(TOGETHER, RUNS)
  for (let n = 0; n < ROUNDS; n++) {
    syncs.push(await syncsPerSecond(join(folder, 'raw')))
    alone.push(await round(1, RUNS / 10))
    many.push(await round(TOGETHER, RUNS))
  }
  await close()
  if (failed > 0) throw new Error(`${failed} runs did not succeed`)

  // One after the other: requested, started with its first task, two more tasks, finished: a sync for each task and one.
  const syncsPerRun = TASKS + 1
  deliver({
    name: 'runs',
    title: 'Runs of a DAG that does nothing',
    method: `A chain of ${TASKS} tasks whose executor answers at once, on a whole daemon (journal, run index and feed behind it); ${RUNS.toLocaleString('en')} runs a round, median of ${ROUNDS}. The probe of one at a time is how many of its ${syncsPerRun} syncs the disk does in a row.`,
    rows: [
      {
        what: 'one at a time',
        value: median(alone),
        unit: 'runs/s',
        probe: median(syncs) / syncsPerRun,
        against: `${syncsPerRun} fdatasync in a row`,
      },
      { what: `${TOGETHER} at a time`, value: median(many), unit: 'runs/s' },
      { what: `${TOGETHER} at a time`, value: median(many) * TASKS, unit: 'tasks/s' },
    ],
    goals: [],
  })
})
