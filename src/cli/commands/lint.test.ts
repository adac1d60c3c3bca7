// `scheduler lint`: what is told, where, and how it ends.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { loadDagFile, loadDefinitions, locateSchedules } from '../../compose.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine({ loadDefinitions, loadDagFile, locateSchedules })
  write(
    'configs/dags/etl.yaml',
    'name: etl\ntasks:\n  - id: a\n    workflow_ref: shell\n    params: {command: ["true"]}\n',
  )
  write('configs/schedules/a.yaml', '- id: nightly\n  cron: 0 3 * * *\n  dag: etl\n')
})
afterEach(() => line.remove())
const lines = () => line.stdout.text.trimEnd().split('\n')

function write(file: string, text: string): void {
  const path = join(line.root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const ODD =
  '- id: odd\n  cron: "*/7 * * * *"\n  dag: etl\n' +
  '- id: off\n  cron: "@daily"\n  dag: etl\n  enabled: false\n' +
  '- id: berlin\n  cron: 30 2 * * *\n  timezone: Europe/Berlin\n  dag: etl\n' +
  '- id: twin\n  cron: 0 3 * * *\n  dag: etl\n'

test('nothing to say', async () => {
  expect(await line.run('lint', '--strict')).toBe(0)
  expect(line.stdout.text).toBe('')
  expect(line.stderr.text).toBe('1 schedule, 1 DAG: nothing to say\n')
})

test('each finding with its place, code, message and help; 0 unless it is to be strict', async () => {
  write('configs/schedules/b.yaml', ODD)
  expect(await line.run('lint')).toBe(0)
  expect(lines()).toEqual([
    'configs/schedules/b.yaml:2:10 uneven_step: minute */7 is uneven: from 56 to the next 0 it is 4, not 7',
    '  help: use a step that divides 60 evenly',
    'configs/schedules/b.yaml:4:7 disabled: schedule off is disabled: no slot of it is due',
    '  help: delete it, or set enabled: true',
    expect.stringMatching(
      /^configs\/schedules\/b\.yaml:8:7 clock_change: 30 2 \* \* \*: Europe\/Berlin changes its clock: on 2026-03-29 02:30 is left out .* on 2026-10-25 02:30 comes twice/,
    ),
    expect.stringMatching(/^ {2}help: /),
    'configs/schedules/b.yaml:12:7 same_schedule: schedule twin says the same as nightly: DAG etl runs twice for every slot',
    '  help: remove one of them',
  ])
  expect(line.stderr.text).toBe('4 findings in 1 file\n')
  expect(await line.run('lint', '--strict')).toBe(3)
})

test('of named files only their own findings', async () => {
  write('configs/schedules/b.yaml', ODD)
  expect(await line.run('lint', '--strict', 'configs/schedules/a.yaml')).toBe(0)
  expect(line.stdout.text).toBe('')
  expect(await line.run('lint', '--strict', 'configs/schedules/b.yaml')).toBe(3)
})

test('--json', async () => {
  write('configs/schedules/b.yaml', ODD)
  expect(await line.run('lint', '--crowd', '1', '--json')).toBe(0)
  const { kind, ok, items } = JSON.parse(line.stdout.text)
  expect([kind, ok]).toEqual(['Lint', false])
  expect(items.map((item: { code: string }) => item.code).sort()).toEqual([
    'clock_change',
    'crowded_minute',
    'disabled',
    'same_schedule',
    'uneven_step',
  ])
  expect(items.find((item: { code: string }) => item.code === 'disabled')).toEqual({
    file: 'configs/schedules/b.yaml',
    line: 4,
    column: 7,
    code: 'disabled',
    message: 'schedule off is disabled: no slot of it is due',
    hint: 'delete it, or set enabled: true',
    schedule_id: 'off',
    severity: 'warning',
  })
})

test('errors end with 3 and their frames, as validate tells them; a bad --crowd with 2', async () => {
  write('configs/schedules/b.yaml', '- id: x\n  crn: "@daily"\n  dag: etl\n')
  expect(await line.run('lint')).toBe(3)
  expect(line.stdout.text).toContain('configs/schedules/b.yaml:2:3 error: unknown key "crn"')
  expect(await line.run('lint', '--crowd', 'none')).toBe(2)
})

test('a pool that no schedule names, with its place in the file of pools', async () => {
  write('configs/pools.yaml', 'db: 2\napi: 3\n')
  write('configs/schedules/b.yaml', '- id: b\n  cron: 0 4 * * *\n  dag: etl\n  pool: db\n')
  expect(await line.run('lint', '--strict')).toBe(3)
  expect(lines()).toEqual([
    'configs/pools.yaml:2:1 unused_pool: no schedule names the pool "api"',
    '  help: remove it, or write `pool:` in the schedules that share it',
  ])
  expect(await line.run('validate', 'configs/pools.yaml')).toBe(0)
  // Who names what is not known while an entry cannot be read.
  write('configs/schedules/b.yaml', '- id: b\n  cron: 0 4 * * *\n  dag: etl\n  pool: [api]\n')
  line.stdout.text = ''
  expect(await line.run('lint')).toBe(3)
  expect(line.stdout.text).not.toContain('unused_pool')
})
