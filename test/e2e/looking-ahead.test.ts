// Looking ahead with the binary: what the tools say before, and that the scheduler then does just that.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = join(import.meta.dirname, '../../bin/scheduler.js')

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-ahead-'))
  write(
    'configs/dags/etl.yaml',
    'name: etl\ntasks:\n  - id: load\n    workflow_ref: shell\n    params: {command: ["true"]}\n',
  )
  write('configs/schedules/s.yaml', '- { id: minutely, cron: "* * * * *", dag: etl }\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(file: string, text: string): void {
  const path = join(root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function scheduler(...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', text => {
    stdout += text
  })
  child.stderr.on('data', text => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

const events = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

/** What of a decision does not depend on the moment at which it was made. */
const fixed = ({
  event,
  schedule_id,
  slot,
  minute,
  run_id,
  dag_name,
  tenant_id,
  definition_hash,
  reason,
  order,
}: Record<string, unknown>) => ({
  event,
  schedule_id,
  slot,
  minute,
  run_id,
  dag_name,
  tenant_id,
  definition_hash,
  reason,
  order,
})

test('what --once recorded is what simulate says of that minute, field for field; plan said so before', async () => {
  const before = await scheduler('plan', '--json')
  expect(JSON.parse(before.stdout)).toMatchObject({
    seq: 0,
    schedules: [{ schedule_id: 'minutely', change: 'added' }],
    backlog: [{ schedule_id: 'minutely', missed: [] }],
  })
  expect((await scheduler('--once')).code).toBe(0)
  const recorded = events((await scheduler('events', '--event', 'schedule_enqueued', '--json')).stdout)
  const slot = String(recorded[0]?.['slot'])
  const to = new Date(Date.parse(slot) + 60_000).toISOString()
  const simulated = await scheduler('simulate', '--from', slot, '--to', to, '--slots', '--json')
  expect(simulated.code).toBe(0)
  expect(recorded.map(fixed)).toEqual(events(simulated.stdout).map(fixed))
  const { items } = JSON.parse((await scheduler('next', '--json')).stdout)
  expect(items[0].last).toMatchObject({ slot, disposition: 'enqueued', reason: 'due' })
  const after = await scheduler('plan', '--exit-code')
  expect([after.code, after.stdout]).toEqual([0, expect.stringContaining('no changes')])
})

test('expectations in CI: 0 while they hold, 1 with the line that does not', async () => {
  write('expect.yaml', '- schedule: minutely\n  exactly: 1440\n- schedule: minutely\n  at_most: 3\n')
  const { code, stderr } = await scheduler(
    'simulate',
    '--from',
    '2026-01-05',
    '--to',
    '2026-01-06',
    '--duration',
    '10s',
    '--assert',
    'expect.yaml',
  )
  expect(code).toBe(1)
  expect(stderr).toContain('expect.yaml:3: schedule minutely: expected at most 3 fires, got 1440 fires')
  expect(stderr).not.toContain('expect.yaml:1:')
})

test('explain needs no definitions; lint and plan tell of the ones there are', async () => {
  const said = await scheduler('explain', '0 0 13 * FRI', '--timezone', 'Europe/Berlin')
  expect(said.code).toBe(0)
  expect(said.stdout).toContain('at 00:00 on day 13 of the month, and also on Fridays')
  write('configs/schedules/t.yaml', '- { id: twin, cron: "* * * * *", dag: etl }\n')
  const linted = await scheduler('lint', '--strict')
  expect([linted.code, linted.stdout]).toEqual([
    3,
    expect.stringContaining('configs/schedules/t.yaml:1:9 same_schedule: '),
  ])
  write('configs/schedules/t.yaml', '- { id: twin, cron: "* * * *", dag: etl }\n')
  for (const verb of ['lint', 'plan', 'simulate', 'next']) expect((await scheduler(verb)).code, verb).toBe(3)
})

test('what is asked wrongly ends with 2 or 4', async () => {
  expect((await scheduler('explain', '0 6 * *')).code).toBe(3)
  expect((await scheduler('explain', 'minutley')).code).toBe(4)
  expect((await scheduler('simulate', '--from', '2026-02-30')).code).toBe(2)
  expect((await scheduler('simulate', 'minutley')).code).toBe(4)
  expect((await scheduler('lint', '--crowd', '-1')).code).toBe(2)
  const { stdout } = await scheduler('simulate', '--to', '1999-01-01', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'Error', error: { code: 'USAGE', exit_code: 2 } })
})
