import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProbe, type ProbeBench } from '../../../test/support/probes.ts'
import type { CommandQuestion } from '../../core/condition/question.ts'

let bench: ProbeBench
beforeAll(() => {
  bench = openProbe({ environment: { PATH: process.env['PATH'], HOME: '/h', API_TOKEN: 'secret' } })
  writeFileSync(join(bench.root, 'ready.sh'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 })
  writeFileSync(join(bench.root, 'not-executable'), '', { mode: 0o644 })
})
afterAll(() => bench.close())

const question = (command: string | string[], timeoutMs = 10_000): CommandQuestion => ({
  kind: 'command',
  command,
  timeoutMs,
})

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a command', () => {
  test('says yes, with its last line', async () => {
    expect(await bench.ask(question('echo first; echo last'))).toEqual({
      holds: true,
      saw: { exit_code: 0, output: 'last' },
    })
  })

  test('says no', async () => {
    expect(await bench.ask(question('exit 1'))).toEqual({ holds: false, saw: { exit_code: 1, output: '' } })
  })

  test('is found from the root, and its words are filled in', async () => {
    const answer = await bench.ask(question(['./ready.sh', '{{ds}}', '{{tenant}}; echo x']))
    expect(answer).toEqual({ holds: true, saw: { exit_code: 0, output: '2026-01-05 acme; echo x' } })
  })

  test('has the facts of the slot in its environment, and no secret of the scheduler', async () => {
    const answer = await bench.ask(question('env | grep -E "^(DAGBOK|API|HOME)" | sort | tr "\\n" " "'))
    expect(answer).toMatchObject({
      saw: {
        output:
          'DAGBOK_DAG=load DAGBOK_DATE=2026-01-05 DAGBOK_SCHEDULE=nightly DAGBOK_SLOT=2026-01-04T23:30Z DAGBOK_TENANT=acme HOME=/h',
      },
    })
  })

  test('a mark in a shell text is not filled in', async () => {
    expect(await bench.ask(question("echo '{{ds}}'"))).toMatchObject({ saw: { output: '{{ds}}' } })
  })
})

describe('nobody knows', () => {
  test.each([
    ['another exit code', 'echo why >&2; exit 2', 'exit code 2: why'],
    ['a shell that finds nothing', 'no-such-program-here', 'exit code 127'],
    ['a signal', 'kill -9 $$', 'ended by SIGKILL'],
    ['a program that is not there', ['./nowhere'], 'was not found'],
    ['a file that is no program', ['./not-executable'], 'cannot be executed'],
  ])('%s', async (_, command, error) => {
    expect(await bench.ask(question(command))).toEqual({ error: expect.stringContaining(error) })
  })
})

describe('whatever it does', () => {
  test('much output is read and dropped', async () => {
    const answer = await bench.ask(question('yes | head -c 20000000; echo; echo done'))
    expect(answer).toEqual({ holds: true, saw: { exit_code: 0, output: 'done' } })
  })

  test('a long line is cut', async () => {
    const answer = await bench.ask(question('head -c 100000 /dev/zero | tr "\\0" x'))
    expect(JSON.stringify(answer).length).toBeLessThan(700)
  })

  test('a child that it leaves behind ends with it', async () => {
    const pidFile = join(bench.root, 'left')
    await bench.ask(question(`sleep 60 & echo $! > ${pidFile}`))
    await bench.idle()
    await expect.poll(() => isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  })

  test('one that hangs ends with its time, with all that it started', async () => {
    const pidFile = join(bench.root, 'hung')
    const begin = Date.now()
    const answer = await bench.ask(question(`sleep 60 & echo $! > ${pidFile}; wait`, 500))
    expect(answer).toEqual({ error: 'no answer within 500ms' })
    expect(Date.now() - begin).toBeLessThan(1_500)
    await bench.idle()
    await expect.poll(() => isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  })

  test('one that will not end is killed', async () => {
    const pidFile = join(bench.root, 'stubborn')
    const answer = await bench.ask(
      question(`trap '' TERM; echo $$ > ${pidFile}; while :; do sleep 0.1; done`, 500),
    )
    expect(answer).toEqual({ error: 'no answer within 500ms' })
    await bench.idle()
    await expect.poll(() => isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  }, 10_000)

  test('it may take its time to end, within two seconds', async () => {
    const file = join(bench.root, 'tidied')
    const tidy = question(`trap 'sleep 0.5; touch ${file}; exit' TERM; while :; do sleep 0.1; done`, 500)
    expect(await bench.ask(tidy)).toEqual({ error: 'no answer within 500ms' })
    await bench.idle()
    expect(existsSync(file)).toBe(true)
  }, 10_000)

  test('it ends when the scheduler dies', async () => {
    const pidFile = join(bench.root, 'orphan')
    const probe = new URL('./probe.ts', import.meta.url).href
    const occasion = {
      scheduleId: 'a',
      tenantId: 'b',
      dagName: 'c',
      slot: '2026-01-05T06:00Z',
      timezone: 'UTC',
    }
    const asked = question(`echo $$ > ${pidFile}; exec sleep 60`, 60_000)
    const scheduler = spawn(process.execPath, [
      '--input-type=module-typescript',
      '--eval',
      `import { createConditionProbe } from ${JSON.stringify(probe)}
      const probe = createConditionProbe({ root: '/', now: Date.now, lastRun: async () => {}, lastSignal: async () => {} })
      await probe.ask(${JSON.stringify(asked)}, ${JSON.stringify(occasion)}, new AbortController().signal)`,
    ])
    await expect
      .poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8'), { timeout: 10_000 })
      .toBeTruthy()
    scheduler.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  }, 20_000)

  test('it ends when the scheduler stops', async () => {
    const stop = new AbortController()
    const pidFile = join(bench.root, 'stopped')
    const answer = bench.ask(question(`echo $$ > ${pidFile}; exec sleep 60`), stop.signal)
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toBeTruthy()
    stop.abort()
    expect(await answer).toEqual({ error: 'the scheduler stops' })
    await bench.idle()
    expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false)
  })
})
