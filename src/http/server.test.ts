// The HTTP door over a real socket: who gets in, with what, and what is said to everybody else.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ScriptedControl, scriptControl } from '../../test/support/scripted-control.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { type HttpServer, serveHttp } from './server.ts'

const TOKEN = 'correct-horse-battery'
const JSON_TYPE = { 'content-type': 'application/json' }

let control: ScriptedControl
let server: HttpServer
beforeEach(async () => {
  control = scriptControl()
  server = await serveHttp({ control, listen: '127.0.0.1:0', token: TOKEN })
})
afterEach(() => server.close())

function post(path: string, init: { body?: string; headers?: Record<string, string>; token?: string } = {}) {
  const { token = TOKEN, headers = JSON_TYPE, body } = init
  return fetch(`http://${server.address}${path}`, {
    method: 'POST',
    headers: { ...headers, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body }),
  })
}

describe('a run', () => {
  test('is asked for with the token, and answered with its id', async () => {
    const response = await post('/api/v1/dags/orders/runs', { body: '{"params":{"day":"2026-01-05"}}' })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ run_id: 'orders@manual-01', dag_name: 'orders' })
    const request = { dag: 'orders', cause: 'http', params: { day: '2026-01-05' } }
    expect(control.calls).toEqual([{ verb: 'trigger', request }])
  })

  test('needs no body', async () => {
    expect((await post('/api/v1/dags/orders/runs', { headers: {} })).status).toBe(202)
    expect(control.calls).toEqual([{ verb: 'trigger', request: { dag: 'orders', cause: 'http' } }])
  })

  test('that is refused says why', async () => {
    control.failure = new DagbokError('DAG_NOT_FOUND', 'no DAG is called "ordres"', {
      hint: 'scheduler validate',
      exitCode: EXIT.notFound,
    })
    const response = await post('/api/v1/dags/ordres/runs')
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: {
        code: 'DAG_NOT_FOUND',
        message: 'no DAG is called "ordres"',
        hint: 'scheduler validate',
        exit_code: 4,
      },
    })
  })
})

test.each([
  ['no token', { token: '' }, 401],
  ['another token', { token: `${TOKEN}x` }, 401],
  ['what is not JSON', { body: '{"params":' }, 400],
  ['a list', { body: '[1]' }, 400],
  ['an unknown key', { body: '{"parms":{}}' }, 400],
  ['params that are no object', { body: '{"params":3}' }, 400],
  ['another content type', { body: '{}', headers: { 'content-type': 'text/plain' } }, 400],
  ['too much', { body: `{"params":{"x":"${'x'.repeat(70_000)}"}}` }, 413],
])('%s is refused and asks for nothing', async (_, init, status) => {
  expect((await post('/api/v1/dags/orders/runs', init)).status).toBe(status)
  expect(control.calls).toEqual([])
})

test('what is not there is said, with the token only', async () => {
  expect((await post('/api/v1/nothing')).status).toBe(404)
  expect((await post('/api/v1/nothing', { token: '' })).status).toBe(401)
})

test('health needs no token and says nothing else', async () => {
  const response = await fetch(`http://${server.address}/healthz`)
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
})

test('an address that is taken is said', async () => {
  await expect(serveHttp({ control, listen: server.address, token: TOKEN })).rejects.toMatchObject({
    code: 'HTTP_UNAVAILABLE',
    exitCode: EXIT.configInvalid,
  })
})
