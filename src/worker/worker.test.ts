// The worker: the right executor, one report each, and an end for what still waits.

import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryExecutor, type MemoryExecutor, type ScriptedStep } from '../adapters/memory/executor.ts'
import { createQueue } from '../adapters/p-queue/queue.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptSpec, Executor } from '../ports/executor.ts'
import type { Worker } from '../ports/worker.ts'
import { createWorker } from './worker.ts'

/** Time stands still until `pass` moves it. */
function createManualClock(): Clock & { pass(ms: number): Promise<void> } {
  let nowMs = 0
  const timers = new Set<{ atMs: number; wake: () => void }>()
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, wake) {
      const timer = { atMs: nowMs + delayMs, wake }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async pass(ms) {
      nowMs += ms
      for (const timer of [...timers].sort((a, b) => a.atMs - b.atMs))
        if (timer.atMs <= nowMs && timers.delete(timer)) timer.wake()
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

const IDENTITY = { pid: 42, startTicks: 7, bootId: 'boot' }

describe('worker', () => {
  let clock: ReturnType<typeof createManualClock>
  type Name = 'shell' | 'http' | 'function' | 'findClients'
  let executors: Record<Name, MemoryExecutor>
  let worker: Worker
  let reports: unknown[][]
  let script: (spec: AttemptSpec) => ScriptedStep
  beforeEach(() => {
    clock = createManualClock()
    script = () => ({ afterMs: 100 })
    const make = () =>
      createMemoryExecutor({ clock, script: spec => script(spec), afterRestart: spec => script(spec) })
    executors = { shell: make(), http: make(), function: make(), findClients: make() }
    reports = []
    worker = create(executors)
  })
  const create = ({ shell, http, function: other, findClients }: Record<Name, Executor>) =>
    createWorker({
      queue: createQueue({ concurrency: 2 }),
      executors: {
        builtIn: new Map([
          ['shell', shell],
          ['http', http],
        ]),
        function: other,
        findClients,
      },
      clock,
      reports: {
        spawned: (key, identity) => reports.push(['spawned', key.taskId, identity.pid]),
        adopted: (key, pid) => reports.push(['adopted', key.taskId, pid]),
        finished: (key, outcome, durationMs) =>
          reports.push(['finished', key.taskId, outcome.kind, durationMs]),
      },
    })
  const spec = (taskId: string, workflowRef = 'shell'): AttemptSpec => ({
    runId: 'r',
    taskId,
    attempt: 1,
    dagName: 'd',
    tenantId: 'local-dev',
    workflowRef,
    params: {},
    env: {},
    logicalDate: '2026-01-05T06:00Z',
  })
  const turn = () => clock.pass(0)

  test('shell and http are built in, everything else is a function; clients are found by their own', async () => {
    script = () => ({})
    worker.start(spec('a', 'shell'))
    worker.start(spec('b', 'http'))
    worker.start(spec('c', 'weekly_report_pack'))
    await turn()
    const source = { kind: 'directory', path: 'clients' } as const
    worker.start({ ...spec('d', 'shell'), fanOut: { source, exclude: [], parallel: 1 } })
    await clock.pass(0)
    await turn()
    const started = Object.values(executors).map(({ started }) => started.map(({ taskId }) => taskId))
    expect(started).toEqual([['a'], ['b'], ['c'], ['d']])
  })

  test('runs as many at once as the queue allows, in order, each reported once', async () => {
    for (const id of ['a', 'b', 'c']) worker.start(spec(id))
    await turn()
    expect(executors.shell.started.map(({ taskId }) => taskId)).toEqual(['a', 'b'])
    expect(worker.running).toBe(3)
    await clock.pass(100)
    await clock.pass(100)
    expect(reports).toEqual([
      ['finished', 'a', 'ok', 100],
      ['finished', 'b', 'ok', 100],
      ['finished', 'c', 'ok', 100],
    ])
    expect(worker.running).toBe(0)
  })

  test('the process is reported before the end', async () => {
    script = () => ({ afterMs: 10, identity: IDENTITY })
    worker.start(spec('a'))
    await clock.pass(10)
    await clock.pass(10)
    expect(reports).toEqual([
      ['spawned', 'a', 42],
      ['finished', 'a', 'ok', 10],
    ])
  })

  test('the same attempt twice is one', async () => {
    worker.start(spec('a'))
    worker.start(spec('a'))
    worker.adopt(spec('a'), undefined)
    await clock.pass(100)
    await clock.pass(100)
    expect(executors.shell.started).toHaveLength(1)
    expect(executors.shell.adopted).toHaveLength(0)
    expect(reports).toHaveLength(1)
  })

  test('adoption takes no place in the line', async () => {
    worker.start(spec('a'))
    worker.start(spec('b'))
    worker.adopt(spec('c'), IDENTITY)
    await turn()
    expect(executors.shell.adopted.map(({ taskId }) => taskId)).toEqual(['c'])
    await clock.pass(100)
    expect(reports).toContainEqual(['adopted', 'c', 42])
    expect(reports).toContainEqual(['finished', 'c', 'ok', 100])
  })

  test('a cancelled one that waits never starts; one that runs is ended; a stranger is ignored', async () => {
    script = () => ({ afterMs: Infinity })
    for (const id of ['a', 'b', 'c']) worker.start(spec(id))
    await turn()
    worker.cancel(spec('c'), 'no', 1_000)
    worker.cancel(spec('a'), 'no', 1_000)
    worker.cancel(spec('nobody'), 'no', 1_000)
    await turn()
    expect(reports).toEqual([
      ['finished', 'c', 'cancelled', 0],
      ['finished', 'a', 'cancelled', 0],
    ])
    expect(executors.shell.started.map(({ taskId }) => taskId)).toEqual(['a', 'b'])
    worker.cancel(spec('b'), 'no', 0)
    await turn()
    expect(worker.running).toBe(0)
  })

  test('an executor that throws fails its own attempt', async () => {
    const throwing: Executor = {
      start: () => {
        throw new Error('out of order')
      },
      adopt: () => ({ outcome: Promise.reject(new Error('out of order')), cancel: () => {} }),
      close: async () => {},
    }
    worker = create({ ...executors, http: throwing })
    script = () => ({})
    worker.start(spec('a', 'http'))
    worker.adopt(spec('b', 'http'), undefined)
    worker.start(spec('c'))
    await turn()
    expect(reports.map(report => report.slice(1, 3))).toEqual([
      ['a', 'failed'],
      ['b', 'failed'],
      ['c', 'ok'],
    ])
  })

  test('a closed one reports nothing more', async () => {
    for (const id of ['a', 'b', 'c']) worker.start(spec(id))
    await turn()
    await worker.close()
    worker.cancel(spec('a'), 'late', 0)
    await clock.pass(100)
    expect(reports).toEqual([])
    expect(executors.shell.started).toHaveLength(2)
  })
})
