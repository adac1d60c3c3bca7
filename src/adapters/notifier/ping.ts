// A dead man's switch: somebody else raises the alarm when we are silent, or when we say `/fail`. Of several at once the
// failure is said first, and then how it stands now.

import type { Outcome } from '../../core/notification/outbox.ts'
import type { SendResult } from '../../ports/notifier.ts'
import { type Carrier, readAddress, type Variables } from './carrier.ts'
import type { SendHttp } from './http-request.ts'

/** A run that had nothing to do is as alive as one that did it; one that somebody stopped says nothing. */
const SAYS: Readonly<Partial<Record<Outcome, 'alive' | 'fail'>>> = {
  success: 'alive',
  skipped: 'alive',
  test: 'alive',
  failed: 'fail',
  partial: 'fail',
  late: 'fail',
  missed: 'fail',
}

export function createPing(send: SendHttp, variables: Variables): Carrier<'ping'> {
  return async ({ id, notifications }, { address }, stop) => {
    const url = readAddress(variables, address)
    const words = notifications.map(({ outcome }) => SAYS[outcome]).filter(word => word !== undefined)
    const last = words.at(-1)
    const toSay =
      last === 'alive' && words.includes('fail') ? (['fail', 'alive'] as const) : last ? [last] : []
    let result: SendResult = { kind: 'sent' }
    for (const word of toSay) {
      const to = word === 'alive' ? url : failureOf(url)
      result = await send({ url: to, method: 'GET', headers: { 'idempotency-key': id } }, stop)
      if (result.kind !== 'sent') return result
    }
    return result
  }
}

function failureOf(url: URL): URL {
  const failure = new URL(url)
  failure.pathname = `${url.pathname.replace(/\/$/, '')}/fail`
  return failure
}
