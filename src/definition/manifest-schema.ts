// The authored form of a manifest (seed 000): `configs/dags/*.yaml`, a mapping with the one key `dag`. The JSON Schema for
// editors is made from this. Marks `{{vars.name}}` are filled in before it is looked at.

import { z } from 'zod'
import { ID_PATTERN } from '../core/ids.ts'
import { FILE_ORDERS, STAGE_NAMES } from '../core/stage/stage.ts'
import { ClientsEntry } from './client-entry.ts'
import {
  DAG_DEFAULTS,
  MAX_TASKS,
  TASK_FIELDS,
  TASK_ID,
  TASK_PARAMS,
  TASK_WORKFLOW,
  VARIABLE_PATTERN,
} from './dag-schema.ts'
import { DURATION_PATTERN } from './duration-text.ts'
import { NOTIFICATION_FIELDS } from './notification-entry.ts'
import { DUE_CHECK, DUE_META, isDueSometime, SCHEDULE_FIELDS } from './schedule-schema.ts'

export const MANIFEST_LIMITS = { maxFiles: 1_000, maxRecords: 10_000, after: 20 } as const

export const STAGE_DEFAULTS = { order: 'oldest', maxFiles: 100, stableFor: '2s' } as const
export const STREAM_DEFAULTS = { name: 'stream', maxRecords: 1_000 } as const

/** How a run of another DAG may have ended. */
export const AFTER_STATUSES = ['success', 'partial', 'failed', 'skipped', 'cancelled'] as const

const path = z.string().min(1).max(1_024)

const STAGE_FIELDS = {
  path: path.optional().meta({
    description: 'A folder, relative to the root. Default: stages/<dag>/<stage>.',
    examples: ['data/in'],
  }),
  s3: z
    .string()
    .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/.*)?$/)
    .max(1_024)
    .optional()
    .meta({ description: 'A prefix in a bucket, instead of a folder.', examples: ['s3://partner-drop/in'] }),
  endpoint: z
    .string()
    .max(1_024)
    .regex(/^https?:\/\/[^\s@]+$/)
    .optional()
    .meta({ description: 'Of another S3 than Amazon’s.', examples: ['https://s3.example.org'] }),
  region: z
    .string()
    .max(100)
    .regex(/^[a-z0-9-]+$/)
    .optional()
    .meta({ description: 'Of the bucket.', examples: ['eu-central-1'] }),
}

/** A stage without settings may be written with nothing behind its colon. */
const StageEntry = z.union([z.null(), z.strictObject(STAGE_FIELDS)])

const InputStageEntry = z.union([
  z.null(),
  z.strictObject({
    ...STAGE_FIELDS,
    pattern: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .meta({ description: 'Only files whose names match. Default: all.', examples: ['*.csv', '**/*.json'] }),
    order: z
      .enum(FILE_ORDERS)
      .default(STAGE_DEFAULTS.order)
      .meta({ description: 'Which files come first.', examples: ['oldest', 'name'] }),
    max_files: z
      .int()
      .min(1)
      .max(MANIFEST_LIMITS.maxFiles)
      .default(STAGE_DEFAULTS.maxFiles)
      .meta({ description: 'At most so many in one run; the next one gets the others.', examples: [100] }),
    stable_for: z
      .string()
      .regex(DURATION_PATTERN)
      .default(STAGE_DEFAULTS.stableFor)
      .meta({
        description:
          'A file that was changed more recently may still be written, and is left for the next run.',
        examples: ['2s', '1m'],
      }),
  }),
])

const StageMapping = z.strictObject({
  external_input_files: InputStageEntry.optional().meta({
    description: 'Partners put files there; new ones are handed to runs.',
    examples: [{ pattern: '*.csv' }],
  }),
  external_output_files: StageEntry.optional().meta({
    description: 'Runs put files there for partners.',
    examples: [{ path: 'data/out' }],
  }),
  internal_exposed_files: StageEntry.optional().meta({
    description: 'Runs put files there for viewers of this scheduler.',
    examples: [{ path: 'data/reports' }],
  }),
  resources_static: StageEntry.optional().meta({
    description: 'What tasks read and nothing changes.',
    examples: [{ path: 'resources' }],
  }),
})

const StageList = z.union([z.array(z.union([z.enum(STAGE_NAMES), StageMapping])).max(20), StageMapping])

const StreamEntry = z.strictObject({
  name: z
    .string()
    .regex(ID_PATTERN)
    .default(STREAM_DEFAULTS.name)
    .meta({ description: 'Names it in its DAG: what was read is kept under it.', examples: ['orders'] }),
  file: path.optional().meta({
    description: 'A file to which lines of JSON are appended, relative to the root.',
    examples: ['data/orders.jsonl'],
  }),
  sqlite: path.optional().meta({
    description: 'An SQLite database, relative to the root; with `table` and `key`.',
    examples: ['data/orders.sqlite'],
  }),
  postgres: z
    .string()
    .max(100)
    .regex(VARIABLE_PATTERN)
    .optional()
    .meta({
      description:
        'The environment variable that holds the URL of a PostgreSQL database; with `table` and `key`.',
      examples: ['ORDERS_URL'],
    }),
  table: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'To which rows are only added.', examples: ['orders'] }),
  key: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'Its increasing column.', examples: ['id'] }),
  max_records: z
    .int()
    .min(1)
    .max(MANIFEST_LIMITS.maxRecords)
    .default(STREAM_DEFAULTS.maxRecords)
    .meta({ description: 'At most so many in one run; the next one gets the others.', examples: [1000] }),
})

const AfterEntry = z.union([
  z.string().regex(ID_PATTERN),
  z.strictObject({
    dag: z
      .string()
      .regex(ID_PATTERN)
      .meta({ description: 'The DAG whose runs are waited for.', examples: ['load'] }),
    status: z
      .array(z.enum(AFTER_STATUSES))
      .min(1)
      .default(['success'])
      .meta({ description: 'How its run must have ended.', examples: [['success', 'partial']] }),
  }),
])

const TriggeredEntry = z.strictObject({
  on_arrival: z
    .boolean()
    .optional()
    .meta({
      description:
        'New files in the input stage, or new records in the stream, make a run. Default: true where there is either.',
      examples: [true, false],
    }),
  after: z
    .array(AfterEntry)
    .min(1)
    .max(MANIFEST_LIMITS.after)
    .optional()
    .meta({ description: 'The end of a run of another DAG makes a run.', examples: [['load']] }),
})

const oneOf = (...keys: string[]) => ({
  oneOf: keys.map(key => ({ properties: { [key]: {} }, required: [key] })),
})

const { id: _id, dag: _dag, ...OWN_SCHEDULE_FIELDS } = SCHEDULE_FIELDS
const OwnSchedule = z.strictObject(OWN_SCHEDULE_FIELDS).refine(isDueSometime, DUE_CHECK).meta(DUE_META)

const isMapping = ({ value }: { value: unknown }) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const ManifestTask = z
  .strictObject({
    name: TASK_ID.optional(),
    id: TASK_ID.optional(),
    target_sp: TASK_WORKFLOW.optional(),
    workflow_ref: TASK_WORKFLOW.optional(),
    args: TASK_PARAMS.optional(),
    params: TASK_PARAMS.optional(),
    ...TASK_FIELDS,
    multi_client_execution: z
      .union([z.boolean(), ClientsEntry])
      .optional()
      .meta({
        description:
          'The task is done once for each client: those of `clients`, or those that are said here.',
        examples: [true, { directory: 'clients', parallel: 8 }],
      }),
  })
  .refine(({ name, id }) => name !== undefined || id !== undefined, { path: ['name'], when: isMapping })
  .refine(task => task.target_sp !== undefined || task.workflow_ref !== undefined, {
    path: ['workflow_ref'],
    when: isMapping,
  })
  .meta({ allOf: [oneOf('name', 'id'), oneOf('target_sp', 'workflow_ref')] })

export const ManifestEntry = z
  .strictObject({
    name: z
      .string()
      .regex(ID_PATTERN)
      .optional()
      .meta({ description: 'Names the DAG. Default: the name of the file.', examples: ['partner_files'] }),
    tenant_id: z
      .string()
      .regex(ID_PATTERN)
      .default(DAG_DEFAULTS.tenantId)
      .meta({ description: 'Tenant of the runs.', examples: ['local-dev'] }),
    description: z
      .string()
      .max(2_000)
      .optional()
      .meta({ description: 'For people. Not evaluated.', examples: ['Files of our partners'] }),
    ...NOTIFICATION_FIELDS,
    schedule: z
      .union([z.string().min(1).max(256), OwnSchedule])
      .optional()
      .meta({
        description:
          'When it is due: a cron text of any dialect, or a mapping with the keys of a schedule. With conditions it is a CONDITIONAL_CRON.',
        examples: [
          '0 6 * * *',
          'USING CRON 0 6 * * * Europe/Berlin',
          { cron: '0 6 * * *', overlap: 'queue' },
        ],
      }),
    triggered: z
      .union([z.literal(true), TriggeredEntry])
      .optional()
      .meta({
        description: 'It has no schedule: what arrives, or the end of another DAG’s run, makes a run.',
        examples: [true, { after: ['load'] }],
      }),
    stream: StreamEntry.optional().meta({
      description: 'What CONSUME_STREAM reads, from where the last successful run stopped.',
      examples: [{ file: 'data/orders.jsonl' }],
    }),
    stages: StageList.optional().meta({
      description:
        'Where its files lie. external_input_files hands new files to runs that are scheduled or triggered.',
      examples: [['external_input_files', 'external_output_files']],
    }),
    clients: ClientsEntry.optional().meta({
      description: 'Where the clients of multi_client_execution are found.',
      examples: [{ directory: 'clients' }],
    }),
    tasks: z
      .array(ManifestTask)
      .max(MAX_TASKS)
      .default([])
      .meta({
        description: 'The tasks. One without depends_on follows ROOT_TASK_WRAPPER.',
        examples: [[{ name: 'REPORT', workflow_ref: 'weekly_report_pack' }]],
      }),
    expanded: z
      .boolean()
      .default(false)
      .meta({
        description:
          'The tasks are all there are, those of the manifest included: what `show --expanded` writes.',
        examples: [true],
      }),
  })
  .meta({
    description: 'What the DAG is made of.',
    examples: [{ schedule: '0 6 * * *', stages: ['external_input_files'] }],
  })

export const ManifestFile = z.strictObject({ dag: ManifestEntry }).meta({
  title: 'Dagbok manifest',
  description: 'A DAG as a manifest, which brings tasks of its own: configs/dags/*.yaml.',
  examples: [{ dag: { schedule: '0 6 * * *', stages: ['external_input_files'] } }],
})
