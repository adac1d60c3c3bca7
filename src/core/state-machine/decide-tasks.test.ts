// How tasks end and what follows: SKIP, continue, trigger rules, fan-outs.

import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, aTask, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import type { FanOut } from '../client/client.ts'
import type { Dag } from '../dag/dag.ts'
import type { Task } from '../dag/task.ts'
import type { TriggerRule } from '../dag/trigger-rule.ts'
import { describeState } from './checkpoint.ts'
import type { Event, RunFinished } from './event.ts'

const START = '2026-01-05T06:00:30.000Z'
const RUN = 's@2026-01-05T06:00Z'

function started(dag: Dag): DeciderWorld {
  const w = new DeciderWorld(
    definitionsOf([dag], [aSchedule('s', '* * * * *', dag.name)]),
    '2026-01-05T05:59:30.000Z',
  )
  w.boot()
  w.tickAt(START)
  return w
}

function dagOf(...tasks: Task[]): Dag {
  return { ...aDag('d', {}), tasks, hash: `hash-${JSON.stringify(tasks)}` }
}

/** Live, replayed and restored from a checkpoint of now it is the same state. */
function expectOneState(w: DeciderWorld): void {
  expect(describeState(w.replayed())).toBe(w.facts())
  expect(describeState(w.restored())).toBe(w.facts())
}

function endOf(events: readonly Event[]): RunFinished {
  return events.find(event => event.event === 'run_finished') as RunFinished
}

const skip = { kind: 'skip', reason: 'returned_skip', detail: 'nothing new' } as const

describe('SKIP', () => {
  test('cascades from the root: everything is skipped, the run is skipped and not failed', () => {
    const w = started(aDag('d', { root: [], a: ['root'], b: ['a'], c: ['root'] }))
    const events = w.end(RUN, 'root', skip)
    expect(tell(events)).toEqual([
      'task_skip root returned_skip',
      'task_skip a upstream_skipped',
      'task_skip c upstream_skipped',
      'task_skip b upstream_skipped',
      'run_finished 2026-01-05T06:00Z skipped',
    ])
    expect(events[0]).toMatchObject({ attempt: 1, duration_ms: 5, detail: 'nothing new' })
    expect(endOf(events)).toMatchObject({ tasks_succeeded: 0, tasks_failed: 0, tasks_skipped: 4 })
  })

  test('of one branch leaves the other: something at the end was done, so the run succeeded', () => {
    const w = started(aDag('d', { a: [], left: ['a'], right: ['a'] }))
    w.ok(RUN, 'a')
    w.end(RUN, 'left', skip)
    expect(endOf(w.ok(RUN, 'right')).status).toBe('success')
  })

  test('of the last task skips the run, whatever was done before', () => {
    const w = started(aDag('d', { a: [], b: ['a'] }))
    w.ok(RUN, 'a')
    expect(endOf(w.end(RUN, 'b', skip)).status).toBe('skipped')
  })

  test('is no failure and needs no retry', () => {
    const w = started(aDag('d', { a: [] }, { retries: 3 }))
    expect(tell(w.end(RUN, 'a', skip))).toEqual([
      'task_skip a returned_skip',
      'run_finished 2026-01-05T06:00Z skipped',
    ])
    expectOneState(w)
  })
})

describe('continue: 0', () => {
  const stop = { kind: 'ok', output: { continue: 0 } } as const

  test('stops what is downstream under ALL, and the run has succeeded', () => {
    const w = started(aDag('d', { a: [], b: ['a'], c: ['b'] }))
    expect(tell(w.end(RUN, 'a', stop))).toEqual([
      'task_ok a 1',
      'task_skip b not_continued',
      'task_skip c upstream_skipped',
      'run_finished 2026-01-05T06:00Z success',
    ])
  })

  test('absent, 1, true or anything else goes on', () => {
    for (const output of [{}, { continue: 1 }, { continue: true }, { continue: 'no' }]) {
      const w = started(aDag('d', { a: [], b: ['a'] }))
      expect(tell(w.end(RUN, 'a', { kind: 'ok', output }))).toContain('task_start b 1')
    }
  })

  test('counts in an output that went to a blob', () => {
    const blob = { sha256: 'f'.repeat(64), bytes: 70_000 }
    const w = started(aDag('d', { a: [], b: ['a'] }))
    expect(tell(w.end(RUN, 'a', { kind: 'ok_blob', blob, stops: true }))).toContain(
      'task_skip b not_continued',
    )
    expectOneState(w)
  })
})

describe('trigger rules', () => {
  const withRule = (triggerRule: TriggerRule) =>
    started(dagOf(aTask('a'), aTask('b'), aTask('c', { dependsOn: ['a', 'b'], triggerRule })))

  test('one_success starts without waiting for the others', () => {
    expect(tell(withRule('one_success').ok(RUN, 'a'))).toEqual(['task_ok a 1', 'task_start c 1'])
  })

  test('all_done runs after a failure, which stays the run’s', () => {
    const w = withRule('all_done')
    expect(tell(w.fail(RUN, 'a'))).toEqual(['task_fail a 1'])
    expect(tell(w.ok(RUN, 'b'))).toEqual(['task_ok b 1', 'task_start c 1'])
    expectOneState(w)
    expect(endOf(w.ok(RUN, 'c'))).toMatchObject({ status: 'failed', tasks_failed: 1, tasks_succeeded: 2 })
  })

  test('one_failed is skipped with a reason of its own when nothing failed', () => {
    const w = withRule('one_failed')
    w.ok(RUN, 'a')
    expect(tell(w.ok(RUN, 'b'))).toEqual([
      'task_ok b 1',
      'task_skip c trigger_rule',
      'run_finished 2026-01-05T06:00Z success',
    ])
  })

  test('always does not wait', () => {
    expect(withRule('always').state.runs.get(RUN)?.tasks.get('c')?.status).toBe('running')
  })

  test('what was skipped because of a failure counts as failed further down', () => {
    const w = started(
      dagOf(
        aTask('a'),
        aTask('b', { dependsOn: ['a'] }),
        aTask('c', { dependsOn: ['b'], triggerRule: 'one_failed' }),
      ),
    )
    expect(tell(w.fail(RUN, 'a'))).toEqual(['task_fail a 1', 'task_skip b upstream_failed', 'task_start c 1'])
  })

  test('nothing of it starts once the run is cancelled', () => {
    const w = withRule('all_done')
    w.when({ type: 'cancel', runId: RUN, reason: 'enough' })
    expect(tell(w.end(RUN, 'a', { kind: 'cancelled', reason: 'enough' }))).toEqual([
      'task_cancelled a enough',
    ])
    expect(tell(w.end(RUN, 'b', { kind: 'cancelled', reason: 'enough' }))).toEqual([
      'task_cancelled b enough',
      'run_finished 2026-01-05T06:00Z cancelled',
    ])
  })
})

describe('a fan-out', () => {
  const fanOut: FanOut = { source: { kind: 'directory', path: 'clients' }, exclude: [], parallel: 2 }
  const dag = dagOf(
    aTask('each', { fanOut, retries: 1, retryDelayMs: 1_000 }),
    aTask('after', { dependsOn: ['each'] }),
  )
  const clients = (...names: string[]) => ({ kind: 'clients', clients: names }) as const

  test('finds its clients, then works for so many at once, each with attempts of its own', () => {
    const w = started(dag)
    expect(w.events.findLast(({ event }) => event === 'task_start')).toMatchObject({
      workflow_ref: 'find_clients',
    })
    expect(tell(w.end(RUN, 'each', clients('a', 'b', 'c')))).toEqual([
      'clients_found each 1',
      'task_start each[a] 1',
      'task_start each[b] 1',
    ])
    expect(w.events.at(-1)).toMatchObject({ client_id: 'b', workflow_ref: 'work' })
    expectOneState(w)
    expect(tell(w.fail(RUN, 'each[a]'))).toEqual(['task_retry each[a] 1'])
    expect(tell(w.ok(RUN, 'each[b]'))).toEqual(['task_ok each[b] 1', 'task_start each[c] 1'])
    expectOneState(w)
    w.ok(RUN, 'each[c]')
    w.now += 1_000
    expect(tell(w.when({ type: 'wake' }))).toEqual(['task_start each[a] 2'])
    expect(tell(w.ok(RUN, 'each[a]'))).toEqual(['task_ok each[a] 2', 'task_ok each 1', 'task_start after 1'])
    expect(w.events.findLast(({ event }) => event === 'task_ok')).toMatchObject({
      output: { clients: 3, succeeded: 3, failed: 0, skipped: 0 },
    })
    expect(endOf(w.ok(RUN, 'after'))).toMatchObject({
      status: 'success',
      tasks_succeeded: 2,
      clients_succeeded: 3,
      clients_failed: 0,
      clients_skipped: 0,
    })
    expectOneState(w)
  })

  test('one client that fails stops nobody: the rest is done, downstream goes on, the run is partial', () => {
    const w = started(dag)
    w.end(RUN, 'each', clients('a', 'b', 'c'))
    for (const attempt of [1, 2]) {
      w.end(RUN, 'each[a]', { kind: 'failed', error: { kind: 'threw', message: 'boom' } }, attempt)
      w.now += 1_000
      w.when({ type: 'wake' })
    }
    w.end(RUN, 'each[b]', {
      kind: 'skip',
      reason: 'condition',
      detail: 'suspended',
      inputs: { conditions: [] },
    })
    const events = w.ok(RUN, 'each[c]')
    expect(events[1]).toMatchObject({
      event: 'task_ok',
      partial: true,
      output: { clients: 3, succeeded: 1, failed: 1, skipped: 1, failed_clients: ['a'] },
    })
    expectOneState(w)
    expect(endOf(w.ok(RUN, 'after'))).toMatchObject({
      status: 'partial',
      tasks_failed: 0,
      clients_failed: 1,
      clients_skipped: 1,
    })
  })

  test('fails when it failed for all of them', () => {
    const w = started(dagOf(aTask('each', { fanOut }), aTask('after', { dependsOn: ['each'] })))
    w.end(RUN, 'each', clients('a', 'b'))
    w.fail(RUN, 'each[a]', 'no disk')
    expect(tell(w.fail(RUN, 'each[b]'))).toEqual([
      'task_fail each[b] 1',
      'task_fail each 1',
      'task_skip after upstream_failed',
      'run_finished 2026-01-05T06:00Z failed',
    ])
    expect(endOf(w.events).error).toBe(
      "RunnerError: Task 'each' failed after 1 attempt: 2 of 2 clients failed and none succeeded, the first: a: no disk",
    )
  })

  test('without clients has nothing to do and succeeds', () => {
    const w = started(dag)
    expect(tell(w.end(RUN, 'each', clients()))).toEqual([
      'clients_found each 1',
      'task_ok each 1',
      'task_start after 1',
    ])
  })

  test('ten thousand clients stand in several lines of one commit', () => {
    const w = started(dag)
    const names = Array.from({ length: 10_000 }, (_, at) => `client_${at}`)
    const events = w.end(RUN, 'each', clients(...names))
    const found = events.filter(({ event }) => event === 'clients_found') as unknown as {
      clients: string[]
      parts: number
    }[]
    expect(found.length).toBeGreaterThan(2)
    expect(found.flatMap(each => each.clients)).toEqual(names)
    expect(w.state.live.size).toBe(2)
    expectOneState(w)
  })

  test('that ends keeps its run’s place among the runs at once for what comes after it', () => {
    const retried = { ...aDag('other', { only: [] }, { retries: 1, retryDelayMs: 1_000 }), hash: 'other' }
    const w = new DeciderWorld(definitionsOf([dag, retried]), START).boot()
    w.limits = { maxParallel: 1, maxTasks: 16 }
    w.when({ type: 'trigger', runId: 'r1', dag: retried, cause: 'cli' })
    w.fail('r1', 'only')
    w.when({ type: 'trigger', runId: 'r2', dag, cause: 'cli' })
    w.end('r2', 'each', clients('a'))
    w.now += 60_000
    expect(tell(w.when({ type: 'wake' }))).toEqual([])
    expect(tell(w.ok('r2', 'each[a]'))).toEqual(['task_ok each[a] 1', 'task_ok each 1', 'task_start after 1'])
    expect(w.state.slotsHeld).toBe(1)
    expect(tell(w.ok('r2', 'after'))).toContain('task_start only 2')
  })

  test('cancelled, ends when the last client that was under way has ended', () => {
    const w = started(dag)
    w.end(RUN, 'each', clients('a', 'b', 'c'))
    w.ok(RUN, 'each[a]')
    expect(tell(w.when({ type: 'cancel', runId: RUN, reason: 'enough' }))).toEqual([
      `run_cancel_requested ${RUN} enough`,
      'task_skip after cancelled',
    ])
    w.end(RUN, 'each[b]', { kind: 'cancelled', reason: 'enough' })
    expectOneState(w)
    expect(tell(w.end(RUN, 'each[c]', { kind: 'cancelled', reason: 'enough' }))).toEqual([
      'task_cancelled each[c] enough',
      'task_cancelled each enough',
      'run_finished 2026-01-05T06:00Z cancelled',
    ])
    expect(w.state.clientLines.size).toBe(0)
  })
})
