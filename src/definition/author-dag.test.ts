import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dag } from '../core/dag/dag.ts'
import { NOTIFICATION_TYPES } from '../core/dag/notification.ts'
import { TRIGGER_RULES } from '../core/dag/trigger-rule.ts'
import type { JsonObject } from '../core/json.ts'
import { type Schedule, sameSchedule } from '../core/schedule/schedule.ts'
import { FILE_ORDERS, STAGE_NAMES } from '../core/stage/stage.ts'
import type { Definitions } from '../ports/definition-source.ts'
import { authorDag, formatYaml } from './author-dag.ts'
import { loadDefinitions } from './load-definitions.ts'
import { AFTER_STATUSES } from './manifest-schema.ts'

const CALENDAR =
  'name: office\ndates: ["2026-12-25"]\nwindows: [{name: w, cron: "0 0 * * SAT", duration: 4h}]\n'
const NEIGHBOUR = 'name: load\ntasks: [{id: a, workflow_ref: shell, params: {command: x}}]\n'

const CHANNELS = 'channels: {A: {command: [x]}, B: {command: [x]}, C: {command: [x]}}\n'

const file = (name: string, text: string) => ({
  file: name,
  key: name,
  content: { bytes: new TextEncoder().encode(text) },
})

async function load(text: string): Promise<{ dag: Dag; schedule: Schedule | undefined }> {
  const result = await loadDefinitions({
    scheduleFiles: [],
    dagFiles: [file('configs/dags/m.yaml', text), file('configs/dags/load.yaml', NEIGHBOUR)],
    calendarFiles: [file('configs/calendars/office.yaml', CALENDAR)],
    icsFiles: [],
    poolFiles: [file('configs/pools.yaml', 'warehouse: 9\n')],
    channelFiles: [file('configs/notifications.yaml', CHANNELS)],
    vars: { environment: 'e', folder: 'v', files: [file('v/e.yaml', 'name: filled\n')] },
    workflows: ['shell', 'http', 'w'],
    problems: [],
    findDag: async () => ({ refused: '', help: '' }),
  })
  if (!result.ok) throw new Error(`${result.problems.map(each => each.message).join('\n')}\n${text}`)
  const { dags, schedules }: Definitions = result.definitions
  const dag = [...dags.values()].find(({ name }) => name !== 'load')!
  return { dag, schedule: schedules.get(dag.name) }
}

async function expectRoundTrip(text: string): Promise<string> {
  const { dag, schedule } = await load(text)
  const written = formatYaml(authorDag(dag, schedule))
  const again = await load(written)
  expect(again.dag).toEqual(dag)
  if (schedule === undefined) expect(again.schedule).toBeUndefined()
  else expect(sameSchedule(again.schedule!, schedule)).toBe(true)
  return written
}

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,8}$/)
const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter(each => !each.includes('{{'))
/** Text that an editor may have in a comment, a path or a command. */
const word = fc.stringMatching(/^[a-z"':#&*!|>{}%@~ -]{1,10}$/).filter(each => !each.includes('{{'))
const length = fc.nat({ max: 90 }).map(n => `${n + 5}m${n}s`)

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const question = fc.oneof(
  fc.record({ file: word, min_size: optional(fc.nat()), max_age: optional(length) }),
  fc.record({ command: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })) }),
  fc.record({ http: fc.constant('https://example.org/'), status: optional(fc.constant([200, 204])) }),
  fc.record({ sql: fc.constant('select 1'), database: word, timeout: optional(fc.constant('9s')) }),
  fc.record({ signal: id, within: optional(length) }),
  fc.record({ cel: fc.constant('tenant != "acme"') }),
)
const asked = fc.oneof(
  question,
  fc.record({ all: fc.array(question, { minLength: 1, maxLength: 2 }) }),
  fc.record({ not: question }),
)
const condition = fc.oneof(
  asked,
  fc.constantFrom(
    { calendar: 'office' },
    { calendar: 'office', nth: -2 },
    { blackout: 'office' },
    { any: [{ calendar: 'office', day: 'holiday' }, { not: { blackout: 'office' } }] },
  ),
)

const schedule = fc.oneof(
  fc.constantFrom('0 6 * * *', 'USING CRON 0 6 * * * Europe/Berlin', '5 MINUTE', '@daily', 'H H * * *'),
  fc.record(
    {
      cron: fc.constantFrom('0 6 * * *', ['0 6 * * MON-FRI', '0 9 * * SAT']),
      at: fc.constant(['2026-12-24 18:00', '2027-01-01T00:00:30Z']),
      every: fc.constant('15m'),
      timezone: fc.constantFrom('UTC', 'America/New_York'),
      tenant: id,
      enabled: fc.boolean(),
      dst: fc.constantFrom('cron', 'skip', 'both'),
      start_at: fc.constant('2026-01-01 06:00'),
      end_at: fc.constant('2030-01-01'),
      catchup: fc.constantFrom('none', 'latest', 'all'),
      catchup_window: length,
      max_catchup: fc.nat({ max: 200 }),
      overlap: fc.constantFrom('skip', 'allow', 'queue', 'replace'),
      starting_deadline: length,
      jitter: length,
      pool: fc.constantFrom('warehouse', { name: 'warehouse', weight: 2 }),
      priority: fc.integer({ min: -9, max: 9 }),
      conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ['cron'] },
  ),
  fc.constantFrom(
    { cron: '0 6 * * *', roll: { convention: 'modified_following', calendar: 'office' } },
    { cron: '0 0 6 * * ?', dialect: 'quartz' },
    { cron: '@daily', conditions: [{ file: 'x' }], retry_until: '2h', retry_every: '30s', on_error: 'run' },
  ),
)

const settings = { path: optional(fc.stringMatching(/^[a-z]{1,4}\/[a-z0-9]{8}$/)) }
const stages = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(...STAGE_NAMES),
    fc.record(
      {
        external_input_files: fc.record(
          {
            ...settings,
            pattern: word,
            order: fc.constantFrom(...FILE_ORDERS),
            max_files: fc.integer({ min: 1, max: 500 }),
            stable_for: length,
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['external_input_files'] },
    ),
    fc.constant({ internal_exposed_files: { s3: 's3://bucket/a/b', region: 'eu-1' } }),
  ),
  { maxLength: 4, selector: each => (typeof each === 'string' ? each : Object.keys(each)[0]!) },
)

const clients = fc.record(
  {
    exclude: fc.array(word, { maxLength: 2 }),
    parallel: fc.integer({ min: 1, max: 9 }),
    conditions: fc.array(asked, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const found = fc.tuple(
  fc.constantFrom({}, { directory: 'c' }, { sqlite: 'd', query: 'q' }, { postgres: 'U' }, { command: ['x'] }),
  clients,
)
const merged = found.map(([source, others]) => ({ ...source, ...others }))

const task = fc.record(
  {
    params: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(text, fc.integer(), fc.boolean())),
    retries: fc.nat({ max: 5 }),
    retry_delay: length,
    backoff: fc.constantFrom('fixed', 'exponential'),
    timeout: length,
    trigger_rule: fc.constantFrom(...TRIGGER_RULES),
    env: fc.dictionary(fc.stringMatching(/^X[A-Z]{1,5}$/), word),
    multi_client_execution: fc.oneof(fc.boolean(), merged),
  },
  { requiredKeys: [] },
)

const manifest = fc
  .record(
    {
      tenant_id: id,
      clients: merged,
      notify: fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 3 }),
      tasks: fc.array(task, { maxLength: 4 }),
    },
    { requiredKeys: [] },
  )
  .chain(base =>
    fc
      .oneof(
        fc.record({ schedule, stages }),
        fc.record({ stages }),
        fc.record({
          stages,
          triggered: fc.constantFrom(
            true,
            { on_arrival: false },
            { after: ['load', { dag: 'load', status: [...AFTER_STATUSES] }] },
          ),
        }),
        fc.record({
          stream: fc.constantFrom(
            { file: 'a.jsonl' },
            { name: 's', sqlite: 'a', table: 't', key: 'k', max_records: 7 },
            { postgres: 'U', table: 't', key: 'k' },
          ),
        }),
      )
      .map((mode): JsonObject => ({ ...base, ...mode }) as JsonObject),
  )
  .chain(base =>
    base['notify'] === undefined
      ? fc.constant(base)
      : fc
          .record(
            {
              notification_type: fc.constantFrom(...NOTIFICATION_TYPES.filter(type => type !== 'ON_LATE'), [
                'ON_ERROR',
                'ON_SKIP',
              ]),
              failures_in_row: fc.integer({ min: 1, max: 5 }),
            },
            { requiredKeys: [] },
          )
          .map(told => ({ ...base, ...told }) as JsonObject),
  )
  .map(dag => {
    const tasks = ((dag['tasks'] ?? []) as JsonObject[]).map((each, index) => ({
      name: `T${index}`,
      workflow_ref: 'w',
      ...each,
      ...(index > 1 && { depends_on: [`T${index - 2}`, `T${index - 1}`] }),
    }))
    return { dag: { ...dag, tasks } } as JsonObject
  })

describe('authorDag', () => {
  it('writes what loads again to the same DAG and schedule', async () => {
    await fc.assert(
      fc.asyncProperty(manifest, async value => {
        await expectRoundTrip(formatYaml(JSON.parse(JSON.stringify(value))))
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('has vars, defaults and wrappers filled in, so that nothing else is needed', async () => {
    const written = await expectRoundTrip(
      'dag:\n  schedule: "@daily"\n  stages: [external_input_files]\n  notify: [A]\n  late_after: 90m\n  notification_type: [ON_LATE]\n  tasks: [{id: "{{vars.name}}", target_sp: w}]\n',
    )
    expect(written).toBe(`dag:
  name: m
  tenant_id: default
  notification_type: ON_LATE
  notify:
    - A
  late_after: 1h30m
  schedule:
    cron: "@daily"
  stages:
    external_input_files:
      path: stages/m/external_input_files
      order: oldest
      max_files: 100
      stable_for: 2s
  expanded: true
  tasks:
    - name: POLL_AND_DISPATCH
      workflow_ref: poll_and_dispatch
      params:
        stage:
          name: external_input_files
          location:
            kind: directory
            path: stages/m/external_input_files
          order: oldest
          maxFiles: 100
          stableForMs: 2000
      depends_on: []
    - name: ROOT_TASK_WRAPPER
      workflow_ref: root_task_wrapper
      params:
        mode: schedule
        environment: e
        stages:
          external_input_files: stages/m/external_input_files
        source: POLL_AND_DISPATCH
      depends_on:
        - POLL_AND_DISPATCH
    - name: filled
      workflow_ref: w
      depends_on:
        - ROOT_TASK_WRAPPER
`)
  })

  it('writes a plain DAG as one', async () => {
    await expectRoundTrip(
      'name: p\ntenant_id: t\nnotify: [A]\ntasks:\n  - {id: a, workflow_ref: shell, params: {command: "x: \\u0085\\u2028"}}\n  - {id: b, workflow_ref: w, trigger_rule: one_failed, timeout: 5s, depends_on: [a]}\n',
    )
  })
})
