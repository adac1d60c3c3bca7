// The authored form of schedules: `configs/schedules/*.yaml`, a list. The JSON Schema for editors is made from this.

import { z } from 'zod'
import { ID_PATTERN, ID_WORDS } from '../core/ids.ts'
import { ROLL_CONVENTIONS } from '../core/schedule/roll.ts'
import { CONDITION_WORDS, ConditionList } from './condition-schema.ts'
import { DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'
import { Priority, SCHEDULE_POOL_WORDS, SchedulePool } from './pool-schema.ts'

export const SCHEDULE_DEFAULTS = {
  timezone: 'UTC',
  dialect: 'unix',
  dst: 'cron',
  catchup: 'latest',
  catchupWindow: '1d',
  maxCatchup: 100,
  overlap: 'skip',
  priority: 0,
} as const

/** A file of a few hundred schedules loads in a blink; 10,000 in one is a mistake that one can still look at. */
export const MAX_SCHEDULES_PER_FILE = 10_000

/** Expressions or instants of one schedule: more are a table, which wants a calendar. */
const LIST_MAX = 100

/** What a schedule needs one of. */
const DUE_KEYS = ['cron', 'every', 'at'] as const

const cronText = z.string().min(1).max(256)
const instantText = z.string().min(1).max(40)

/** A manifest's own schedule has all of these but `id` and `dag`. */
export const SCHEDULE_FIELDS = {
  id: z
    .string()
    .regex(ID_PATTERN)
    .meta({
      description:
        'Names the schedule in the journal, in run ids and on the command line. Unique in all files.',
      examples: ['weekly_ops_chain'],
    }),
  cron: z
    .union([cronText, z.array(cronText).min(1).max(LIST_MAX)])
    .optional()
    .meta({
      description:
        'When it is due: minute hour day month weekday, or a macro such as @daily; or a list of them, each instant counting once. Quote it: "*" has a meaning in YAML.',
      examples: ['*/5 * * * *', '0 6 * * MON-FRI', '@hourly', ['0 6 * * MON-FRI', '0 9 * * SAT']],
    }),
  every: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description:
        'A period instead of cron: due at its multiples since 1970-01-01T00:00Z, or since start_at.',
      examples: ['15m', '90m', '36h'],
    }),
  at: z
    .union([instantText, z.array(instantText).min(1).max(LIST_MAX)])
    .optional()
    .meta({
      description: 'Single moments instead of cron: local times of the time zone, or with an offset.',
      examples: ['2026-12-24 18:00', ['2026-12-24 18:00', '2026-12-31T23:00:00Z']],
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
  dialect: z
    .enum(['unix', 'quartz'])
    .default(SCHEDULE_DEFAULTS.dialect)
    .meta({
      description:
        'How cron is read: as everywhere, or as Quartz does (seconds first, weekdays from Sunday = 1).',
      examples: ['unix', 'quartz'],
    }),
  dst: z
    .enum(['cron', 'skip', 'both'])
    .default(SCHEDULE_DEFAULTS.dst)
    .meta({
      description:
        'What summer time does to a fixed time. cron: exactly once, after the gap or in the first pass; skip: a missing time is left out; both: a repeated time is due twice.',
      examples: ['cron', 'skip', 'both'],
    }),
  start_at: instantText.optional().meta({
    description: 'No slot before it: a local time of the time zone, or with an offset.',
    examples: ['2026-12-01', '2026-12-01 06:00', '2026-12-01T06:00:00Z'],
  }),
  end_at: instantText.optional().meta({
    description: 'No slot after it.',
    examples: ['2026-12-31 23:59'],
  }),
  roll: z
    .strictObject({
      convention: z.enum(ROLL_CONVENTIONS).meta({
        description:
          'The next business day, the one before, or the next unless that is in another month (modified_following).',
        examples: ['following', 'modified_following'],
      }),
      calendar: z
        .string()
        .min(1)
        .max(100)
        .meta({
          description: 'A calendar of configs/calendars: whose business days.',
          examples: ['office'],
        }),
    })
    .optional()
    .meta({
      description:
        'Where a time of cron goes that falls on no business day: to another day, at the same time. Without it: it stays.',
      examples: [{ convention: 'following', calendar: 'office' }],
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
    .enum(['skip', 'allow', 'queue', 'replace'])
    .default(SCHEDULE_DEFAULTS.overlap)
    .meta({
      description:
        'What happens to a slot that comes while a run of this schedule is active: it is skipped and recorded, it runs beside it, it waits for it, or it takes its place.',
      examples: ['skip', 'allow', 'queue', 'replace'],
    }),
  starting_deadline: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description:
        'A slot whose run has not started so long after it is given up: as missed while it has no run, as cancelled while its run waits.',
      examples: ['10m', '1h'],
    }),
  jitter: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description:
        'Runs start up to so much after their slot, each slot always by the same, so that not everything starts at once.',
      examples: ['30s', '5m'],
    }),
  pool: SchedulePool.optional().meta({
    description: 'The pool whose slots the runs share with others, and how many of them each run holds.',
    examples: ['warehouse', { name: 'warehouse', weight: 2 }],
  }),
  priority: Priority.default(SCHEDULE_DEFAULTS.priority).meta({
    description: 'Of runs that wait for room, those of the highest priority start first.',
    examples: [0, 10, -10],
  }),
  conditions: ConditionList.optional(),
  retry_until: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description:
        'Conditions that ask the world are asked again until so long after the slot. Default: they are asked once.',
      examples: ['2h'],
    }),
  retry_every: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description: 'From one asking to the next, at least 5s. Default: 1m.',
      examples: ['1m', '30s'],
    }),
  on_error: z
    .enum(['skip', 'run'])
    .optional()
    .meta({
      description:
        'What a slot gets when nobody knows whether its conditions hold: no run (default), or one.',
      examples: ['skip', 'run'],
    }),
  description: z
    .string()
    .max(2_000)
    .optional()
    .meta({
      description: 'For people. Not evaluated.',
      examples: ['Inbox sweep, report and brief for operations'],
    }),
}

/** What every form of a schedule is held to beside its fields. */
export const isDueSometime = (entry: Partial<Record<(typeof DUE_KEYS)[number], unknown>>): boolean =>
  DUE_KEYS.some(key => entry[key] !== undefined)

/** Beside whatever else is wrong: all at once. */
export const DUE_CHECK = {
  path: ['cron'],
  when: ({ value }: { value: unknown }) =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** The same for editors. */
export const DUE_META = {
  anyOf: DUE_KEYS.map(key => ({ properties: { [key]: {} }, required: [key] })),
}

export const ScheduleEntry = z
  .strictObject(SCHEDULE_FIELDS)
  .refine(isDueSometime, DUE_CHECK)
  .meta({
    ...DUE_META,
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
    expected: 'a cron expression in quotes, or a list of them',
    example: 'cron: "0 6 * * *"',
    aliases: ['schedule', 'expression', 'when', 'crontab'],
  },
  '[].cron[]': { expected: 'a cron expression in quotes', example: '- "0 6 * * *"' },
  '[].every': {
    expected: DURATION_WORDS,
    example: 'every: 15m',
    aliases: ['interval', 'period', 'frequency'],
  },
  '[].at': {
    expected: 'a date and time, or a list of them',
    example: 'at: 2026-12-24 18:00',
    aliases: ['once', 'run_at', 'on', 'date'],
  },
  '[].at[]': { expected: 'a date and time', example: '- 2026-12-24 18:00' },
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
  '[].dialect': { expected: 'unix or quartz', example: 'dialect: quartz', aliases: ['syntax'] },
  '[].dst': { expected: 'cron, skip or both', example: 'dst: cron', aliases: ['dst_policy'] },
  '[].start_at': {
    expected: 'a date and time',
    example: 'start_at: 2026-12-01 06:00',
    aliases: ['start', 'start_date', 'not_before', 'from'],
  },
  '[].end_at': {
    expected: 'a date and time',
    example: 'end_at: 2026-12-31 23:59',
    aliases: ['end', 'end_date', 'not_after', 'until'],
  },
  '[].roll': {
    expected: 'a mapping with convention and calendar',
    example: 'roll: { convention: following, calendar: office }',
    aliases: ['business_day_convention', 'roll_convention', 'adjust'],
  },
  '[].roll.convention': {
    expected: 'following, preceding, modified_following or modified_preceding',
    example: 'convention: following',
    aliases: ['direction', 'rule'],
  },
  '[].roll.calendar': {
    expected: 'the name of a calendar',
    example: 'calendar: office',
    aliases: ['calendar_name'],
  },
  '[].catchup': { expected: 'none, latest or all', example: 'catchup: latest', aliases: ['catch_up'] },
  '[].catchup_window': { expected: DURATION_WORDS, example: 'catchup_window: 1d' },
  '[].max_catchup': {
    expected: 'a number of slots (0 to 10000)',
    example: 'max_catchup: 100',
    aliases: ['catchup_max', 'catchup_limit'],
  },
  '[].overlap': {
    expected: 'skip, allow, queue or replace',
    example: 'overlap: skip',
    aliases: ['concurrency', 'concurrency_policy', 'max_active_runs'],
  },
  '[].starting_deadline': {
    expected: DURATION_WORDS,
    example: 'starting_deadline: 10m',
    aliases: ['deadline', 'starting_deadline_seconds', 'misfire_grace_time'],
  },
  '[].jitter': {
    expected: DURATION_WORDS,
    example: 'jitter: 30s',
    aliases: ['random_delay', 'randomized_delay', 'splay'],
  },
  ...SCHEDULE_POOL_WORDS,
  ...CONDITION_WORDS,
  '[].retry_until': {
    expected: DURATION_WORDS,
    example: 'retry_until: 2h',
    aliases: ['retry_for', 'wait_until', 'ask_until'],
  },
  '[].retry_every': {
    expected: DURATION_WORDS,
    example: 'retry_every: 1m',
    aliases: ['retry_interval', 'poke_interval', 'poll_interval'],
  },
  '[].on_error': { expected: 'skip or run', example: 'on_error: skip', aliases: ['on_failure'] },
  '[].description': { expected: 'a text (at most 2000 characters)', example: 'description: what it is for' },
}
