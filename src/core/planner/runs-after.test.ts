// Runs after other runs: which, and exactly once.

import { describe, expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import type { Dag } from '../dag/dag.ts'
import { dagsAfter } from './runs-after.ts'

function followerOf(name: string, ...dags: { dag: string; status: string[] }[]): Dag {
  const triggers = { onArrival: false, afterRuns: dags }
  const manifest = { mode: 'triggered', stages: [], triggers, environment: 'default' } as const
  return { ...aDag(name, { only: [] }), manifest }
}

const ON_SUCCESS = { dag: 'orders', status: ['success'] }

describe('dagsAfter', () => {
  const definitions = definitionsOf([
    aDag('orders', { only: [] }),
    followerOf('invoices', ON_SUCCESS),
    followerOf('alarm', { dag: 'orders', status: ['failed', 'partial'] }),
  ])
  test.each([
    ['success', ['invoices']],
    ['failed', ['alarm']],
    ['partial', ['alarm']],
    ['cancelled', []],
  ])('%s', (status, names) => {
    expect(dagsAfter(definitions, 'orders', status).map(({ name }) => name)).toEqual(names)
    expect(dagsAfter(definitions, 'invoices', status)).toEqual([])
  })
})

test('a run is asked for in the commit of the other one’s end', () => {
  const orders = aDag('orders', { only: [] })
  const world = new DeciderWorld(
    definitionsOf([orders, followerOf('invoices', ON_SUCCESS)]),
    '2026-01-05T06:00:00.000Z',
  )
  world.boot()
  world.when({ type: 'trigger', runId: 'orders@1', dag: orders, cause: 'cli' })
  world.ok('orders@1', 'only')
  const commit = world.commits.find(events => events.some(({ event }) => event === 'run_finished'))!
  expect(tell(commit)).toEqual([
    'task_ok only 1',
    'run_finished orders@1 success',
    'definition_recorded',
    expect.stringMatching(/^run_requested invoices@after-[0-9A-Z]{26} after$/),
  ])
  expect(commit.at(-1)).toMatchObject({
    params: { triggered_by: { dag_name: 'orders', run_id: 'orders@1', status: 'success' } },
  })
})
