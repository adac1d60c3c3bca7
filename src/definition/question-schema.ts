// The authored form of questions: conditions that only the world can answer. What their texts mean is condition-check.ts.

import { z } from 'zod'
import type { Question, QuestionKind } from '../core/condition/question.ts'
import { parseDuration } from '../core/time/duration.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'

export const DEFAULT_TIMEOUT = '30s'
const DEFAULT_WITHIN = '1d'

/** What an answer that is a yes has, if nothing is said: the successes that have a meaning. */
const SUCCESSES = [200, 201, 202, 203, 204, 205, 206]

const WORDS_MAX = 100
const STATUS_MAX = 100

const text = (longest: number) => z.string().min(1).max(longest)
const status = z.int().min(100).max(599)

export interface AuthoredQuestion {
  file?: string | undefined
  min_size?: number | undefined
  max_age?: string | undefined
  command?: string | string[] | undefined
  http?: string | undefined
  method?: 'GET' | 'HEAD' | 'POST' | undefined
  headers?: Record<string, string> | undefined
  status?: number | number[] | undefined
  sql?: string | undefined
  database?: string | undefined
  signal?: string | undefined
  within?: string | undefined
  cel?: string | undefined
  timeout?: string | undefined
}

/** Keys that stand beside the key of a kind, and beside no other. `timeout` stands beside each of them. */
export const QUESTION_SIBLINGS: Readonly<Record<QuestionKind, readonly string[]>> = {
  file: ['min_size', 'max_age', 'timeout'],
  command: ['timeout'],
  http: ['method', 'headers', 'status', 'timeout'],
  sql: ['database', 'timeout'],
  signal: ['within', 'timeout'],
  cel: ['timeout'],
}

export const QUESTION_FIELDS = {
  file: text(1_024)
    .optional()
    .meta({
      description:
        'A path relative to the root: the file must be there. Marks such as {{ds}} are replaced: ds, ds_nodash, slot, tenant, schedule.',
      examples: ['data/in/orders-{{ds}}.csv'],
    }),
  min_size: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Of the file, bytes. Default: 0.', examples: [1] }),
  max_age: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({ description: 'Of the last change of the file, when it is looked at.', examples: ['24h'] }),
  command: z
    .union([text(4_096), z.array(text(4_096)).min(1).max(WORDS_MAX)])
    .optional()
    .meta({
      description:
        'Exit code 0 is a yes, 1 a no, anything else an error. A list is a program with its arguments, a text goes to /bin/sh -c.',
      examples: [['./ready.sh', '--strict'], 'test -s data/in/orders.csv'],
    }),
  http: text(2_048)
    .optional()
    .meta({
      description: 'A URL: the answer must have a status as `status` says.',
      examples: ['https://example.org/health'],
    }),
  method: z
    .enum(['GET', 'HEAD', 'POST'])
    .optional()
    .meta({ description: 'Of the request. Default: GET.', examples: ['HEAD'] }),
  headers: z
    .record(z.string(), text(4_096))
    .optional()
    .meta({ description: 'Of the request.', examples: [{ accept: 'application/json' }] }),
  status: z
    .union([status, z.array(status).min(1).max(STATUS_MAX)])
    .optional()
    .meta({
      description: 'What the answer must have: one or several. Default: 200 to 206.',
      examples: [200, [200, 204]],
    }),
  sql: text(4_096)
    .optional()
    .meta({
      description:
        'A query: the first column of its first row must be true (not 0, not empty, not null). Parameters: :slot :date :tenant :schedule :dag.',
      examples: ['select count(*) from billing where tenant = :tenant and suspended = 0'],
    }),
  database: text(1_024)
    .optional()
    .meta({
      description: 'The SQLite database of the query, relative to the root. It is opened for reading only.',
      examples: ['data/billing.sqlite'],
    }),
  signal: text(100)
    .optional()
    .meta({
      description: 'The name of an event that somebody must have recorded (`scheduler record`).',
      examples: ['orders_complete'],
    }),
  within: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description: 'The signal counts if it was recorded since so long before the slot. Default: 1d.',
      examples: ['24h'],
    }),
  cel: text(4_096)
    .optional()
    .meta({
      description: 'An expression in CEL that is true or false, checked when the definitions are loaded.',
      examples: ['tenant != "acme" && last_run("load").status == "success"'],
    }),
  timeout: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description:
        'Of a condition that asks the world: without an answer until then it is an error. Default: 30s, at most 10m.',
      examples: ['30s'],
    }),
}

/** The question that a checked entry is; undefined if it is none. */
export function questionOf(entry: AuthoredQuestion): Question | undefined {
  const timeoutMs = parseDuration(entry.timeout ?? DEFAULT_TIMEOUT)
  const { file, command, http, sql, signal, cel } = entry
  if (file !== undefined) {
    const { min_size: minBytes, max_age: maxAge } = entry
    return {
      kind: 'file',
      path: file,
      ...(minBytes !== undefined && { minBytes }),
      ...(maxAge !== undefined && { maxAgeMs: parseDuration(maxAge) }),
      timeoutMs,
    }
  }
  if (command !== undefined) return { kind: 'command', command, timeoutMs }
  if (http !== undefined) {
    const { method = 'GET', headers, status: asked = SUCCESSES } = entry
    return {
      kind: 'http',
      url: http,
      method,
      ...(headers !== undefined && { headers }),
      status: typeof asked === 'number' ? [asked] : asked,
      timeoutMs,
    }
  }
  if (sql !== undefined) return { kind: 'sql', database: entry.database!, query: sql, timeoutMs }
  if (signal !== undefined) {
    const withinMs = parseDuration(entry.within ?? DEFAULT_WITHIN)
    return { kind: 'signal', name: signal, withinMs, timeoutMs }
  }
  return cel === undefined ? undefined : { kind: 'cel', expression: cel, timeoutMs }
}

const CONDITION = '[].conditions[]'
const DATABASE = 'the path of an SQLite database'

export const QUESTION_WORDS: FieldWords = {
  [`${CONDITION}.file`]: {
    expected: 'the path of a file (at most 1024 characters)',
    example: 'file: data/in/orders-{{ds}}.csv',
    aliases: ['path', 'file_exists', 'exists'],
  },
  [`${CONDITION}.min_size`]: {
    expected: 'a number of bytes',
    example: 'min_size: 1',
    aliases: ['size', 'min_bytes', 'minsize'],
  },
  [`${CONDITION}.max_age`]: {
    expected: DURATION_WORDS,
    example: 'max_age: 24h',
    aliases: ['age', 'newer_than', 'maxage'],
  },
  [`${CONDITION}.command`]: {
    expected: 'a command as a text, or as a list of texts',
    example: 'command: ["./ready.sh", "--strict"]',
    aliases: ['run', 'shell', 'exec', 'cmd', 'bash'],
  },
  [`${CONDITION}.command[]`]: { expected: 'a text', example: '- "./ready.sh"' },
  [`${CONDITION}.http`]: {
    expected: 'a URL (at most 2048 characters)',
    example: 'http: https://example.org/health',
    aliases: ['url', 'https', 'request'],
  },
  [`${CONDITION}.method`]: { expected: 'GET, HEAD or POST', example: 'method: HEAD', aliases: ['verb'] },
  [`${CONDITION}.headers`]: {
    expected: 'a mapping of header names to texts',
    example: 'headers: { accept: application/json }',
    aliases: ['header'],
  },
  [`${CONDITION}.headers.*`]: { expected: 'a text', example: 'accept: application/json' },
  [`${CONDITION}.status`]: {
    expected: 'a status (100 to 599), or a list of them',
    example: 'status: [200, 204]',
    aliases: ['code', 'status_code', 'expected_status'],
  },
  [`${CONDITION}.status[]`]: { expected: 'a status (100 to 599)', example: '- 200' },
  [`${CONDITION}.sql`]: {
    expected: 'a query (at most 4096 characters)',
    example: 'sql: "select count(*) from orders where day = :date"',
    aliases: ['query'],
  },
  [`${CONDITION}.database`]: {
    expected: DATABASE,
    example: 'database: data/billing.sqlite',
    aliases: ['db', 'connection', 'sqlite'],
  },
  [`${CONDITION}.signal`]: {
    expected: 'the name of a signal (at most 100 characters)',
    example: 'signal: orders_complete',
    aliases: ['event'],
  },
  [`${CONDITION}.within`]: { expected: DURATION_WORDS, example: 'within: 24h', aliases: ['since', 'during'] },
  [`${CONDITION}.cel`]: {
    expected: 'an expression in CEL (at most 4096 characters)',
    example: `cel: 'tenant != "acme"'`,
    aliases: ['expression', 'expr', 'condition'],
  },
  [`${CONDITION}.timeout`]: {
    expected: DURATION_WORDS,
    example: 'timeout: 30s',
    aliases: ['timeout_seconds', 'time_limit'],
  },
}
