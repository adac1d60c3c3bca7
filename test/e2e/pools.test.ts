// Pools with the real program: two schedules that share one slot, asked about while they wait, and through a crash.

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

type Line = Record<string, unknown>

let root: string
let serving: ReturnType<typeof spawn> | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-pools-'))
  write({
    'configs/pools.yaml': 'db: 1\n',
    // Goes on until its file is there, or its folder is gone: the command of a scheduler that was killed ends, too.
    'configs/dags/patient.yaml':
      'name: patient\ntasks:\n  - { id: wait, workflow_ref: shell, params: { command: "until test -e go || ! test -e configs; do sleep 0.05; done" } }\n',
    'configs/dags/quick.yaml':
      'name: quick\ntasks:\n  - { id: only, workflow_ref: shell, params: { command: "true" } }\n',
    'configs/schedules/s.yaml': `
- { id: first, cron: "* * * * *", dag: patient, pool: db, priority: 9 }
- { id: second, cron: "* * * * *", dag: quick, pool: db }
- { id: third, cron: "* * * * *", dag: quick, pool: db, priority: 5 }
- { id: free, cron: "* * * * *", dag: quick }
`,
  })
})
afterEach(async () => {
  await end()
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

async function end(): Promise<void> {
  const child = serving
  serving = undefined
  if (child === undefined) return
  const gone = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
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
    const found = journal().find(fits)
    if (found !== undefined) return found
    await delay(50)
  }
  throw new Error(`no such line within 30 s; the last ones are ${JSON.stringify(journal().slice(-5))}`)
}

async function serve(): Promise<void> {
  serving = spawn(process.execPath, [BIN, '--serve'], { cwd: root, env: environment(), stdio: 'ignore' })
  const { pid } = serving
  await line(({ event, pid: of }) => event === 'scheduler_started' && of === pid)
}

const of = (name: string, schedule: string) => (event: Line) =>
  event['event'] === name && event['schedule_id'] === schedule

/** Never more than one slot is held, at any line. */
function mostHeld(): number {
  const pooled = new Set<unknown>()
  let held = 0
  let most = 0
  for (const { event, run_id, pool } of journal()) {
    if (pool === 'db') pooled.add(run_id)
    if (event === 'run_started' && pooled.has(run_id)) held += 1
    if (event === 'run_finished' && pooled.has(run_id)) held -= 1
    most = Math.max(most, held)
  }
  return most
}

/** The schedules whose runs of the first minute were started, in order. */
function order(): unknown[] {
  const first = journal().find(of('schedule_enqueued', 'first'))?.['slot']
  return journal()
    .filter(({ event, slot }) => event === 'run_started' && slot === first)
    .map(line => line['schedule_id'])
}

test('runs that share a slot go one after the other, by priority, and say what they wait for', {
  timeout: 90_000,
}, async () => {
  await serve()
  await line(of('run_finished', 'free'))
  const { slot, run_id: holder } = await line(of('run_started', 'first'))
  const second = await scheduler('why', 'second', String(slot))
  expect(second.stdout).toContain(
    `waits     it needs room in the pool db (1 of 1 slots held), held by ${holder}; number 2 of 2 in line\n`,
  )
  const third = JSON.parse((await scheduler('why', 'third', String(slot), '--json')).stdout)
  expect(JSON.stringify(third)).toContain(
    JSON.stringify({ pool: 'db', weight: 1, priority: 5, slots: 1, held: 1 }).slice(1, -1),
  )
  expect((await scheduler('status')).stdout).toMatch(/^pool +db: 1 of 1 slots held, 2 waiting$/m)
  expect(JSON.parse((await scheduler('status', '--json')).stdout)).toMatchObject({
    pools: [
      {
        name: 'db',
        slots: 1,
        held: 1,
        waiting: 2,
        held_by: [holder],
        next: [`third@${slot}`, `second@${slot}`],
      },
    ],
  })
  write({ go: '' })
  await line(of('run_finished', 'second'))
  expect(order().filter(id => id !== 'free')).toEqual(['first', 'third', 'second'])
  expect(mostHeld()).toBe(1)
})

test('a full pool stays full through a crash, and a reload that widens it lets the next one start', {
  timeout: 90_000,
}, async () => {
  await serve()
  const { slot, run_id: holder } = await line(of('run_started', 'first'))
  await line(of('schedule_enqueued', 'third'))
  await line(of('schedule_enqueued', 'second'))
  await end()
  const silent = await scheduler('why', 'second', String(slot))
  expect(silent.stdout).toContain(`it needs room in the pool db, held by ${holder}`)
  await serve()
  await line(({ event, run_id }) => event === 'run_resumed' && run_id === holder)
  expect((await scheduler('status')).stdout).toMatch(/^pool +db: 1 of 1 slots held, 2 waiting$/m)
  expect(journal().some(of('run_started', 'third'))).toBe(false)
  expect(mostHeld()).toBe(1)
  write({ 'configs/pools.yaml': 'db: 2\n' })
  await line(of('run_finished', 'third'))
  await line(of('run_finished', 'second'))
  expect(order().filter(id => id !== 'free')).toEqual(['first', 'third', 'second'])
  expect(mostHeld()).toBe(2)
})

test('a pool that is not there is told with its place before anything runs', async () => {
  write({ 'configs/pools.yaml': 'dbs: 1\n' })
  const { code, stdout, stderr } = await scheduler('validate')
  expect(code).toBe(3)
  expect(stdout + stderr).toContain('configs/schedules/s.yaml:2:')
  expect(stdout + stderr).toContain('unknown pool "db"')
  expect(stdout + stderr).toContain('did you mean "dbs"?')
})
