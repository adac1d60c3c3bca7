// SIGTERM (R21): a clean stop ends with 0 and leaves nothing half said; whoever insists is obeyed at once.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { Chance } from '../simulation/chance.ts'
import { findProcesses } from './check.ts'
import { LIMITS, type Served, Site, sleep, until } from './harness.ts'

let site: Site

beforeEach(async () => {
  site = await Site.create()
})

afterEach(async () => {
  await site.remove()
})

async function defineJob(command: string): Promise<void> {
  const task = `  - id: job\n    workflow_ref: shell\n    params:\n      command: '${site.note}; ${command}'\n`
  await site.write('configs/dags/job.yaml', `name: job\ntasks:\n${task}`)
}

async function startJobs(served: Served, count: number): Promise<string[]> {
  const runIds: string[] = []
  for (let job = 0; job < count; job++) runIds.push((await site.trigger(served, 'job'))!)
  await until('the jobs', 10_000, async () => (await site.executions()).length === count)
  return runIds
}

async function lastEvent(): Promise<string | undefined> {
  return (await site.lines()).at(-1)?.event
}

test('idle: it stops at once', { timeout: 60_000 }, async () => {
  const served = await site.serve()
  const begin = performance.now()
  served.kill('SIGTERM')
  expect(await served.ended).toBe(0)
  expect(performance.now() - begin).toBeLessThan(5_000)
  expect(await lastEvent()).toBe('scheduler_stopped')
  expect(await site.judge(true)).toEqual([])
})

test('busy: what runs may end, then it stops', { timeout: 60_000 }, async () => {
  await defineJob('sleep 1')
  const served = await site.serve()
  const runIds = await startJobs(served, 3)
  served.kill('SIGTERM')
  expect(await served.ended).toBe(0)
  for (const runId of runIds) {
    const [finished] = await site.linesOf(runId, 'run_finished')
    expect(finished?.['status']).toBe('success')
  }
  expect(await lastEvent()).toBe('scheduler_stopped')
  expect(await site.judge(true)).toEqual([])
})

test('stubborn: after its patience it goes, and the next start takes the job over', {
  timeout: 60_000,
}, async () => {
  await defineJob(`trap "" TERM; ${site.waitFor('go')}`)
  const served = await site.serve(['--drain-timeout', '1s'])
  const [runId] = await startJobs(served, 1)
  served.kill('SIGTERM')
  expect(await served.ended).toBe(143)
  expect(await site.linesOf(runId!, 'run_finished')).toEqual([])
  const next = await site.serve()
  await until('the adoption', 10_000, async () => (await site.linesOf(runId!, 'task_readopted')).length === 1)
  await site.write('go', '')
  await until('the end', 10_000, async () => (await site.linesOf(runId!, 'run_finished')).length === 1)
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})

test('told twice: it goes at once, and the next start takes the job over', { timeout: 60_000 }, async () => {
  await defineJob(site.waitFor('go'))
  const served = await site.serve()
  const [runId] = await startJobs(served, 1)
  served.kill('SIGTERM')
  await until('the stop to begin', 10_000, async () => {
    return (await site.lines()).some(({ event }) => event === 'scheduler_stopping')
  })
  const begin = performance.now()
  served.kill('SIGTERM')
  expect(await served.ended).toBe(143)
  expect(performance.now() - begin).toBeLessThan(5_000)
  await site.write('go', '')
  const next = await site.serve()
  await until('the end', 10_000, async () => (await site.linesOf(runId!, 'run_finished')).length === 1)
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})

/** A function that notes itself, then waits for a file. */
async function definePatientFunction(): Promise<void> {
  const text = `import { appendFileSync, existsSync } from 'node:fs'
export default async function patient({ log, go }, { runId, taskId, attempt, signal }) {
  appendFileSync(log, \`\${runId} \${taskId} \${attempt}\\n\`)
  while (!existsSync(go) && !signal.aborted) await new Promise(resolve => setTimeout(resolve, 20))
  signal.throwIfAborted()
  return { run: runId, task: taskId, attempt }
}
`
  await site.write('workflows/patient.ts', text)
  const params = `{ log: ${site.sideLogPath}, go: ${site.path('go')} }`
  await site.write(
    'configs/dags/job.yaml',
    `name: job\ntasks:\n  - { id: job, workflow_ref: patient, params: ${params} }\n`,
  )
}

async function stoppedCleanly(served: Served): Promise<void> {
  expect(await served.ended).toBe(0)
  expect(await lastEvent()).toBe('scheduler_stopped')
  expect(await findProcesses(site)).toEqual([])
}

test('busy with functions: they may end, then it stops and no worker is left', {
  timeout: 60_000,
}, async () => {
  await definePatientFunction()
  const served = await site.serve()
  const runIds = await startJobs(served, 3)
  served.kill('SIGTERM')
  await until('the stop to begin', 10_000, async () => {
    return (await site.lines()).some(({ event }) => event === 'scheduler_stopping')
  })
  await site.write('go', '')
  await stoppedCleanly(served)
  for (const runId of runIds) {
    const [finished] = await site.linesOf(runId, 'run_finished')
    expect(finished?.['status']).toBe('success')
  }
  expect(await site.judge(true)).toEqual([])
})

test('functions that do not end in time end with it, and are tried again', { timeout: 60_000 }, async () => {
  await definePatientFunction()
  const served = await site.serve(['--drain-timeout', '300ms'])
  const runIds = await startJobs(served, 2)
  const begin = performance.now()
  served.kill('SIGTERM')
  expect(await served.ended).toBe(143)
  expect(performance.now() - begin).toBeLessThan(10_000)
  expect(await lastEvent()).toBe('scheduler_stopped')
  expect(await findProcesses(site)).toEqual([])
  await site.write('go', '')
  const next = await site.serve()
  for (const runId of runIds) {
    await until('the end', 20_000, async () => (await site.linesOf(runId, 'run_finished')).length === 1)
    const [finished] = await site.linesOf(runId, 'run_finished')
    expect(finished?.['status']).toBe('success')
    expect(await site.linesOf(runId, 'task_lost')).toHaveLength(1)
  }
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})

test('queued: what has not begun waits for the next start', { timeout: 60_000 }, async () => {
  await defineJob(site.waitFor('go'))
  const served = await site.serve()
  const runIds: string[] = []
  for (let job = 0; job < 2 * LIMITS.maxParallel; job++) runIds.push((await site.trigger(served, 'job'))!)
  await until('the first jobs', 10_000, async () => (await site.executions()).length === LIMITS.maxParallel)
  served.kill('SIGTERM')
  await until('the stop to begin', 10_000, async () => {
    return (await site.lines()).some(({ event }) => event === 'scheduler_stopping')
  })
  await site.write('go', '')
  await stoppedCleanly(served)
  const finished = async () => (await site.lines()).filter(({ event }) => event === 'run_finished').length
  expect(await finished()).toBe(LIMITS.maxParallel)
  expect(await site.executions()).toHaveLength(LIMITS.maxParallel)
  const next = await site.serve()
  await until('the others', 20_000, async () => (await finished()) === runIds.length)
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})

test('a run that only waits for its retry does not hold up the stop', { timeout: 60_000 }, async () => {
  const more = `retries: 1, retry_delay: 4s, backoff: fixed`
  const command = `'${site.note}; test "$DAGBOK_ATTEMPT" -gt 1'`
  await site.write(
    'configs/dags/job.yaml',
    `name: job\ntasks:\n  - { id: job, workflow_ref: shell, ${more}, params: { command: ${command} } }\n`,
  )
  const served = await site.serve()
  const [runId] = await startJobs(served, 1)
  await until('the failure', 10_000, async () => (await site.linesOf(runId!, 'task_retry')).length === 1)
  const [retry] = await site.linesOf(runId!, 'task_retry')
  served.kill('SIGTERM')
  await stoppedCleanly(served)
  expect(Date.now()).toBeLessThan(Date.parse(retry!['retry_at'] as string))
  const next = await site.serve()
  await until('the end', 20_000, async () => (await site.linesOf(runId!, 'run_finished')).length === 1)
  const [finished] = await site.linesOf(runId!, 'run_finished')
  expect(finished?.['status']).toBe('success')
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})

test('while it starts: it ends, and whatever it had said by then, the next start goes on', {
  timeout: 90_000,
}, async () => {
  await defineJob('true')
  await site.write(
    'configs/schedules/job.yaml',
    '- { id: job, cron: "* * * * *", dag: job, enabled: true }\n',
  )
  const chance = new Chance('starting')
  let clean = 0
  for (let start = 0; start < 8; start++) {
    const served = site.launch(['--log-level', 'error'])
    await sleep(chance.between(0, 400))
    served.kill('SIGTERM')
    // Before it listens to signals the default ends it, which is 143 to a shell, too.
    const code = await served.ended
    expect([0, 'SIGTERM']).toContain(code)
    if (served.said().includes('scheduler is serving')) expect(code).toBe(0)
    if (code !== 0) continue
    clean += 1
    expect(await lastEvent()).toBe('scheduler_stopped')
  }
  expect(clean).toBeLessThan(8)
  const next = await site.serve()
  await site.settle(next)
  expect(await site.judge(true)).toEqual([])
})
