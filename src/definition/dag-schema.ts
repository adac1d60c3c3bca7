// The authored form of a DAG: `configs/dags/*.yaml`, a mapping. The JSON Schema for editors is made from this.

import { z } from 'zod'
import { DEFAULT_TRIGGER_RULE, TRIGGER_RULES } from '../core/dag/trigger-rule.ts'
import { ID_PATTERN, ID_WORDS } from '../core/ids.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'
import { NOTIFICATION_FIELDS, notificationWords } from './notification-entry.ts'

export const DAG_DEFAULTS = {
  tenantId: 'default',
  retries: 0,
  retryDelay: '1s',
  backoff: 'exponential',
} as const

export const MAX_TASKS = 10_000
/** Bytes of a task's params as JSON. */
export const MAX_PARAMS_BYTES = 32 * 1024
/** Of a whole task: its normal form stands in one line of the journal, which is at most 64 KiB. */
export const MAX_TASK_BYTES = 48 * 1024
const MAX_RETRIES = 1_000
/** The form of an environment variable's name; core/attempt/environment.ts says which of them are refused. */
export const VARIABLE_PATTERN = /^[A-Z_][A-Z0-9_]*$/

export const TASK_ID = z
  .string()
  .regex(ID_PATTERN)
  .meta({ description: 'Names the task in its DAG, in the journal and in logs.', examples: ['sweep'] })

export const TASK_WORKFLOW = z
  .string()
  .regex(ID_PATTERN)
  .meta({
    description:
      'What the task runs: a built-in (shell, http) or a file in workflows/, by its name without ending.',
    examples: ['shell', 'http', 'inbox_drive_sweep'],
  })

export const TASK_PARAMS = z.record(z.string(), z.unknown()).meta({
  description:
    'Input of the workflow. Outputs of upstream tasks are added as <task>__<key>. At most 32 KiB as JSON.',
  examples: [{ command: ['echo', 'hello'] }, { start_date: '2025-10-01' }],
})

/** What a task may have in a plain file and in a manifest. */
export const TASK_FIELDS = {
  retries: z
    .int()
    .min(0)
    .max(MAX_RETRIES)
    .default(DAG_DEFAULTS.retries)
    .meta({
      description: 'How often a failed attempt is tried again: 2 means three attempts in all.',
      examples: [1, 2],
    }),
  retry_delay: z
    .string()
    .regex(DURATION_PATTERN)
    .default(DAG_DEFAULTS.retryDelay)
    .meta({
      description: 'Pause before the first retry; the base of the backoff.',
      examples: ['1s', '30s', '5m'],
    }),
  backoff: z
    .enum(['exponential', 'fixed'])
    .default(DAG_DEFAULTS.backoff)
    .meta({
      description: 'How the pause grows: exponential with full jitter, or always retry_delay.',
      examples: ['exponential', 'fixed'],
    }),
  timeout: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({ description: 'Time limit of one attempt. Default: none.', examples: ['90s', '1h30m'] }),
  depends_on: z
    .array(z.string())
    .default([])
    .meta({
      description: 'Tasks of this DAG that come first; trigger_rule says how they must end.',
      examples: [['sweep'], []],
    }),
  env: z
    .record(z.string().regex(VARIABLE_PATTERN), z.string())
    .default({})
    .meta({
      description: 'Extra environment of a command: names in capital letters. Quote numbers.',
      examples: [{ LOG_LEVEL: 'debug' }],
    }),
  trigger_rule: z
    .enum(TRIGGER_RULES)
    .optional()
    .meta({
      description: `What of depends_on must have happened. Default: ${DEFAULT_TRIGGER_RULE}, all of them must succeed and say nothing against going on.`,
      examples: ['ALL', 'ANY', 'all_done'],
    }),
}

export const TaskEntry = z
  .strictObject({ id: TASK_ID, workflow_ref: TASK_WORKFLOW, params: TASK_PARAMS.default({}), ...TASK_FIELDS })
  .meta({ description: 'One task: a node of the DAG.' })

export const DagFile = z
  .strictObject({
    name: z
      .string()
      .regex(ID_PATTERN)
      .meta({ description: 'Names the DAG. Unique in all files.', examples: ['weekly_ops_chain'] }),
    tenant_id: z
      .string()
      .regex(ID_PATTERN)
      .default(DAG_DEFAULTS.tenantId)
      .meta({ description: 'Tenant of the runs, unless the schedule names one.', examples: ['local-dev'] }),
    description: z
      .string()
      .max(2_000)
      .optional()
      .meta({ description: 'For people. Not evaluated.', examples: ['Sweep, report, brief'] }),
    ...NOTIFICATION_FIELDS,
    tasks: z
      .array(TaskEntry)
      .min(1)
      .max(MAX_TASKS)
      .meta({
        description: 'The tasks. Their written order breaks ties in the execution plan.',
        examples: [[{ id: 'hello', workflow_ref: 'shell', params: { command: ['echo', 'hello'] } }]],
      }),
  })
  .meta({
    title: 'Dagbok DAG',
    description: 'A DAG: tasks and the order between them: configs/dags/*.yaml.',
    examples: [
      {
        name: 'hello',
        tasks: [{ id: 'hello', workflow_ref: 'shell', params: { command: ['echo', 'hello'] } }],
      },
    ],
  })

export const DAG_WORDS: FieldWords = {
  '': { expected: 'a DAG (a mapping with name and tasks)', example: 'name: nightly' },
  name: { expected: ID_WORDS, example: 'name: nightly', aliases: ['id', 'dag', 'dag_id', 'dag_name'] },
  tenant_id: { expected: ID_WORDS, example: 'tenant_id: local-dev', aliases: ['tenant'] },
  description: { expected: 'a text (at most 2000 characters)', example: 'description: what it is for' },
  ...notificationWords(''),
  tasks: {
    expected: `a list of 1 to ${MAX_TASKS} tasks, each beginning with "- id:"`,
    example: 'tasks: [{id: hello, workflow_ref: shell, params: {command: [echo, hello]}}]',
    aliases: ['steps', 'nodes', 'jobs'],
  },
  'tasks[]': { expected: 'a task (a mapping with id and workflow_ref)', example: '- id: hello' },
  'tasks[].id': { expected: ID_WORDS, example: 'id: hello', aliases: ['name', 'task_id'] },
  'tasks[].workflow_ref': {
    expected: 'the name of a workflow',
    example: 'workflow_ref: shell',
    aliases: ['workflow', 'uses', 'run', 'type', 'operator'],
  },
  'tasks[].params': {
    expected: 'params (a mapping)',
    example: 'params: {command: [echo, hello]}',
    aliases: ['with', 'args', 'inputs', 'parameters'],
  },
  'tasks[].retries': {
    expected: 'a number of retries (0 or more)',
    example: 'retries: 2',
    aliases: ['retry', 'max_retries'],
  },
  'tasks[].retry_delay': {
    expected: DURATION_WORDS,
    example: 'retry_delay: 30s',
    aliases: ['retry_interval'],
  },
  'tasks[].backoff': { expected: 'exponential or fixed', example: 'backoff: exponential' },
  'tasks[].timeout': {
    expected: DURATION_WORDS,
    example: 'timeout: 90s',
    aliases: ['timeout_seconds', 'timeout_ms', 'execution_timeout'],
  },
  'tasks[].depends_on': {
    expected: 'a list of task ids',
    example: 'depends_on: [sweep]',
    aliases: ['needs', 'depends', 'dependencies', 'after', 'upstream'],
  },
  'tasks[].depends_on[]': { expected: 'a task id', example: 'depends_on: [sweep]' },
  'tasks[].env': {
    expected: 'environment variables (a mapping of texts)',
    example: 'env: {LOG_LEVEL: debug}',
  },
  'tasks[].trigger_rule': {
    expected: TRIGGER_RULES.join(', ').replace(/, ([^,]*)$/, ' or $1'),
    example: 'trigger_rule: all_done',
    aliases: ['trigger', 'rule', 'run_if', 'when'],
  },
  'tasks[].env.*': { expected: 'a text', example: 'env: {PORT: "8080"}' },
}
