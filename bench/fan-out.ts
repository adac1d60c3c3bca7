// Fan-outs: what a client costs, from the request to `run_finished` on disk, with a thousand clients and with ten times as many.

import type { Dag } from '../src/core/dag/dag.ts'
import { NO_DEFINITIONS } from '../src/core/schedule/definitions.ts'
import type { Executor } from '../src/ports/executor.ts'
import { inFolder, median, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { onEventNamed, openDaemon } from './world.ts'

const ROUNDS = QUICK ? 2 : 7
const SIZES = QUICK ? [100, 400] : [1_000, 10_000]
const PARALLEL = 100
/** Linear is 1; the rest is noise, and the collector's. */
const GROWTH_MAX = 1.5

const [few, many] = SIZES as [number, number]

function fanOutOf(clients: number): Dag {
  return {
    name: `for_${clients}`,
    tenantId: 'bench',
    hash: `for-${clients}`,
    tasks: [
      {
        id: 'each',
        workflowRef: 'nothing',
        params: {},
        retries: 0,
        retryDelayMs: 1_000,
        backoff: 'fixed',
        dependsOn: [],
        fanOut: { source: { kind: 'directory', path: String(clients) }, exclude: [], parallel: PARALLEL },
      },
    ],
  }
}

/** Finds as many clients as the source says. */
const finder: Executor = {
  start: ({ fanOut }) => {
    const count = fanOut?.source.kind === 'directory' ? Number(fanOut.source.path) : 0
    const clients = Array.from({ length: count }, (_, at) => `client_${at}`)
    return { outcome: Promise.resolve({ kind: 'clients', clients }), cancel() {} }
  },
  adopt: () => ({ outcome: Promise.resolve({ kind: 'lost', reason: 'bench' }), cancel() {} }),
  close: () => Promise.resolve(),
}

await inFolder(async folder => {
  const dags = new Map(SIZES.map(size => [`for_${size}`, fanOutOf(size)]))
  const { daemon, close } = await openDaemon(folder, { ...NO_DEFINITIONS, dags }, { findClients: finder })
  const ended = new Map<string, () => void>()
  onEventNamed(daemon, 'run_finished', event => {
    const { run_id: runId, status } = event as unknown as { run_id: string; status: string }
    if (status !== 'success') throw new Error(`${runId} ended ${status}`)
    ended.get(runId.split('@')[0]!)?.()
  })

  /** Microseconds for a client. */
  async function round(size: number): Promise<number> {
    const end = new Promise<void>(resolve => ended.set(`for_${size}`, resolve))
    const startedMs = performance.now()
    await daemon.control.trigger({ dag: `for_${size}`, cause: 'library' })
    await end
    return ((performance.now() - startedMs) * 1_000) / size
  }

  const costs = new Map<number, number[]>(SIZES.map(size => [size, []]))
  await round(many)
  for (let n = 0; n < ROUNDS; n++) for (const size of SIZES) costs.get(size)!.push(await round(size))
  await close()

  const ofFew = median(costs.get(few)!)
  const ofMany = median(costs.get(many)!)
  deliver({
    name: 'fan-out',
    title: 'Fan-outs over clients',
    method: `A task whose executor answers at once, for ${few.toLocaleString('en')} and for ${many.toLocaleString('en')} clients, ${PARALLEL} at a time, on a whole daemon (journal, run index and feed behind it); from the request to \`run_finished\` on disk, in turns, median of ${ROUNDS}.`,
    rows: [
      { what: `a client of ${few.toLocaleString('en')}`, value: ofFew, unit: 'µs' },
      {
        what: `a client of ${many.toLocaleString('en')}`,
        value: ofMany,
        unit: 'µs',
        probe: ofFew,
        against: `a client of ${few.toLocaleString('en')}`,
      },
    ],
    goals: [
      {
        text: `a client costs about the same, however many there are: at most ${GROWTH_MAX} times as much among ten times as many`,
        isMet: ofMany <= ofFew * GROWTH_MAX,
        measured: `${formatNumber(ofMany / ofFew)} times`,
      },
    ],
  })
})
