// Conditions that the world answers, with the real program: asked, answered, asked again, across a kill.

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

let root: string
let serving: ReturnType<typeof spawn> | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-conditions-'))
  write({
    'configs/dags/quick.yaml':
      'name: quick\ntasks:\n  - { id: only, workflow_ref: shell, params: { command: "true" } }\n',
  })
})
afterEach(async () => {
  await kill()
  rmSync(root, { recursive: true, force: true })
})

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const environment = () => ({ PATH: process.env['PATH'], XDG_CACHE_HOME: join(root, 'cache') })

function scheduler(...words: string[]) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
    const child = execFile(
      process.execPath,
      [BIN, ...words],
      { cwd: root, env: environment() },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

type Line = Record<string, unknown>

function journal(): Line[] {
  const path = join(root, 'logs/orchestrator_state.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
}

/** Waits until a line of the journal fits. */
async function line(fits: (event: Line) => boolean): Promise<Line> {
  for (let tries = 0; tries < 600; tries++) {
    const found = journal().findLast(fits)
    if (found !== undefined) return found
    await delay(50)
  }
  throw new Error('no such line within 30 s')
}

async function serve(): Promise<void> {
  serving = spawn(process.execPath, [BIN, '--serve'], { cwd: root, env: environment(), stdio: 'ignore' })
  const { pid } = serving
  await line(({ event, pid: of }) => event === 'scheduler_started' && of === pid)
}

async function kill(): Promise<void> {
  const child = serving
  serving = undefined
  if (child === undefined) return
  const gone = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
}

const decisionOf = (id: string) =>
  journal().find(line => /^schedule_(?:enq|ski|mis)/.test(`${line['event']}`) && line['schedule_id'] === id)

test('one tick asks every kind, records what was seen, and waits for what is to be asked again', {
  timeout: 60_000,
}, async () => {
  write({
    'data/here.csv': 'id\n1\n',
    'configs/schedules/s.yaml': `
- { id: file_yes, cron: "* * * * *", dag: quick, conditions: [{ file: data/here.csv, min_size: 1, max_age: 1h }] }
- { id: file_later, cron: "* * * * *", dag: quick, conditions: [{ file: "data/in-{{ds}}.csv" }], retry_until: 1h }
- { id: command_no, cron: "* * * * *", dag: quick, conditions: [{ command: "exit 1" }] }
- { id: command_error, cron: "* * * * *", dag: quick, conditions: [{ command: ["no-such-program"] }] }
- { id: http_error, cron: "* * * * *", dag: quick, conditions: [{ http: "http://127.0.0.1:9/", timeout: 5s }], on_error: run }
- { id: sql_no, cron: "* * * * *", dag: quick, tenant: acme, conditions: [{ sql: "select count(*) from billing where tenant = :tenant and suspended = 0", database: data/billing.sqlite }] }
- { id: signal_no, cron: "* * * * *", dag: quick, conditions: [{ not: { signal: stop_everything } }] }
- { id: cel_no, cron: "* * * * *", dag: quick, tenant: acme, conditions: [{ cel: 'tenant != "acme"' }] }
`,
  })
  const billing = new Database(join(root, 'data/billing.sqlite'))
  billing.exec("create table billing (tenant text, suspended int); insert into billing values ('acme', 1)")
  billing.close()

  const once = await scheduler('--once')
  expect([once.code, once.stderr]).toEqual([0, expect.any(String)])
  const outcome = (id: string) => {
    const decision = decisionOf(id)
    return `${decision?.['event']} ${decision?.['reason']}`
  }
  expect(outcome('file_yes')).toBe('schedule_enqueued due')
  expect(decisionOf('file_yes')).toMatchObject({
    inputs: { conditions: [{ file: 'data/here.csv', bytes: 5, holds: true }] },
  })
  expect(outcome('command_no')).toBe('schedule_skipped condition')
  expect(outcome('command_error')).toBe('schedule_skipped condition_error')
  expect(outcome('http_error')).toBe('schedule_enqueued due')
  expect(outcome('sql_no')).toBe('schedule_skipped condition')
  expect(outcome('signal_no')).toBe('schedule_enqueued due')
  expect(outcome('cel_no')).toBe('schedule_skipped condition')

  expect(decisionOf('file_later')).toBeUndefined()
  const why = await scheduler('why', 'file_later')
  expect(why.stdout).toMatch(/decision +asked\n +the slot is due and its conditions are being asked/)
  expect(why.stdout).toContain('they have been asked once')
  expect((await scheduler('why', 'command_error', 'last')).stdout).toContain('skipped: condition_error')
  expect((await scheduler('audit')).code).toBe(0)
})

test('an open slot outlives kill -9, is asked again by the next start, and runs once', {
  timeout: 60_000,
}, async () => {
  write({
    'configs/schedules/s.yaml': `
- id: patient
  at: "${new Date(Date.now() + 2_000).toISOString().slice(0, 19)}Z"
  dag: quick
  conditions:
    - { file: data/ready }
    - { signal: go, within: 1h }
  retry_until: 10m
  retry_every: 5s
`,
  })
  await serve()
  const deferred = await line(({ event }) => event === 'slot_deferred')
  expect(deferred).toMatchObject({ schedule_id: 'patient', ask: 1, reason: 'condition' })
  expect((await scheduler('status')).stdout).toMatch(/waits +patient \S+ for its conditions: asked 1 times/)
  await kill()

  write({ 'data/ready': '' })
  expect((await scheduler('record', 'go')).code).toBe(0)
  await serve()
  const enqueued = await line(({ event }) => event === 'schedule_enqueued')
  expect(enqueued).toMatchObject({
    slot: deferred['slot'],
    reason: 'due',
    inputs: {
      conditions: [
        { file: 'data/ready', holds: true },
        { signal: 'go', holds: true },
      ],
    },
  })
  await line(({ event, status }) => event === 'run_finished' && status === 'success')
  expect(journal().filter(({ event }) => event === 'slot_opened')).toHaveLength(1)
  expect(journal().filter(({ event }) => event === 'schedule_enqueued')).toHaveLength(1)
})

test('a command that hangs holds up no other slot, and ends with the scheduler', {
  timeout: 60_000,
}, async () => {
  write({
    'configs/schedules/s.yaml': `
- { id: hanging, every: 1s, dag: quick, conditions: [{ command: "echo $$ >> pids; sleep 300", timeout: 5m }] }
- { id: brisk, every: 1s, dag: quick, overlap: allow, conditions: [{ command: "true" }] }
`,
  })
  await serve()
  await line(({ event, schedule_id: id }) => event === 'slot_opened' && id === 'hanging')
  const runs = () =>
    journal().filter(({ event, schedule_id: id }) => event === 'schedule_enqueued' && id === 'brisk').length
  await line(() => runs() >= 3)
  const ends = journal().filter(
    ({ event, schedule_id: id }) => id === 'hanging' && /_(?:enqueued|skipped)$/.test(String(event)),
  )
  expect(ends).toEqual([])
  const child = serving!
  const gone = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGTERM')
  await gone
  serving = undefined
  const pids = readFileSync(join(root, 'pids'), 'utf8').trim().split('\n').map(Number)
  const alive = pids.filter(pid => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  })
  expect(alive).toEqual([])
})
