import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPostgresReader } from './postgres.ts'

/** A server that takes connections and says what it is told to. */
let server: Server
let port: number
let sockets: Socket[]
let reply: Buffer
beforeEach(async () => {
  sockets = []
  reply = Buffer.alloc(0)
  server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.write(reply))
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

/** "You are in", "ask": then silence. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

const reader = (limits: { connectMs?: number; queryMs?: number } = {}) =>
  createPostgresReader({
    environment: { URL_OF_SHOP: `postgres://me:hush@127.0.0.1:${port}/shop` },
    ...limits,
  })
const never = new AbortController().signal
const stopIn = (ms: number) => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(new Error('called off')), ms)
  return stop.signal
}
const closed = async () => {
  for (const socket of sockets)
    if (!socket.closed) await new Promise(resolve => void socket.once('close', resolve))
}

test('a server that never says a word', async () => {
  await expect(reader({ connectMs: 200 })('URL_OF_SHOP', async () => 1, never)).rejects.toThrow(
    'the database of URL_OF_SHOP cannot be read: timeout',
  )
  await closed()
  await expect(reader()('URL_OF_SHOP', async () => 1, stopIn(200))).rejects.toThrow('called off')
  await closed()
})

test('a server that falls silent', async () => {
  reply = WELCOME
  await expect(reader({ queryMs: 200 })('URL_OF_SHOP', async () => 1, never)).rejects.toThrow(
    'the database of URL_OF_SHOP cannot be read: Query read timeout',
  )
  await closed()
  await expect(reader()('URL_OF_SHOP', async () => 1, stopIn(200))).rejects.toThrow('called off')
  await closed()
})

test('a server that goes away', async () => {
  reply = WELCOME
  const asked = reader()('URL_OF_SHOP', async () => 1, never)
  setTimeout(() => sockets[0]?.destroy(), 200)
  await expect(asked).rejects.toThrow('the database of URL_OF_SHOP cannot be read: Connection terminated')
})

test('what is already called off is not begun', async () => {
  await expect(reader()('URL_OF_SHOP', async () => 1, AbortSignal.abort(new Error('no')))).rejects.toThrow(
    'no',
  )
  expect(sockets).toEqual([])
})
