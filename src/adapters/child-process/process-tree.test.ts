// The zoo of process trees: whatever a command leaves behind, nothing of it runs once its outcome is known.
//
// Each animal writes the pids of what is meant to survive; the test fails if none was there, or if one is there still.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ExecutorBench,
  ON_DEMAND_MS,
  openBench,
  recordHooks,
  until,
} from '../../../test/support/executors.ts'
import type { Executor } from '../../ports/executor.ts'
import { isLive, readStat } from './process-identity.ts'
import { createShellExecutor } from './shell-executor.ts'

/** Says who it is in the pid file and sleeps on. */
const STAY = 'echo $$ >> "$DAGBOK_PARAM_PIDS"; exec sleep 60'

const ANIMALS: Record<string, { script: string; survivors: number }> = {
  'a child in the background': { script: `sh -c '${STAY}' &`, survivors: 1 },
  'a session of its own': { script: `setsid sh -c '${STAY}' &`, survivors: 1 },
  'a double fork': { script: `(sh -c '${STAY}' &)`, survivors: 1 },
  'a daemon: session and double fork': {
    script: `setsid sh -c '(sh -c "echo \\$\\$ >> \\"\\$DAGBOK_PARAM_PIDS\\"; exec sleep 60" &)'`,
    survivors: 1,
  },
  nohup: { script: `nohup sh -c '${STAY}' > /dev/null 2>&1 &`, survivors: 1 },
  'deaf to SIGTERM': {
    script: `sh -c 'trap "" TERM; echo $$ >> "$DAGBOK_PARAM_PIDS"; while :; do sleep 1; done' &`,
    survivors: 1,
  },
  'holding the pipe': { script: `sh -c '${STAY}' | cat &`, survivors: 1 },
  'a chain of execs': { script: `sh -c 'exec sh -c "exec sh -c \\"\\$STAY\\""' &`, survivors: 1 },
  'closed stdio': {
    script: `sh -c 'echo $$ >> "$DAGBOK_PARAM_PIDS"; exec <&- >&- 2>&-; exec sleep 60' &`,
    survivors: 1,
  },
  'stopped itself': {
    script: `sh -c 'echo $$ >> "$DAGBOK_PARAM_PIDS"; kill -STOP $$; exec sleep 60' &`,
    survivors: 1,
  },
  'a flock of twenty, half in sessions of their own': {
    script: `for n in 1 2 3 4 5 6 7 8 9 10; do sh -c '${STAY}' & setsid sh -c '${STAY}' & done`,
    survivors: 20,
  },
}

describe.skipIf(!existsSync('/proc/self/environ'))('process trees', () => {
  let bench: ExecutorBench
  let executor: Executor
  beforeAll(() => {
    bench = openBench()
    const { clock, logs, processes } = bench
    executor = createShellExecutor({ clock, logs, processes, killGraceMs: 150, stragglerGraceMs: 150 })
  })
  afterAll(async () => {
    await executor.close()
    bench.dispose()
  })

  const release = async (name: string, ending: 'exit' | 'timeout' | 'cancel') => {
    const { script, survivors } = ANIMALS[name]!
    const pidFile = join(bench.root, `pids-${Math.random().toString(36).slice(2)}`)
    const ready = `until [ "$(wc -l < "$DAGBOK_PARAM_PIDS")" -ge ${survivors} ]; do sleep 0.01; done; echo ready`
    const command = `: > "$DAGBOK_PARAM_PIDS"; ${script}\n${ready}; ${ending === 'exit' ? 'exit 3' : 'sleep 60'}`
    const spec = bench.spec(
      'shell',
      { command, pids: pidFile },
      { env: { STAY }, ...(ending === 'timeout' ? { timeoutMs: ON_DEMAND_MS } : {}) },
    )
    const attempt = executor.start(spec, recordHooks())
    await until('the animal is loose', () => bench.stdout(spec).includes('ready'))
    const pids = readFileSync(pidFile, 'utf8').trim().split('\n').map(Number)
    const aliveBefore = pids.filter(pid => isLive(readStat(pid)))
    const beganMs = performance.now()
    if (ending === 'timeout') bench.passLimit()
    if (ending === 'cancel') attempt.cancel('enough', 150)
    const outcome = await attempt.outcome
    const tookMs = performance.now() - beganMs
    return {
      outcome,
      tookMs,
      pids,
      aliveBefore,
      aliveAfter: pids.filter(pid => isLive(readStat(pid))),
      carriers: await bench.processes.find(bench.processes.cookieOf(spec)),
    }
  }

  describe.each(Object.keys(ANIMALS))('%s', name => {
    test.each(['exit', 'timeout', 'cancel'] as const)('%s: none survives', async ending => {
      const seen = await release(name, ending)
      expect(seen.pids).toHaveLength(ANIMALS[name]!.survivors)
      // At a natural exit the ladder may already be at work when we look.
      if (ending !== 'exit') expect(seen.aliveBefore).toEqual(seen.pids)
      expect(seen.aliveAfter).toEqual([])
      expect(seen.carriers).toEqual([])
      expect(seen.tookMs).toBeLessThan(150 + 3_000)
      if (ending === 'exit') expect(seen.outcome).toMatchObject({ kind: 'failed', error: { exit_code: 3 } })
      if (ending === 'timeout')
        expect(seen.outcome).toMatchObject({ kind: 'failed', error: { kind: 'timeout' } })
      if (ending === 'cancel') expect(seen.outcome).toEqual({ kind: 'cancelled', reason: 'enough' })
    })
  })
})
