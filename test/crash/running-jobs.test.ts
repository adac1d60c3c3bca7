// The scheduler is killed while jobs run (R20): the next one takes over what still runs, reads how the rest ended, and
// never lays a hand on a stranger that got an old pid.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRunning, type Served, Site, until } from './harness.ts'

let site: Site
let decoy: ChildProcess | undefined

beforeEach(async () => {
  site = await Site.create()
})

afterEach(async () => {
  decoy?.kill('SIGKILL')
  decoy = undefined
  await site.remove()
})

async function defineJob(command: string): Promise<void> {
  const task = `  - id: job\n    workflow_ref: shell\n    params:\n      command: '${site.note}; ${command}'\n`
  await site.write('configs/dags/job.yaml', `name: job\ntasks:\n${task}`)
}

/** Starts a job and waits until its process is in the journal. */
async function startJob(served: Served): Promise<{ runId: string; pid: number }> {
  const runId = (await site.trigger(served, 'job'))!
  await until('the job', 10_000, async () => (await site.linesOf(runId, 'task_spawned')).length === 1)
  const [line] = await site.linesOf(runId, 'task_spawned')
  await until('its note', 10_000, async () => (await site.executions()).length > 0)
  return { runId, pid: line!['pid'] as number }
}

async function kill(served: Served): Promise<void> {
  served.kill('SIGKILL')
  expect(await served.ended).toBe('SIGKILL')
}

async function ended(runId: string): Promise<void> {
  await until(
    `the end of ${runId}`,
    20_000,
    async () => (await site.linesOf(runId, 'run_finished')).length === 1,
  )
}

test('a job that ended while nobody was there has its real exit code', { timeout: 60_000 }, async () => {
  await defineJob('sleep 0.4; exit 7')
  const first = await site.serve()
  const { runId, pid } = await startJob(first)
  await kill(first)
  expect(await isRunning(pid)).toBe(true)
  await until('the end of the process', 10_000, async () => !(await isRunning(pid)))
  const second = await site.serve()
  await ended(runId)
  const [failed] = await site.linesOf(runId, 'task_fail')
  expect(failed?.['error']).toMatchObject({ kind: 'exit_code', exit_code: 7 })
  expect(await site.linesOf(runId, 'task_lost')).toEqual([])
  await site.settle(second)
  expect(await site.judge(true)).toEqual([])
})

test('a job that still runs is taken over and its exit code is the real one', {
  timeout: 60_000,
}, async () => {
  await defineJob(`while [ ! -e ${site.path('go')} ]; do sleep 0.05; done; exit 9`)
  const first = await site.serve()
  const { runId, pid } = await startJob(first)
  await kill(first)
  const second = await site.serve()
  await until('the adoption', 10_000, async () => (await site.linesOf(runId, 'task_readopted')).length === 1)
  expect(await isRunning(pid)).toBe(true)
  await kill(second)
  const third = await site.serve()
  await until(
    'the next adoption',
    10_000,
    async () => (await site.linesOf(runId, 'task_readopted')).length === 2,
  )
  await site.write('go', '')
  await ended(runId)
  const [failed] = await site.linesOf(runId, 'task_fail')
  expect(failed?.['error']).toMatchObject({ kind: 'exit_code', exit_code: 9 })
  await site.settle(third)
  expect(await site.judge(true)).toEqual([])
})

/** A process of ours under that very pid. Only root may ask for one. */
async function takePid(pid: number): Promise<ChildProcess | undefined> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1))
    } catch {
      return undefined
    }
    const child = spawn('sleep', ['300'], { stdio: 'ignore', detached: true })
    if (child.pid === pid) return child
    child.kill('SIGKILL')
  }
  return undefined
}

test('a stranger with the pid of a lost job is left alone', { timeout: 60_000 }, async context => {
  await defineJob('sleep 300')
  const first = await site.serve()
  const { runId, pid } = await startJob(first)
  await kill(first)
  process.kill(-pid, 'SIGKILL')
  await until('the end of the job', 10_000, async () => !(await isRunning(pid)))
  decoy = await takePid(pid)
  if (decoy === undefined) return context.skip('no right to choose a pid: run as root')
  const second = await site.serve()
  await until('the loss', 20_000, async () => (await site.linesOf(runId, 'task_lost')).length === 1)
  await second.control.cancel({ run_id: runId, reason: 'enough' })
  await ended(runId)
  expect(await isRunning(pid)).toBe(true)
  expect(decoy.signalCode).toBe(null)
  await site.settle(second)
  expect(await site.judge(true)).toEqual([])
})
