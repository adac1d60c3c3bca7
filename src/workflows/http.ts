// The `http` workflow: one request, its answer as output. It is ours, so it runs in the scheduler's own process.
//
//   1. http: and https: only, also after a redirect; at most 3 redirects; credentials stay with the origin they were
//      meant for.
//   2. At most 1 MiB of the answer is read, whatever it claims: nothing is unpacked, and the connection is closed then.
//   3. Every wait ends: by the answer, the time limit (`timeout` here, or the task's) or a cancellation.

import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Json, JsonObject } from '../core/json.ts'
import type { AttemptError } from '../core/state-machine/event.ts'
import { formatDuration } from '../core/time/duration.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptOutcome, AttemptSpec, Executor, RunningAttempt } from '../ports/executor.ts'
import { type HttpRequest, isWeb, readRequest } from './http-params.ts'

const MAX_REDIRECTS = 3
const MAX_BODY_BYTES = 1024 * 1024
const MAX_OUTPUT_BYTES = 1024 * 1024
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization']
/** Of the answer: secrets of the server's that nobody downstream should find in a journal. */
const HIDDEN_HEADERS = new Set(['set-cookie', 'www-authenticate', 'proxy-authenticate'])

/** Asks over HTTP. See docs/guides/workflows.md for the params. */
export function createHttpExecutor({ clock }: { clock: Clock }): Executor {
  const running = new Set<HttpAttempt>()
  return {
    start(spec) {
      const request = readRequest(spec.params)
      if (typeof request === 'string') return settled({ kind: 'invalid_params', message: request })
      const attempt = new HttpAttempt(spec, request, clock)
      running.add(attempt)
      void attempt.outcome.then(() => running.delete(attempt))
      return attempt
    },
    adopt() {
      const reason = 'the scheduler stopped while the request was under way'
      return { outcome: Promise.resolve({ kind: 'lost', reason }), cancel: () => {} }
    },
    async close() {
      for (const attempt of running) attempt.abandon()
    },
  }
}

class HttpAttempt implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #abort = new AbortController()
  #verdict: AttemptOutcome | undefined

  constructor(spec: AttemptSpec, request: HttpRequest, clock: Clock) {
    const taskMs =
      spec.timeoutMs ?? (spec.deadlineAt === undefined ? Infinity : spec.deadlineAt - clock.now())
    const limitMs = Math.max(0, Math.min(request.timeoutMs, taskMs))
    const stopLimit = clock.after(limitMs, () => {
      const message = `${describe(request)} did not answer within ${formatDuration(limitMs)}`
      this.#stop({ kind: 'failed', error: { kind: 'timeout', message } })
    })
    this.outcome = perform(request, this.#abort.signal)
      .catch((error: unknown): AttemptOutcome => ({ kind: 'failed', error: explain(request, error) }))
      .then(outcome => this.#verdict ?? outcome)
      .finally(stopLimit)
  }

  cancel(reason: string): void {
    this.#stop({ kind: 'cancelled', reason })
  }

  abandon(): void {
    this.#stop({ kind: 'lost', reason: 'the scheduler stopped while the request was under way' })
  }

  #stop(verdict: AttemptOutcome): void {
    this.#verdict ??= verdict
    this.#abort.abort()
  }
}

async function perform(request: HttpRequest, signal: AbortSignal): Promise<AttemptOutcome> {
  const { response, url } = await follow(request, signal)
  const status = response.statusCode ?? 0
  const accepted = request.accepts(status)
  const body = accepted && request.readBody ? await readBody(response) : undefined
  response.destroy()
  if (!accepted) {
    const message =
      `${request.method} ${shown(url)} answered ${status} ${response.statusMessage ?? ''}`.trim()
    return failed('http_status', `${message}; expected ${request.expected}`)
  }
  if (body === 'too_large')
    return failed(
      'output_too_large',
      `the answer of ${shown(url)} has more than 1 MiB; set read_body: false if only its status matters`,
    )
  const output: JsonObject = {
    status,
    headers: readHeaders(response),
    ...(body === undefined ? {} : decode(response, body)),
  }
  if (Buffer.byteLength(JSON.stringify(output)) > MAX_OUTPUT_BYTES)
    return failed(
      'output_too_large',
      `the answer of ${shown(url)} has more than 1 MiB once it is written as JSON`,
    )
  return { kind: 'ok', output }
}

/** Asks, and asks again where it is sent to. */
async function follow(
  request: HttpRequest,
  signal: AbortSignal,
): Promise<{ response: IncomingMessage; url: URL }> {
  let { url, method, body } = request
  const headers: Record<string, string> = { 'user-agent': 'dagbok', accept: '*/*', ...request.headers }
  for (let redirects = 0; ; redirects++) {
    const response = await ask(url, method, headers, body, signal)
    const { location } = response.headers
    const status = response.statusCode ?? 0
    if (!REDIRECTS.has(status) || location === undefined) return { response, url }
    response.destroy()
    if (redirects === MAX_REDIRECTS) throw new Refusal(`it was redirected more than ${MAX_REDIRECTS} times`)
    if (!URL.canParse(location, url.href))
      throw new Refusal(`it was redirected to ${JSON.stringify(location)}, which is no URL`)
    const next = new URL(location, url)
    if (!isWeb(next))
      throw new Refusal(`it was redirected to ${next.protocol}, and only http: and https: are asked`)
    if (next.origin !== url.origin) for (const name of CREDENTIALS) delete headers[name]
    // What every browser does: 303 always, 301 and 302 for a POST, ask again with GET and without a body.
    if ((status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST')) {
      method = 'GET'
      body = undefined
      delete headers['content-type']
    }
    url = next
  }
}

function ask(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const outgoing = send(url, {
      method,
      // No reuse: nothing is left open behind a finished attempt.
      agent: false,
      signal,
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(bytes === undefined ? {} : { 'content-length': String(bytes.length) }),
      },
    })
    outgoing.on('error', reject)
    outgoing.on('response', resolve)
    outgoing.end(bytes)
  })
}

function readBody(response: IncomingMessage): Promise<Buffer | 'too_large'> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let length = 0
    response.on('data', (part: Buffer) => {
      length += part.length
      if (length <= MAX_BODY_BYTES) return void parts.push(part)
      response.destroy()
      resolve('too_large')
    })
    response.on('end', () => resolve(Buffer.concat(parts)))
    response.on('error', reject)
    response.on('close', () =>
      reject(new Refusal('the connection was closed before the answer was complete')),
    )
  })
}

/** `json` where the answer says it is JSON and it is; else `body` as text. */
function decode(response: IncomingMessage, bytes: Buffer): JsonObject {
  const text = bytes.toString('utf8')
  if (/[/+]json\b/i.test(response.headers['content-type'] ?? '')) {
    try {
      return { json: JSON.parse(text) as Json }
    } catch {
      // It says so and is not: the text shows what came.
    }
  }
  return { body: text }
}

function readHeaders(response: IncomingMessage): JsonObject {
  const headers: JsonObject = {}
  for (const [name, value] of Object.entries(response.headers))
    if (!HIDDEN_HEADERS.has(name)) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}

/** A URL in a message: without user, password and query, which may hold secrets. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`
}

function describe({ method, url }: HttpRequest): string {
  return `${method} ${shown(url)}`
}

class Refusal extends Error {}

function explain(request: HttpRequest, error: unknown): AttemptError {
  const { code, message } = error as NodeJS.ErrnoException
  const why = error instanceof Refusal || code === undefined ? message : `${message || code} (${code})`
  return {
    kind: 'http_error',
    message: `${describe(request)} failed: ${why.replaceAll(request.url.search || '\0', '')}`,
  }
}

function failed(kind: string, message: string): AttemptOutcome {
  return { kind: 'failed', error: { kind, message } }
}

function settled(error: AttemptError): RunningAttempt {
  return { outcome: Promise.resolve({ kind: 'failed', error }), cancel: () => {} }
}
