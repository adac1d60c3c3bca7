// SIGTERM (R21): a clean stop ends with 0 and leaves nothing half said; whoever insists is obeyed at once.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Served, Site, until } from './harness.ts'

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
  await defineJob(`trap "" TERM; while [ ! -e ${site.path('go')} ]; do sleep 0.05; done`)
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
  await defineJob(`while [ ! -e ${site.path('go')} ]; do sleep 0.05; done`)
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
