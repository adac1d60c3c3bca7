// The notifier: a message to the carrier of its channel's kind, within the channel's time limit. Whatever goes wrong becomes
// a result in words that hold no secret.

import type { Channel } from '../../core/notification/channel.ts'
import type { Message } from '../../core/notification/message.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { Notifier, SendResult } from '../../ports/notifier.ts'
import { SettingMissing, type Variables } from './carrier.ts'
import { createCommand } from './command.ts'
import { createEmail } from './email.ts'
import { createSendHttp } from './http-request.ts'
import { createPing } from './ping.ts'
import { createSlack } from './slack.ts'
import { createTeams } from './teams.ts'
import { createWebhook } from './webhook.ts'

export interface NotifierOptions {
  /** Where commands run. */
  readonly root: string
  /** Where URLs and secrets are looked up, each time anew. */
  readonly variables: Variables
  readonly version: string
}

export function createNotifier({ root, variables, version }: NotifierOptions): Notifier {
  const sendHttp = createSendHttp(`dagbok/${version}`)
  const webhook = createWebhook(sendHttp, variables)
  const slack = createSlack(sendHttp, variables)
  const teams = createTeams(sendHttp, variables)
  const ping = createPing(sendHttp, variables)
  const email = createEmail(variables)
  const command = createCommand({ root, variables })

  const carry = (message: Message, { target }: Channel, stop: AbortSignal): Promise<SendResult> => {
    switch (target.kind) {
      case 'webhook':
        return webhook(message, target, stop)
      case 'slack':
        return slack(message, target, stop)
      case 'teams':
        return teams(message, target, stop)
      case 'email':
        return email(message, target, stop)
      case 'command':
        return command(message, target, stop)
      case 'ping':
        return ping(message, target, stop)
    }
  }

  return {
    async send(message, channel, signal) {
      const limit = AbortSignal.timeout(channel.timeoutMs)
      try {
        return await carry(message, channel, AbortSignal.any([signal, limit]))
      } catch (error) {
        if (signal.aborted) return { kind: 'failed', error: 'the scheduler stopped' }
        if (limit.aborted)
          return { kind: 'failed', error: `no answer within ${formatDuration(channel.timeoutMs)}` }
        return describeFailure(error)
      }
    },
  }
}

/** The code alone: a message may name the host, and the host may be what nobody is to know. */
function describeFailure(error: unknown): SendResult {
  if (error instanceof SettingMissing) return { kind: 'failed', error: error.message }
  const { code, message } = error as { code?: unknown; message?: string }
  const words = typeof code === 'string' ? `no answer: ${code}` : 'no answer'
  return { kind: 'failed', error: words, ...(message === undefined ? {} : { detail: message }) }
}
