// The file of channels: text → channels by name, and what is wrong with it. Every problem is found in one go; a file with
// any of them has no channels.

import type { z } from 'zod'
import { checkId, ID_WORDS } from '../core/ids.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import {
  type Address,
  CHANNEL_DEFAULTS,
  type Channel,
  type ChannelTarget,
} from '../core/notification/channel.ts'
import { parseDuration } from '../core/time/duration.ts'
import {
  AnyNameNotificationFile,
  type ChannelEntry,
  channelWords,
  NOTIFICATION_MAPPING,
  TARGET_KEYS,
} from './channel-schema.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import { ProblemList } from './problem.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText, Span } from './source-text.ts'
import { type Path, readYaml, type YamlTree } from './yaml-tree.ts'

/** The longest that each may be: what waits and what is remembered is held in memory. */
const LONGEST: Readonly<Record<string, string>> = {
  timeout: '5m',
  group: '1h',
  dedupe: '7d',
  retry_for: '7d',
}

export interface CheckedChannelFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. `place` is that of the name. */
  readonly channels:
    | readonly { readonly name: string; readonly channel: Channel; readonly place: Span }[]
    | undefined
}

/** Checks the file. Never throws for what the text says. */
export async function checkChannelFile(source: SourceText): Promise<CheckedChannelFile> {
  const problems = new ProblemList(source)
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0)
      problems.add({ start: 0, end: 0 }, `the file is empty: expected ${NOTIFICATION_MAPPING}`, {
        help: 'write channels: {} if there are none, or delete the file',
      })
    return { source, problems, channels: undefined }
  }
  const entries = isJsonObject(tree.value) ? tree.value['channels'] : undefined
  const names = isJsonObject(entries) ? Object.keys(entries) : []
  for (const name of names) {
    const wrong = checkId(name)
    if (wrong !== undefined)
      problems.add(tree.locateKey(['channels'], name), `expected ${ID_WORDS}, got ${JSON.stringify(name)}`, {
        help: wrong,
      })
    const entry = (entries as JsonObject)[name]
    if (isJsonObject(entry)) checkEntry(entry, ['channels', name], tree, problems)
  }
  addSchemaProblems(AnyNameNotificationFile, channelWords(names), tree, problems)
  const parsed = problems.errorCount === 0 ? AnyNameNotificationFile.safeParse(tree.value) : undefined
  if (!parsed?.success) return { source, problems, channels: undefined }
  const channels = Object.entries(parsed.data.channels).map(([name, entry]) => ({
    name,
    channel: compileChannel(entry),
    place: tree.locateKey(['channels'], name),
  }))
  return { source, problems, channels }
}

/** What the schema cannot see of one channel. Fields of a wrong type are skipped. */
function checkEntry(entry: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  const targets = TARGET_KEYS.filter(key => Object.hasOwn(entry, key))
  const known = new Set<string>([...TARGET_KEYS, 'description', 'secret_env', ...Object.keys(LONGEST)])
  // A key that nobody knows may be meant for one of them.
  if (targets.length === 0 && Object.keys(entry).every(key => known.has(key)))
    problems.add(tree.locate(path), 'the channel does not say where its notifications go', {
      help: `add one of ${TARGET_KEYS.join(', ')}`,
    })
  for (const extra of targets.slice(1))
    problems.add(tree.locateKey(path, extra), `a channel has one of ${targets.join(' and ')}, not both`, {
      help: 'make it two channels: a DAG may notify several',
    })
  if (Object.hasOwn(entry, 'secret_env') && !targets.some(key => key.startsWith('webhook')))
    problems.add(tree.locateKey(path, 'secret_env'), 'only what a webhook is sent is signed', {
      help: 'remove secret_env',
    })
  for (const key of ['webhook', 'ping']) checkUrl(entry[key], [...path, key], tree, problems)
  for (const [key, longest] of Object.entries(LONGEST)) {
    const text = entry[key]
    if (typeof text !== 'string' || !DURATION_PATTERN.test(text)) continue
    const isNothing = key === 'timeout' && /^(?:0+[a-z]+)+$/.test(text)
    if (isNothing || !isAtMost(text, longest))
      problems.add(
        tree.locate([...path, key]),
        `expected ${DURATION_WORDS}, ${isNothing ? 'more than nothing' : `at most ${longest}`}, got "${text}"`,
        { help: `for example ${key}: ${key === 'timeout' ? '10s' : longest}` },
      )
  }
}

function isAtMost(text: string, longest: string): boolean {
  try {
    return parseDuration(text) <= parseDuration(longest)
  } catch {
    // Longer than any duration may be.
    return false
  }
}

function checkUrl(text: unknown, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (typeof text !== 'string' || !/^https?:\/\/\S+$/.test(text)) return
  const key = path.at(-1)
  if (!URL.canParse(text))
    problems.add(
      tree.locate(path),
      'expected a URL that begins with http:// or https://, got one that cannot be read',
      {
        help: `for example ${key}: "https://ops.example.org/hook"`,
      },
    )
  else if (new URL(text).username !== '' || new URL(text).password !== '')
    problems.add(tree.locate(path), 'the URL holds a user or a password', {
      help: `put it into an environment variable and write ${key}_env: ITS_NAME`,
    })
}

function compileChannel(entry: z.infer<typeof ChannelEntry>): Channel {
  const target = targetOf(entry)
  const { timeout, group, dedupe, retry_for } = entry
  return Object.freeze({
    target,
    timeoutMs: timeout === undefined ? CHANNEL_DEFAULTS.timeoutMs : parseDuration(timeout),
    groupMs: group === undefined ? CHANNEL_DEFAULTS.groupMs[target.kind] : parseDuration(group),
    dedupeMs: dedupe === undefined ? CHANNEL_DEFAULTS.dedupeMs : parseDuration(dedupe),
    retryForMs: retry_for === undefined ? CHANNEL_DEFAULTS.retryForMs : parseDuration(retry_for),
  })
}

function targetOf(entry: z.infer<typeof ChannelEntry>): ChannelTarget {
  const { email, command, secret_env, slack_env, teams_env } = entry
  if (slack_env !== undefined) return { kind: 'slack', address: { urlEnv: slack_env } }
  if (teams_env !== undefined) return { kind: 'teams', address: { urlEnv: teams_env } }
  if (command !== undefined) return { kind: 'command', command }
  if (email !== undefined) {
    const { to, from, smtp_env } = email
    return { kind: 'email', to: typeof to === 'string' ? [to] : to, from, smtpEnv: smtp_env }
  }
  const ping = addressOf(entry.ping, entry.ping_env)
  if (ping !== undefined) return { kind: 'ping', address: ping }
  // The last that is left: every entry has one of them.
  const address = addressOf(entry.webhook, entry.webhook_env)!
  return { kind: 'webhook', address, ...(secret_env === undefined ? undefined : { secretEnv: secret_env }) }
}

function addressOf(url: string | undefined, urlEnv: string | undefined): Address | undefined {
  if (url !== undefined) return { url }
  return urlEnv === undefined ? undefined : { urlEnv }
}
