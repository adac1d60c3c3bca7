// A channel: where notifications go, and how patiently. Secrets are not in it, only the names of the environment variables
// that hold them; they are looked up when something is sent.

import { isJsonObject, type Json } from '../json.ts'

/** A URL that is no secret, or the name of the variable that holds one. */
export type Address = { readonly url: string } | { readonly urlEnv: string }

export type ChannelTarget =
  /** JSON by POST; signed if there is a secret. */
  | { readonly kind: 'webhook'; readonly address: Address; readonly secretEnv?: string }
  | { readonly kind: 'slack'; readonly address: Address }
  | { readonly kind: 'teams'; readonly address: Address }
  | {
      readonly kind: 'email'
      readonly to: readonly string[]
      readonly from: string
      /** Holds `smtp://user:password@host:port`. */
      readonly smtpEnv: string
    }
  /** A text goes to a shell, a list is run as it stands. JSON on its stdin. */
  | { readonly kind: 'command'; readonly command: string | readonly string[] }
  /** A dead man's switch: GET after a success, the same with `/fail` after a failure. */
  | { readonly kind: 'ping'; readonly address: Address }

export type ChannelKind = ChannelTarget['kind']

export const CHANNEL_KINDS = ['webhook', 'slack', 'teams', 'email', 'command', 'ping'] as const

export interface Channel {
  readonly target: ChannelTarget
  /** Of one attempt to send. */
  readonly timeoutMs: number
  /** What is queued within it goes as one message. 0: each goes by itself. */
  readonly groupMs: number
  /** A subject that was queued is not queued again within it. 0: always. */
  readonly dedupeMs: number
  /** How long it is tried again. */
  readonly retryForMs: number
}

/** By name. */
export type Channels = ReadonlyMap<string, Channel>

export const CHANNEL_DEFAULTS = {
  timeoutMs: 10_000,
  /** People would rather have one message than ten; programs would rather have each at once. */
  groupMs: { webhook: 0, slack: 10_000, teams: 10_000, email: 10_000, command: 0, ping: 0 },
  dedupeMs: 0,
  retryForMs: 3_600_000,
} as const satisfies Record<string, number | Record<ChannelKind, number>>

/** True if two sets of channels say the same. */
export function sameChannels(a: Channels, b: Channels): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [name, channel] of a) {
    const other = b.get(name)
    if (other === undefined || canonical(channel) !== canonical(other)) return false
  }
  return true
}

function canonical(channel: Channel): string {
  return JSON.stringify(channel, (_key, value: Json) =>
    isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
      : value,
  )
}
