// A webhook: the message as JSON by POST, with its id as Idempotency-Key. If the channel has a secret, `Dagbok-Signature` is
// `t=<seconds>,v1=<hex>`: the HMAC-SHA256 of `<seconds>.<body>` under it. Whoever gets it makes the same, compares in
// constant time, and refuses what is older than some minutes (docs/guides/notifications.md).

import { createHmac } from 'node:crypto'
import { messageBody } from '../../core/notification/message.ts'
import { type Carrier, readAddress, readVariable, type Variables } from './carrier.ts'
import type { SendHttp } from './http-request.ts'

export function createWebhook(send: SendHttp, variables: Variables): Carrier<'webhook'> {
  return async (message, { address, secretEnv }, stop) => {
    const url = readAddress(variables, address)
    const body = JSON.stringify(messageBody(message))
    const headers: Record<string, string> = {
      'content-type': 'application/json; charset=utf-8',
      'idempotency-key': message.id,
    }
    if (secretEnv !== undefined)
      headers['dagbok-signature'] = signBody(
        body,
        readVariable(variables, secretEnv),
        Math.floor(Date.now() / 1_000),
      )
    return send({ url, method: 'POST', headers, body }, stop)
  }
}

/** @param at seconds since 1970 */
export function signBody(body: string, secret: string, at: number): string {
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return `t=${at},v1=${digest}`
}
