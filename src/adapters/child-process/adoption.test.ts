// Commands outlive the scheduler that started them: the next one finds the truth, and never touches a stranger.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ExecutorBench, openBench, until } from '../../../test/support/executors.ts'
import type { AttemptSpec, Executor, ProcessIdentity } from '../../ports/executor.ts'
import { isLive, isSameProcess, readIdentity, readStat } from './process-identity.ts'
import { createShellExecutor } from './shell-executor.ts'

const STARTER = fileURLToPath(new URL('../../../test/support/command-starter.ts', import.meta.url))

describe.skipIf(!existsSync('/proc/self/environ'))('adoption', () => {
  let bench: ExecutorBench
  let executor: Executor
  const strangers: ChildProcess[] = []
  beforeEach(() => {
    bench = openBench()
    const { clock, logs, processes } = bench
    executor = createShellExecutor({
      clock,
      logs,
      processes,
      pollMs: 10,
      killGraceMs: 100,
      stragglerGraceMs: 100,
    })
  })
  afterEach(async () => {
    await executor.close()
    for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL')
    bench.dispose()
  })

  /** Starts the command in another process and kills that one with SIGKILL. */
  const startAndCrash = async (spec: AttemptSpec): Promise<ProcessIdentity> => {
    const starter = spawn(process.execPath, [STARTER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { root, journalId } = bench
    starter.stdin.end(JSON.stringify({ root, journalId, spec }))
    const [line] = (await once(starter.stdout, 'data')) as [Buffer]
    const identity = JSON.parse(line.toString()) as ProcessIdentity
    starter.kill('SIGKILL')
    await once(starter, 'exit')
    return identity
  }
  const startStranger = async (env: Record<string, string> = {}) => {
    const stranger = spawn('sleep', ['60'], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, ...env },
    })
    strangers.push(stranger)
    await until('the stranger runs', () => readStat(stranger.pid!) !== undefined)
    return readIdentity(stranger.pid!)!
  }
  const waitFor = (file: string) => `until [ -e "${join(bench.root, file)}" ]; do sleep 0.01; done`
  const touch = (file: string) => writeFileSync(join(bench.root, file), '')

  test('a command that still runs is adopted, and its real end is known', async () => {
    const spec = bench.spec('shell', { command: `echo begun; ${waitFor('go')}; echo '{"n": 42}'; exit 0` })
    const identity = await startAndCrash(spec)
    expect(isSameProcess(identity)).toBe(true)
    expect(readStat(identity.pid)!.parentPid).not.toBe(process.pid)
    const adopted: number[] = []
    const attempt = executor.adopt(spec, identity, pid => adopted.push(pid))
    await until('the adoption', () => adopted.length > 0)
    touch('go')
    expect(await attempt.outcome).toEqual({ kind: 'ok', output: { n: 42 } })
    expect(adopted).toEqual([identity.pid])
    expect(bench.stdout(spec)).toBe('begun\n{"n": 42}\n')
  })

  test('a command that ended meanwhile left its exit code', async () => {
    const spec = bench.spec('shell', { command: 'echo oops >&2; exit 7' })
    const identity = await startAndCrash(spec)
    await until('the command has ended', () => !isLive(readStat(identity.pid)))
    const adopted: number[] = []
    const { outcome } = executor.adopt(spec, identity, pid => adopted.push(pid))
    expect(await outcome).toEqual({
      kind: 'failed',
      error: { kind: 'exit_code', message: 'exit code 7: oops', exit_code: 7 },
    })
    expect(adopted).toEqual([])
  })

  test('a crash before the identity was recorded: the cookie finds the command', async () => {
    const spec = bench.spec('shell', { command: `setsid sleep 60 & ${waitFor('go')}; exit 5` })
    const identity = await startAndCrash(spec)
    const adopted: number[] = []
    const attempt = executor.adopt(spec, undefined, pid => adopted.push(pid))
    await until('the adoption', () => adopted.length > 0)
    expect(adopted).toEqual([identity.pid])
    touch('go')
    expect(await attempt.outcome).toMatchObject({ kind: 'failed', error: { exit_code: 5 } })
    expect(await bench.processes.find(bench.processes.cookieOf(spec))).toEqual([])
  })

  test('an adopted command keeps its deadline and can be cancelled', async () => {
    const late = bench.spec('shell', { command: 'sleep 60' }, { deadlineAt: Date.now() + 50, timeoutMs: 50 })
    const lateIdentity = await startAndCrash(late)
    expect(await executor.adopt(late, lateIdentity, () => {}).outcome).toMatchObject({
      error: { kind: 'timeout' },
    })
    expect(isSameProcess(lateIdentity)).toBe(false)

    const unwanted = bench.spec('shell', { command: `trap '' TERM; while :; do sleep 1; done` })
    const identity = await startAndCrash(unwanted)
    const attempt = executor.adopt(unwanted, identity, () => {})
    attempt.cancel('not needed', 50)
    expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'not needed' })
    expect(isSameProcess(identity)).toBe(false)
  })

  test('a command whose shim was killed is lost, and what it left is ended', async () => {
    const spec = bench.spec('shell', { command: `setsid sleep 60 & echo begun; sleep 60` })
    const identity = await startAndCrash(spec)
    await until('it has begun', () => bench.stdout(spec).includes('begun'))
    process.kill(identity.pid, 'SIGKILL')
    await until('the shim is gone', () => !isLive(readStat(identity.pid)))
    const left = await bench.processes.find(bench.processes.cookieOf(spec))
    expect(left.length).toBeGreaterThanOrEqual(2)
    expect(await executor.adopt(spec, identity, () => {}).outcome).toMatchObject({ kind: 'lost' })
    expect(left.filter(({ identity }) => isSameProcess(identity))).toEqual([])
  })

  test('what was never started is lost', async () => {
    const spec = bench.spec('shell', { command: 'true' })
    expect(await executor.adopt(spec, undefined, () => {}).outcome).toMatchObject({ kind: 'lost' })
  })

  describe('a pid that was used again', () => {
    const wrong: [string, (stranger: ProcessIdentity) => ProcessIdentity][] = [
      ['other start ticks', stranger => ({ ...stranger, startTicks: stranger.startTicks - 1 })],
      ['another boot', stranger => ({ ...stranger, bootId: '00000000-0000-4000-8000-000000000000' })],
      ['the same tick, no cookie', stranger => stranger],
    ]
    test.each(wrong)('%s: nobody is signalled', async (_, disguise) => {
      const stranger = await startStranger()
      const spec = bench.spec('shell', { command: 'true' })
      const adopted: number[] = []
      const attempt = executor.adopt(spec, disguise(stranger), pid => adopted.push(pid))
      attempt.cancel('now', 0)
      expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'now' })
      expect(adopted).toEqual([])
      expect(isSameProcess(stranger)).toBe(true)
    })

    test("another attempt's cookie is another attempt's", async () => {
      const other = bench.spec('shell', { command: 'true' })
      const stranger = await startStranger({ DAGBOK_COOKIE: bench.processes.cookieOf(other) })
      const spec = bench.spec('shell', { command: 'true' })
      expect(await executor.adopt(spec, stranger, () => {}).outcome).toMatchObject({ kind: 'lost' })
      expect(isSameProcess(stranger)).toBe(true)
    })
  })

  test('close leaves commands running, and lets this process end', async () => {
    const spec = bench.spec('shell', { command: `${waitFor('go')}; exit 9` })
    const identities: ProcessIdentity[] = []
    executor.start(spec, { spawned: identity => identities.push(identity) })
    await executor.close()
    expect(isSameProcess(identities[0]!)).toBe(true)
    const { clock, logs, processes } = bench
    const next = createShellExecutor({ clock, logs, processes, pollMs: 10 })
    const attempt = next.adopt(spec, identities[0], () => {})
    touch('go')
    expect(await attempt.outcome).toMatchObject({ kind: 'failed', error: { exit_code: 9 } })
    await next.close()
  })
})
