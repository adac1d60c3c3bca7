// The authored form of channels: `configs/notifications.yaml`. The JSON Schema for editors is made from this.

import { z } from 'zod'
import { ID_PATTERN } from '../core/ids.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'

/** The keys of which a channel has exactly one: where its notifications go. */
export const TARGET_KEYS = [
  'webhook',
  'webhook_env',
  'slack_env',
  'teams_env',
  'email',
  'command',
  'ping',
  'ping_env',
] as const

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
const ADDRESS = /^[^\s<>@]+@[^\s<>@]+$/
const SENDER = /^(?:[^\r\n<>]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/
const MAIL_TO_MAX = 50

const variable = (description: string, example: string) =>
  z
    .string()
    .regex(VARIABLE)
    .max(200)
    .optional()
    .meta({ description, examples: [example] })
const url = (description: string, example: string) =>
  z
    .string()
    .regex(/^https?:\/\/[^\s]+$/)
    .max(2_000)
    .optional()
    .meta({ description, examples: [example] })
const duration = (description: string, example: string) =>
  z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({ description, examples: [example] })

export const ChannelEntry = z.strictObject({
  description: z.string().max(2_000).optional().meta({ description: 'For people. Not evaluated.' }),
  webhook: url(
    'POST as JSON to this URL. One that is a secret belongs into webhook_env.',
    'https://ops.example.org/hook',
  ),
  webhook_env: variable('POST as JSON to the URL in this environment variable.', 'OPS_HOOK_URL'),
  secret_env: variable(
    'Of a webhook: the variable with the secret that signs what is sent.',
    'OPS_HOOK_SECRET',
  ),
  slack_env: variable('Slack: the variable with the URL of the incoming webhook.', 'SLACK_URL'),
  teams_env: variable('Microsoft Teams: the variable with the URL of the workflow.', 'TEAMS_URL'),
  email: z
    .strictObject({
      to: z
        .union([z.string().regex(ADDRESS), z.array(z.string().regex(ADDRESS)).min(1).max(MAIL_TO_MAX)])
        .meta({ description: 'Who gets it.', examples: ['ops@example.org'] }),
      from: z
        .string()
        .regex(SENDER)
        .max(500)
        .meta({ description: 'Who sends it.', examples: ['Dagbok <dagbok@example.org>'] }),
      smtp_env: z
        .string()
        .regex(VARIABLE)
        .max(200)
        .meta({
          description: 'The variable with the server: smtp://user:password@host:587.',
          examples: ['SMTP_URL'],
        }),
    })
    .optional()
    .meta({ description: 'E-mail over SMTP.' }),
  command: z
    .union([z.string().min(1).max(8_000), z.array(z.string()).min(1).max(200)])
    .optional()
    .meta({
      description:
        'Runs a command with the message as JSON on its stdin: a list as it stands, a text by /bin/sh.',
      examples: ['cat >> logs/notifications.jsonl', ['notify-send', 'Dagbok']],
    }),
  ping: url(
    "A dead man's switch: GET after a success, the same with /fail after a failure.",
    'https://hc.example.org/ping/etl',
  ),
  ping_env: variable('The same, with the URL in this environment variable.', 'ETL_PING_URL'),
  timeout: duration('Time limit of one attempt to send. Default: 10s.', '10s'),
  group: duration(
    'What is queued within it goes as one message. Default: 10s for people (Slack, Teams, e-mail), else 0s.',
    '30s',
  ),
  dedupe: duration('The same subject is not sent again within it. Default: 0s, always.', '15m'),
  retry_for: duration('How long it is tried again. Default: 1h.', '4h'),
})

const MEANING = {
  title: 'Dagbok notifications',
  description: 'Channels that DAGs notify, by name: configs/notifications.yaml.',
  examples: [{ channels: { SUPPORT: { command: 'cat >> logs/notifications.jsonl' } } }],
}

export const NotificationFile = z
  .strictObject({ channels: z.record(z.string().regex(ID_PATTERN), ChannelEntry) })
  .meta(MEANING)

/** The same, but for the names, which are checked one by one (definition/channel-file.ts). */
export const AnyNameNotificationFile = z.strictObject({ channels: z.record(z.string(), ChannelEntry) })

export const NOTIFICATION_MAPPING = 'a mapping with channels'

const ENV_WORDS = 'the name of an environment variable'
const URL_WORDS = 'a URL that begins with http:// or https://'

/** What each field is, under the names that a file has. */
export function channelWords(names: readonly string[]): FieldWords {
  const words: Record<string, FieldWords[string]> = {
    '': { expected: NOTIFICATION_MAPPING, example: 'channels: { SUPPORT: { command: [notify] } }' },
    channels: {
      expected: 'channels (a mapping of names)',
      example: 'channels: { SUPPORT: { slack_env: SLACK_URL } }',
      aliases: ['channel', 'notifications'],
    },
  }
  for (const name of names)
    for (const [key, field] of Object.entries(FIELDS)) words[`channels.${name}${key}`] = field
  return words
}

const FIELDS: FieldWords = {
  '': { expected: 'a channel (a mapping)', example: '{ slack_env: SLACK_URL }' },
  '.description': { expected: 'a text (at most 2000 characters)', example: 'description: who reads it' },
  '.webhook': {
    expected: URL_WORDS,
    example: 'webhook: "https://ops.example.org/hook"',
    aliases: ['url', 'http'],
  },
  '.webhook_env': { expected: ENV_WORDS, example: 'webhook_env: OPS_HOOK_URL', aliases: ['url_env'] },
  '.secret_env': { expected: ENV_WORDS, example: 'secret_env: OPS_HOOK_SECRET', aliases: ['secret', 'hmac'] },
  '.slack_env': { expected: ENV_WORDS, example: 'slack_env: SLACK_URL', aliases: ['slack', 'slack_url'] },
  '.teams_env': { expected: ENV_WORDS, example: 'teams_env: TEAMS_URL', aliases: ['teams', 'msteams'] },
  '.email': {
    expected: 'a mapping with to, from and smtp_env',
    example: 'email: { to: ops@example.org, from: dagbok@example.org, smtp_env: SMTP_URL }',
    aliases: ['mail', 'smtp'],
  },
  '.email.to': {
    expected: `one address, or a list of at most ${MAIL_TO_MAX}`,
    example: 'to: ops@example.org',
  },
  '.email.to[]': { expected: 'an address such as ops@example.org', example: 'to: [ops@example.org]' },
  '.email.from': { expected: 'an address such as ops@example.org', example: 'from: dagbok@example.org' },
  '.email.smtp_env': {
    expected: ENV_WORDS,
    example: 'smtp_env: SMTP_URL',
    aliases: ['smtp', 'server', 'smtp_url'],
  },
  '.command': {
    expected: 'a command (a list of texts, or a text)',
    example: 'command: [notify-send, Dagbok]',
    aliases: ['cmd', 'exec', 'run'],
  },
  '.ping': {
    expected: URL_WORDS,
    example: 'ping: "https://hc.example.org/ping/etl"',
    aliases: ['healthcheck', 'heartbeat'],
  },
  '.ping_env': { expected: ENV_WORDS, example: 'ping_env: ETL_PING_URL' },
  '.timeout': { expected: DURATION_WORDS, example: 'timeout: 10s' },
  '.group': { expected: DURATION_WORDS, example: 'group: 30s', aliases: ['group_wait', 'batch'] },
  '.dedupe': {
    expected: DURATION_WORDS,
    example: 'dedupe: 15m',
    aliases: ['dedup', 'repeat_interval', 'throttle'],
  },
  '.retry_for': {
    expected: DURATION_WORDS,
    example: 'retry_for: 4h',
    aliases: ['retry', 'retries', 'give_up_after'],
  },
}
