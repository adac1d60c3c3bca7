// HTTP requests against servers on this machine that refuse, hang, drip, redirect and never stop sending.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../adapters/system/clock.ts'
import type { JsonObject } from '../core/json.ts'
import type { AttemptSpec } from '../ports/executor.ts'
import { createHttpExecutor } from './http.ts'

interface Seen {
  path: string
  method: string
  headers: IncomingMessage['headers']
  body: string
}

const seen: Seen[] = []
let sentBytes = 0
let hung = 0

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const url = new URL(request.url!, 'http://x')
  seen.push({ path: request.url!, method: request.method!, headers: request.headers, body })
  const to = url.searchParams.get('to')
  switch (url.pathname) {
    case '/json':
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('set-cookie', 'session=canary-7f3a')
      return void response.end('{"n": [1, null]}')
    case '/text':
      return void response.end('grüße')
    case '/not-json':
      response.setHeader('content-type', 'application/json')
      return void response.end('{oops')
    case '/status':
      response.statusCode = Number(url.searchParams.get('code'))
      return void response.end('no')
    case '/redirect':
      response.writeHead(Number(url.searchParams.get('code') ?? 302), { location: to! })
      return void response.end()
    case '/loop':
      response.writeHead(302, { location: '/loop' })
      return void response.end()
    case '/hang':
      hung += 1
      return
    case '/drip': {
      hung += 1
      response.write('x')
      const timer = setInterval(() => response.write('x'), 5)
      return void response.on('close', () => clearInterval(timer))
    }
    case '/flood': {
      const part = Buffer.alloc(64 * 1024, 'x')
      const pour = () => {
        while (sentBytes < 1e9 && !response.destroyed) {
          sentBytes += part.length
          if (!response.write(part)) return void response.once('drain', pour)
        }
        response.end()
      }
      return pour()
    }
    case '/cut':
      response.writeHead(200, { 'content-length': '1000' })
      response.write('only this')
      return void setTimeout(() => response.socket?.destroy(), 20)
    case '/control-characters':
      return void response.end('\u0001'.repeat(900_000))
    default:
      return void response.end('?')
  }
}

function listen(server: Server | ReturnType<typeof createServer>): Promise<string> {
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  )
}

function makeServer() {
  return createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part))
    request.on('end', () => answer(request, response, Buffer.concat(parts).toString()))
  })
}

describe('http', () => {
  const server = makeServer()
  const elsewhere = makeServer()
  const resetting = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.resetAndDestroy())
  })
  const babbling = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.end('this is no HTTP\r\n\r\n')
  })
  const executor = createHttpExecutor({ clock: systemClock })
  let base = ''
  let other = ''
  let closedUrl = ''
  beforeAll(async () => {
    base = await listen(server)
    other = await listen(elsewhere)
    const closed = makeServer()
    closedUrl = await listen(closed)
    await new Promise(resolve => closed.close(resolve))
  })
  afterAll(async () => {
    await executor.close()
    for (const each of [server, elsewhere]) {
      each.closeAllConnections()
      each.close()
    }
    resetting.close()
    babbling.close()
  })

  let attempts = 0
  const begin = (params: JsonObject, more: Partial<AttemptSpec> = {}) =>
    executor.start(
      {
        runId: 'r',
        taskId: 't',
        attempt: ++attempts,
        dagName: 'd',
        tenantId: 'local-dev',
        workflowRef: 'http',
        params,
        env: {},
        logicalDate: '2026-01-05T06:00Z',
        ...more,
      },
      { spawned: () => {} },
    )
  const run = (params: JsonObject, more: Partial<AttemptSpec> = {}) => begin(params, more).outcome
  const failure = (kind: string, words: RegExp) => ({
    kind: 'failed',
    error: { kind, message: expect.stringMatching(words) },
  })

  describe('answers', () => {
    test('JSON is read, cookies of the server are not kept', async () => {
      const outcome = await run({ url: `${base}/json` })
      expect(outcome).toMatchObject({ kind: 'ok', output: { status: 200, json: { n: [1, null] } } })
      expect(JSON.stringify(outcome)).not.toContain('canary-7f3a')
    })

    test('text is text, and what only says it is JSON too', async () => {
      expect(await run({ url: `${base}/text` })).toMatchObject({ output: { status: 200, body: 'grüße' } })
      expect(await run({ url: `${base}/not-json` })).toMatchObject({ output: { body: '{oops' } })
    })

    test('what is sent arrives', async () => {
      await run({
        url: `${base}/text?a=1`,
        method: 'post',
        query: { b: 'x y', c: { d: 1 } },
        headers: { 'X-Run': 'r1', authorization: 'Bearer t' },
        json: { hello: 'ü' },
      })
      const { path, method, headers, body } = seen.at(-1)!
      expect([path, method, body]).toEqual(['/text?a=1&b=x+y&c=%7B%22d%22%3A1%7D', 'POST', '{"hello":"ü"}'])
      expect(headers).toMatchObject({
        'x-run': 'r1',
        authorization: 'Bearer t',
        'content-type': 'application/json',
        'content-length': '14',
      })
    })

    test.each<[JsonObject[string], number, boolean]>([
      [undefined, 204, true],
      [undefined, 404, false],
      [404, 404, true],
      ['4xx', 418, true],
      [[200, '3xx'], 304, true],
      [[200, 201], 202, false],
    ])('expect_status %j, answer %i: %s', async (expect_status, code, ok) => {
      const outcome = await run({ url: `${base}/status?code=${code}&token=canary-7f3a`, expect_status })
      if (ok) expect(outcome).toMatchObject({ kind: 'ok', output: { status: code } })
      else
        expect(outcome).toEqual(failure('http_status', new RegExp(`/status answered ${code} .*; expected `)))
      expect(JSON.stringify(outcome)).not.toContain('canary-7f3a')
    })
  })

  describe('redirects', () => {
    const to = (target: string, code = 302) =>
      `${base}/redirect?code=${code}&to=${encodeURIComponent(target)}`

    test('credentials stay with their origin', async () => {
      const headers = { authorization: 'Bearer t', cookie: 'a=b', 'x-run': 'r1' }
      await run({ url: to('/text'), headers })
      expect(seen.at(-1)).toMatchObject({
        path: '/text',
        headers: { authorization: 'Bearer t', cookie: 'a=b' },
      })
      await run({ url: to(`${other}/text`), headers })
      expect(seen.at(-1)!.headers).toMatchObject({ 'x-run': 'r1' })
      expect(Object.keys(seen.at(-1)!.headers)).not.toContain('authorization')
      expect(Object.keys(seen.at(-1)!.headers)).not.toContain('cookie')
    })

    test.each([
      [302, 'GET', ''],
      [303, 'GET', ''],
      [307, 'POST', '{"a":1}'],
      [308, 'POST', '{"a":1}'],
    ])('%i after a POST: %s', async (code, method, body) => {
      await run({ url: to('/text', code), method: 'POST', json: { a: 1 } })
      expect(seen.at(-1)).toMatchObject({ path: '/text', method, body })
    })

    test('three are followed, not four; and never to another scheme', async () => {
      expect(await run({ url: to(to(to('/text'))) })).toMatchObject({ kind: 'ok' })
      const before = seen.length
      expect(await run({ url: `${base}/loop` })).toEqual(failure('http_error', /more than 3 times/))
      expect(seen.length - before).toBe(4)
      expect(await run({ url: to('file:///etc/passwd') })).toEqual(
        failure('http_error', /redirected to file:/),
      )
    })
  })

  describe('what goes wrong', () => {
    test('refused, reset, not HTTP, cut off, unknown', async () => {
      expect(await run({ url: closedUrl })).toEqual(failure('http_error', /ECONNREFUSED/))
      expect(await run({ url: await listen(resetting) })).toEqual(failure('http_error', /ECONNRESET/))
      expect(await run({ url: await listen(babbling) })).toEqual(failure('http_error', /HPE_INVALID/))
      expect(await run({ url: `${base}/cut` })).toEqual(failure('http_error', /aborted|closed/))
      expect(await run({ url: 'http://no-such-host.invalid/' })).toEqual(
        failure('http_error', /no-such-host\.invalid/),
      )
    })

    test.each(['/hang', '/drip'])('%s: ends at its time limit', async path => {
      const before = hung
      const beganMs = performance.now()
      expect(await run({ url: base + path, timeout: '150ms' })).toEqual(failure('timeout', /within 150ms/))
      expect(await run({ url: base + path }, { timeoutMs: 100 })).toEqual(failure('timeout', /within 100ms/))
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(250)
      expect(performance.now() - beganMs).toBeLessThan(3_000)
      expect(hung - before).toBe(2)
    })

    test('a cancelled one ends at once', async () => {
      const attempt = begin({ url: `${base}/hang` })
      attempt.cancel('not needed', 60_000)
      attempt.cancel('again', 0)
      expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'not needed' })
    })

    test('a gigabyte is not read', async () => {
      expect(await run({ url: `${base}/flood` })).toEqual(failure('output_too_large', /more than 1 MiB/))
      expect(sentBytes).toBeGreaterThan(1_000_000)
      expect(sentBytes).toBeLessThan(100_000_000)
      expect(await run({ url: `${base}/flood`, read_body: false })).toMatchObject({
        kind: 'ok',
        output: { status: 200 },
      })
      expect(await run({ url: `${base}/control-characters` })).toEqual(
        failure('output_too_large', /written as JSON/),
      )
    })

    test('what a crash interrupts is lost', async () => {
      const spec = { runId: 'r', taskId: 't', attempt: 1 } as AttemptSpec
      expect(await executor.adopt(spec, undefined, () => {}).outcome).toMatchObject({ kind: 'lost' })
    })
  })

  test.each<[JsonObject, RegExp]>([
    [{}, /params\.url is missing/],
    [{ url: 'nowhere' }, /is not a URL/],
    [{ url: 'file:///etc/passwd' }, /begins with file:/],
    [{ url: 'http://x/', method: 'TRACE' }, /params\.method/],
    [{ url: 'http://x/', headers: { a: 'b\r\nc: d' } }, /params\.headers\.a/],
    [{ url: 'http://x/', headers: { 'a b': 'c' } }, /name that is none/],
    [{ url: 'http://x/', headers: { Host: 'y' } }, /Host may not be set/],
    [{ url: 'http://x/', body: { a: 1 } }, /use params\.json/],
    [{ url: 'http://x/', body: 'a', json: 1 }, /both/],
    [{ url: 'http://x/', expect_status: 'fine' }, /expect_status/],
    [{ url: 'http://x/', timeout: '5' }, /params\.timeout/],
    [{ url: 'http://x/', retries: 3 }, /params\.retries is unknown/],
  ])('%j is refused', async (params, words) => {
    expect(await run(params)).toEqual(failure('invalid_params', words))
  })

  test('outputs of upstreams are no params of its own', async () => {
    expect(await run({ url: `${base}/text`, sweep__summary: 'x' })).toMatchObject({ kind: 'ok' })
  })
})
