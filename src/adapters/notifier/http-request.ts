// One request to a server that is told something: what its answer means, and nothing of it is trusted.
//
//   1. Redirects are not followed: what is sent may be a secret, and is for the one who was named.
//   2. Of an answer that is no yes at most 64 KiB are read, of a yes nothing.
//   3. In `error` is a status or the code of a failure. Addresses and headers are in `detail` at most.

import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { clip } from '../../core/json.ts'
import type { SendResult } from '../../ports/notifier.ts'
import { createHostLookup } from './host-lookup.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type SendHttp = (request: HttpRequest, stop: AbortSignal) => Promise<SendResult>

const ANSWER_BYTES_MAX = 64 * 1024
const DETAIL_CHARACTERS = 500
/** The server may be well again soon: any other 4xx says that it will not take this. */
const PASSING = new Set([408, 425, 429])

/** @param userAgent what it says it is */
export function createSendHttp(userAgent: string): SendHttp {
  const lookUp = createHostLookup()
  return async ({ url, method, headers, body }, stop) => {
    const addresses = await lookUp(url.hostname, stop)
    const answered = Promise.withResolvers<IncomingMessage>()
    const sent: ClientRequest = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      headers: {
        'user-agent': userAgent,
        ...headers,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
      agent: false,
      signal: stop,
      lookup: (_host, options, found) => {
        const [first] = addresses
        if (options.all === true) found(null, addresses)
        else found(null, first!.address, first!.family)
      },
    })
    sent.on('response', answered.resolve)
    // A connection that breaks behind the answer has nothing more to say.
    sent.on('error', answered.reject)
    sent.end(body)
    try {
      return await judge(await answered.promise)
    } finally {
      sent.destroy()
    }
  }
}

async function judge(answer: IncomingMessage): Promise<SendResult> {
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return { kind: 'sent' }
  const error = `it answered ${status}`
  const said = await readSome(answer)
  const detail = said === '' ? error : `${error}: ${said}`
  if (status >= 300 && status < 400)
    return { kind: 'refused', error: `${error}: redirects are not followed`, detail }
  if (status < 500 && !PASSING.has(status)) return { kind: 'refused', error, detail }
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'])
  return { kind: 'failed', error, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

async function readSome(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes >= ANSWER_BYTES_MAX) break
    }
  } catch {
    // What was read is what there is.
  }
  return clip(Buffer.concat(parts).toString('utf8').trim(), DETAIL_CHARACTERS)
}

/** Seconds, or the date of the server's clock. */
function readRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}
