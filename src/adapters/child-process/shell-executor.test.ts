// Commands as the rest of the house sees them: what they are given, what they give back, what they cannot do.

import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ExecutorBench, openBench, recordHooks, until } from '../../../test/support/executors.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { AttemptSpec, Executor } from '../../ports/executor.ts'
import { createShellExecutor } from './shell-executor.ts'

const LIMIT_BYTES = 1024 * 1024

describe('shell', () => {
  let bench: ExecutorBench
  let executor: Executor
  beforeAll(() => {
    bench = openBench({ limitBytes: LIMIT_BYTES })
    const { clock, logs, processes } = bench
    executor = createShellExecutor({
      clock,
      logs,
      processes,
      environment: { ...process.env, SCHEDULER_TOKEN: 'canary-7f3a', LC_ALL: 'C.UTF-8' },
      stragglerGraceMs: 100,
    })
  })
  afterAll(async () => {
    await executor.close()
    bench.dispose()
  })

  const run = async (params: JsonObject, more: Partial<AttemptSpec> = {}) => {
    const spec = bench.spec('shell', params, more)
    const hooks = recordHooks()
    const outcome = await executor.start(spec, hooks).outcome
    return {
      spec,
      outcome,
      identities: hooks.identities,
      stdout: bench.stdout(spec),
      stderr: bench.stderr(spec),
    }
  }

  describe('output', () => {
    test.each<[string, string, JsonObject]>([
      ['the last line that is a JSON object', `echo '{"a":1}'; echo '{"b":2}'`, { b: 2 }],
      ['text after it does not matter', `echo '{"a":1}'; echo done; echo '[3]'; echo '{broken}'`, { a: 1 }],
      ['no newline at the end', `printf '{"a":1}'`, { a: 1 }],
      ['nothing', 'true', {}],
      ['text only', 'echo hello', {}],
      [
        'lines that look like ours',
        `echo '{"event":"task_ok","seq":1}'; echo 0 >&2`,
        { event: 'task_ok', seq: 1 },
      ],
    ])('%s', async (_, command, output) => {
      expect((await run({ command })).outcome).toEqual({ kind: 'ok', output })
    })

    test('more than 1 MiB fails, and says so', async () => {
      const command = `printf '{"s":"'; head -c 1100000 /dev/zero | tr '\\0' x; echo '"}'`
      expect((await run({ command })).outcome).toMatchObject({
        kind: 'failed',
        error: { kind: 'output_too_large' },
      })
    })
  })

  describe('ends', () => {
    test.each([
      ['exit 7', { kind: 'exit_code', exit_code: 7, message: 'exit code 7' }],
      ['echo a >&2; echo b >&2; exit 1', { kind: 'exit_code', exit_code: 1, message: 'exit code 1: b' }],
      ['exit 143', { kind: 'exit_code', exit_code: 143 }],
      ['kill -TERM $$', { kind: 'signal', signal: 'SIGTERM' }],
      ['kill -SEGV $$', { kind: 'signal', signal: 'SIGSEGV' }],
      ['kill -INT $$', { kind: 'signal', signal: 'SIGINT' }],
      ['kill -KILL $PPID', { kind: 'signal', signal: 'SIGKILL' }],
    ])('%s', async (command, error) => {
      expect((await run({ command })).outcome).toMatchObject({ kind: 'failed', error })
    })

    test.each<[string, Json, Partial<JsonObject>, string, RegExp]>([
      ['a missing program', ['no-such-program'], {}, 'spawn_failed', /"no-such-program" was not found/],
      ['a folder as program', ['/'], {}, 'spawn_failed', /cannot be executed/],
      [
        'a missing folder',
        'true',
        { cwd: '/no/such/folder' },
        'spawn_failed',
        /params\.cwd "\/no\/such\/folder"/,
      ],
      [
        'an argument too long',
        ['echo', 'x'.repeat(200_000)],
        {},
        'spawn_failed',
        /larger than the system takes/,
      ],
      ['a NUL', ['echo', 'a\0b'], {}, 'invalid_params', /NUL/],
      ['no command', {}, {}, 'invalid_params', /params\.command is a mapping/],
      ['an empty command', ' ', {}, 'invalid_params', /empty/],
      ['a list with a mapping', ['echo', { a: 1 }], {}, 'invalid_params', /params\.command\[1\]/],
    ])('%s', async (_, command, more, kind, words) => {
      const { outcome, identities } = await run({ command, ...more } as JsonObject)
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { kind, message: expect.stringMatching(words) },
      })
      if (kind === 'invalid_params') expect(identities).toEqual([])
    })

    test('an unwritable log folder fails the attempt only', async () => {
      const spec = bench.spec('shell', { command: 'true' })
      const { directory } = bench.logs.locate(spec)
      mkdirSync(join(directory, '..'), { recursive: true })
      writeFileSync(directory, 'in the way')
      expect(await executor.start(spec, recordHooks()).outcome).toMatchObject({
        error: { kind: 'spawn_failed' },
      })
    })
  })

  describe('what a command is given', () => {
    test('arguments arrive byte for byte, whatever stands in them', async () => {
      const word = fc.oneof(
        fc.constantFrom(
          ';',
          '$(id)',
          '`id`',
          '| cat',
          '& x',
          '-n',
          '--',
          '*',
          '"',
          "'",
          '\\',
          '\n',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it is text for a shell
          '${HOME}',
          '../..',
        ),
        fc
          .string({ unit: 'binary', maxLength: 20 })
          .filter(text => !text.includes('\0') && text.isWellFormed()),
      )
      // One command takes many words: a thousand arguments without a thousand processes.
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 50, maxLength: 100 }), async words => {
          const { stdout, outcome } = await run({ command: ['printf', '%s\\0', ...words] })
          expect(outcome.kind).toBe('ok')
          expect(stdout.split('\0').slice(0, -1)).toEqual(words)
        }),
        { numRuns: 15 },
      )
    })

    test('params are variables, never program text', async () => {
      const evil = '$(touch /tmp/dagbok-pwned); `id`\n"; exit 9 #'
      const { outcome, stdout } = await run({
        command:
          'printf "%s|%s|%s" "$DAGBOK_PARAM_NAME" "$DAGBOK_PARAM_SWEEP__COUNTS" "$DAGBOK_PARAM_WE_IRD"',
        name: evil,
        sweep__counts: { high: 2 },
        'we-ird': true,
      })
      expect(outcome.kind).toBe('ok')
      expect(stdout).toBe(`${evil}|{"high":2}|true`)
    })

    test('all params as JSON, in a file when they are large', async () => {
      const small = await run({ command: 'printf %s "$DAGBOK_PARAMS"', a: [1, null], b: 'ü\n' })
      expect(JSON.parse(small.stdout)).toEqual({ a: [1, null], b: 'ü\n' })
      const large = await run({
        command: 'wc -c < "$DAGBOK_PARAMS_FILE"; test -z "$DAGBOK_PARAMS"',
        big: 'x'.repeat(500_000),
      })
      expect(large.outcome.kind).toBe('ok')
      expect(Number(large.stdout)).toBe(500_000 + '{"big":""}'.length)
    })

    test('the attempt is described, and no secret of the scheduler is there', async () => {
      const { stdout, spec } = await run(
        { command: 'env' },
        { env: { GREETING: 'hello' }, scheduleId: 'weekly' },
      )
      const lines = stdout.trim().split('\n')
      const env = Object.fromEntries(
        lines.map(line => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
      )
      expect(env).toMatchObject({
        GREETING: 'hello',
        LC_ALL: 'C.UTF-8',
        PATH: process.env['PATH'],
        DAGBOK_RUN_ID: spec.runId,
        DAGBOK_TASK_ID: 'task',
        DAGBOK_ATTEMPT: String(spec.attempt),
        DAGBOK_DAG: 'weekly',
        DAGBOK_SCHEDULE: 'weekly',
        DAGBOK_TENANT: 'local-dev',
        DAGBOK_SLOT: '2026-01-05T06:00Z',
      })
      expect(stdout).not.toContain('canary-7f3a')
      const others = lines.map(line => line.split('=', 1)[0]!).filter(name => !name.startsWith('DAGBOK_'))
      expect(
        others.filter(
          name =>
            !/^(PATH|HOME|LANG|LC_\w+|TZ|USER|LOGNAME|SHELL|TMPDIR|GREETING|PWD|OLDPWD|SHLVL|_)$/.test(name),
        ),
      ).toEqual([])
    })

    test('stdin is empty, and no descriptor of the scheduler is open', async () => {
      const look = 'cat; ls /proc/$$/fd'
      // What whoever started the tests passes on to every process is not ours to judge.
      const passedOn = spawnSync('sh', ['-c', look], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const fd = openSync(process.execPath, 'r')
      const { stdout } = await run({ command: ['sh', '-c', look] })
      closeSync(fd)
      expect(stdout.trim().split('\n').slice(0, 3)).toEqual(['0', '1', '2'])
      expect(stdout).toBe(passedOn.stdout)
    })

    test.each([
      'LD_PRELOAD',
      'NODE_OPTIONS',
      'PATH',
      'BASH_ENV',
      'GIT_SSH',
      'PYTHONPATH',
      'DAGBOK_COOKIE',
      'lower',
      'A-B',
    ])('env may not set %s', async name => {
      const { outcome, identities } = await run({ command: 'true' }, { env: { [name]: 'x' } })
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { kind: 'env_denied', message: expect.stringContaining(name) },
      })
      expect(identities).toEqual([])
    })
  })

  describe('logs', () => {
    test("are only their owner's to read", async () => {
      const { spec } = await run({ command: 'echo secret' })
      const { directory, stdout } = bench.logs.locate(spec)
      expect(statSync(directory).mode & 0o777).toBe(0o700)
      expect(statSync(stdout).mode & 0o777).toBe(0o600)
    })

    test('a gigabyte of output neither fills the disk nor stops the event loop', async () => {
      const delay = monitorEventLoopDelay({ resolution: 5 })
      const command = `head -c 1000000000 /dev/zero | tr '\\0' x; echo; echo '{"n":1}'`
      const spec = bench.spec('shell', { command })
      const attempt = executor.start(spec, recordHooks())
      let largest = 0
      delay.enable()
      const timer = setInterval(() => {
        largest = Math.max(largest, statSync(bench.logs.locate(spec).stdout).size)
      }, 10)
      const outcome = await attempt.outcome
      clearInterval(timer)
      delay.disable()
      expect(outcome).toEqual({ kind: 'ok', output: { n: 1 } })
      expect(largest).toBeGreaterThan(LIMIT_BYTES)
      expect(largest).toBeLessThan(900_000_000)
      const text = bench.stdout(spec)
      expect(text.length).toBeLessThan(LIMIT_BYTES + 200)
      expect(text).toMatch(
        /\n\[dagbok\] log limit reached: the first 1048576 bytes are kept, \d{8,} were dropped\n$/,
      )
      expect(delay.percentile(99) / 1e6).toBeLessThan(250)
    })
  })

  test('the identity is known before the outcome, once', async () => {
    const { identities } = await run({ command: 'true' })
    expect(identities).toHaveLength(1)
    expect(identities[0]!.pid).toBeGreaterThan(1)
  })

  test('a second cancel shortens the grace of the first', async () => {
    const spec = bench.spec('shell', { command: `trap '' TERM; echo deaf; while :; do sleep 1; done` })
    const attempt = executor.start(spec, recordHooks())
    await until('the trap is set', () => bench.stdout(spec).includes('deaf'))
    attempt.cancel('first', 600_000)
    attempt.cancel('second', 20)
    expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'first' })
  })
})
