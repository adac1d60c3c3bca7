// Slack: an incoming webhook. Its text is no markup of ours: what could be taken for it is escaped.

import { clip } from '../../core/json.ts'
import { type Carrier, readAddress, type Variables } from './carrier.ts'
import type { SendHttp } from './http-request.ts'

const TEXT_CHARACTERS = 10_000

export function createSlack(send: SendHttp, variables: Variables): Carrier<'slack'> {
  return (message, { address }, stop) => {
    const text = message.text.startsWith(message.subject)
      ? message.text
      : `${message.subject}\n\n${message.text}`
    const body = JSON.stringify({ text: escapeMarks(clip(text, TEXT_CHARACTERS)) })
    const headers = { 'content-type': 'application/json; charset=utf-8', 'idempotency-key': message.id }
    return send({ url: readAddress(variables, address), method: 'POST', headers, body }, stop)
  }
}

/** The three characters that Slack reads: a name cannot mention everybody. */
function escapeMarks(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
