// Where the clients of a fan-out are found, as authored: `clients:` of a manifest, and `multi_client_execution:` of its
// tasks, which uses them or says otherwise.

import { z } from 'zod'
import { type ClientSource, type FanOut, NO_CLIENTS } from '../core/client/client.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { authorCondition } from './author-condition.ts'
import type { AskedSchedule } from './condition-check.ts'
import { checkClientConditions } from './condition-check.ts'
import { CONDITION_WORDS, ConditionList, conditionOf } from './condition-schema.ts'
import { VARIABLE_PATTERN } from './dag-schema.ts'
import type { FieldWords } from './expected-words.ts'
import type { ProblemList } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const PARALLEL_MAX = 1_000
const DEFAULT_PARALLEL = 4
export const DEFAULT_CLIENTS = 'clients'

const SOURCE_KEYS = ['directory', 'sqlite', 'postgres', 'command'] as const

const path = z.string().min(1).max(1_024)

export const ClientsEntry = z
  .strictObject({
    directory: path.optional().meta({
      description: 'Each folder in this folder is a client. A path relative to the root.',
      examples: [DEFAULT_CLIENTS],
    }),
    sqlite: path.optional().meta({
      description: 'An SQLite database, relative to the root: each row of `query` is a client.',
      examples: ['data/clients.sqlite'],
    }),
    query: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .meta({
        description: 'Of `sqlite`: its first column names the clients.',
        examples: ['select name from clients where active'],
      }),
    postgres: z
      .string()
      .max(100)
      .regex(VARIABLE_PATTERN)
      .optional()
      .meta({
        description:
          'The environment variable that holds the URL of a PostgreSQL database: each schema of it is a client.',
        examples: ['CLIENTS_URL'],
      }),
    command: z
      .union([z.string().min(1).max(4_096), z.array(z.string()).min(1).max(100)])
      .optional()
      .meta({
        description: 'Each line of its output is a client. A list is an argv, a text goes to /bin/sh -c.',
        examples: [['ls', 'clients']],
      }),
    exclude: z
      .array(z.string().min(1).max(100))
      .max(1_000)
      .optional()
      .meta({
        description: `Names that are no clients, beside ${NO_CLIENTS.join(' and ')}.`,
        examples: [['templates']],
      }),
    parallel: z
      .int()
      .min(1)
      .max(PARALLEL_MAX)
      .optional()
      .meta({ description: `Clients at once. Default: ${DEFAULT_PARALLEL}.`, examples: [4] }),
    conditions: ConditionList.optional().meta({
      description:
        'What must hold for a client, asked before its turn: one that does not is skipped. {{client_id}} stands for it.',
      examples: [[{ file: 'clients/{{client_id}}/active' }]],
    }),
  })
  .meta({ description: 'Where clients are found, at the moment of each run.' })

type AuthoredClients = z.output<typeof ClientsEntry>

/** @param prefix such as `dag.clients` */
export function clientWords(prefix: string): FieldWords {
  const conditions = Object.entries(CONDITION_WORDS).map(([name, words]) => [
    name.replace('[].conditions', `${prefix}.conditions`),
    words,
  ])
  return {
    [`${prefix}.directory`]: {
      expected: 'the path of a folder',
      example: 'directory: clients',
      aliases: ['folder', 'dir', 'path'],
    },
    [`${prefix}.sqlite`]: {
      expected: 'the path of an SQLite database',
      example: 'sqlite: data/clients.sqlite',
      aliases: ['database', 'db'],
    },
    [`${prefix}.query`]: {
      expected: 'a query (at most 4096 characters)',
      example: 'query: select name from clients',
      aliases: ['sql'],
    },
    [`${prefix}.postgres`]: {
      expected: VARIABLE_WORDS,
      example: 'postgres: CLIENTS_URL',
      aliases: ['postgresql', 'pg', 'url'],
    },
    [`${prefix}.command`]: {
      expected: 'a command as a text, or as a list of texts',
      example: 'command: [ls, clients]',
      aliases: ['run', 'shell', 'exec', 'cmd'],
    },
    [`${prefix}.command[]`]: { expected: 'a text', example: '- ls' },
    [`${prefix}.exclude`]: {
      expected: 'a list of names',
      example: 'exclude: [templates]',
      aliases: ['except', 'ignore', 'skip'],
    },
    [`${prefix}.exclude[]`]: { expected: 'a text', example: '- templates' },
    [`${prefix}.parallel`]: {
      expected: `a number of clients (1 to ${PARALLEL_MAX})`,
      example: 'parallel: 4',
      aliases: ['concurrency', 'max_parallel', 'workers'],
    },
    ...Object.fromEntries(conditions),
  }
}

export const VARIABLE_WORDS = 'the name of an environment variable (capital letters, digits, "_")'

/** Adds what the schema cannot see. Fields of a wrong type are skipped. */
export function checkClients(
  entry: Json | undefined,
  at: Path,
  tree: YamlTree,
  problems: ProblemList,
): AskedSchedule[] {
  if (!isJsonObject(entry)) return []
  const [first, ...others] = SOURCE_KEYS.filter(key => entry[key] !== undefined)
  for (const key of others)
    problems.add(tree.locateKey(at, key), `clients are found in one place: "${first}" is named already`, {
      help: 'remove one of them',
    })
  if (entry['query'] !== undefined && entry['sqlite'] === undefined)
    problems.add(tree.locateKey(at, 'query'), '"query" stands beside "sqlite"', {
      help: 'add sqlite: data/clients.sqlite, or remove it',
    })
  if (entry['sqlite'] !== undefined && entry['query'] === undefined)
    problems.add(tree.locateKey(at, 'sqlite'), 'missing key "query" beside "sqlite"', {
      help: 'add query: select name from clients',
    })
  return checkClientConditions(entry['conditions'], [...at, 'conditions'], tree, problems)
}

/**
 * @param own of the task, where it says more than `true`
 * @param shared of the manifest
 */
export function fanOutOf(own: AuthoredClients | undefined, shared: AuthoredClients | undefined): FanOut {
  const conditions = own?.conditions ?? shared?.conditions
  return {
    source: sourceOf(own) ?? sourceOf(shared) ?? { kind: 'directory', path: DEFAULT_CLIENTS },
    exclude: [...new Set([...NO_CLIENTS, ...(own?.exclude ?? shared?.exclude ?? [])])],
    parallel: own?.parallel ?? shared?.parallel ?? DEFAULT_PARALLEL,
    ...(conditions !== undefined && { conditions: conditions.map(conditionOf) }),
  }
}

function sourceOf(entry: AuthoredClients | undefined): ClientSource | undefined {
  const { directory, sqlite, query, postgres, command } = entry ?? {}
  if (directory !== undefined) return { kind: 'directory', path: directory }
  if (sqlite !== undefined) return { kind: 'sqlite', database: sqlite, query: query! }
  if (postgres !== undefined) return { kind: 'postgres', database: postgres }
  return command === undefined ? undefined : { kind: 'command', command }
}

/** The other way: what `fanOutOf` makes the same of. */
export function authorFanOut({ source, exclude, parallel, conditions }: FanOut): JsonObject {
  const others = exclude.filter(name => !(NO_CLIENTS as readonly string[]).includes(name))
  return {
    ...authorSource(source),
    ...(others.length > 0 && { exclude: others }),
    parallel,
    ...(conditions !== undefined && {
      conditions: conditions.map(authorCondition),
    }),
  }
}

function authorSource(source: ClientSource): JsonObject {
  switch (source.kind) {
    case 'directory':
      return { directory: source.path }
    case 'sqlite':
      return { sqlite: source.database, query: source.query }
    case 'postgres':
      return { postgres: source.database }
    case 'command': {
      const { command } = source
      return { command: typeof command === 'string' ? command : [...command] }
    }
  }
}
