import { describe, expect, test } from 'vitest'
import { checkChannelFile } from './channel-file.ts'
import { SourceText } from './source-text.ts'

async function good(text: string) {
  const { channels, problems } = await checkChannelFile(new SourceText('notifications.yaml', text))
  if (channels === undefined)
    throw new Error(
      problems
        .finish()
        .map(({ frame }) => frame)
        .join('\n'),
    )
  return Object.fromEntries(channels.map(({ name, channel }) => [name, channel]))
}

async function problems(text: string): Promise<string[]> {
  const { problems: list } = await checkChannelFile(new SourceText('n.yaml', text))
  const told = list.finish()
  return told.map(({ line, column, message, help }) => `${line}:${column} ${message} (${help})`).sort()
}

describe('the file', () => {
  test('every kind of channel, with its defaults', async () => {
    const channels = await good(`channels:
  HOOK: { webhook: "https://ops.example.org/hook?team=1", secret_env: HOOK_SECRET }
  HIDDEN: { webhook_env: HOOK_URL, timeout: 3s, group: 1m, dedupe: 15m, retry_for: 4h }
  SLACK: { slack_env: SLACK_URL, description: the team }
  TEAMS: { teams_env: TEAMS_URL }
  MAIL: { email: { to: ops@example.org, from: "Dagbok <dagbok@example.org>", smtp_env: SMTP_URL } }
  MAILS: { email: { to: [a@example.org, b@example.org], from: c@example.org, smtp_env: SMTP_URL } }
  FILE: { command: "cat >> logs/notifications.jsonl" }
  ARGV: { command: [notify-send, Dagbok] }
  PING: { ping: "https://hc.example.org/ping/etl" }
  PINGS: { ping_env: PING_URL }
`)
    const patience = { timeoutMs: 10_000, groupMs: 0, dedupeMs: 0, retryForMs: 3_600_000 }
    expect(channels).toEqual({
      HOOK: {
        target: {
          kind: 'webhook',
          address: { url: 'https://ops.example.org/hook?team=1' },
          secretEnv: 'HOOK_SECRET',
        },
        ...patience,
      },
      HIDDEN: {
        target: { kind: 'webhook', address: { urlEnv: 'HOOK_URL' } },
        timeoutMs: 3_000,
        groupMs: 60_000,
        dedupeMs: 900_000,
        retryForMs: 14_400_000,
      },
      SLACK: { target: { kind: 'slack', address: { urlEnv: 'SLACK_URL' } }, ...patience, groupMs: 10_000 },
      TEAMS: { target: { kind: 'teams', address: { urlEnv: 'TEAMS_URL' } }, ...patience, groupMs: 10_000 },
      MAIL: {
        target: {
          kind: 'email',
          to: ['ops@example.org'],
          from: 'Dagbok <dagbok@example.org>',
          smtpEnv: 'SMTP_URL',
        },
        ...patience,
        groupMs: 10_000,
      },
      MAILS: {
        target: {
          kind: 'email',
          to: ['a@example.org', 'b@example.org'],
          from: 'c@example.org',
          smtpEnv: 'SMTP_URL',
        },
        ...patience,
        groupMs: 10_000,
      },
      FILE: { target: { kind: 'command', command: 'cat >> logs/notifications.jsonl' }, ...patience },
      ARGV: { target: { kind: 'command', command: ['notify-send', 'Dagbok'] }, ...patience },
      PING: { target: { kind: 'ping', address: { url: 'https://hc.example.org/ping/etl' } }, ...patience },
      PINGS: { target: { kind: 'ping', address: { urlEnv: 'PING_URL' } }, ...patience },
    })
    expect(await good('channels: {}\n')).toEqual({})
  })

  test('tells everything that is wrong at once, with place and remedy', async () => {
    expect(
      await problems(`channels:
  NONE: { timeout: 5s }
  BOTH: { slack_env: A, command: [x] }
  USER: { webhook: "https://me:secret@example.org/" }
  WORD: { slack: A }
  LONG: { ping_env: A, retry_for: 8d, timeout: 0s }
  SIGNED: { ping_env: A, secret_env: B }
  URL: { webhook: ftp://example.org }
  MAIL: { email: { to: nobody, from: a@b.c } }
  -x: { command: [x] }
`),
    ).toEqual(
      [
        '2:9 the channel does not say where its notifications go (add one of webhook, webhook_env, slack_env, teams_env, email, command, ping, ping_env)',
        '3:25 a channel has one of slack_env and command, not both (make it two channels: a DAG may notify several)',
        '4:20 the URL holds a user or a password (put it into an environment variable and write webhook_env: ITS_NAME)',
        '5:11 unknown key "slack" (did you mean "slack_env"?)',
        '6:35 expected a duration such as 90s or 1h30m, at most 7d, got "8d" (for example retry_for: 7d)',
        '6:48 expected a duration such as 90s or 1h30m, more than nothing, got "0s" (for example timeout: 10s)',
        '7:26 only what a webhook is sent is signed (remove secret_env)',
        '8:19 expected a URL that begins with http:// or https://, got "ftp://example.org" (for example webhook: "https://ops.example.org/hook")',
        '9:18 missing key "smtp_env" (add smtp_env: SMTP_URL)',
        '9:24 expected one address, or a list of at most 50, got "nobody" (for example to: ops@example.org)',
        '10:3 expected an id (letters, digits, ".", "_", "-"; at most 100; a letter or digit first; no ".."), got "-x" (it begins with "-" instead of a letter or a digit)',
      ].sort(),
    )
  })

  test('what is no mapping, and nothing at all', async () => {
    expect(await problems('')).toEqual([
      '1:1 the file is empty: expected a mapping with channels (write channels: {} if there are none, or delete the file)',
    ])
    expect(await problems('SUPPORT: { command: [x] }\n')).toEqual([
      '1:1 missing key "channels" (add channels: { SUPPORT: { slack_env: SLACK_URL } })',
      '1:1 unknown key "SUPPORT" (known keys: channels)',
    ])
    expect(await problems('channels: [SUPPORT]\n')).toEqual([
      '1:11 expected channels (a mapping of names), got a list (for example channels: { SUPPORT: { slack_env: SLACK_URL } })',
    ])
  })
})
