// The executors that keep the contract: commands, functions, and the scripted one for tests.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShellExecutor } from '../../src/adapters/child-process/shell-executor.ts'
import { createMemoryExecutor, type ScriptedStep } from '../../src/adapters/memory/executor.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { createFunctionExecutor } from '../../src/adapters/worker-pool/function-executor.ts'
import { openBench, until } from '../support/executors.ts'
import { type Behaviour, describeExecutor } from './executor.contract.ts'

const COMMANDS: Record<Behaviour, string> = {
  succeeds: `echo '{"n":1}'`,
  fails: 'exit 1',
  obeys: 'echo begun; exec sleep 60',
  resists: `trap '' TERM; echo begun; while :; do sleep 1; done`,
}

describeExecutor('commands', async () => {
  const bench = openBench()
  const { clock, logs, processes } = bench
  const executor = createShellExecutor({ clock, logs, processes, killGraceMs: 100, stragglerGraceMs: 100 })
  return {
    executor,
    hasProcesses: true,
    spec: (behaviour, more) => bench.spec('shell', { command: COMMANDS[behaviour] }, more),
    begun: async spec => void (await until('it has begun', () => bench.stdout(spec).includes('begun'))),
    survivors: async spec => (await processes.find(processes.cookieOf(spec))).length,
    dispose: async () => {
      await executor.close()
      bench.dispose()
    },
  }
})

const FUNCTIONS: Record<Behaviour, string> = {
  succeeds: 'export default () => ({ n: 1 })',
  fails: `export default () => { throw new Error('no') }`,
  obeys: `export default (_, { signal }) => new Promise((_, reject) => {
    console.log('begun')
    const timer = setInterval(() => {}, 1000)
    signal.onabort = () => { clearInterval(timer); reject(signal.reason) }
  })`,
  resists: `export default () => { console.log('begun'); for (;;); }`,
}

describeExecutor('functions', async () => {
  const bench = openBench()
  const { clock, logs, processes } = bench
  const workflowsDir = join(bench.root, 'workflows')
  mkdirSync(workflowsDir)
  for (const [name, text] of Object.entries(FUNCTIONS)) writeFileSync(join(workflowsDir, `${name}.mjs`), text)
  const executor = createFunctionExecutor({
    clock,
    logs,
    processes,
    workflowsDir,
    killGraceMs: 100,
    deafMs: 100,
  })
  return {
    executor,
    hasProcesses: true,
    spec: (behaviour, more) => bench.spec(behaviour, {}, more),
    begun: async spec => void (await until('it has begun', () => bench.stdout(spec).includes('begun'))),
    survivors: async spec => (await processes.find(processes.cookieOf(spec))).length,
    dispose: async () => {
      await executor.close()
      bench.dispose()
    },
  }
})

const STEPS: Record<Behaviour, ScriptedStep> = {
  succeeds: { outcome: { kind: 'ok', output: { n: 1 } } },
  fails: { outcome: { kind: 'failed', error: { kind: 'exit_code', message: 'exit code 1', exit_code: 1 } } },
  obeys: { afterMs: Infinity },
  resists: { afterMs: Infinity, stubbornMs: 50 },
}

describeExecutor('scripted', async () => {
  const bench = openBench()
  const executor = createMemoryExecutor({
    clock: systemClock,
    script: ({ workflowRef }) => STEPS[workflowRef as Behaviour],
  })
  return {
    executor,
    hasProcesses: false,
    spec: (behaviour, more) => bench.spec(behaviour, {}, more),
    begun: async () => {},
    survivors: async () => 0,
    dispose: async () => {
      await executor.close()
      bench.dispose()
    },
  }
})
