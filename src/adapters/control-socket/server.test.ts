// The socket against peers that lie, stall, flood or leave, and against what may lie in its place.

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ScriptedControl, STATUS, scriptControl } from '../../../test/support/scripted-control.ts'
import {
  ControlTimeoutError,
  createClient,
  DaemonLostError,
  DaemonUnreachableError,
} from '../../api/client.ts'
import { MAX_BODY_BYTES, MAX_UNREAD_BYTES } from '../../api/wire.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { type ControlServer, type ControlServerOptions, serveControl } from './server.ts'

let folder: string
let socketPath: string
let keeper: ScriptedControl
let server: ControlServer | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dagbok-socket-'))
  socketPath = join(folder, 'control.sock')
  keeper = scriptControl()
})
afterEach(async () => {
  await server?.close()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function open(options: Partial<ControlServerOptions> = {}): Promise<void> {
  server = await serveControl({ control: keeper, socketPath, ...options })
}

function ask(method: string, path: string, body = '', headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: Record<string, never> }>((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
    })
    request.on('error', reject)
    request.end(body)
  })
}
const JSON_TYPE = { 'content-type': 'application/json' }

/** A raw connection; `closed` resolves when the other side ends it. */
function dial(): { socket: Socket; closed: Promise<void>; text(): string } {
  const socket = connect(socketPath)
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  return { socket, closed: new Promise(resolve => socket.on('close', () => resolve())), text: () => text }
}

test('only its user can reach it, and nothing is left when it closes', async () => {
  socketPath = join(folder, 'new', 'control.sock')
  await open()
  expect(lstatSync(socketPath).mode & 0o777).toBe(0o600)
  expect(lstatSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
  await server?.close()
  expect(readdirSync(join(folder, 'new'))).toEqual([])
})

test('a socket that a killed scheduler left is replaced', async () => {
  const left = createServer().listen(`${socketPath}.old`)
  await new Promise(resolve => left.once('listening', resolve))
  // A rename keeps libuv from removing it on close: it stays like that of a process that was killed.
  const { renameSync } = await import('node:fs')
  renameSync(`${socketPath}.old`, socketPath)
  await new Promise(resolve => left.close(resolve))
  expect(lstatSync(socketPath).isSocket()).toBe(true)
  await expect(createClient({ socketPath }).status()).rejects.toMatchObject({ absent: true })
  await open()
  expect(await createClient({ socketPath }).status()).toEqual(STATUS)
})

test('closing leaves alone a socket that another scheduler has put in its place', async () => {
  await open()
  const second = await serveControl({ control: keeper, socketPath })
  await server?.close()
  expect(existsSync(socketPath)).toBe(true)
  expect(await createClient({ socketPath }).status()).toEqual(STATUS)
  await second.close()
  expect(existsSync(socketPath)).toBe(false)
})

test.each<[string, () => void, RegExp]>([
  ['a file in its place', () => writeFileSync(socketPath, 'precious'), /is there and is not a socket/],
  [
    'a folder that others may write to',
    () => chmodSync(folder, 0o777),
    /others may write to .* \(mode 777\)/,
  ],
  [
    'a folder that is a link',
    () => {
      mkdirSync(join(folder, 'real'))
      symlinkSync(join(folder, 'real'), join(folder, 'link'))
      socketPath = join(folder, 'link', 'control.sock')
    },
    /is not a folder/,
  ],
])('%s is refused', async (_, arrange, words) => {
  arrange()
  await expect(open()).rejects.toMatchObject({
    code: 'CONTROL_SOCKET_UNSAFE',
    message: expect.stringMatching(words),
  })
})

test('what is not a request is refused with code, words and status, and does nothing', async () => {
  await open()
  const post = (path: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
    ask('POST', path, body, headers)
  const cases = [
    [await post('/v1/trigger', '{"cause":"x"}'), 400, /either dag or file/],
    [await post('/v1/trigger', '{"dag":"a","file":"/b","cause":"x"}'), 400, /either dag or file/],
    [await post('/v1/trigger', '{"file":"rel.yaml","cause":"x"}'), 400, /file: expected an absolute path/],
    [await post('/v1/trigger', '{"dag":"a","cause":"x","also":1}'), 400, /also/],
    [await post('/v1/cancel', '{}'), 400, /run_id/],
    [await post('/v1/record', '{"event":"e"}'), 400, /fields/],
    [await post('/v1/record', '{"fields":[1]}'), 400, /fields/],
    [await post('/v1/status', '[]'), 400, /not valid/],
    [await post('/v1/status', '{'), 400, /expected JSON/],
    [await post('/v1/status', '{}', { 'content-type': 'text/plain' }), 400, /content-type/],
    [await post('/v1/fly', '{}'), 404, /there is no POST \/v1\/fly/],
    [await ask('DELETE', '/v1/status'), 404, /there is no DELETE/],
    [await ask('GET', '/v1/trigger'), 404, /there is no GET/],
    [await ask('GET', '/v1/events?after_seq=soon'), 400, /after_seq/],
    [await ask('GET', '/v1/events?wat=1'), 400, /wat/],
  ] as const
  for (const [{ status, body }, expected, words] of cases) {
    if (!('error' in body)) throw new Error(`accepted: ${words}`)
    expect((body as unknown as { error: { message: string } }).error.message).toMatch(words)
    expect(status).toBe(expected)
  }
  expect(keeper.calls).toEqual([])
  expect(keeper.listeners).toEqual([])
})

test('a refusal of the scheduler has the status that suits its exit code', async () => {
  await open()
  const { refusal } = await import('../../../test/support/scripted-control.ts')
  keeper.failure = refusal()
  const { status, body } = await ask('POST', '/v1/cancel', '{"run_id":"ghost","reason":""}', JSON_TYPE)
  expect(status).toBe(404)
  expect(body).toEqual({
    error: { code: 'RUN_NOT_FOUND', message: refusal().message, hint: 'scheduler runs', exit_code: 4 },
  })
})

test('GET /v1/status answers too', async () => {
  await open()
  expect(await ask('GET', '/v1/status')).toEqual({ status: 200, body: STATUS })
})

test('a body that is too large is cut off with a word', async () => {
  await open()
  const { status, body } = await ask('POST', '/v1/record', 'x'.repeat(MAX_BODY_BYTES + 1), JSON_TYPE)
  expect([status, (body as { error?: { code: string } }).error?.code]).toEqual([
    413,
    'CONTROL_REQUEST_TOO_LARGE',
  ])
  expect(keeper.calls).toEqual([])
})

test('a peer that says nothing, half a request, or rubbish is let go, others are served', async () => {
  await open({ requestTimeoutMs: 200 })
  const silent = dial()
  const slow = dial()
  slow.socket.write(
    'POST /v1/status HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  )
  const rubbish = dial()
  rubbish.socket.write('\x16\x03\x01 hello?\r\n\r\n')
  expect(await createClient({ socketPath }).status()).toEqual(STATUS)
  await Promise.all([silent.closed, slow.closed, rubbish.closed])
  expect(keeper.calls).toHaveLength(1)
})

test('a listener that never reads is dropped once 1 MiB waits for it; one that reads hears all', async () => {
  await open()
  const deaf = dial()
  deaf.socket.pause()
  deaf.socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
  const heard: number[] = []
  const off = createClient({ socketPath }).subscribe(
    {},
    event => heard.push(event.seq),
    () => {},
  )
  await vi.waitFor(() => expect(keeper.listeners).toHaveLength(2))
  const text = 'x'.repeat(16 * 1024)
  let sent = 0
  // The kernel's own buffers come on top of what the server holds back, hence "within 4 MiB".
  while (keeper.listeners.length === 2 && sent < (4 * MAX_UNREAD_BYTES) / text.length) {
    keeper.emit({ timestamp: 't', event: 'note', seq: ++sent, source: 'user', text } as Event)
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(keeper.listeners).toHaveLength(1)
  expect(sent * text.length).toBeGreaterThan(MAX_UNREAD_BYTES)
  await vi.waitFor(() => expect(heard).toHaveLength(sent))
  off()
  deaf.socket.destroy()
})

test('a listener that leaves is forgotten', async () => {
  await open()
  const { socket } = dial()
  socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
  await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
  socket.destroy()
  await vi.waitFor(() => expect(keeper.listeners).toHaveLength(0))
})

test('a quiet stream carries empty lines', async () => {
  await open({ heartbeatMs: 20 })
  const peer = dial()
  peer.socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
  await vi.waitFor(() => expect(peer.text().split('\r\n1\r\n\n').length).toBeGreaterThan(3))
  peer.socket.destroy()
})

test('closing ends streams in order and waits for the answers under way', async () => {
  await open()
  const client = createClient({ socketPath })
  const ended = vi.fn()
  client.subscribe({}, () => {}, ended)
  await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
  const gate = Promise.withResolvers<void>()
  keeper.reload = async () => {
    await gate.promise
    return { ok: true, schedules: 1, dags: 1, errors: [] }
  }
  const answer = client.reload()
  await vi.waitFor(() => expect(lstatSync(socketPath).isSocket()).toBe(true))
  // The request is in once the verb was called; only then does the close begin.
  const asked = vi.fn(keeper.reload)
  keeper.reload = asked
  const second = client.reload()
  await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  const closed = server?.close()
  gate.resolve()
  expect((await answer).ok && (await second).ok).toBe(true)
  await closed
  await vi.waitFor(() => expect(ended).toHaveBeenCalledWith(undefined))
  server = undefined
  await expect(client.status()).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE', exitCode: 6 })
})

test('the client tells who is not there from who does not answer and who leaves', async () => {
  await expect(createClient({ socketPath }).status()).rejects.toThrow(DaemonUnreachableError)
  await open()
  keeper.status = () => new Promise(() => {})
  await expect(createClient({ socketPath, timeoutMs: 50 }).status()).rejects.toThrow(ControlTimeoutError)
  const rude = createServer(socket => socket.once('data', () => socket.destroy()))
  const rudePath = join(folder, 'rude.sock')
  await new Promise<void>(resolve => rude.listen(rudePath, resolve))
  await expect(createClient({ socketPath: rudePath }).status()).rejects.toThrow(DaemonLostError)
  const end = vi.fn()
  createClient({ socketPath: rudePath }).subscribe({}, () => {}, end)
  await vi.waitFor(() => expect(end).toHaveBeenCalledTimes(1))
  expect(end.mock.calls[0]?.[0]).toBeInstanceOf(DaemonLostError)
  rude.close()
})
