// Microsoft Teams: the workflow "post to a channel when a webhook request is received", which takes an adaptive card.

import { clip } from '../../core/json.ts'
import { type Carrier, readAddress, type Variables } from './carrier.ts'
import type { SendHttp } from './http-request.ts'

const TEXT_CHARACTERS = 10_000

export function createTeams(send: SendHttp, variables: Variables): Carrier<'teams'> {
  return (message, { address }, stop) => {
    const card = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      body: [
        { type: 'TextBlock', size: 'Medium', weight: 'Bolder', wrap: true, text: message.subject },
        // A run of plain text, which no markup is read in.
        {
          type: 'RichTextBlock',
          inlines: [{ type: 'TextRun', text: clip(message.text, TEXT_CHARACTERS) }],
        },
      ],
    }
    const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', content: card }
    const body = JSON.stringify({ type: 'message', attachments: [attachment] })
    const headers = { 'content-type': 'application/json; charset=utf-8', 'idempotency-key': message.id }
    return send({ url: readAddress(variables, address), method: 'POST', headers, body }, stop)
  }
}
