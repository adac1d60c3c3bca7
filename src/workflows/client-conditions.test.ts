import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConditionProbe } from '../adapters/condition-probe/probe.ts'
import { systemClock } from '../adapters/system/clock.ts'
import type { Condition } from '../core/condition/condition.ts'
import type { Question } from '../core/condition/question.ts'
import type { ConditionProbe } from '../ports/condition-probe.ts'
import type { AttemptOutcome, AttemptSpec, Executor } from '../ports/executor.ts'
import { withClientConditions } from './client-conditions.ts'

const root = mkdtempSync(join(tmpdir(), 'dagbok-client-'))
beforeAll(() => {
  mkdirSync(join(root, 'acme'))
  writeFileSync(join(root, 'acme', 'active'), '')
  const db = new Database(join(root, 'billing.sqlite'))
  db.exec(`create table paid (client text); insert into paid values ('acme')`)
  db.close()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const probe: ConditionProbe = createConditionProbe({
  root,
  now: () => Date.now(),
  lastRun: async () => undefined,
  lastSignal: async () => undefined,
})
const timeoutMs = 10_000
const ACTIVE: Question = { kind: 'file', path: '{{client_id}}/active', timeoutMs }

/** Runs what is behind the conditions, and says what was started. */
function run(
  conditions: readonly Condition[] | undefined,
  { clientId = 'acme', with: other = probe, ...more }: { with?: ConditionProbe } & Partial<AttemptSpec> = {},
) {
  const started: AttemptSpec[] = []
  const cancelled: string[] = []
  let finish = (_: AttemptOutcome) => {}
  const inner: Executor = {
    start(spec) {
      started.push(spec)
      const outcome = new Promise<AttemptOutcome>(resolve => {
        finish = resolve
      })
      if (spec.params['waits'] !== true) finish({ kind: 'ok', output: {} })
      return {
        outcome,
        cancel: reason => {
          cancelled.push(reason)
          finish({ kind: 'cancelled', reason })
        },
      }
    },
    adopt: () => ({ outcome: Promise.resolve({ kind: 'ok', output: { adopted: true } }), cancel: () => {} }),
    close: async () => {},
  }
  const spec: AttemptSpec = {
    runId: 'r',
    taskId: `PROCESS[${clientId}]`,
    attempt: 1,
    dagName: 'load',
    tenantId: 'tenant',
    workflowRef: 'shell',
    params: {},
    clientId,
    ...(conditions === undefined ? {} : { clientConditions: conditions }),
    env: {},
    logicalDate: '2026-01-05T06:00:00.000Z',
    ...more,
  }
  const executor = withClientConditions(inner, { clock: systemClock, probe: other })
  return { executor, spec, started, cancelled, attempt: executor.start(spec, { spawned: () => {} }) }
}

describe('the conditions of a client', () => {
  const knows: [string, Question][] = [
    ['a file', ACTIVE],
    [
      'a query',
      {
        kind: 'sql',
        database: 'billing.sqlite',
        query: 'select 1 from paid where client = :client_id',
        timeoutMs,
      },
    ],
    ['a command', { kind: 'command', command: 'test "$DAGBOK_CLIENT_ID" = acme', timeoutMs }],
    [
      'the words of a command',
      { kind: 'command', command: ['test', '{{client_id}}', '=', 'acme'], timeoutMs },
    ],
    ['an expression', { kind: 'cel', expression: 'client_id == "acme" && tenant == "tenant"', timeoutMs }],
  ]
  test.each(knows)('%s knows the client', async (_, question) => {
    const holds = run([question])
    expect(await holds.attempt.outcome).toEqual({ kind: 'ok', output: {} })
    expect(holds.started).toHaveLength(1)
    const refused = run([question], { clientId: 'globex' })
    expect(await refused.attempt.outcome).toMatchObject({
      kind: 'skip',
      reason: 'condition',
      detail: expect.stringContaining('does not hold: {'),
      inputs: { conditions: [{ holds: false }] },
    })
    expect(refused.started).toEqual([])
  })

  test('all must hold; all of them are in the record', async () => {
    const missing: Question = { ...ACTIVE, path: '{{client_id}}/suspended' }
    const { attempt, started } = run([
      { kind: 'any', of: [missing, ACTIVE] },
      { kind: 'not', of: ACTIVE },
    ])
    const outcome = await attempt.outcome
    expect(outcome).toMatchObject({
      kind: 'skip',
      inputs: { conditions: [{ holds: true }, { holds: false }] },
    })
    expect(started).toEqual([])
  })

  test('nobody knows: it fails, unless another one says no', async () => {
    const broken: Question = { kind: 'command', command: 'exit 7', timeoutMs }
    expect(await run([ACTIVE, broken]).attempt.outcome).toEqual({
      kind: 'failed',
      error: {
        kind: 'condition_error',
        message: expect.stringContaining('nobody knows whether it holds: {"command":"exit 7"'),
      },
    })
    expect(await run([broken, ACTIVE], { clientId: 'x' }).attempt.outcome).toMatchObject({ kind: 'skip' })
  })

  test('without any the attempt is the inner one', async () => {
    const { attempt, started, spec } = run(undefined, { timeoutMs: 5_000 })
    expect(await attempt.outcome).toEqual({ kind: 'ok', output: {} })
    expect(started).toEqual([spec])
  })

  test('the asking counts for the time limit', async () => {
    const slow: ConditionProbe = {
      ask: () => new Promise(resolve => setTimeout(() => resolve({ holds: true, saw: {} }), 50)),
    }
    const { attempt, started } = run([ACTIVE], { with: slow, timeoutMs: 5_000 })
    await attempt.outcome
    expect(started[0]!.timeoutMs).toBeLessThanOrEqual(4_960)
    const never: ConditionProbe = {
      ask: (_question, _occasion, signal) =>
        new Promise(resolve => signal.addEventListener('abort', () => resolve({ error: 'stopped' }))),
    }
    const late = run([ACTIVE], { with: never, timeoutMs: 30 })
    expect(await late.attempt.outcome).toMatchObject({ kind: 'failed', error: { kind: 'timeout' } })
    const left = run([ACTIVE], { with: never })
    await left.executor.close()
    expect(await left.attempt.outcome).toMatchObject({ kind: 'lost' })
    expect(left.started).toEqual([])
  })

  test('cancelled while it is asked, and while it runs', async () => {
    const asked = run([ACTIVE])
    asked.attempt.cancel('by hand', 0)
    expect(await asked.attempt.outcome).toEqual({ kind: 'cancelled', reason: 'by hand' })
    expect(asked.started).toEqual([])
    const running = run([ACTIVE], { params: { waits: true } })
    await expect.poll(() => running.started.length).toBe(1)
    running.attempt.cancel('by hand', 0)
    expect(await running.attempt.outcome).toEqual({ kind: 'cancelled', reason: 'by hand' })
    expect(running.cancelled).toEqual(['by hand'])
  })

  test('what runs already is taken over without asking', async () => {
    const { executor, spec } = run([{ kind: 'command', command: 'exit 1', timeoutMs }])
    expect(await executor.adopt(spec, undefined, () => {}).outcome).toEqual({
      kind: 'ok',
      output: { adopted: true },
    })
  })
})
