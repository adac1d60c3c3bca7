import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openProbe } from '../../../test/support/probes.ts'
import type { UserEvent } from '../../core/state-machine/event.ts'
import type { RunRow } from '../../ports/run-index.ts'

const run = {
  run_id: 'load-1',
  status: 'success',
  cause: 'due',
  slot: '2026-01-04T22:30Z',
  started_at: '2026-01-04T22:30:00.000Z',
  finished_at: '2026-01-04T22:31:00.000Z',
} as RunRow
const event = {
  event: 'orders',
  source: 'user',
  seq: 7,
  timestamp: '2026-01-04T20:00:00.000Z',
} as unknown as UserEvent

let since: string[] = []
beforeEach(() => {
  since = []
})
const bench = openProbe({
  lastRun: async id => {
    if (id === 'broken') throw new Error('the index is away')
    return id === 'load' ? run : undefined
  },
  lastSignal: async (name, from) => {
    since.push(from)
    return name === 'orders' && from <= event.timestamp ? event : undefined
  },
})
afterAll(() => bench.close())

const ask = (expression: string) => bench.ask({ kind: 'cel', expression, timeoutMs: 2_000 })

describe('an expression', () => {
  test.each([
    ['weekday == 1 && hour == 0 && day == 5', true, { weekday: 1, hour: 0, day: 5 }],
    ['tenant == "b" || dag == "load"', true, { tenant: 'acme', dag: 'load' }],
    [
      'last_run("load").status == "success"',
      true,
      { 'last_run("load")': { run_id: 'load-1', status: 'success', finished_at: run.finished_at } },
    ],
    ['last_run("none").status != ""', false, { 'last_run("none")': { status: '' } }],
    [
      'slot - last_run("load").finished_at < duration("1h")',
      true,
      {
        slot: '2026-01-04T23:30Z',
        'last_run("load")': { run_id: 'load-1', status: 'success', finished_at: run.finished_at },
      },
    ],
    [
      'signal("orders") && !signal("orders", "1h")',
      true,
      { 'signal("orders")': true, 'signal("orders", "1h")': false },
    ],
    [
      '["load", "none"].all(x, last_run(x).status == "success")',
      false,
      {
        'last_run("load")': { run_id: 'load-1', status: 'success', finished_at: run.finished_at },
        'last_run("none")': { status: '' },
      },
    ],
  ])('%s: %s', async (expression, holds, saw) => {
    expect(await ask(expression)).toEqual({ holds, saw })
  })

  test('asks only what decides', async () => {
    expect(await ask('tenant == "b" && last_run("broken").status == ""')).toEqual({
      holds: false,
      saw: { tenant: 'acme' },
    })
  })

  test('what was seen is small, however much it was', async () => {
    const ids = Array.from({ length: 90 }, (_, index) => `"schedule-with-a-rather-long-name-${index}"`)
    const answer = await ask(`[${ids}].all(x, last_run(x).status == "")`)
    expect(answer).toMatchObject({ holds: true })
    expect(JSON.stringify(answer).length).toBeLessThan(2_200)
  })
})

test.each([
  ['last_run("broken").status == ""', 'the index is away'],
  ['1 / (hour - hour) == 1', 'the expression failed'],
  ['slot.getHours("Nowhere/City") == 1', 'the expression failed'],
  ['hour +', 'the expression failed'],
  ['hour', 'neither true nor false'],
  ['signal("a", dag)', 'the expression failed'],
])('nobody knows: %s', async (expression, error) => {
  expect(await ask(expression)).toEqual({ error: expect.stringContaining(error) })
})

describe('a signal', () => {
  test.each([
    ['orders', 86_400_000, { holds: true, saw: { recorded_at: event.timestamp, seq: 7 } }],
    ['orders', 3_600_000, { holds: false, saw: { none_since: '2026-01-04T22:30:00.000Z' } }],
  ])('%s within %i', async (name, withinMs, answer) => {
    expect(await bench.ask({ kind: 'signal', name, withinMs, timeoutMs: 2_000 })).toEqual(answer)
    expect(since).toEqual([new Date(Date.parse('2026-01-04T23:30Z') - withinMs).toISOString()])
  })
})
