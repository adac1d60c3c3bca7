import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'
import { CalendarFile } from './calendar-schema.ts'
import { CALENDAR_WORDS } from './calendar-words.ts'
import { DAG_WORDS, DagFile } from './dag-schema.ts'
import { makeJsonSchemas } from './json-schema.ts'
import { ManifestFile } from './manifest-schema.ts'
import { MANIFEST_WORDS } from './manifest-words.ts'
import { SCHEDULE_WORDS, ScheduleFile } from './schedule-schema.ts'

const schemas = makeJsonSchemas()
const root = new URL('../../', import.meta.url)

const schedule = { id: 'a', cron: '@daily', dag: 'd' }
const task = { id: 'a', workflow_ref: 'shell' }

const SCHEDULE_FILES: [unknown, boolean][] = [
  [[], true],
  [[schedule], true],
  [[{ ...schedule, tenant: 't', enabled: false, timezone: 'UTC', catchup: 'all', overlap: 'queue' }], true],
  [[{ ...schedule, catchup_window: '1d12h', max_catchup: 0, description: '' }], true],
  [[{ ...schedule, catchup_window: '12h1d' }], false],
  [[{ ...schedule, catchup_window: '' }], false],
  [[{ ...schedule, catchup_window: 5 }], false],
  [[{ ...schedule, max_catchup: 1.5 }], false],
  [[{ ...schedule, max_catchup: 10_001 }], false],
  [[{ ...schedule, id: 'a..b' }], false],
  [[{ ...schedule, id: '-a' }], false],
  [[{ ...schedule, id: 'a'.repeat(101) }], false],
  [[{ ...schedule, enabled: 'yes' }], false],
  [[{ ...schedule, extra: 1 }], false],
  [[{ ...schedule, overlap: 'restart' }], false],
  [[{ id: 'a', dag: 'd' }], false],
  [{ schedules: [schedule] }, false],
  [schedule, false],
  [null, false],
]

const DAG_FILES: [unknown, boolean][] = [
  [{ name: 'n', tasks: [task] }, true],
  [
    {
      name: 'n',
      tenant_id: 't',
      description: 'd',
      tasks: [{ ...task, params: { a: [1, { b: null }] }, retries: 3 }],
    },
    true,
  ],
  [
    {
      name: 'n',
      tasks: [
        { ...task, retry_delay: '1s', backoff: 'fixed', timeout: '1m', depends_on: ['b'], env: { A: 'b' } },
      ],
    },
    true,
  ],
  [{ name: 'n', tasks: [] }, false],
  [{ name: 'n' }, false],
  [{ tasks: [task] }, false],
  [{ name: 'n', tasks: [{ ...task, retries: -1 }] }, false],
  [{ name: 'n', tasks: [{ ...task, retries: 'three' }] }, false],
  [{ name: 'n', tasks: [{ ...task, params: [] }] }, false],
  [{ name: 'n', tasks: [{ ...task, depends_on: 'a' }] }, false],
  [{ name: 'n', tasks: [{ ...task, depends_on: [1] }] }, false],
  [{ name: 'n', tasks: [{ ...task, env: { 'A-B': 'x' } }] }, false],
  [{ name: 'n', tasks: [{ ...task, env: { A: 1 } }] }, false],
  [{ name: 'n', tasks: [{ ...task, timeout: '90' }] }, false],
  [{ name: 'n', tasks: [{ ...task, needs: [] }] }, false],
  [{ name: 'n', tasks: [{ id: 'a' }] }, false],
  [{ name: 'n', tasks: [task], schedule: '@daily' }, false],
  [[], false],
]

const manifest = (entry: object) => ({ dag: entry })

const MANIFEST_FILES: [unknown, boolean][] = [
  [manifest({}), true],
  [
    manifest({ schedule: '0 6 * * *', notify: ['SUPPORT'], notification_type: ['ON_ERROR', 'ON_LATE'] }),
    true,
  ],
  [manifest({ schedule: { every: '5m', overlap: 'queue', conditions: [{ calendar: 'office' }] } }), true],
  [manifest({ schedule: { overlap: 'queue' } }), false],
  [manifest({ schedule: { cron: '@daily', dag: 'd' } }), false],
  [manifest({ triggered: true, stream: { file: 'a.jsonl', max_records: 5 } }), true],
  [manifest({ triggered: { on_arrival: false, after: ['a', { dag: 'b', status: ['partial'] }] } }), true],
  [manifest({ triggered: false }), false],
  [manifest({ triggered: { after: [{ dag: 'b', status: ['ok'] }] } }), false],
  [manifest({ stages: ['external_input_files', { resources_static: { path: 'r' } }] }), true],
  [manifest({ stages: { external_input_files: null, external_output_files: { s3: 's3://abc/x' } } }), true],
  [manifest({ stages: ['external_input'] }), false],
  [manifest({ stages: { external_output_files: { pattern: '*' } } }), false],
  [manifest({ stages: { external_output_files: { s3: 'abc/x' } } }), false],
  [manifest({ clients: { sqlite: 'c.sqlite', query: 'select 1', exclude: ['x'], parallel: 2 } }), true],
  [manifest({ clients: { postgres: 'postgres://u:p@h/d' } }), false],
  [manifest({ tasks: [{ name: 'A', target_sp: 'shell', args: {}, multi_client_execution: true }] }), true],
  [manifest({ tasks: [{ id: 'A', workflow_ref: 'shell', multi_client_execution: { parallel: 0 } }] }), false],
  [manifest({ tasks: [{ name: 'A' }] }), false],
  [manifest({ tasks: [{ target_sp: 'shell' }] }), false],
  [manifest({ tasks: [{ name: 'A', workflow_ref: 'shell', trigger_rule: 'all' }] }), false],
  [{ dag: {}, name: 'x' }, false],
  [{ dag: null }, false],
  [[], false],
]

const CALENDAR_FILES: [unknown, boolean][] = [
  [{ name: 'n' }, true],
  [
    {
      name: 'n',
      description: 'd',
      timezone: 'UTC',
      weekend: [],
      include: ['a'],
      observed: { SAT: 'FRI' },
      dates: ['2026-12-25', { date: '2026-12-24', name: 'x' }, { from: '2026-12-28', to: '2026-12-31' }],
      rules: [{ day: '12-25' }, { nth: -1, weekday: 'MON', month: 5, observed: 'none', from_year: 2000 }],
      ics: ['x.ics'],
      exclude: ['2026-01-01'],
      workdays: [{ date: '2026-01-03' }],
      windows: [
        { name: 'w', cron: '@daily', duration: '4h' },
        { name: 'v', weekdays: ['SAT'], from: '22:00', to: '04:00', timezone: 'UTC' },
        { name: 'u', from: '2026-12-20', to: '2026-12-21T06:00' },
      ],
    },
    true,
  ],
  [{}, false],
  [{ name: 'n', weekend: ['SATURDAY'] }, false],
  [{ name: 'n', weekend: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] }, false],
  [{ name: 'n', observed: 'monday' }, false],
  [{ name: 'n', observed: { SAT: 'Friday' } }, false],
  [{ name: 'n', dates: ['25.12.2026'] }, false],
  [{ name: 'n', dates: [{ on: '2026-12-25' }] }, false],
  [{ name: 'n', rules: [{ easter: 200 }] }, false],
  [{ name: 'n', rules: [{ nth: 6, weekday: 'MON', month: 1 }] }, false],
  [{ name: 'n', windows: [{ cron: '@daily', duration: '4h' }] }, false],
  [{ name: 'n', windows: [{ name: 'w', from: '22', to: '4' }] }, false],
  [{ name: 'n', ics: 'x.ics' }, false],
  [[], false],
]

describe('the JSON Schemas', () => {
  it.each(Object.keys(schemas))(
    'schemas/%s is what the loader uses: run scripts/generate-schemas.ts',
    name => {
      expect(readFileSync(new URL(`schemas/${name}`, root), 'utf8')).toBe(schemas[name])
    },
  )

  it.each([
    ['schedule.schema.json', ScheduleFile, SCHEDULE_FILES],
    ['dag.schema.json', DagFile, DAG_FILES],
    ['manifest.schema.json', ManifestFile, MANIFEST_FILES],
    ['calendar.schema.json', CalendarFile, CALENDAR_FILES],
  ] as [string, z.ZodType, [unknown, boolean][]][])(
    '%s: editors and the loader agree',
    (name, schema, fixtures) => {
      const validate = new Ajv({ strict: true }).compile(JSON.parse(schemas[name]!))
      for (const [value, isRight] of fixtures) {
        expect([value, validate(value)]).toEqual([value, isRight])
        expect([value, schema.safeParse(value).success]).toEqual([value, isRight])
      }
    },
  )

  it('manifest.schema.json: editors take vars where the loader fills them in', () => {
    const validate = new Ajv({ strict: true }).compile(JSON.parse(schemas['manifest.schema.json']!))
    const task = { name: '{{vars.name}}', workflow_ref: 'w', retries: '{{ vars.retries }}' }
    const sound = { dag: { late_after: '{{vars.late}}', tasks: [task], clients: { parallel: '{{vars.n}}' } } }
    expect([validate(sound), validate.errors]).toEqual([true, null])
    expect(validate({ dag: { late_after: '{{late}}' } })).toBe(false)
    expect(validate({ dag: { tasks: [{ ...task, retries: 'many' }] } })).toBe(false)
  })

  it.each([
    ['schedule.schema.json', SCHEDULE_WORDS],
    ['dag.schema.json', DAG_WORDS],
    ['manifest.schema.json', MANIFEST_WORDS],
    ['calendar.schema.json', CALENDAR_WORDS],
  ] as const)('%s describes every field with an example, and errors know every field', (name, words) => {
    const paths: string[] = []
    const walk = (node: Record<string, unknown>, path: string): void => {
      for (const [key, field] of Object.entries(
        (node['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        const here = path === '' ? key : `${path}.${key}`
        paths.push(here)
        expect([here, typeof field['description'], Array.isArray(field['examples'])]).toEqual([
          here,
          'string',
          true,
        ])
        walk(field, here)
      }
      if (node['items']) walk(node['items'] as Record<string, unknown>, `${path}[]`)
    }
    walk(JSON.parse(schemas[name]!), '')
    expect(paths.length).toBeGreaterThan(8)
    expect(Object.keys(words)).toEqual(expect.arrayContaining(paths))
  })

  it.each(['schedules', 'dags', 'calendars'])(
    'configs/%s: every example names its schema and keeps to it',
    folder => {
      const files = readdirSync(new URL(`configs/${folder}/`, root)).filter(file => file.endsWith('.yaml'))
      expect(files.length).toBeGreaterThan(0)
      for (const file of files) {
        const text = readFileSync(new URL(`configs/${folder}/${file}`, root), 'utf8')
        const form = /^dag:/m.test(text) ? 'manifest' : folder.replace(/s$/, '')
        const name = `${form}.schema.json`
        const validate = new Ajv({ strict: true }).compile(JSON.parse(schemas[name]!))
        expect(text.startsWith(`# yaml-language-server: $schema=../../schemas/${name}\n`)).toBe(true)
        expect([file, validate(parse(text)), validate.errors]).toEqual([file, true, null])
      }
    },
  )
})
