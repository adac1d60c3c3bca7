// The params of an `http` task, read and checked. Pure: nothing is asked for here.

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { parseDuration } from '../core/time/duration.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** True for a status that counts as success. */
  readonly accepts: (status: number) => boolean
  /** `expect_status` in words. */
  readonly expected: string
  readonly timeoutMs: number
  readonly readBody: boolean
}

const KNOWN = new Set([
  'url',
  'method',
  'headers',
  'query',
  'body',
  'json',
  'expect_status',
  'timeout',
  'read_body',
])
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Set by the request itself; a second one would let a request be read in two ways. */
const FORBIDDEN_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
])
export const DEFAULT_TIMEOUT_MS = 60_000

/** A problem in words that name the param, or the request. Params of upstreams (`<task>__<key>`) are let through. */
export function readRequest(params: JsonObject): HttpRequest | string {
  for (const name of Object.keys(params))
    if (!KNOWN.has(name) && !name.includes('__'))
      return `params.${name} is unknown to http; it knows ${[...KNOWN].join(', ')}`
  const url = readUrl(params['url'], params['query'])
  if (typeof url === 'string') return url
  const method = String(params['method'] ?? 'GET').toUpperCase()
  if (!METHODS.has(method))
    return `params.method is ${JSON.stringify(params['method'])}; expected one of ${[...METHODS].join(', ')}`
  const headers = readHeaders(params['headers'])
  if (typeof headers === 'string') return headers
  const { body, json } = params
  if (body !== undefined && json !== undefined)
    return 'params.body and params.json are both there; expected one of them'
  if (body !== undefined && typeof body !== 'string')
    return 'params.body is not text; use params.json to send a value as JSON'
  if (json !== undefined) headers['content-type'] ??= 'application/json'
  const status = readExpected(params['expect_status'])
  if (typeof status === 'string') return status
  const timeoutMs = readTimeout(params['timeout'])
  if (typeof timeoutMs === 'string') return timeoutMs
  return {
    url,
    method,
    headers,
    body: json === undefined ? body : JSON.stringify(json),
    ...status,
    timeoutMs,
    readBody: params['read_body'] !== false,
  }
}

function readUrl(value: Json | undefined, query: Json | undefined): URL | string {
  if (typeof value !== 'string')
    return 'params.url is missing; expected a text such as https://example.org/health'
  if (!URL.canParse(value)) return `params.url ${JSON.stringify(value)} is not a URL; expected https://…`
  const url = new URL(value)
  if (!isWeb(url)) return `params.url begins with ${url.protocol}; expected http: or https:`
  if (query === undefined) return url
  if (!isJsonObject(query)) return 'params.query is no mapping; expected names with values'
  for (const [name, each] of Object.entries(query))
    if (each !== undefined && each !== null)
      url.searchParams.append(name, typeof each === 'string' ? each : JSON.stringify(each))
  return url
}

/** Only these two are spoken: no file:, data:, gopher:, unix:. */
export function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:'
}

function readHeaders(value: Json | undefined): Record<string, string> | string {
  const headers: Record<string, string> = {}
  if (value === undefined) return headers
  if (!isJsonObject(value)) return 'params.headers is no mapping; expected names with values'
  for (const [name, each] of Object.entries(value)) {
    if (each === undefined || each === null) continue
    if (!HEADER_NAME.test(name)) return `params.headers has a name that is none: ${JSON.stringify(name)}`
    if (FORBIDDEN_HEADERS.has(name.toLowerCase()))
      return `params.headers.${name} may not be set: the request sets it`
    const text = typeof each === 'string' ? each : JSON.stringify(each)
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(text))
      return `params.headers.${name} holds a line break or another character that no header may have`
    headers[name.toLowerCase()] = text
  }
  return headers
}

function readExpected(value: Json | undefined): Pick<HttpRequest, 'accepts' | 'expected'> | string {
  const entries = value === undefined ? ['2xx'] : Array.isArray(value) ? value : [value]
  const tests: ((status: number) => boolean)[] = []
  for (const entry of entries) {
    const text = String(entry)
    if (/^[1-5]xx$/i.test(text)) tests.push(status => String(status)[0] === text[0])
    else if (/^[1-5]\d\d$/.test(text)) tests.push(status => status === Number(text))
    else
      return `params.expect_status has ${JSON.stringify(entry)}; expected a status such as 200, a class such as 2xx, or a list of them`
  }
  return { accepts: status => tests.some(test => test(status)), expected: entries.map(String).join(' or ') }
}

function readTimeout(value: Json | undefined): number | string {
  if (value === undefined) return DEFAULT_TIMEOUT_MS
  try {
    const timeoutMs = parseDuration(value as string)
    return timeoutMs > 0 ? timeoutMs : 'params.timeout is 0s; expected a duration such as 30s'
  } catch (error) {
    return `params.timeout: ${(error as Error).message}`
  }
}
