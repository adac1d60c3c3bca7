// User functions at their worst: each costs its own attempt, and the next one finds a worker as if nothing had been.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ExecutorBench,
  ON_DEMAND_MS,
  openBench,
  recordHooks,
  until,
} from '../../../test/support/executors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AttemptSpec, ProcessIdentity } from '../../ports/executor.ts'
import { createFunctionExecutor, type FunctionExecutor } from './function-executor.ts'

const STARTER = fileURLToPath(new URL('../../../test/support/command-starter.ts', import.meta.url))
const LIMIT_BYTES = 256 * 1024

/** Every case is one way for a function to behave. */
const ZOO = `
import childProcess, { exec, spawn, spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'

const forever = () => new Promise<never>(() => setInterval(() => {}, 1000))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

export default async function zoo({ how }: { how: string }, ctx: any): Promise<any> {
  console.log('begun')
  switch (how) {
    case 'well': return { pid: process.pid }
    case 'nothing': return
    case 'exits': process.exit(3)
    case 'exits well': process.exit(0)
    case 'kills itself': process.kill(process.pid, 'SIGKILL'); return forever()
    case 'aborts': process.abort()
    case 'loops': for (;;);
    case 'waits': return forever()
    case 'waits and ignores SIGTERM': process.on('SIGTERM', () => {}); return forever()
    case 'heeds': return await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    case 'fills the heap': { const all: unknown[] = []; for (;;) all.push(new Array(10_000).fill(all.length)) }
    case 'fills buffers': { const all: Buffer[] = []; for (;;) { all.push(Buffer.alloc(10_000_000, 1)); await pause(1) } }
    case 'throws': throw new TypeError('not so')
    case 'throws text': throw 'just text'
    case 'throws nothing': throw undefined
    case 'rejects unheard': void Promise.reject(new Error('floating')); return forever()
    case 'throws later': setTimeout(() => { throw new Error('later') }, 1); return forever()
    case 'an array': return [1]
    case 'a text': return 'text'
    case 'null': return null
    case 'a circle': { const circle: any = {}; circle.self = circle; return circle }
    case 'a bigint': return { n: 1n }
    case 'a NaN': return { n: 0 / 0 }
    case 'a Map': return { m: new Map([[1, 2]]) }
    case 'a function': return { f() {} }
    case 'a bad toJSON': return { toJSON() { throw new Error('no') } }
    case 'two MiB': return { text: 'x'.repeat(2 ** 21) }
    case 'garbage': writeSync(3, 'garbage\\n'); return forever()
    case 'a forged answer': writeSync(3, '{"type":"done","token":"x","output":{"forged":true},"reusable":true}\\n'); return { honest: true }
    case 'a hundred MB': {
      const part = Buffer.alloc(1_000_000, 'x')
      for (let n = 0; n < 100; n++) try { writeSync(3, part) } catch { await pause(1) }
      return {}
    }
    case 'prints': { const line = 'x'.repeat(99_999) + '\\n'; for (let n = 0; n < 10_000; n++) process.stdout.write(line); return { printed: true } }
    case 'spawns': spawn('setsid', ['sleep', '60'], { stdio: 'ignore' }).unref(); return { pid: process.pid }
    case 'spawns in the back': spawnSync('sh', ['-c', 'setsid sleep 60 & exit 0'], { stdio: 'ignore' }); return { pid: process.pid }
    case 'execs': await promisify(exec)('true'); return { pid: process.pid }
    case 'starts a thread': new Worker('setInterval(() => {}, 1000)', { eval: true }); return { pid: process.pid }
    case 'leaves a timer': setInterval(() => {}, 1000); return { pid: process.pid }
    case 'leaves traces': process.chdir('/'); process.env.TRACE = '1'; process.on('SIGUSR2', () => {}); return { pid: process.pid }
    case 'looks': return { pid: process.pid, cwd: process.cwd(), trace: process.env.TRACE ?? null, usr2: process.listenerCount('SIGUSR2'), env: Object.keys(process.env).sort() }
    case 'context': { ctx.log('for %s', ctx.dagName); const { signal, log, ...rest } = ctx; return { ...rest, aborted: signal.aborted } }
    case 'inherits': childProcess.execSync('echo from a child; echo and its error >&2', { stdio: 'inherit' }); return {}
  }
}
`

describe('functions', () => {
  let bench: ExecutorBench
  let executor: FunctionExecutor
  let workflowsDir: string
  beforeAll(() => {
    bench = openBench({ limitBytes: LIMIT_BYTES })
    workflowsDir = join(bench.root, 'workflows')
    mkdirSync(workflowsDir)
    writeFileSync(join(workflowsDir, 'zoo.ts'), ZOO)
    const { clock, logs, processes } = bench
    executor = createFunctionExecutor({
      clock,
      logs,
      processes,
      workflowsDir,
      memoryLimitMb: 192,
      maxWorkers: 2,
      killGraceMs: 150,
      deafMs: 150,
      stragglerGraceMs: 100,
      environment: { ...process.env, SCHEDULER_TOKEN: 'canary-7f3a' },
    })
  })
  afterAll(async () => {
    await executor.close()
    expect(executor.workers).toBe(0)
    bench.dispose()
  })

  const begin = (how: string, more: Partial<AttemptSpec> = {}, ref = 'zoo', params: JsonObject = {}) => {
    const spec = bench.spec(ref, { how, ...params }, more)
    const hooks = recordHooks()
    return { spec, hooks, attempt: executor.start(spec, hooks) }
  }
  const run = async (how: string, more: Partial<AttemptSpec> = {}, ref?: string, params?: JsonObject) => {
    const { spec, hooks, attempt } = begin(how, more, ref, params)
    const outcome = await attempt.outcome
    const carriers = await bench.processes.find(bench.processes.cookieOf(spec))
    return {
      spec,
      outcome,
      carriers,
      identity: hooks.identities[0],
      stdout: bench.stdout(spec),
      stderr: bench.stderr(spec),
    }
  }
  const isRunning = (identity: ProcessIdentity | undefined) =>
    identity !== undefined && bench.processes.isRunning(identity)

  describe('a clean function', () => {
    test('returns its object; the worker is used again', async () => {
      const first = await run('well')
      const second = await run('well')
      expect(first.outcome).toEqual({ kind: 'ok', output: { pid: first.identity!.pid } })
      expect(second.outcome).toEqual(first.outcome)
      expect(isRunning(second.identity)).toBe(true)
    })

    test('may return nothing', async () => {
      expect((await run('nothing')).outcome).toEqual({ kind: 'ok', output: {} })
    })

    test('is told about its attempt, and logs', async () => {
      const { outcome, stdout, spec } = await run('context', { scheduleId: 'weekly' })
      const { runId, taskId, attempt, dagName, tenantId, logicalDate } = spec
      expect(outcome).toEqual({
        kind: 'ok',
        output: {
          runId,
          taskId,
          attempt,
          dagName,
          tenantId,
          logicalDate,
          scheduleId: 'weekly',
          aborted: false,
        },
      })
      expect(stdout).toBe('begun\nfor weekly\n')
    })

    test('finds no trace of the one before, and no secret', async () => {
      const before = await run('leaves traces', { env: { GREETING: 'hello' } })
      const { outcome, identity } = await run('looks')
      expect(identity).toEqual(before.identity)
      const { env, ...rest } = (outcome as { output: JsonObject }).output
      expect(rest).toEqual({ pid: identity!.pid, cwd: process.cwd(), trace: null, usr2: 0 })
      expect(env).toContain('DAGBOK_RUN_ID')
      expect(env).not.toContain('GREETING')
      expect(env).not.toContain('SCHEDULER_TOKEN')
    })

    test('what its child processes print is in its log', async () => {
      const { stdout, stderr } = await run('inherits')
      expect(stdout).toBe('begun\nfrom a child\n')
      expect(stderr).toBe('and its error\n')
    })

    test('a round trip in a warm worker takes a few milliseconds', async () => {
      await run('well')
      const times: number[] = []
      for (let n = 0; n < 30; n++) {
        const beganMs = performance.now()
        await begin('well').attempt.outcome
        times.push(performance.now() - beganMs)
      }
      expect(times.sort((a, b) => a - b)[15]).toBeLessThan(20)
    })
  })

  describe('a bad function fails alone', () => {
    test.each<[string, string, RegExp]>([
      ['exits', 'worker_exited', /exit code 3/],
      ['exits well', 'worker_exited', /exit code 0/],
      ['kills itself', 'worker_exited', /SIGKILL/],
      ['aborts', 'worker_exited', /SIG(ABRT|TRAP)/],
      ['fills the heap', 'out_of_memory', /192 MiB/],
      ['fills buffers', 'out_of_memory', /192 MiB/],
      ['throws', 'threw', /^TypeError: not so \(.*zoo\.ts:\d+:\d+\)$/],
      ['throws text', 'threw', /"just text"/],
      ['throws nothing', 'threw', /undefined/],
      ['rejects unheard', 'threw', /not awaited: Error: floating/],
      ['throws later', 'threw', /not awaited: Error: later/],
      ['an array', 'bad_output', /an array/],
      ['a text', 'bad_output', /a string/],
      ['null', 'bad_output', /null/],
      ['a circle', 'bad_output', /circular/],
      ['a bigint', 'bad_output', /"n" is a bigint/],
      ['a NaN', 'bad_output', /"n" is NaN/],
      ['a Map', 'bad_output', /"m" is a Map/],
      ['a function', 'bad_output', /"f" is a function/],
      ['a bad toJSON', 'bad_output', /not JSON: no/],
      ['two MiB', 'output_too_large', /2097163 bytes/],
      ['garbage', 'worker_exited', /into the channel/],
      ['a hundred MB', 'output_too_large', /into the channel/],
    ])('%s: %s', async (how, kind, words) => {
      const { outcome, stdout, carriers } = await run(how)
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { kind, message: expect.stringMatching(words) },
      })
      // It happened, nothing is left of it, and the next one works.
      expect(stdout).toContain('begun')
      expect(carriers).toEqual([])
      expect((await run('well')).outcome.kind).toBe('ok')
    })

    test('an answer for another attempt is ignored', async () => {
      expect((await run('a forged answer')).outcome).toEqual({ kind: 'ok', output: { honest: true } })
    })
  })

  describe('time limit and cancellation', () => {
    test.each(['loops', 'waits', 'waits and ignores SIGTERM', 'heeds'])('%s: ends in time', async how => {
      const limited = begin(how, { timeoutMs: ON_DEMAND_MS })
      await until('it has begun', () => bench.stdout(limited.spec).includes('begun'))
      bench.passLimit()
      expect(await limited.attempt.outcome).toMatchObject({ kind: 'failed', error: { kind: 'timeout' } })

      const unwanted = begin(how)
      await until('it has begun', () => bench.stdout(unwanted.spec).includes('begun'))
      const beganMs = performance.now()
      unwanted.attempt.cancel('not needed', 100)
      expect(await unwanted.attempt.outcome).toEqual({ kind: 'cancelled', reason: 'not needed' })
      expect(performance.now() - beganMs).toBeLessThan(3_000)
      expect(isRunning(unwanted.hooks.identities[0])).toBe(how === 'heeds')
    })

    test('one that waits for a worker is cancelled at once', async () => {
      const busy = [begin('waits'), begin('waits')]
      await Promise.all(
        busy.map(({ spec }) => until('it has begun', () => bench.stdout(spec).includes('begun'))),
      )
      const waiting = begin('well')
      waiting.attempt.cancel('no', 1_000)
      expect(await waiting.attempt.outcome).toEqual({ kind: 'cancelled', reason: 'no' })
      expect(waiting.hooks.identities).toEqual([])
      const next = begin('well')
      for (const { attempt } of busy) attempt.cancel('enough', 0)
      expect((await next.attempt.outcome).kind).toBe('ok')
      await Promise.all(busy.map(({ attempt }) => attempt.outcome))
    })
  })

  describe('what a function leaves behind ends with its worker', () => {
    test.each(['spawns', 'spawns in the back', 'execs', 'starts a thread', 'leaves a timer'])(
      '%s',
      async how => {
        const { outcome, identity, carriers } = await run(how)
        expect(outcome).toEqual({ kind: 'ok', output: { pid: identity!.pid } })
        expect(isRunning(identity)).toBe(false)
        expect(carriers).toEqual([])
      },
    )
  })

  test('a gigabyte of prints neither fills the disk nor stops the event loop', async () => {
    const { spec, attempt } = begin('prints')
    const delay = monitorEventLoopDelay({ resolution: 5 })
    let largest = 0
    delay.enable()
    const timer = setInterval(() => {
      largest = Math.max(
        largest,
        statSync(bench.logs.locate(spec).stdout, { throwIfNoEntry: false })?.size ?? 0,
      )
    }, 10)
    expect(await attempt.outcome).toEqual({ kind: 'ok', output: { printed: true } })
    clearInterval(timer)
    delay.disable()
    expect(largest).toBeGreaterThan(LIMIT_BYTES)
    expect(largest).toBeLessThan(900_000_000)
    expect(bench.stdout(spec).length).toBeLessThan(LIMIT_BYTES + 200)
    expect(delay.percentile(99) / 1e6).toBeLessThan(250)
  })

  describe('modules', () => {
    const write = (name: string, text: string) => writeFileSync(join(workflowsDir, name), text)

    test.each<[string, string, string, RegExp]>([
      [
        'broken.ts',
        'export default () => {\n  return {,}\n}\n',
        'import_failed',
        /SyntaxError: .*broken\.ts:2\)/,
      ],
      [
        'wrong.mjs',
        'export default () => ({})\n\nconst a = ;\n',
        'import_failed',
        /SyntaxError: .*wrong\.mjs:3\)/,
      ],
      ['lost.ts', "import './nowhere.ts'\nexport default () => ({})\n", 'import_failed', /nowhere\.ts/],
      ['early.ts', "throw new Error('too early')\n", 'import_failed', /too early \(.*early\.ts:1:\d+\)/],
      ['empty.ts', 'export const a = 1\n', 'no_function', /default export/],
    ])('%s says where it is wrong', async (file, text, kind, words) => {
      write(file, text)
      const { outcome } = await run('', {}, file.replace(/\.m?[jt]s$/, ''))
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { kind, message: expect.stringMatching(words) },
      })
    })

    test('an unknown one names what was meant', async () => {
      expect((await run('', {}, 'zooo')).outcome).toMatchObject({
        error: { kind: 'unknown_workflow', message: expect.stringMatching(/did you mean "zoo"\?/) },
      })
      expect((await run('', {}, '../zoo')).outcome).toMatchObject({ error: { kind: 'unknown_workflow' } })
    })

    test('a changed file is imported anew, in the same worker', async () => {
      write('changing.ts', 'export default () => ({ version: 1, pid: process.pid })\n')
      const first = await run('', {}, 'changing')
      write('changing.ts', 'export default () => ({ version: 2, pid: process.pid })\n')
      utimesSync(join(workflowsDir, 'changing.ts'), new Date(), new Date(Date.now() + 5_000))
      const second = await run('', {}, 'changing')
      expect(first.outcome).toMatchObject({ output: { version: 1 } })
      expect(second.outcome).toEqual({ kind: 'ok', output: { version: 2, pid: first.identity!.pid } })
    })

    test('refresh: the next function starts in a new process', async () => {
      const before = await run('well')
      executor.refresh()
      const after = await run('well')
      expect(after.identity).not.toEqual(before.identity)
    })
  })

  describe('a scheduler that is killed', () => {
    const startAndCrash = async (how: string) => {
      const spec = bench.spec('zoo', { how })
      const starter: ChildProcess = spawn(process.execPath, [STARTER], { stdio: ['pipe', 'pipe', 'inherit'] })
      const { root, journalId } = bench
      starter.stdin!.end(JSON.stringify({ root, journalId, workflowsDir, spec }))
      const [line] = (await once(starter.stdout!, 'data')) as [Buffer]
      const identity = JSON.parse(line.toString()) as ProcessIdentity
      await until('it has begun', () => bench.stdout(spec).includes('begun'))
      starter.kill('SIGKILL')
      await once(starter, 'exit')
      return { spec, identity }
    }

    test('takes a waiting worker with it', async () => {
      const { identity } = await startAndCrash('waits')
      await until('the worker is gone', () => !isRunning(identity))
    })

    test('a worker that never looks up is ended by the next one, and its attempt is lost', async () => {
      const { spec, identity } = await startAndCrash('loops')
      expect(isRunning(identity)).toBe(true)
      const own = await run('well')
      const { clock, logs, processes } = bench
      const next = createFunctionExecutor({ clock, logs, processes, workflowsDir })
      expect(await next.adopt(spec, identity, () => {}).outcome).toMatchObject({ kind: 'lost' })
      // A killed process that has lost its memory runs nothing more, but is a moment from being a zombie.
      await until('the worker is gone', () => !isRunning(identity))
      // Workers whose scheduler lives are left alone.
      expect(isRunning(own.identity)).toBe(true)
      await next.close()
    })
  })

  test('close ends what runs: nobody can say how it would have ended', async () => {
    const { clock, logs, processes } = bench
    const other = createFunctionExecutor({ clock, logs, processes, workflowsDir })
    const spec = bench.spec('zoo', { how: 'loops' })
    const hooks = recordHooks()
    const attempt = other.start(spec, hooks)
    await until('it has begun', () => bench.stdout(spec).includes('begun'))
    await other.close()
    expect(await attempt.outcome).toMatchObject({ kind: 'lost' })
    expect(isRunning(hooks.identities[0])).toBe(false)
  })
})
