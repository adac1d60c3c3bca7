// What each field of a manifest is, in words: those of plain DAGs and schedules under their new places, and its own.

import { ID_WORDS } from '../core/ids.ts'
import { STAGE_NAMES } from '../core/stage/stage.ts'
import { clientWords, VARIABLE_WORDS } from './client-entry.ts'
import { DAG_WORDS } from './dag-schema.ts'
import { DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'
import { AFTER_STATUSES, MANIFEST_LIMITS } from './manifest-schema.ts'
import { notificationWords } from './notification-entry.ts'
import { SCHEDULE_WORDS } from './schedule-schema.ts'

const CLIENTS = 'where clients are found (a mapping with directory, sqlite, postgres or command)'
const STAGES = `a list of stages (${STAGE_NAMES.join(', ')}), or a mapping of them to their settings`

export const MANIFEST_WORDS: FieldWords = {
  '': { expected: 'a manifest (a mapping with the one key dag)', example: 'dag: { schedule: "0 6 * * *" }' },
  dag: { expected: 'a mapping', example: 'dag: { schedule: "0 6 * * *" }' },
  'dag.name': { expected: ID_WORDS, example: 'name: partner_files', aliases: ['id', 'dag_id', 'dag_name'] },
  'dag.tenant_id': { expected: ID_WORDS, example: 'tenant_id: local-dev', aliases: ['tenant'] },
  'dag.description': {
    expected: 'a text (at most 2000 characters)',
    example: 'description: what it is for',
  },
  ...notificationWords('dag.'),
  'dag.schedule': {
    expected: 'a cron text in quotes, or a mapping with cron, every or at',
    example: 'schedule: "0 6 * * *"',
    aliases: ['cron', 'every', 'at', 'when', 'crontab'],
  },
  ...under('dag.schedule.', '[].', SCHEDULE_WORDS, ['id', 'dag']),
  'dag.triggered': {
    expected: 'true, or a mapping with on_arrival and after',
    example: 'triggered: true',
    aliases: ['trigger', 'triggers', 'on'],
  },
  'dag.triggered.on_arrival': {
    expected: 'true or false',
    example: 'on_arrival: true',
    aliases: ['arrival'],
  },
  'dag.triggered.after': {
    expected: `a list of 1 to ${MANIFEST_LIMITS.after} DAGs`,
    example: 'after: [load]',
    aliases: ['depends_on', 'upstream', 'dags'],
  },
  'dag.triggered.after[]': {
    expected: 'the name of a DAG, or a mapping with dag and status',
    example: '- load',
  },
  'dag.triggered.after[].dag': { expected: ID_WORDS, example: 'dag: load', aliases: ['name', 'id'] },
  'dag.triggered.after[].status': {
    expected: 'a list of statuses',
    example: 'status: [success]',
    aliases: ['statuses', 'accept', 'state'],
  },
  'dag.triggered.after[].status[]': {
    expected: AFTER_STATUSES.join(', ').replace(/, ([^,]*)$/, ' or $1'),
    example: '- success',
  },
  'dag.stream': {
    expected: 'a stream (a mapping with file, or with sqlite or postgres, table and key)',
    example: 'stream: { file: data/orders.jsonl }',
    aliases: ['consume', 'source'],
  },
  'dag.stream.name': { expected: ID_WORDS, example: 'name: orders', aliases: ['id'] },
  'dag.stream.file': {
    expected: 'the path of a file',
    example: 'file: data/orders.jsonl',
    aliases: ['path', 'jsonl'],
  },
  'dag.stream.sqlite': {
    expected: 'the path of an SQLite database',
    example: 'sqlite: data/orders.sqlite',
    aliases: ['database', 'db'],
  },
  'dag.stream.postgres': {
    expected: VARIABLE_WORDS,
    example: 'postgres: ORDERS_URL',
    aliases: ['postgresql', 'pg', 'url'],
  },
  'dag.stream.table': { expected: 'the name of a table', example: 'table: orders' },
  'dag.stream.key': {
    expected: 'the name of a column',
    example: 'key: id',
    aliases: ['column', 'id', 'cursor'],
  },
  'dag.stream.max_records': {
    expected: `a number of records (1 to ${MANIFEST_LIMITS.maxRecords})`,
    example: 'max_records: 1000',
    aliases: ['limit', 'batch', 'batch_size', 'max'],
  },
  'dag.stages': {
    expected: STAGES,
    example: 'stages: [external_input_files]',
    aliases: ['stage', 'files', 'folders'],
  },
  'dag.stages[]': { expected: one(STAGE_NAMES), example: '- external_input_files' },
  ...stageWords('dag.stages[].'),
  ...stageWords('dag.stages.'),
  'dag.clients': {
    expected: CLIENTS,
    example: 'clients: { directory: clients }',
    aliases: ['client', 'members'],
  },
  ...clientWords('dag.clients'),
  'dag.tasks': {
    expected: 'a list of tasks, each beginning with "- name:"',
    example: 'tasks: [{ name: REPORT, workflow_ref: weekly_report_pack }]',
    aliases: ['steps', 'nodes', 'jobs'],
  },
  'dag.tasks[]': { expected: 'a task (a mapping with name and workflow_ref)', example: '- name: REPORT' },
  ...under('dag.tasks[].', 'tasks[].', DAG_WORDS, []),
  'dag.tasks[].id': { expected: ID_WORDS, example: 'id: REPORT' },
  'dag.tasks[].name': { expected: ID_WORDS, example: 'name: REPORT', aliases: ['task_id', 'task'] },
  'dag.tasks[].target_sp': {
    expected: 'the name of a workflow',
    example: 'target_sp: weekly_report_pack',
    aliases: ['sp', 'procedure', 'target'],
  },
  'dag.tasks[].workflow_ref': {
    expected: 'the name of a workflow',
    example: 'workflow_ref: weekly_report_pack',
    aliases: ['workflow', 'uses', 'run', 'type', 'operator'],
  },
  'dag.tasks[].args': {
    expected: 'args (a mapping)',
    example: 'args: { command: [echo, hello] }',
    aliases: ['arguments'],
  },
  'dag.tasks[].params': {
    expected: 'params (a mapping)',
    example: 'params: { command: [echo, hello] }',
    aliases: ['with', 'inputs', 'parameters'],
  },
  'dag.tasks[].multi_client_execution': {
    expected: `true or false, or ${CLIENTS}`,
    example: 'multi_client_execution: true',
    aliases: ['multi_client', 'fan_out', 'for_each_client'],
  },
  ...clientWords('dag.tasks[].multi_client_execution'),
  'dag.expanded': { expected: 'true or false', example: 'expanded: true' },
}

/** Words of another form, under another place. */
function under(to: string, from: string, words: FieldWords, without: readonly string[]): FieldWords {
  return Object.fromEntries(
    Object.entries(words)
      .filter(([name]) => name.startsWith(from) && !without.includes(name.slice(from.length)))
      .map(([name, field]) => [to + name.slice(from.length), field]),
  )
}

function stageWords(prefix: string): FieldWords {
  const words: Record<string, FieldWords[string]> = {}
  for (const name of STAGE_NAMES) {
    const at = `${prefix}${name}`
    words[at] = { expected: 'the settings of a stage (a mapping)', example: `${name}: { path: data/in }` }
    words[`${at}.path`] = {
      expected: 'the path of a folder',
      example: 'path: data/in',
      aliases: ['directory', 'folder', 'dir'],
    }
    words[`${at}.s3`] = {
      expected: 'a bucket and a prefix such as s3://bucket/prefix',
      example: 's3: s3://partner-drop/in',
      aliases: ['bucket', 'url', 'uri'],
    }
    words[`${at}.endpoint`] = {
      expected: 'a URL that begins with http:// or https://, without a user',
      example: 'endpoint: https://s3.example.org',
    }
    words[`${at}.region`] = { expected: 'the name of a region', example: 'region: eu-central-1' }
  }
  const input = `${prefix}external_input_files`
  return {
    ...words,
    [`${input}.pattern`]: {
      expected: 'a pattern such as *.csv',
      example: "pattern: '*.csv'",
      aliases: ['glob', 'match', 'files'],
    },
    [`${input}.order`]: {
      expected: 'oldest, newest or name',
      example: 'order: oldest',
      aliases: ['sort', 'by'],
    },
    [`${input}.max_files`]: {
      expected: `a number of files (1 to ${MANIFEST_LIMITS.maxFiles})`,
      example: 'max_files: 100',
      aliases: ['limit', 'max', 'batch_size'],
    },
    [`${input}.stable_for`]: {
      expected: DURATION_WORDS,
      example: 'stable_for: 2s',
      aliases: ['stable', 'min_age', 'settle'],
    },
  }
}

function one(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1')
}
