// The control socket: Control, served to this user over HTTP on a Unix socket beside the journal.
//
// Boundary: shapes are api/contract.ts, wire details api/wire.ts; what the verbs do is the daemon's.
//
//   V1. Only the user of the scheduler can speak to it: the socket is 0600 from its first moment in its place, and its
//       folder belongs to that user and nobody else may write there.
//   V2. The caller holds the lock of the state, so a socket that is already there is left over and is replaced.
//   V3. A peer that sends too much, too slowly, nothing, or never reads costs the scheduler a bounded piece of memory.
//   V4. An error of a verb crosses unchanged; nothing that a peer sends stops the scheduler.

import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { ControlRequestError, checkFilter, checkRequest } from '../../api/contract.ts'
import type { Control } from '../../api/control.ts'
import {
  encodeError,
  HEARTBEAT_MS,
  httpStatusOf,
  MAX_BODY_BYTES,
  MAX_UNREAD_BYTES,
  VERBS,
  type Verb,
} from '../../api/wire.ts'
import { DagbokError, EXIT } from '../../core/error.ts'

export interface ControlServerOptions {
  readonly control: Control
  readonly socketPath: string
  /** Between two empty lines on an event stream where nothing happens. */
  readonly heartbeatMs?: number
  /** Time that a peer has to send its request. */
  readonly requestTimeoutMs?: number
}

export interface ControlServer {
  /** Ends the streams, lets answers that are under way go out, removes the socket. */
  close(): Promise<void>
}

/**
 * Serves `control` until closed. Call it while holding the lock.
 * @throws DagbokError CONTROL_SOCKET_UNSAFE (exit 3) if the place cannot be kept from others or is no socket's
 */
export async function serveControl(options: ControlServerOptions): Promise<ControlServer> {
  const { control, socketPath, heartbeatMs = HEARTBEAT_MS, requestTimeoutMs = 10_000 } = options
  secureFolder(dirname(socketPath))
  refuseOtherFile(socketPath)

  const streams = new Set<() => void>()
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      route(request, response).catch(error => refuse(response, error))
    },
  )
  server.maxConnections = 128
  server.on('clientError', (_error, socket) => socket.destroy())

  // Bound under another name and renamed into place with its final mode: there is no moment at which others could
  // connect, none without a socket, and no race to remove the old one.
  const arriving = `${socketPath}.n`
  rmSync(arriving, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(arriving, () => {
      server.off('error', reject)
      resolve()
    })
  }).catch(error => {
    throw unsafe(`${socketPath} cannot be opened: ${(error as NodeJS.ErrnoException).code ?? error}`, error)
  })
  chmodSync(arriving, 0o600)
  renameSync(arriving, socketPath)
  const { dev, ino } = lstatSync(socketPath)

  return {
    close: () =>
      new Promise(resolve => {
        for (const end of [...streams]) end()
        server.close(() => resolve())
        server.closeIdleConnections()
        const now = lstatSync(socketPath, { throwIfNoEntry: false })
        if (now?.dev === dev && now.ino === ino) rmSync(socketPath, { force: true })
        // Whoever has not taken its answer by then never will.
        setTimeout(() => server.closeAllConnections(), 1_000).unref()
      }),
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://scheduler')
    const verb = /^\/v1\/([a-z_]+)$/.exec(url.pathname)?.[1]
    if (verb === 'events' && request.method === 'GET') return stream(url, response)
    const asks = request.method === 'POST' || (request.method === 'GET' && verb === 'status')
    if (!VERBS.includes(verb as Verb) || !asks) {
      throw new DagbokError(
        'CONTROL_VERB_UNKNOWN',
        `there is no ${request.method} ${url.pathname}; there are POST /v1/{${VERBS.join(',')}} and GET /v1/events`,
        {
          exitCode: EXIT.usage,
          hint: 'compare `scheduler --version` with the version in `scheduler status`',
        },
      )
    }
    const body = request.method === 'POST' ? await readBody(request) : {}
    const answer = await perform(verb as Verb, body)
    if (!response.destroyed) send(response, 200, answer)
  }

  function perform(verb: Verb, body: unknown): Promise<object> {
    switch (verb) {
      case 'trigger':
        return control.trigger(checkRequest(verb, body))
      case 'run_slot':
        return control.runSlot(checkRequest(verb, body))
      case 'pause':
        return control.pause(checkRequest(verb, body))
      case 'resume':
        return control.resume(checkRequest(verb, body))
      case 'skip':
        return control.skip(checkRequest(verb, body))
      case 'unskip':
        return control.unskip(checkRequest(verb, body))
      case 'cancel':
        return control.cancel(checkRequest(verb, body))
      case 'record':
        return control.record(checkRequest(verb, body))
      case 'status':
        checkRequest(verb, body)
        return control.status()
      case 'reload':
        checkRequest(verb, body)
        return control.reload()
    }
  }

  async function stream(url: URL, response: ServerResponse): Promise<void> {
    const filter = checkFilter(url.searchParams)
    response.writeHead(200, {
      'content-type': 'application/jsonl; charset=utf-8',
      'cache-control': 'no-store',
    })
    response.flushHeaders()
    let over = false
    const push = (line: string) => {
      if (over) return
      response.write(line)
      // It lives, but does not read: what it wants stands in the journal.
      if (response.writableLength > MAX_UNREAD_BYTES) stop(() => response.destroy())
    }
    const heartbeat = setInterval(() => push('\n'), heartbeatMs)
    let unsubscribe: (() => void) | undefined
    const stop = (finish: () => void) => {
      if (over) return
      over = true
      clearInterval(heartbeat)
      streams.delete(end)
      unsubscribe?.()
      finish()
    }
    const end = () => stop(() => response.end())
    streams.add(end)
    response.on('close', () => stop(() => response.destroy()))
    response.on('error', () => stop(() => response.destroy()))
    unsubscribe = control.subscribe(
      filter,
      event => push(`${JSON.stringify(event)}\n`),
      error => stop(() => (error ? response.destroy() : response.end())),
    )
    if (over) unsubscribe()
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new ControlRequestError(`expected content-type application/json, got ${JSON.stringify(type)}`)
  }
  const chunks: Buffer[] = []
  let size = 0
  // Kept open on refusal, or the peer would never learn why.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length
    if (size > MAX_BODY_BYTES) {
      throw new DagbokError('CONTROL_REQUEST_TOO_LARGE', `expected at most ${MAX_BODY_BYTES} bytes`, {
        exitCode: EXIT.usage,
        hint: 'write the data to a file and pass its path',
      })
    }
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch (error) {
    throw new ControlRequestError(`expected JSON: ${(error as Error).message}`)
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    // One question, one connection: nothing idle is left when the scheduler stops.
    connection: 'close',
  })
  response.end(text)
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const body = encodeError(error)
  send(response, httpStatusOf(body), body)
}

/** Makes the folder, 0700, or makes sure that the one there is ours alone to write to. */
function secureFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unsafe(`${folder} cannot be made: ${(error as NodeJS.ErrnoException).code}`, error)
  }
  const stat = lstatSync(folder)
  const me = process.getuid?.()
  if (!stat.isDirectory()) throw unsafe(`${folder} is not a folder`)
  if (me !== undefined && stat.uid !== me) throw unsafe(`${folder} belongs to another user (uid ${stat.uid})`)
  if (me !== undefined && (stat.mode & 0o022) !== 0) {
    throw unsafe(`others may write to ${folder} (mode ${(stat.mode & 0o777).toString(8)})`)
  }
}

function refuseOtherFile(socketPath: string): void {
  const stat = lstatSync(socketPath, { throwIfNoEntry: false })
  if (stat && !stat.isSocket()) throw unsafe(`${socketPath} is there and is not a socket`)
}

function unsafe(message: string, cause?: unknown): DagbokError {
  return new DagbokError('CONTROL_SOCKET_UNSAFE', `the control socket cannot be opened: ${message}`, {
    exitCode: EXIT.configInvalid,
    hint: 'give it a place of its own with --socket or SCHED_SOCKET_PATH, in a folder that only this user can write to',
    cause,
  })
}
