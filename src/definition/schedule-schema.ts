// The authored form of schedules: `configs/schedules/*.yaml`, a list. The JSON Schema for editors is made from this.

import { z } from 'zod'
import { ID_PATTERN, ID_WORDS } from '../core/ids.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'

export const SCHEDULE_DEFAULTS = {
  timezone: 'UTC',
  catchup: 'latest',
  catchupWindow: '1d',
  maxCatchup: 100,
  overlap: 'skip',
} as const

/** A file of a few hundred schedules loads in a blink; 10,000 in one is a mistake that one can still look at. */
export const MAX_SCHEDULES_PER_FILE = 10_000

export const ScheduleEntry = z
  .strictObject({
    id: z
      .string()
      .regex(ID_PATTERN)
      .meta({
        description:
          'Names the schedule in the journal, in run ids and on the command line. Unique in all files.',
        examples: ['weekly_ops_chain'],
      }),
    cron: z
      .string()
      .min(1)
      .max(256)
      .meta({
        description:
          'When it is due: minute hour day month weekday, or a macro such as @daily. Quote it: "*" has a meaning in YAML.',
        examples: ['*/5 * * * *', '0 6 * * MON-FRI', '@hourly'],
      }),
    dag: z
      .string()
      .min(1)
      .max(1024)
      .meta({
        description:
          'What runs: the path of a DAG file, relative to the root, or the name of a DAG in configs/dags.',
        examples: ['configs/dags/weekly_ops_chain.min.yaml', 'weekly_ops_chain'],
      }),
    tenant: z
      .string()
      .regex(ID_PATTERN)
      .optional()
      .meta({
        description: 'Tenant of the runs. Default: the tenant_id of the DAG.',
        examples: ['local-dev'],
      }),
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: 'false: no slot is due until it is true again.', examples: [true, false] }),
    timezone: z
      .string()
      .min(1)
      .max(64)
      .default(SCHEDULE_DEFAULTS.timezone)
      .meta({
        description: 'IANA time zone that the cron expression is read in.',
        examples: ['UTC', 'Europe/Berlin', 'America/New_York'],
      }),
    catchup: z
      .enum(['none', 'latest', 'all'])
      .default(SCHEDULE_DEFAULTS.catchup)
      .meta({
        description:
          'What happens to slots that passed while the scheduler was down: none of them runs, the latest one, or all.',
        examples: ['none', 'latest', 'all'],
      }),
    catchup_window: z
      .string()
      .regex(DURATION_PATTERN)
      .default(SCHEDULE_DEFAULTS.catchupWindow)
      .meta({
        description: 'Older slots are not caught up but recorded as missed.',
        examples: ['6h', '1d', '7d'],
      }),
    max_catchup: z
      .int()
      .min(0)
      .max(10_000)
      .default(SCHEDULE_DEFAULTS.maxCatchup)
      .meta({
        description: 'At most so many slots are caught up at once; the rest is recorded.',
        examples: [100],
      }),
    overlap: z
      .enum(['skip', 'allow', 'queue'])
      .default(SCHEDULE_DEFAULTS.overlap)
      .meta({
        description:
          'What happens to a slot that comes while a run of this schedule is active: it is skipped and recorded, it runs beside it, or it waits for it.',
        examples: ['skip', 'allow', 'queue'],
      }),
    description: z
      .string()
      .max(2_000)
      .optional()
      .meta({
        description: 'For people. Not evaluated.',
        examples: ['Inbox sweep, report and brief for operations'],
      }),
  })
  .meta({
    description: 'One schedule: when a DAG is due, and what happens to slots that could not run in time.',
  })

export const ScheduleFile = z
  .array(ScheduleEntry)
  .max(MAX_SCHEDULES_PER_FILE)
  .meta({
    title: 'Dagbok schedules',
    description: 'A list of schedules: configs/schedules/*.yaml.',
    examples: [
      [
        {
          id: 'weekly_ops_chain',
          cron: '*/5 * * * *',
          dag: 'configs/dags/weekly_ops_chain.min.yaml',
          tenant: 'local-dev',
          enabled: true,
        },
      ],
    ],
  })

/** What a file of schedules is, in words that go after "expected". */
export const SCHEDULE_LIST = 'a list of schedules, each beginning with "- id:"'

export const SCHEDULE_WORDS: FieldWords = {
  '': { expected: SCHEDULE_LIST, example: '- id: nightly' },
  '[]': { expected: 'a schedule (a mapping with id, cron and dag)', example: '- id: nightly' },
  '[].id': { expected: ID_WORDS, example: 'id: nightly', aliases: ['name', 'schedule_id'] },
  '[].cron': {
    expected: 'a cron expression in quotes',
    example: 'cron: "0 6 * * *"',
    aliases: ['schedule', 'expression', 'when', 'crontab'],
  },
  '[].dag': {
    expected: 'the path of a DAG file or the name of a DAG',
    example: 'dag: configs/dags/nightly.yaml',
    aliases: ['dag_id', 'dag_name', 'target', 'file', 'path'],
  },
  '[].tenant': { expected: ID_WORDS, example: 'tenant: local-dev', aliases: ['tenant_id'] },
  '[].enabled': {
    expected: 'true or false',
    example: 'enabled: true',
    aliases: ['active', 'disabled', 'paused'],
  },
  '[].timezone': {
    expected: 'an IANA time zone',
    example: 'timezone: Europe/Berlin',
    aliases: ['tz', 'time_zone', 'zone'],
  },
  '[].catchup': { expected: 'none, latest or all', example: 'catchup: latest', aliases: ['catch_up'] },
  '[].catchup_window': { expected: DURATION_WORDS, example: 'catchup_window: 1d' },
  '[].max_catchup': {
    expected: 'a number of slots (0 to 10000)',
    example: 'max_catchup: 100',
    aliases: ['catchup_max', 'catchup_limit'],
  },
  '[].overlap': {
    expected: 'skip, allow or queue',
    example: 'overlap: skip',
    aliases: ['concurrency', 'concurrency_policy', 'max_active_runs'],
  },
  '[].description': { expected: 'a text (at most 2000 characters)', example: 'description: what it is for' },
}
