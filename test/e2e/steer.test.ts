// Steering with the real program: pause, resume, skip, run a slot; while a scheduler runs and while none does.

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

let root: string
let serving: ReturnType<typeof spawn> | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-steer-'))
  write({
    'configs/dags/quick.yaml':
      'name: quick\ntasks:\n  - { id: only, workflow_ref: shell, params: { command: "true" } }\n',
    'configs/schedules/s.yaml':
      '- { id: ticking, every: 1s, dag: quick, overlap: allow }\n- { id: yearly, cron: "0 6 1 1 *", dag: quick, timezone: Europe/Berlin }\n',
  })
})
afterEach(async () => {
  const child = serving
  serving = undefined
  if (child !== undefined) {
    const gone = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
  }
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

function journal(): Record<string, unknown>[] {
  const path = join(root, 'logs/orchestrator_state.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
}

/** Waits until a line of the journal fits. */
async function line(fits: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
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

test('a running scheduler is paused, says so, and goes on when it is resumed', {
  timeout: 60_000,
}, async () => {
  await serve()
  await line(({ event }) => event === 'schedule_enqueued')
  const paused = await scheduler('pause', 'ticking', '--for', '1h', '--reason', 'disk work', '--json')
  expect(paused.code).toBe(0)
  expect(JSON.parse(paused.stdout)).toMatchObject({ kind: 'Paused', schedule_id: 'ticking' })
  const skipped = await line(({ event, reason }) => event === 'schedule_skipped' && reason === 'paused')
  expect(skipped['inputs']).toMatchObject({ note: 'disk work' })
  expect((await scheduler('status')).stdout).toMatch(/paused +ticking until \S+ \(disk work\)/)
  expect((await scheduler('why', 'ticking', String(skipped['slot']))).stdout).toContain('paused')

  expect((await scheduler('resume', 'ticking')).code).toBe(0)
  const { seq } = await line(({ event }) => event === 'schedule_resumed')
  await line(event => event['event'] === 'schedule_enqueued' && Number(event['seq']) > Number(seq))
  expect(await scheduler('resume', 'ticking')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('schedule "ticking" is not paused'),
  })
})

test('without a scheduler: what was asked for holds when one starts', { timeout: 60_000 }, async () => {
  // The first start makes the schedules known.
  expect((await scheduler('--once')).code).toBe(0)
  expect((await scheduler('pause', '--all', '--reason', 'audit')).code).toBe(0)
  const skipped = await scheduler('skip', 'yearly', '--json')
  const year = new Date().getUTCFullYear() + 1
  expect(JSON.parse(skipped.stdout)).toMatchObject({ kind: 'Skipped', slot: `${year}-01-01T05:00Z` })
  const unskipped = await scheduler('skip', 'yearly', '--undo', '--json')
  expect(JSON.parse(unskipped.stdout)).toMatchObject({ kind: 'Unskipped', slot: `${year}-01-01T05:00Z` })
  const notes = async () => (await scheduler('why', 'yearly', `${year}-01-01 06:00`)).stdout
  expect(await notes()).not.toContain('asked for it to be skipped')
  expect(await scheduler('skip', 'yearly', '--undo')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('no slot of schedule "yearly" is to be skipped'),
  })
  expect((await scheduler('skip', 'yearly')).code).toBe(0)
  expect(await notes()).toContain('asked for it to be skipped')
  const run = await scheduler('trigger', 'yearly', '--slot', `${year + 1}-01-01 06:00`)
  expect(run.stdout).toBe(`yearly@${year + 1}-01-01T05:00Z\n`)

  await serve()
  await line(({ event, reason }) => event === 'schedule_skipped' && reason === 'frozen')
  // What was asked for by hand is no slot that came: it runs.
  expect(
    await line(({ event, run_id }) => event === 'run_finished' && run_id === run.stdout.trim()),
  ).toMatchObject({ status: 'success', slot: `${year + 1}-01-01T05:00Z` })
  const again = await scheduler('trigger', 'yearly', '--slot', `${year + 1}-01-01T05:00Z`)
  expect(again.stderr).not.toContain('error')
  expect(again.stdout).toMatch(/^quick@manual-/)
})

test('what cannot be is refused with a remedy', { timeout: 60_000 }, async () => {
  expect((await scheduler('--once')).code).toBe(0)
  const refused = async (code: number, text: string, ...words: string[]) => {
    const answer = await scheduler(...words)
    expect([answer.code, answer.stderr]).toEqual([code, expect.stringContaining(text)])
  }
  await refused(2, 'pause needs a schedule, or --all', 'pause')
  await refused(2, '--all is every schedule', 'pause', 'ticking', '--all')
  await refused(2, 'would be over already', 'pause', 'ticking', '--until', '2020-01-01')
  await refused(2, 'there is no such day', 'pause', 'ticking', '--until', '2026-02-30')
  await refused(4, 'did you mean "ticking"?', 'pause', 'tickin')
  await refused(4, 'the next one after it is', 'skip', 'yearly', '2030-01-02 06:00')
  await refused(2, 'it takes no params', 'trigger', 'yearly', '--slot', '2030-01-01 06:00', '--param', 'a=1')
})
