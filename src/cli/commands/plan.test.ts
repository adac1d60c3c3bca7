// `scheduler plan`: what changed definitions would do to what the journal tells, at a fixed now.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { createMemoryRunIndex } from '../../adapters/memory/run-index.ts'
import { loadDefinitions, openReader } from '../../compose.ts'
import { loadSettings } from '../../config.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import { simulate } from '../../core/simulation/simulate.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { HolderReport, Reader } from '../house.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine({
    loadDefinitions,
    openReader,
    readHolder: () => ({ holder: undefined, alive: false }),
  })
  write('configs/dags/etl.yaml', dag('etl', 'load'))
  write('configs/dags/other.yaml', dag('other', 'a'))
  write(
    'configs/schedules/s.yaml',
    '- id: hourly\n  cron: "0 * * * *"\n  dag: etl\n- id: nightly\n  cron: 30 2 * * *\n  dag: etl\n',
  )
})
afterEach(() => line.remove())
const lines = () => line.stdout.text.trimEnd().split('\n')

function write(file: string, text: string): void {
  const path = join(line.root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function dag(name: string, ...tasks: string[]): string {
  const items = tasks.map(id => `  - id: ${id}\n    workflow_ref: shell\n    params: {command: ["true"]}\n`)
  return `name: ${name}\ntasks:\n${items.join('')}`
}

/** A journal of what a scheduler did with the files as they are, from 04:10 up to `until`. */
async function live(until: number): Promise<void> {
  const { settings } = await loadSettings({ flags: { root: line.root }, env: {}, cwd: line.root })
  const loaded = await loadDefinitions(settings)
  if (!loaded.ok) throw new Error('the definitions of the test are broken')
  const events = record(loaded.definitions, until)
  const index = createMemoryRunIndex()
  index.apply('memory', events)
  const reader = {
    index,
    async *events(afterSeq = 0) {
      for (const event of events) if (event.seq > afterSeq) yield event
    },
    close: () => {},
  }
  line.house.openReader = async () => reader as unknown as Reader
}

function record(definitions: Definitions, until: number): Event[] {
  const opened: Event = {
    timestamp: '2026-01-05T04:10:00.000Z',
    event: 'segment_opened',
    seq: 1,
    format: 1,
    journal_id: 'memory',
    segment: 1,
    prev_last_seq: 0,
    prev_crc: '00000000',
  }
  const from = Date.UTC(2026, 0, 5, 4, 10)
  const limits = { maxParallel: 3, maxTasks: 16 }
  const events = [...simulate(definitions, { from, until, limits, durationOf: () => 1_000 })]
  return [opened, ...events.map(event => ({ ...event, seq: event.seq + 1 }))]
}

test('nothing has changed, nothing has passed', async () => {
  await live(line.now)
  expect(await line.run('plan', '--exit-code')).toBe(0)
  expect(lines()).toEqual([
    expect.stringMatching(/^compared with the journal at seq \d+$/),
    'no scheduler is running: the next start does this',
    '',
    'no changes',
  ])
})

test('without a journal everything is new', async () => {
  expect(await line.run('plan')).toBe(0)
  expect(lines()).toEqual([
    'there is no journal yet: everything is new',
    'no scheduler is running: the next start does this',
    '',
    '+ schedule hourly: added',
    '    due  0 * * * * UTC: next 2026-01-05T07:00Z, 2026-01-05T08:00Z, 2026-01-05T09:00Z',
    '+ schedule nightly: added',
    '    due  30 2 * * * UTC: next 2026-01-06T02:30Z, 2026-01-07T02:30Z, 2026-01-08T02:30Z',
    '',
    'slots that passed meanwhile:',
    '  hourly: 1 would run (2026-01-05T06:00Z)',
  ])
})

describe('changes', () => {
  test('added, moved, removed, with the slots that are given up', async () => {
    // It stopped at 04:30: the slots of 05:00 and 06:00 were not decided.
    await live(Date.UTC(2026, 0, 5, 4, 30))
    write(
      'configs/schedules/s.yaml',
      '- id: hourly\n  cron: "*/20 * * * *"\n  dag: etl\n- id: fresh\n  cron: "@daily"\n  dag: etl\n',
    )
    expect(await line.run('plan')).toBe(0)
    expect(lines().slice(3)).toEqual([
      '~ schedule hourly: timing changed',
      '    before  0 * * * * UTC: next 2026-01-05T07:00Z, 2026-01-05T08:00Z, 2026-01-05T09:00Z',
      '    now     */20 * * * * UTC: next 2026-01-05T06:20Z, 2026-01-05T06:40Z, 2026-01-05T07:00Z',
      '    given up: 2 slots missed (definition_changed), 2026-01-05T05:00Z to 2026-01-05T06:00Z',
      '+ schedule fresh: added',
      '    due  @daily UTC: next 2026-01-06T00:00Z, 2026-01-07T00:00Z, 2026-01-08T00:00Z',
      '- schedule nightly: removed',
    ])
    expect(await line.run('plan', '--exit-code')).toBe(1)
  })

  test('of a calendar: the schedules whose slots roll by it', async () => {
    write('configs/calendars/office.yaml', 'name: office\n')
    write(
      'configs/schedules/s.yaml',
      '- {id: daily, cron: "0 5 * * *", dag: etl, roll: {convention: following, calendar: office}}\n',
    )
    await live(Date.UTC(2026, 0, 5, 5, 30))
    write('configs/calendars/office.yaml', 'name: office\ndescription: what has no meaning\n')
    expect(await line.run('plan', '--exit-code')).toBe(0)
    line.stdout.text = ''
    write('configs/calendars/office.yaml', 'name: office\ndates: [{date: 2026-01-07, name: Outing}]\n')
    expect(await line.run('plan')).toBe(0)
    const words = '0 5 * * *, rolled to the following business day of office UTC'
    expect(lines().slice(3)).toEqual([
      '~ schedule daily: timing changed',
      `    before  ${words}: next 2026-01-06T05:00Z, 2026-01-07T05:00Z, 2026-01-08T05:00Z`,
      `    now     ${words}: next 2026-01-06T05:00Z, 2026-01-08T05:00Z, 2026-01-09T05:00Z`,
      '    the business days of office are others',
    ])
  })

  test('disabled, and what the next start would catch up', async () => {
    await live(Date.UTC(2026, 0, 5, 4, 30))
    write(
      'configs/schedules/s.yaml',
      '- id: hourly\n  cron: "0 * * * *"\n  dag: etl\n- id: nightly\n  cron: 30 2 * * *\n  dag: etl\n  enabled: false\n',
    )
    expect(await line.run('plan')).toBe(0)
    expect(lines().slice(3)).toEqual([
      '- schedule nightly: disabled',
      '',
      'slots that passed meanwhile:',
      '  hourly: 1 would run (2026-01-05T06:00Z); 1 slot missed (catchup_latest), 2026-01-05T05:00Z',
    ])
  })

  test('a DAG that differs from what ran last, task by task; one that never ran is none', async () => {
    await live(line.now)
    write('configs/dags/etl.yaml', dag('etl', 'extract', 'load').replace('"true"', '"false"'))
    write('configs/dags/other.yaml', dag('other', 'b'))
    expect(await line.run('plan', '--json')).toBe(0)
    const plan = JSON.parse(line.stdout.text)
    expect(plan).toMatchObject({ kind: 'Plan', scheduler: null, changed: true, schedules: [], backlog: [] })
    expect(plan.dags).toEqual([
      {
        dag_name: 'etl',
        last_run: 'hourly@2026-01-05T06:00Z',
        hash_before: expect.any(String),
        hash_after: expect.any(String),
        tasks: { added: ['extract'], removed: [], changed: [] },
      },
    ])
  })
})

test('beside a running scheduler the backlog is its own', async () => {
  await live(Date.UTC(2026, 0, 5, 4, 30))
  const holder = { mode: 'serve', pid: 4711, host: 'h' }
  line.house.readHolder = () => ({ holder, alive: true }) as unknown as HolderReport
  expect(await line.run('plan')).toBe(0)
  expect(lines().slice(1)).toEqual([
    'a scheduler is running (pid 4711): it takes changed files into force as soon as they are saved',
    '',
    'no changes',
  ])
})

test('broken definitions end with 3', async () => {
  rmSync(join(line.root, 'configs/dags/etl.yaml'))
  expect(await line.run('plan')).toBe(3)
  expect(line.stderr.text).toContain('unknown DAG "etl"')
})
