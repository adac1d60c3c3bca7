// What does a server answer? A status that was asked for is a yes, every other a no; no answer is that nobody knows.
//
//   1. Headers of the definition may be secrets: they go to the origin that it names and, when that sends the request
//      elsewhere, no further. They are in no answer and in no error.
//   2. The body is not read.
//   3. Names are looked up before the request, two at a time: lookups take threads of the pool that writes the journal, and
//      a name server that hangs must not take them all.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import PQueue from 'p-queue'
import { fillMarks } from '../../core/condition/occasion.ts'
import type { Answer } from '../../core/condition/question.ts'
import { type Asker, describeFailure } from './asker.ts'

const REDIRECTS_MAX = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Too short ones would blacken innocent words. */
const SECRET_LENGTH = 4

export function createHttpAsker(
  options: { fetch?: typeof globalThis.fetch | undefined } = {},
): Asker<'http'> {
  const request = options.fetch ?? globalThis.fetch
  const lookUp = options.fetch === undefined ? createLookUp() : async () => {}

  return async (question, occasion, stop) => {
    const first = new URL(fillMarks(question.url, occasion, encodeURIComponent))
    const headers = Object.entries(question.headers ?? {}).map(([name, value]): [string, string] => [
      name,
      fillMarks(value, occasion),
    ])
    const secrets = headers.map(([, value]) => value).filter(value => value.length >= SECRET_LENGTH)
    try {
      return await ask(first, headers)
    } catch (error) {
      return { error: `no answer: ${blacken(describeCause(error), secrets)}` }
    }

    async function ask(url: URL, own: [string, string][]): Promise<Answer> {
      let { method } = question as { method: string }
      let place = url
      for (let redirects = 0; ; redirects++) {
        await lookUp(place)
        const response = await request(place, {
          method,
          headers: place.origin === url.origin ? own : [],
          redirect: 'manual',
          signal: stop,
        })
        const { status } = response
        const location = response.headers.get('location')
        await response.body?.cancel()
        if (question.status.includes(status)) return { holds: true, saw: { status } }
        if (!REDIRECTS.has(status) || location === null) return { holds: false, saw: { status } }
        if (redirects === REDIRECTS_MAX) return { error: `more than ${REDIRECTS_MAX} redirects` }
        place = new URL(location, place)
        if (!/^https?:$/.test(place.protocol)) return { error: `a redirect to ${place.protocol}` }
        if (method === 'POST' && status < 307) method = 'GET'
      }
    }
  }
}

/** Looks up the name of a URL; those who ask for the same one wait for the same lookup. */
function createLookUp(): (url: URL) => Promise<unknown> {
  const queue = new PQueue({ concurrency: 2 })
  const underWay = new Map<string, Promise<unknown>>()
  return async ({ hostname }) => {
    const host = hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0) return
    const found = underWay.get(host) ?? queue.add(() => lookup(host)).finally(() => underWay.delete(host))
    underWay.set(host, found)
    await found
  }
}

/** `fetch failed` says nothing; what it was caused by does. */
function describeCause(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return describeFailure(cause ?? error)
}

function blacken(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
