// What a shell task costs above a bare spawn: its own process group, log files, the shim that keeps the exit code, the
// cookie, and the certainty that nothing of it is left.

import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createProcesses } from '../src/adapters/child-process/processes.ts'
import { createShellExecutor } from '../src/adapters/child-process/shell-executor.ts'
import { createLogStore } from '../src/adapters/filesystem/log-store.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { inFolder, median, percentile, QUICK } from './measure.ts'
import { deliver, formatNumber } from './report.ts'

const SAMPLES = QUICK ? 100 : 400

await inFolder(async folder => {
  const logs = createLogStore({ root: folder })
  const processes = createProcesses({ journalId: 'bench' })
  const executor = createShellExecutor({ clock: systemClock, logs, processes, environment: process.env })

  let number = 0
  async function task(): Promise<number> {
    number += 1
    const startedMs = performance.now()
    const { outcome } = executor.start(
      {
        runId: `bench@manual-${number}`,
        taskId: 'true',
        attempt: 1,
        dagName: 'bench',
        tenantId: 'bench',
        workflowRef: 'shell',
        params: { command: ['/bin/true'] },
        env: {},
        logicalDate: '2026-01-05T06:00Z',
      },
      { spawned() {} },
    )
    const result = await outcome
    const ms = performance.now() - startedMs
    if (result.kind !== 'ok') throw new Error(`the task ended with ${JSON.stringify(result)}`)
    return ms
  }

  /** The same command, detached and with its output in files: what anyone needs who wants to be outlived. */
  async function bare(): Promise<number> {
    const startedMs = performance.now()
    const fds = [openSync(join(folder, 'out'), 'a'), openSync(join(folder, 'err'), 'a')]
    const child = spawn('/bin/true', [], { detached: true, stdio: ['ignore', fds[0]!, fds[1]!] })
    for (const fd of fds) closeSync(fd)
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => resolve())
      child.once('error', reject)
    })
    return performance.now() - startedMs
  }

  /** And through `sh -c`, as the exit code must be kept by somebody who is not the scheduler. */
  async function bareShell(): Promise<number> {
    const startedMs = performance.now()
    const child = spawn('/bin/sh', ['-c', '(exec "$@"); exit $?', 'sh', '/bin/true'], {
      detached: true,
      stdio: 'ignore',
    })
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => resolve())
      child.once('error', reject)
    })
    return performance.now() - startedMs
  }

  const times = { task: [] as number[], bare: [] as number[], bareShell: [] as number[] }
  for (let n = -20; n < SAMPLES; n++) {
    const round = { bare: await bare(), bareShell: await bareShell(), task: await task() }
    if (n < 0) continue
    for (const name of ['task', 'bare', 'bareShell'] as const) times[name].push(round[name])
  }
  await executor.close()

  const overhead = median(times.task) - median(times.bare)
  deliver({
    name: 'shell',
    title: 'A shell task',
    method: `\`/bin/true\` through the executor, from start to outcome, beside a bare detached spawn with its output in files; ${SAMPLES} of each, taking turns, median.`,
    rows: [
      {
        what: 'shell task',
        value: median(times.task),
        unit: 'ms',
        probe: median(times.bare),
        against: 'bare spawn',
      },
      {
        what: 'shell task, p99',
        value: percentile(times.task, 99),
        unit: 'ms',
        probe: percentile(times.bare, 99),
        against: 'bare spawn, p99',
      },
      { what: 'spawn of `sh -c` that forks the command', value: median(times.bareShell), unit: 'ms' },
    ],
    goals: [
      {
        text: 'a shell task costs at most 2 ms more than a bare spawn',
        isMet: overhead <= 2,
        measured: `${formatNumber(overhead)} ms, of which ${formatNumber(median(times.bareShell) - median(times.bare))} ms are the second process that keeps the exit code`,
      },
    ],
  })
})
