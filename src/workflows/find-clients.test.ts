import { describe, expect, test } from 'vitest'
import { systemClock } from '../adapters/system/clock.ts'
import { CLIENTS_MAX, type FanOut } from '../core/client/client.ts'
import type { AttemptSpec } from '../ports/executor.ts'
import { createClientsExecutor } from './find-clients.ts'

const fanOut: FanOut = { source: { kind: 'directory', path: 'clients' }, exclude: ['PUBLIC'], parallel: 1 }
const spec: AttemptSpec = {
  runId: 'r',
  taskId: 'PROCESS_CLIENTS',
  attempt: 1,
  dagName: 'load',
  tenantId: 'acme',
  workflowRef: 'process_one_client',
  params: {},
  fanOut,
  env: {},
  logicalDate: '2026-01-05T06:00Z',
}
const find = (names: readonly string[] | Error, asked: unknown[] = []) =>
  createClientsExecutor({
    clock: systemClock,
    clients: {
      async find(...all) {
        asked.push(...all.slice(0, 2))
        if (names instanceof Error) throw names
        return [...names]
      },
    },
  }).start(spec, { spawned: () => {} }).outcome

describe('the clients of a fan-out', () => {
  test('are those that are there, without those that are excluded in whatever case', async () => {
    const asked: unknown[] = []
    expect(await find(['acme', 'globex', 'public', 'Public'], asked)).toEqual({
      kind: 'clients',
      clients: ['acme', 'globex'],
    })
    expect(asked).toEqual([fanOut.source, { tenantId: 'acme' }])
    expect(await find([])).toEqual({ kind: 'clients', clients: [] })
  })

  test('all names that are no ids are told', async () => {
    expect(await find(['acme', 'a b', '../x', '-rf'])).toEqual({
      kind: 'failed',
      error: {
        kind: 'client_names',
        message:
          'no ids, and so no clients: "a b": " " is not allowed in it; "../x": it contains ".."; ' +
          '"-rf": it begins with "-" instead of a letter or a digit. Rename them or name them in exclude',
      },
    })
  })

  test('too many, and nobody can say', async () => {
    const many = Array.from({ length: CLIENTS_MAX + 1 }, (_, n) => `c${n}`)
    expect(await find(many)).toMatchObject({ kind: 'failed', error: { kind: 'clients_too_many' } })
    expect(await find(many.slice(1))).toMatchObject({ kind: 'clients' })
    expect(await find(new Error('the clients in clients cannot be listed: it is not there'))).toMatchObject({
      kind: 'failed',
      error: { kind: 'clients_unknown', message: 'the clients in clients cannot be listed: it is not there' },
    })
  })
})
