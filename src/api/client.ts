// Control over the socket of a running scheduler.
//
//   L1. DaemonUnreachableError means that the request was never sent: it may be tried in another way. Every later
//       failure is DaemonLostError or ControlTimeoutError: whether it was done is then for the journal to say.
//   L2. A socket that belongs to a stranger is not spoken to.

import { lstatSync } from 'node:fs'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { DagbokError, EXIT } from '../core/error.ts'
import type { Event } from '../core/state-machine/event.ts'
import type { Control, EventFilter } from './control.ts'
import { decodeError, SILENCE_MS, type Verb } from './wire.ts'

/** Nobody listens there (exit 6). */
export class DaemonUnreachableError extends DagbokError {
  /** True if there is surely no scheduler behind the socket; false if it only cannot be spoken to. */
  readonly absent: boolean

  constructor(socketPath: string, why: string, absent: boolean, cause?: unknown) {
    super('DAEMON_UNREACHABLE', `no scheduler can be reached at ${socketPath}: ${why}`, {
      exitCode: EXIT.daemonUnreachable,
      hint: absent
        ? 'start one with `scheduler --serve`, or check --root and STATE_STORE_PATH: they must be those of the scheduler'
        : 'run the command as the user that the scheduler runs as',
      cause,
    })
    this.absent = absent
  }
}

/** It took the request and went away before its answer was complete (exit 6). */
export class DaemonLostError extends DagbokError {
  constructor(what: string, cause?: unknown) {
    super('DAEMON_LOST', `the scheduler went away before it had answered to ${what}`, {
      exitCode: EXIT.daemonUnreachable,
      hint: '`scheduler events` shows whether it was done',
      cause,
    })
  }
}

/** It is there and does not answer (exit 124). */
export class ControlTimeoutError extends DagbokError {
  constructor(what: string, timeoutMs: number) {
    super('CONTROL_TIMEOUT', `the scheduler has not answered to ${what} within ${timeoutMs / 1000} s`, {
      exitCode: EXIT.timeout,
      hint: '`scheduler events` shows whether it was done; its log says what holds it up',
    })
  }
}

export interface ClientOptions {
  readonly socketPath: string
  /** For each answer. Default 30 s: a commit waits while the disk is slow. */
  readonly timeoutMs?: number
}

/** Control of the scheduler that listens at a socket. Opens nothing until a verb is called. */
export function createClient({ socketPath, timeoutMs = 30_000 }: ClientOptions): Control {
  return {
    trigger: request => call('trigger', request),
    runSlot: request => call('run_slot', request),
    pause: request => call('pause', request),
    resume: request => call('resume', request),
    skip: request => call('skip', request),
    unskip: request => call('unskip', request),
    cancel: request => call('cancel', request),
    record: request => call('record', request),
    status: () => call('status', {}),
    reload: () => call('reload', {}),
    subscribe: (filter, onEvent, onEnd) => subscribe(socketPath, filter, onEvent, onEnd),
  }

  function call<Answer>(verb: Verb, body: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stranger = refuseStranger(socketPath)
      if (stranger) return reject(stranger)
      const text = JSON.stringify(body)
      const request = httpRequest({
        socketPath,
        method: 'POST',
        path: `/v1/${verb}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        agent: false,
      })
      const timer = setTimeout(() => {
        const late = new ControlTimeoutError(verb, timeoutMs)
        reject(late)
        request.destroy(late)
      }, timeoutMs)
      const fail = (error: Error) => {
        clearTimeout(timer)
        reject(explain(socketPath, verb, error))
      }
      request.on('error', fail)
      request.on('response', response => {
        readAll(response).then(answer => {
          clearTimeout(timer)
          const refusal = decodeError(answer)
          if (refusal) reject(refusal)
          else if (response.statusCode !== 200)
            reject(new DaemonLostError(verb, `HTTP ${response.statusCode}`))
          else resolve(answer as Answer)
        }, fail)
      })
      request.end(text)
    })
  }
}

async function readAll(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

function subscribe(
  socketPath: string,
  filter: EventFilter,
  onEvent: (event: Event) => void,
  onEnd: (error?: Error) => void,
): () => void {
  let over = false
  const end = (error?: Error) => {
    if (over) return
    over = true
    clearTimeout(silence)
    request?.destroy()
    onEnd(error)
  }
  let silence: NodeJS.Timeout | undefined
  const listen = () => {
    clearTimeout(silence)
    silence = setTimeout(() => end(new ControlTimeoutError('events', SILENCE_MS)), SILENCE_MS)
  }
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(filter)) if (value !== undefined) query.set(key, String(value))

  let request: ClientRequest | undefined
  const stranger = refuseStranger(socketPath)
  if (stranger) {
    queueMicrotask(() => end(stranger))
    return () => {
      over = true
    }
  }
  request = httpRequest({ socketPath, path: `/v1/events?${query}`, agent: false })
  request.on('error', error => end(explain(socketPath, 'events', error)))
  request.on('response', response => {
    if (response.statusCode !== 200) {
      readAll(response).then(
        answer => end(decodeError(answer) ?? new DaemonLostError('events')),
        error => end(new DaemonLostError('events', error)),
      )
      return
    }
    let rest: Buffer = Buffer.alloc(0)
    response.on('data', (chunk: Buffer) => {
      listen()
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (let at = rest.indexOf(0x0a); at !== -1 && !over; at = rest.indexOf(0x0a)) {
        const line = rest.subarray(0, at)
        rest = rest.subarray(at + 1)
        if (line.length > 0) onEvent(JSON.parse(line.toString('utf8')) as Event)
      }
    })
    response.on('end', () => end())
    response.on('error', error => end(new DaemonLostError('events', error)))
    response.on('close', () => end(new DaemonLostError('events')))
  })
  listen()
  request.end()
  return () => {
    over = true
    clearTimeout(silence)
    request?.destroy()
  }
}

/** ENOENT and a refused connection prove that nobody is there; what fails later does not. */
function explain(socketPath: string, what: string, error: Error): DagbokError {
  if (error instanceof DagbokError) return error
  const code = (error as NodeJS.ErrnoException).code
  const syscall = (error as NodeJS.ErrnoException).syscall
  if (syscall === 'connect') {
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return new DaemonUnreachableError(socketPath, 'there is no such socket', true, error)
    }
    if (code === 'ECONNREFUSED') {
      return new DaemonUnreachableError(socketPath, 'nobody listens there any more', true, error)
    }
    return new DaemonUnreachableError(socketPath, code ?? error.message, false, error)
  }
  return new DaemonLostError(what, error)
}

/** Someone else's socket in a place that many may write to could be a trap: it would be told what we ask. */
function refuseStranger(socketPath: string): DaemonUnreachableError | undefined {
  const me = process.getuid?.()
  if (me === undefined || me === 0) return undefined
  try {
    const { uid } = lstatSync(socketPath)
    if (uid === me || uid === 0) return undefined
    return new DaemonUnreachableError(socketPath, `it belongs to another user (uid ${uid})`, false)
  } catch {
    // What is not there cannot deceive; the connection says why it failed.
    return undefined
  }
}
