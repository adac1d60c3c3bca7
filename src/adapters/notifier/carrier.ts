// How one kind of channel is sent a message.

import type { Address, ChannelKind, ChannelTarget } from '../../core/notification/channel.ts'
import type { Message } from '../../core/notification/message.ts'
import type { SendResult } from '../../ports/notifier.ts'

/**
 * Sends to channels of one kind. It may reject: that is a failure that another try may mend.
 * @param stop aborted when the time is up or the scheduler stops. What was begun ends then.
 */
export type Carrier<Kind extends ChannelKind> = (
  message: Message,
  target: Extract<ChannelTarget, { kind: Kind }>,
  stop: AbortSignal,
) => Promise<SendResult>

export type Variables = Readonly<Record<string, string | undefined>>

/** What is wrong with a channel's settings: said in words that hold no secret. Another start may have the right ones. */
export class SettingMissing extends Error {}

/** @throws SettingMissing */
export function readVariable(variables: Variables, name: string): string {
  const value = variables[name]?.trim() ?? ''
  if (value === '') throw new SettingMissing(`the environment variable ${name} is not set`)
  return value
}

/** @throws SettingMissing */
export function readAddress(variables: Variables, address: Address): URL {
  const text = 'url' in address ? address.url : readVariable(variables, address.urlEnv)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new SettingMissing(
    `${'url' in address ? 'the channel' : `the environment variable ${address.urlEnv}`} holds no http or https URL`,
  )
}
