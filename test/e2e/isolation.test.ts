// A task that misbehaves harms only itself: each of these runs beside a well-behaved task of the same scheduler, ends
// within its own limits, and the scheduler goes on to run the next thing.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SchedulerFolder } from '../support/scheduler-process.ts'

let folder: SchedulerFolder

beforeEach(() => {
  folder = new SchedulerFolder()
  folder.write('workflows/good.mjs', 'export default () => ({ fine: true })\n')
})
afterEach(() => folder.remove())

/** Runs the bad function beside a good one, under a limit; gives the bad task's last line. */
async function beside(
  source: string,
  { timeout = '3s', env = {} }: { timeout?: string; env?: Record<string, string> } = {},
) {
  folder.write('workflows/bad.mjs', source)
  folder.write(
    'configs/dags/mixed.yaml',
    [
      'name: mixed',
      'tasks:',
      '  - { id: bad, workflow_ref: bad, timeout: ' + timeout + ' }',
      '  - { id: good, workflow_ref: good }',
      '  - { id: after, workflow_ref: good, depends_on: [good] }',
      '',
    ].join('\n'),
  )
  const startedMs = performance.now()
  const ended = await folder.call(['run', 'mixed'], { SCHED_KILL_GRACE_MS: '500', ...env })
  const lines = folder.journal()
  const of = (event: string, task: string) =>
    lines.find(line => line.event === event && line['task_id'] === task)
  expect(of('task_ok', 'good'), ended.stderr).toBeDefined()
  expect(of('task_ok', 'after')).toBeDefined()
  expect(lines.at(-1)?.event).toBe('scheduler_stopped')
  return {
    ended,
    tookMs: performance.now() - startedMs,
    failed: of('task_fail', 'bad'),
    ok: of('task_ok', 'bad'),
  }
}

const kindOf = (line: Record<string, unknown> | undefined) => (line?.['error'] as { kind?: string })?.kind

describe('a function that', () => {
  test('loops for ever is ended at its time limit', async () => {
    const { failed, ended, tookMs } = await beside('export default () => { for (;;); }\n', { timeout: '1s' })
    expect(kindOf(failed)).toBe('timeout')
    expect(ended.code).toBe(1)
    expect(tookMs).toBeLessThan(15_000)
  })

  test('exits the process takes nobody with it', async () => {
    const { failed } = await beside('export default () => process.exit(0)\n')
    expect(kindOf(failed)).toMatch(/exit/)
  })

  test('kills its own process group takes nobody with it', async () => {
    const { failed } = await beside('export default () => { process.kill(0, "SIGKILL"); for (;;); }\n')
    expect(failed).toBeDefined()
  })

  test('exhausts the heap fails for that reason', async () => {
    const { failed } = await beside(
      'export default () => { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)) }\n',
      { timeout: '25s', env: { SCHED_MEMORY_LIMIT_MB: '128' } },
    )
    expect(kindOf(failed)).toBe('out_of_memory')
  })

  test('exhausts memory outside the heap fails for that reason', async () => {
    const { failed } = await beside(
      'export default async () => { const kept = []; for (;;) { kept.push(Buffer.alloc(16e6, 1)); await new Promise(r => setTimeout(r, 5)) } }\n',
      { timeout: '25s', env: { SCHED_MEMORY_LIMIT_MB: '256' } },
    )
    expect(kindOf(failed)).toBe('out_of_memory')
  })

  test('throws something that is no error fails with what it threw', async () => {
    const { failed } = await beside('export default () => { throw { toString() { throw 1 } } }\n')
    expect(kindOf(failed)).toBe('threw')
  })

  test('prints a gigabyte is cut at the limit of its log', async () => {
    const { failed, ok } = await beside(
      'const line = "x".repeat(1 << 20) + "\\n"\nexport default () => { for (let i = 0; i < 1024; i++) process.stdout.write(line); return { printed: 1024 } }\n',
      { timeout: '60s', env: { SCHED_LOG_LIMIT_BYTES: String(1 << 20) } },
    )
    expect(failed).toBeUndefined()
    expect(ok?.['output']).toEqual({ printed: 1024 })
    const run = String(ok?.['run_id'])
    const log = join(
      folder.root,
      'logs/orchestrator_state.d/runs',
      run.replaceAll(':', '%3A'),
      'bad/1/stdout.log',
    )
    expect(statSync(log).size).toBeLessThan(1.1 * (1 << 20))
  }, 90_000)
})

describe('a command that', () => {
  test('prints a gigabyte is cut at the limit of its log, and its output is still found', async () => {
    folder.write(
      'configs/dags/flood.yaml',
      [
        'name: flood',
        'tasks:',
        '  - id: flood',
        '    workflow_ref: shell',
        '    timeout: 60s',
        '    params:',
        `      command: "head -c 1073741824 /dev/zero | tr '\\\\0' x; echo; echo '{\\"printed\\": 1}'"`,
        '',
      ].join('\n'),
    )
    const ended = await folder.call(['run', 'flood'], { SCHED_LOG_LIMIT_BYTES: String(1 << 20) })
    expect(ended.code, ended.stderr).toBe(0)
    const ok = folder.journal().find(({ event }) => event === 'task_ok')
    expect(ok?.['output']).toEqual({ printed: 1 })
  }, 90_000)

  test('ignores SIGTERM is killed when its time is over', async () => {
    folder.write(
      'configs/dags/deaf.yaml',
      `name: deaf\ntasks:\n  - { id: deaf, workflow_ref: shell, timeout: 500ms, params: { command: "trap '' TERM; while :; do sleep 0.1; done" } }\n`,
    )
    const ended = await folder.call(['run', 'deaf'], { SCHED_KILL_GRACE_MS: '500' })
    expect(ended.code).toBe(1)
    expect(kindOf(folder.journal().find(({ event }) => event === 'task_fail'))).toBe('timeout')
  })
})
