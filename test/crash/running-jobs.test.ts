// The scheduler is killed while jobs run (R20): the next one takes over what still runs, reads how the rest ended, and
// never lays a hand on a stranger that got an old pid.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findProcesses } from './check.ts'
import { isRunning, type Served, Site, sleep, until } from './harness.ts'

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
  await defineJob(`${site.waitFor('go')}; exit 9`)
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

/**
 * A process of ours under that very pid. Only root may ask for one, and it is free only when init has waited for the
 * one before; other processes may come in between.
 */
async function takePid(pid: number): Promise<ChildProcess | undefined> {
  const end = performance.now() + 15_000
  while (performance.now() < end) {
    if (existsSync(`/proc/${pid}`)) {
      await sleep(50)
      continue
    }
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
  if (decoy === undefined)
    return context.skip('the pid cannot be had: run as root, with an init that waits for orphans')
  const second = await site.serve()
  await until('the loss', 20_000, async () => (await site.linesOf(runId, 'task_lost')).length === 1)
  await second.control.cancel({ run_id: runId, reason: 'enough' })
  await ended(runId)
  expect(await isRunning(pid)).toBe(true)
  expect(decoy.signalCode).toBe(null)
  await site.settle(second)
  expect(await site.judge(true)).toEqual([])
})

/** Half of them end while nobody is there, half are taken over; each with an exit code of its own. */
test.each([1, 5, 20])(
  '%i commands at once keep their exit codes over a kill',
  { timeout: 90_000 },
  async count => {
    const wait = site.waitFor('go.$(( DAGBOK_PARAM_N % 2 ))')
    const command = `'${site.note}; ${wait}; exit $DAGBOK_PARAM_N'`
    await site.write(
      'configs/dags/job.yaml',
      `name: job\ntasks:\n  - { id: job, workflow_ref: shell, params: { command: ${command} } }\n`,
    )
    const flags = ['--max-parallel', String(count), '--max-tasks', String(count)]
    const first = await site.serve(flags)
    const runIds: string[] = []
    for (let n = 1; n <= count; n++) {
      const answer = await first.control.trigger({ dag: 'job', params: { n }, cause: 'test' })
      site.acknowledged.push({ seq: answer.seq, runId: answer.run_id })
      runIds.push(answer.run_id)
    }
    const spawned = async () => (await site.lines()).filter(({ event }) => event === 'task_spawned')
    await until('all of them', 30_000, async () => {
      return (await site.executions()).length === count && (await spawned()).length === count
    })
    const pids = new Map((await spawned()).map(line => [line['run_id'] as string, line['pid'] as number]))
    await kill(first)
    await site.write('go.1', '')
    const odd = runIds.filter((_, index) => index % 2 === 0)
    await until('the end of the odd ones', 30_000, async () => {
      return !(await Promise.all(odd.map(runId => isRunning(pids.get(runId)!)))).includes(true)
    })
    const second = await site.serve(flags)
    const adopted = async () =>
      (await site.lines()).filter(({ event }) => event === 'task_readopted').map(line => line['run_id'])
    const even = runIds.filter(runId => !odd.includes(runId))
    await until('the adoption of the even ones', 20_000, async () => (await adopted()).length >= even.length)
    await site.write('go.0', '')
    for (const [index, runId] of runIds.entries()) {
      await ended(runId)
      const [failed] = await site.linesOf(runId, 'task_fail')
      expect(failed?.['error']).toMatchObject({ kind: 'exit_code', exit_code: index + 1 })
      expect(await site.linesOf(runId, 'task_lost')).toEqual([])
    }
    expect((await adopted()).sort()).toEqual(even.sort())
    await site.settle(second)
    expect(await findProcesses(site)).toEqual([])
    expect(await site.executions()).toHaveLength(count)
  },
)
