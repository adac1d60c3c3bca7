// The HTTP door: what other machines may ask of a scheduler, over TCP. Runs are triggered here; whoever asks needs the token.
//
// Boundary: what a verb does is Control's (api/control.ts); this file says who may ask, in which form, and how much.
//
//   H1. Nothing but /healthz is answered without the token, and that says nothing about the state.
//   H2. A request is bounded in size and time; one that is wrong costs nobody else anything.
//   H3. An error of a verb crosses with its code, message and hint, as on the control socket.

import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { bodyLimit } from 'hono/body-limit'
import type { Control } from '../api/control.ts'
import { encodeError, httpStatusOf } from '../api/wire.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'

const MAX_BODY_BYTES = 64 * 1024
const REQUEST_MS = 10_000

export interface HttpServerOptions {
  readonly control: Control
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string
  /** What a caller must show: `Authorization: Bearer …`. */
  readonly token: string
}

export interface HttpServer {
  /** Where it listens: `127.0.0.1:8080`. */
  readonly address: string
  close(): Promise<void>
}

/**
 * Serves until closed.
 * @throws DagbokError HTTP_UNAVAILABLE (exit 3) if it cannot listen there
 */
export async function serveHttp({ control, listen, token }: HttpServerOptions): Promise<HttpServer> {
  const app = createApp(control, token)
  const { host, port } = readAddress(listen)
  const server = await new Promise<ServerType>((resolve, reject) => {
    const serverOptions = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }
    const starting = serve({ fetch: app.fetch, hostname: host, port, serverOptions }, () => resolve(starting))
    starting.once('error', reject)
  }).catch(error => {
    const { code = error } = error as NodeJS.ErrnoException
    throw new DagbokError('HTTP_UNAVAILABLE', `HTTP cannot be served on ${listen}: ${code}`, {
      hint: 'give another address with --http, or none',
      exitCode: EXIT.configInvalid,
    })
  })
  const bound = server.address()
  return {
    address: typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : listen,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        // Kept-alive connections that ask for nothing would hold a stop up.
        if ('closeIdleConnections' in server) server.closeIdleConnections()
      }),
  }
}

function readAddress(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':')
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) }
}

function createApp(control: Control, token: string): Hono {
  const app = new Hono()
  app.get('/healthz', context => context.json({ status: 'ok' }))
  app.use('/api/*', bearerAuth({ token }))
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new DagbokError('CONTROL_REQUEST_TOO_LARGE', `a request may have ${MAX_BODY_BYTES} bytes`, {
          exitCode: EXIT.usage,
        })
      },
    }),
  )
  app.post('/api/v1/dags/:dag/runs', async context => {
    const params = readParams(await context.req.text(), context.req.header('content-type'))
    const answer = await control.trigger({
      dag: context.req.param('dag'),
      cause: 'http',
      ...(params === undefined ? {} : { params }),
    })
    return context.json(answer, 202)
  })
  app.notFound(context => {
    const message = `there is no ${context.req.method} ${context.req.path}`
    const error = new DagbokError('CONTROL_VERB_UNKNOWN', message, {
      hint: 'POST /api/v1/dags/<dag>/runs',
      exitCode: EXIT.notFound,
    })
    return context.json(encodeError(error), 404)
  })
  app.onError((error, context) => {
    if ('getResponse' in error && typeof error.getResponse === 'function')
      return error.getResponse() as Response
    const body = encodeError(error)
    return context.json(body, httpStatusOf(body) as 400)
  })
  return app
}

/** @throws DagbokError CONTROL_REQUEST_INVALID (2) */
function readParams(text: string, type: string | undefined): JsonObject | undefined {
  if (text.trim() === '') return undefined
  if (type?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json')
    throw invalid(`expected content-type: application/json, got ${type ?? 'none'}`)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw invalid(`the body is not JSON: ${(error as Error).message}`)
  }
  if (!isJsonObject(body)) throw invalid('expected an object, such as {"params": {"day": "2026-01-05"}}')
  const unknown = Object.keys(body).filter(key => key !== 'params')
  if (unknown.length > 0) throw invalid(`unknown key ${JSON.stringify(unknown[0])}; known is params`)
  const { params } = body
  if (params !== undefined && !isJsonObject(params)) throw invalid('expected params to be an object')
  return params
}

function invalid(message: string): DagbokError {
  return new DagbokError('CONTROL_REQUEST_INVALID', message, { exitCode: EXIT.usage })
}
