// The daemon over time, through the binary: reloads, restarts, and what `tail -f | grep` shows.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { SchedulerFolder } from '../support/scheduler-process.ts'

let folder: SchedulerFolder

beforeEach(() => {
  folder = new SchedulerFolder()
})
afterEach(() => folder.remove())

const shellDag = (name: string, command: string, more = '') =>
  `name: ${name}\ntasks:\n  - id: work\n    workflow_ref: shell\n    params: { command: ${JSON.stringify(command)} }\n${more}`

test('a bad edit keeps the last good definitions, says why, and a good one is taken', async () => {
  folder.write('configs/dags/job.yaml', shellDag('job', 'true'))
  folder.write('configs/schedules/job.yaml', '- id: job\n  cron: "0 0 1 1 *"\n  dag: job\n')
  const { child, ended } = await folder.serve()
  folder.write('configs/schedules/job.yaml', '- id: job\n  cron: "61 * * * *"\n  dag: job\n')
  const rejected = await folder.line('definitions_rejected', line => line.event === 'definitions_rejected')
  expect(String(rejected['errors'])).toContain('configs/schedules/job.yaml:2')
  const status = JSON.parse((await folder.call(['status', '--json'])).stdout)
  expect(JSON.stringify(status)).toContain('61')
  folder.write('configs/schedules/job.yaml', '- id: job\n  cron: "* * * * *"\n  dag: job\n')
  const registered = await folder.line('registered', line => line['cause'] === 'timing_changed')
  expect(registered['cron']).toBe('* * * * *')
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(folder.journal().at(-1)?.event).toBe('scheduler_stopped')
})

test('a run in flight keeps the DAG it started with, whatever is saved meanwhile', async () => {
  const second =
    '  - id: second\n    workflow_ref: shell\n    depends_on: [work]\n    params: { command: "echo old > second.txt" }\n'
  folder.write(
    'configs/dags/job.yaml',
    shellDag('job', 'while [ ! -e go ] && [ -e configs ]; do sleep 0.05; done', second),
  )
  const { child, ended } = await folder.serve()
  await folder.call(['trigger', 'job'])
  await folder.task('task_spawned', 'work')
  folder.write('configs/dags/job.yaml', shellDag('job', 'true', second.replace('echo old', 'echo new')))
  await folder.line('reload', line => line.event === 'definitions_loaded' && line['cause'] === 'reload')
  folder.write('go', '')
  await folder.line('end', line => line.event === 'run_finished')
  expect(folder.read('second.txt')).toBe('old\n')
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test('after a kill -9 finished tasks stay finished, commands go on, and their real exit codes count', async () => {
  folder.write(
    'configs/dags/job.yaml',
    [
      'name: job',
      'tasks:',
      '  - id: first',
      '    workflow_ref: shell',
      '    params: { command: "echo first >> side.log" }',
      '  - id: slow',
      '    workflow_ref: shell',
      '    depends_on: [first]',
      '    params: { command: "echo slow >> side.log; while [ ! -e go ] && [ -e configs ]; do sleep 0.05; done; exit 0" }',
      '  - id: seven',
      '    workflow_ref: shell',
      '    depends_on: [first]',
      '    params: { command: "echo seven >> side.log; while [ ! -e dead ] && [ -e configs ]; do sleep 0.05; done; exit 7" }',
      '',
    ].join('\n'),
  )
  const one = await folder.serve()
  await folder.call(['trigger', 'job'])
  await folder.task('task_spawned', 'slow')
  await folder.task('task_spawned', 'seven')
  one.child.kill('SIGKILL')
  await one.ended
  folder.write('dead', '')
  const two = await folder.serve()
  await folder.task('task_readopted', 'slow')
  const failed = await folder.task('task_fail', 'seven')
  expect(failed['error']).toMatchObject({ kind: 'exit_code', exit_code: 7 })
  expect(failed['attempt']).toBe(1)
  folder.write('go', '')
  const finished = await folder.line('end', line => line.event === 'run_finished')
  expect(finished).toMatchObject({ status: 'failed', tasks_succeeded: 2, tasks_failed: 1 })
  expect(folder.read('side.log').split('\n').sort()).toEqual(['', 'first', 'seven', 'slow'])
  two.child.kill('SIGTERM')
  expect(await two.ended).toBe(0)
  const verified = await folder.call(['journal', 'verify'])
  expect(verified.code, verified.stdout).toBe(0)
})

test('an interrupted function is retired, tried again and says so', async () => {
  folder.write(
    'workflows/patient.mjs',
    'import { existsSync, appendFileSync } from "node:fs"\nexport default async (args) => { appendFileSync(args.root + "/side.log", "begun\\n"); while (!existsSync(args.root + "/go")) await new Promise(r => setTimeout(r, 30)); return { done: 1 } }\n',
  )
  folder.write(
    'configs/dags/job.yaml',
    `name: job\ntasks:\n  - { id: work, workflow_ref: patient, params: { root: ${JSON.stringify(folder.root)} } }\n`,
  )
  const one = await folder.serve()
  await folder.call(['trigger', 'job'])
  await folder.task('task_spawned', 'work')
  one.child.kill('SIGKILL')
  await one.ended
  const two = await folder.serve()
  await folder.task('task_lost', 'work', 1)
  await folder.task('task_spawned', 'work', 2)
  folder.write('go', '')
  const finished = await folder.line('end', line => line.event === 'run_finished')
  expect(finished).toMatchObject({ status: 'success' })
  two.child.kill('SIGTERM')
  expect(await two.ended).toBe(0)
})

test('what the seed tails is there to tail', async () => {
  folder.write('configs/dags/job.yaml', shellDag('job', 'exit 3', '    retries: 1\n    retry_delay: 1ms\n'))
  folder.write(
    'configs/schedules/job.yaml',
    '- id: job\n  cron: "* * * * *"\n  dag: configs/dags/job.yaml\n  tenant: local-dev\n  enabled: true\n',
  )
  const env = { STATE_STORE_PATH: 'state/s.jsonl', ORCH_EVENTS_PATH: 'state/e.jsonl' }
  const ended = await folder.call(['--dir', 'configs/schedules', '--once'], env)
  expect(ended.code).toBe(1)
  const grep = (path: string, word: string) =>
    folder
      .read(path)
      .split('\n')
      .filter(line => line.includes(word))
  expect(grep('state/s.jsonl', 'schedule_enqueued')).toHaveLength(1)
  expect(grep('state/s.jsonl', 'run_finished')).toHaveLength(1)
  expect(grep('state/e.jsonl', 'task_fail')[0]).toContain("Task 'work' failed after 2 attempts")
  expect(grep('state/e.jsonl', 'task_retry')).toHaveLength(1)
  expect(grep('state/e.jsonl', 'dag_done')).toHaveLength(1)
  expect(JSON.parse(grep('state/s.jsonl', 'schedule_enqueued')[0]!)).toMatchObject({
    schedule_id: 'job',
    tenant_id: 'local-dev',
  })
})
