// Arrivals: one run for what is there, none for what is not, another try after a failure, later each time.

import { beforeEach, describe, expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../test/support/builders.ts'
import { DeciderWorld } from '../../test/support/decider-world.ts'
import type { Dag } from '../core/dag/dag.ts'
import type { InputStage, StageFile } from '../core/stage/stage.ts'
import { isCandidate } from '../core/stage/stage-files.ts'
import type { AttemptResult } from '../core/state-machine/command.ts'
import type { Clock } from '../ports/clock.ts'
import { Arrivals } from './arrivals.ts'

const STAGE: InputStage = {
  name: 'external_input_files',
  location: { kind: 'directory', path: 'in' },
  order: 'oldest',
  maxFiles: 100,
  stableForMs: 2_000,
}

const DAG: Dag = {
  ...aDag('orders', { poll: [], work: ['poll'] }),
  manifest: {
    mode: 'triggered',
    stages: [STAGE],
    triggers: { onArrival: true, afterRuns: [] },
    environment: 'default',
  },
}

class ManualClock implements Pick<Clock, 'now' | 'after' | 'monotonicMs'> {
  readonly #world: DeciderWorld
  readonly #timers = new Set<{ at: number; wake: () => void }>()
  constructor(world: DeciderWorld) {
    this.#world = world
  }
  now = () => this.#world.now
  monotonicMs = () => this.#world.now
  after = (delayMs: number, wake: () => void) => {
    const timer = { at: this.#world.now + delayMs, wake }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
  async pass(ms: number): Promise<void> {
    const end = this.#world.now + ms
    for (;;) {
      await new Promise(resolve => setImmediate(resolve))
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#world.now = Math.max(this.#world.now, next.at)
      next.wake()
    }
    this.#world.now = end
  }
}

describe('arrivals', () => {
  let world: DeciderWorld
  let clock: ManualClock
  let arrivals: Arrivals
  let there: { key: string; version: string }[]
  let waiting: number
  let looks: number
  let notes: string[]
  let trouble: Error | undefined
  /** Stages with this `maxFiles` cannot be read. */
  let unreadable: number | undefined
  let changed: () => void
  /** Set: listings answer when it is resolved. */
  let slow: PromiseWithResolvers<void> | undefined
  /** When the watcher is ready. */
  let watching: PromiseWithResolvers<void>

  beforeEach(() => {
    world = new DeciderWorld(definitionsOf([DAG]), '2026-01-05T06:00:00.000Z').boot()
    clock = new ManualClock(world)
    there = []
    waiting = 0
    looks = 0
    notes = []
    trouble = undefined
    unreadable = undefined
    slow = undefined
    watching = Promise.withResolvers()
    arrivals = new Arrivals({
      state: world.state,
      clock,
      random: { next: () => 0.5 },
      definitions: () => world.definitions,
      sources: {
        resolve: path => `/root/${path}`,
        watch: async (_paths, call) => {
          changed = call
          await watching.promise
          return { add: () => {}, close: async () => {} }
        },
        stages: {
          list: async (stage, tracking) => {
            looks += 1
            if (stage.maxFiles === unreadable) throw new Error('it cannot be read')
            if (trouble !== undefined) throw trouble
            const files = there.filter(({ key, version }) => tracking.isCandidate(key, version))
            await slow?.promise
            return { files: files as StageFile[], more: 0, waiting, gone: [] }
          },
        },
        streams: { read: () => Promise.reject(new Error('no stream')), hasMore: async () => false },
      },
      submit: async command => {
        for (const event of world.when(command)) arrivals.heard(event)
      },
      note: (_, message) => notes.push(message),
    })
    arrivals.sync()
  })

  const runs = () => [...world.state.runs.keys()]

  function end(taskId: string, result: AttemptResult): void {
    for (const event of world.end(runs()[0]!, taskId, result)) arrivals.heard(event)
  }

  function takeAll(): void {
    const tracked = world.state.stages.get(`orders/${STAGE.name}`)
    const files = there.filter(file => isCandidate(tracked, file))
    const taken = { kind: 'files', stage: STAGE.name, files, gone: [] } as const
    end('poll', { kind: 'ok', output: {}, taken })
  }

  test('nothing there: it looks now and then, and asks for nothing', async () => {
    await clock.pass(0)
    expect([looks, runs()]).toEqual([1, []])
    await clock.pass(60_000)
    expect([looks, runs()]).toEqual([3, []])
  })

  test('a burst of files is one run; what came meanwhile is the next one’s', async () => {
    there = [
      { key: 'a', version: '1' },
      { key: 'b', version: '1' },
    ]
    await clock.pass(0)
    expect(runs()).toEqual([expect.stringMatching(/^orders@arrival-[0-9A-Z]{26}$/)])
    takeAll()
    there.push({ key: 'c', version: '1' })
    changed()
    await clock.pass(60_000)
    expect(runs()).toHaveLength(1)
    end('work', { kind: 'ok', output: {} })
    await clock.pass(0)
    expect(runs()).toHaveLength(1)
    takeAll()
    expect(world.state.stages.get('orders/external_input_files')?.get('c')?.held).toBeDefined()
  })

  test('what changes while it looks is looked at again at once', async () => {
    slow = Promise.withResolvers<void>()
    await clock.pass(0)
    there = [{ key: 'a', version: '1' }]
    changed()
    slow.resolve()
    await clock.pass(0)
    expect([looks, runs()]).toEqual([2, [expect.stringMatching(/^orders@arrival-/)]])
  })

  test('what came before anybody watched is seen when somebody does', async () => {
    await clock.pass(0)
    expect(looks).toBe(1)
    there = [{ key: 'a', version: '1' }]
    watching.resolve()
    await clock.pass(0)
    expect(runs()).toHaveLength(1)
  })

  test('a file that may still be written is looked at again when it may not', async () => {
    waiting = 1
    await clock.pass(1_999)
    expect(looks).toBe(1)
    await clock.pass(1)
    expect(looks).toBe(2)
  })

  test('after a run that failed it waits, longer each time', async () => {
    there = [{ key: 'poison', version: '1' }]
    const tries: number[] = []
    for (let failure = 0; failure < 4; failure++) {
      const before = world.now
      while (runs().length === 0) await clock.pass(100)
      tries.push(world.now - before)
      takeAll()
      end('work', { kind: 'failed', error: { kind: 'threw', message: 'boom' } })
      changed()
    }
    expect(tries.map(ms => Math.round(ms / 1_000))).toEqual([0, 1, 2, 4])
  })

  test('while everything is paused nothing is triggered; afterwards at once', async () => {
    there = [{ key: 'a', version: '1' }]
    world.when({ type: 'pause', reason: 'audit' })
    world.now += 1
    await clock.pass(60_000)
    expect(runs()).toEqual([])
    for (const event of world.when({ type: 'resume', reason: 'done' })) arrivals.heard(event)
    await clock.pass(0)
    expect(runs()).toHaveLength(1)
  })

  test('a stage that cannot be read is said once, and tried again', async () => {
    trouble = new Error('no such folder')
    await clock.pass(100_000)
    expect(notes).toEqual(['arrivals for orders cannot be seen, it is tried again: no such folder'])
    trouble = undefined
    there = [{ key: 'a', version: '1' }]
    await clock.pass(30_000)
    expect(runs()).toHaveLength(1)
  })

  test('once: each is looked at, and one that cannot be read keeps no other from its run', async () => {
    const other: Dag = { ...DAG, name: 'others', hash: 'others' }
    world.use(
      definitionsOf([{ ...DAG, manifest: { ...DAG.manifest!, stages: [{ ...STAGE, maxFiles: 7 }] } }, other]),
    )
    there = [{ key: 'a', version: '1' }]
    unreadable = 7
    await arrivals.lookOnce()
    expect(runs()).toEqual([expect.stringMatching(/^others@arrival-/)])
    expect(notes).toEqual(['arrivals for orders cannot be seen, it is tried again: it cannot be read'])
  })

  test('a DAG that is gone from the definitions is looked after no more', async () => {
    await clock.pass(0)
    world.use(definitionsOf([]))
    arrivals.sync()
    there = [{ key: 'a', version: '1' }]
    await clock.pass(60_000)
    expect([looks, runs()]).toEqual([1, []])
  })

  test('closed, it does nothing more', async () => {
    await arrivals.close()
    there = [{ key: 'a', version: '1' }]
    await clock.pass(60_000)
    expect(runs()).toEqual([])
  })
})
