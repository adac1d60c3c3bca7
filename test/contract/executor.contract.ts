// What every executor promises (ports/executor.ts), as tests that any implementation runs.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AttemptOutcome, AttemptSpec, Executor } from '../../src/ports/executor.ts'
import { recordHooks } from '../support/executors.ts'

/** What an attempt of the harness does. */
export type Behaviour =
  /** Gives `{ n: 1 }`. */
  | 'succeeds'
  | 'fails'
  /** Goes on until it is ended, and ends as soon as it is asked. */
  | 'obeys'
  /** Goes on until it is killed. */
  | 'resists'

export interface ExecutorHarness {
  readonly executor: Executor
  /** True if attempts have processes of their own. */
  readonly hasProcesses: boolean
  /** A new attempt each time. */
  spec(behaviour: Behaviour, more?: Partial<AttemptSpec>): AttemptSpec
  /** Resolves when the attempt does what it is to do. */
  begun(spec: AttemptSpec): Promise<void>
  /** Processes of the attempt that run. */
  survivors(spec: AttemptSpec): Promise<number>
  dispose(): Promise<void>
}

export function describeExecutor(label: string, make: () => Promise<ExecutorHarness>): void {
  describe(`executor contract: ${label}`, () => {
    let harness: ExecutorHarness
    let executor: Executor
    beforeEach(async () => {
      harness = await make()
      executor = harness.executor
    })
    afterEach(() => harness.dispose())

    const begin = async (behaviour: Behaviour, more?: Partial<AttemptSpec>) => {
      const spec = harness.spec(behaviour, more)
      const hooks = recordHooks()
      const attempt = executor.start(spec, hooks)
      if (behaviour === 'obeys' || behaviour === 'resists') await harness.begun(spec)
      return { spec, hooks, attempt }
    }

    test('success gives the output', async () => {
      const { attempt, hooks } = await begin('succeeds')
      expect(await attempt.outcome).toEqual({ kind: 'ok', output: { n: 1 } })
      expect(hooks.identities).toHaveLength(harness.hasProcesses ? 1 : hooks.identities.length)
    })

    test('failure is an outcome, never a rejection', async () => {
      const { attempt } = await begin('fails')
      const outcome = await attempt.outcome
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { kind: expect.any(String), message: expect.any(String) },
      })
    })

    test('attempts run side by side and do not mix', async () => {
      const all = await Promise.all([begin('succeeds'), begin('fails'), begin('succeeds')])
      const outcomes = await Promise.all(all.map(({ attempt }) => attempt.outcome))
      expect(outcomes.map(({ kind }) => kind)).toEqual(['ok', 'failed', 'ok'])
    })

    test.each(['obeys', 'resists'] as const)(
      'one that %s ends at its time limit, not before',
      async behaviour => {
        const beganMs = performance.now()
        const { attempt, spec } = await begin(behaviour, { timeoutMs: 1_500 })
        expect(await attempt.outcome).toMatchObject({ kind: 'failed', error: { kind: 'timeout' } })
        expect(performance.now() - beganMs).toBeGreaterThanOrEqual(1_499)
        expect(await harness.survivors(spec)).toBe(0)
      },
    )

    test.each(['obeys', 'resists'] as const)(
      'one that %s is cancelled, and nothing of it is left',
      async behaviour => {
        const { attempt, spec } = await begin(behaviour)
        attempt.cancel('not needed', 100)
        expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'not needed' })
        expect(await harness.survivors(spec)).toBe(0)
      },
    )

    test('a second cancel shortens the grace and leaves the reason', async () => {
      const { attempt } = await begin('resists')
      attempt.cancel('first', 3_600_000)
      attempt.cancel('second', 0)
      expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'first' })
    })

    test('a cancel after the end changes nothing', async () => {
      const { attempt } = await begin('succeeds')
      const settled: AttemptOutcome[] = []
      void attempt.outcome.then(outcome => settled.push(outcome))
      await attempt.outcome
      attempt.cancel('late', 0)
      expect(await attempt.outcome).toEqual({ kind: 'ok', output: { n: 1 } })
      expect(settled).toHaveLength(1)
    })

    test('what nobody knows of is lost, with a reason', async () => {
      const adopted: number[] = []
      const attempt = executor.adopt(harness.spec('succeeds'), undefined, pid => adopted.push(pid))
      expect(await attempt.outcome).toEqual({ kind: 'lost', reason: expect.stringMatching(/\w/) })
      expect(adopted).toEqual([])
    })

    test('close resolves, idle or not', async () => {
      await begin('succeeds').then(({ attempt }) => attempt.outcome)
      const { spec } = await begin('obeys')
      await executor.close()
      await executor.close()
      // A command is left running on purpose: it is ended here by who adopts it.
      const next = executor.adopt(spec, undefined, () => {})
      next.cancel('enough', 0)
      await next.outcome
      expect(await harness.survivors(spec)).toBe(0)
    })
  })
}
