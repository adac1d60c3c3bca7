import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openProbe, type ProbeBench } from '../../../test/support/probes.ts'
import type { HttpQuestion } from '../../core/condition/question.ts'

let bench: ProbeBench
let server: Server
let other: Server
let asked: { path: string; method: string; key: string | undefined; isOther: boolean }[] = []

const portOf = (each: Server) => (each.address() as AddressInfo).port
const note = (request: IncomingMessage, isOther: boolean) =>
  asked.push({
    path: request.url!,
    method: request.method!,
    key: request.headers['x-key'] as string | undefined,
    isOther,
  })

beforeAll(async () => {
  bench = openProbe()
  server = createServer((request, response) => {
    note(request, false)
    const path = request.url!
    if (path === '/hang') return
    if (path === '/endless') {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1)
      response.on('close', () => clearInterval(timer))
      return
    }
    if (path === '/reset') return void request.socket.destroy()
    if (path === '/loop') return void response.writeHead(302, { location: '/loop' }).end()
    if (path === '/moved') return void response.writeHead(302, { location: '/204' }).end()
    if (path === '/away')
      return void response.writeHead(302, { location: `http://127.0.0.1:${portOf(other)}/200` }).end()
    if (path === '/file') return void response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    response.writeHead(Number(path.slice(1, 4)) || 200).end('body')
  }).listen(0, '127.0.0.1')
  other = createServer((request, response) => {
    note(request, true)
    response.end()
  }).listen(0, '127.0.0.1')
  await Promise.all([server, other].map(each => once(each, 'listening')))
})
afterAll(() => {
  for (const each of [server, other]) {
    each.close()
    each.closeAllConnections()
  }
  bench.close()
})
beforeEach(() => {
  asked = []
})

const ask = (path: string, more: Partial<HttpQuestion> = {}, signal?: AbortSignal) =>
  bench.ask(
    {
      kind: 'http',
      url: `http://127.0.0.1:${portOf(server)}${path}`,
      method: 'GET',
      status: [200, 204],
      timeoutMs: 5_000,
      ...more,
    },
    signal,
  )

describe('a server', () => {
  test.each([
    ['/200', true, 200],
    ['/204', true, 204],
    ['/404', false, 404],
    ['/500', false, 500],
    ['/moved', true, 204],
    ['/endless', true, 200],
  ])('%s: %s', async (path, holds, status) => {
    expect(await ask(path)).toEqual({ holds, saw: { status } })
  })

  test('is asked with marks filled in, in URL and headers', async () => {
    await ask('/200?at={{slot}}&day={{ds}}', { method: 'POST', headers: { 'x-key': 'of {{tenant}}' } })
    expect(asked).toEqual([
      { path: '/200?at=2026-01-04T23%3A30Z&day=2026-01-05', method: 'POST', key: 'of acme', isOther: false },
    ])
  })

  test('a redirect that was asked for is the answer', async () => {
    expect(await ask('/moved', { status: [302] })).toEqual({ holds: true, saw: { status: 302 } })
  })

  test('headers do not follow to another origin', async () => {
    expect(await ask('/away', { method: 'POST', headers: { 'x-key': 'secret' } })).toMatchObject({
      holds: true,
    })
    expect(asked.map(({ key, method, isOther }) => ({ key, method, isOther }))).toEqual([
      { key: 'secret', method: 'POST', isOther: false },
      { key: undefined, method: 'GET', isOther: true },
    ])
  })
})

describe('nobody knows', () => {
  test.each([
    ['/loop', 'more than 5 redirects'],
    ['/file', 'a redirect to file:'],
    ['/reset', 'no answer: '],
  ])('%s', async (path, error) => {
    expect(await ask(path)).toEqual({ error: expect.stringContaining(error) })
  })

  test('where nobody listens', async () => {
    const answer = await ask('', { url: 'http://127.0.0.1:1/' })
    expect(answer).toEqual({ error: expect.stringMatching(/ECONNREFUSED|bad port/) })
  })

  test('a name that does not exist', async () => {
    const answer = await ask('', { url: 'http://no-such-host.invalid/' })
    expect(answer).toEqual({ error: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) })
  })

  test('one that hangs', async () => {
    expect(await ask('/hang', { timeoutMs: 300 })).toEqual({ error: 'no answer within 300ms' })
  })

  test('the scheduler stops', async () => {
    const stop = new AbortController()
    const answer = ask('/hang', {}, stop.signal)
    await expect.poll(() => asked.length).toBe(1)
    stop.abort()
    expect(await answer).toEqual({ error: 'the scheduler stops' })
  })

  test('a secret of the headers is in no error', async () => {
    const failing = openProbe({
      fetch: async (_, init) => {
        throw new Error(`cannot send ${JSON.stringify(init?.headers)}`)
      },
    })
    const answer = await failing.ask({
      kind: 'http',
      url: 'http://a.example/',
      method: 'GET',
      headers: { authorization: 'Bearer hunter2' },
      status: [200],
      timeoutMs: 1_000,
    })
    failing.close()
    expect(answer).toEqual({ error: 'no answer: cannot send [["authorization","***"]]' })
  })
})
