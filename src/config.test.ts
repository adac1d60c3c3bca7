import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type FlagValues, loadSettings, resolveSettings, SETTING_SPECS, SettingsError } from './config.ts'

type Env = Record<string, string | undefined>
const settle = (flags: FlagValues = {}, env: Env = {}) => resolveSettings({ flags, env, cwd: '/srv/site' })

async function problemsOf(call: () => unknown): Promise<readonly string[]> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError)
    expect((error as SettingsError).exitCode).toBe(2)
    return (error as SettingsError).problems
  }
  throw new Error('nothing was refused')
}

function rootWith(yaml: string): string {
  const root = mkdtempSync(join(tmpdir(), 'dagbok-config-'))
  writeFileSync(join(root, 'dagbok.yaml'), yaml)
  return root
}

test('the defaults are the documented ones, with paths under the root', () => {
  const { settings, sources } = settle()
  expect(settings).toMatchObject({
    root: '/srv/site',
    scheduleDirs: ['/srv/site/configs/schedules'],
    scheduleDirsGiven: false,
    dagsDir: '/srv/site/configs/dags',
    calendarsDir: '/srv/site/configs/calendars',
    poolsFile: '/srv/site/configs/pools.yaml',
    notificationsFile: '/srv/site/configs/notifications.yaml',
    varsDir: '/srv/site/configs/vars',
    environment: 'default',
    workflowsDir: '/srv/site/workflows',
    statePath: '/srv/site/logs/orchestrator_state.jsonl',
    eventsPath: '/srv/site/logs/orchestrator_events.jsonl',
    stateDir: '/srv/site/logs/orchestrator_state.d',
    socketPath: '/srv/site/logs/orchestrator_state.d/control.sock',
    tickMs: 1000,
    maxParallel: 3,
    maxTasks: 16,
    drainTimeoutMs: 60_000,
    killGraceMs: 10_000,
    logLimitBytes: 16 * 1024 ** 2,
    memoryLimitMb: 512,
    segmentBytes: 64 * 1024 ** 2,
    keepDays: 0,
    keepSegments: 0,
    logLevel: 'info',
    unsafeNetworkFs: false,
  })
  expect(sources.tickMs).toEqual({ from: 'default' })
  expect(sources.socketPath).toEqual({ from: 'derived' })
})

test('flag beats environment beats file beats default, and each says where it came from', async () => {
  const root = rootWith('tick_ms: 200\nmax_parallel: 5\nmax_tasks: 7\ndrain_timeout: 90s\n')
  const { settings, sources } = await loadSettings({
    flags: { root, tickMs: '50' },
    env: { SCHED_TICK_MS: '100', SCHED_MAX_PARALLEL: '9', SCHED_KILL_GRACE_MS: '' },
    cwd: '/',
  })
  expect([settings.tickMs, settings.maxParallel, settings.maxTasks]).toEqual([50, 9, 7])
  expect(settings.drainTimeoutMs).toBe(90_000)
  expect(sources.tickMs).toEqual({ from: 'flag', name: '--tick-ms' })
  expect(sources.maxParallel).toEqual({ from: 'environment', name: 'SCHED_MAX_PARALLEL' })
  expect(sources.maxTasks).toEqual({ from: 'file', name: 'dagbok.yaml:3' })
  expect(sources.killGraceMs).toEqual({ from: 'default' })
})

test('every wrong value is reported at once, located', async () => {
  const root = rootWith('max_tasks: zero\ntick: 5\nstate_path:\nlog_limit: 16 MB\n')
  const problems = await problemsOf(() =>
    loadSettings({
      flags: { root, maxParallel: '0', logLevel: 'loud' },
      env: { SCHED_TICK_MS: 'abc', SCHED_UNSAFE_NETWORK_FS: 'maybe' },
      cwd: '/',
    }),
  )
  expect(problems).toEqual([
    'dagbok.yaml:3:1 state_path: expected the path of a file, got null',
    'SCHED_TICK_MS: expected a whole number of milliseconds from 10 to 60000, got "abc"',
    '--max-parallel: expected a whole number from 1 to 1000, got "0"',
    'dagbok.yaml:1:1 max_tasks: expected a whole number from 1 to 1000, got "zero"',
    'dagbok.yaml:4:1 log_limit: expected a size from 4KiB to 64GiB such as 16MiB, or bytes, got "16 MB"',
    '--log-level: expected debug, info, warn, error or silent, got "loud"',
    'SCHED_UNSAFE_NETWORK_FS: expected true or false, got "maybe"',
    expect.stringMatching(/^dagbok\.yaml:2:1 unknown key "tick"; known are schedule_dirs, .*tick_ms/),
  ])
})

test('a config file that is not a mapping, or not YAML, or a folder, is refused with its place', async () => {
  const load = (root: string) => problemsOf(() => loadSettings({ flags: { root }, env: {}, cwd: '/' }))
  expect(await load(rootWith('- tick_ms\n'))).toEqual([
    'dagbok.yaml:1:1 expected a mapping of settings, got something else',
  ])
  expect((await load(rootWith('tick_ms: [1\n')))[0]).toMatch(/^dagbok\.yaml:\d+:\d+ /)
  expect((await load(rootWith('tick_ms: 20\ntick_ms: 30\n')))[0]).toMatch(/^dagbok\.yaml:2:1 .*unique/)
  expect(await loadSettings({ flags: { root: rootWith('# nothing\n') }, env: {}, cwd: '/' })).toBeTruthy()
})

test.each([
  ['60s', 60_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['0', 0],
  ['1500', 1500],
])('--drain-timeout %s', (text, ms) => {
  expect(settle({ drainTimeoutMs: text }).settings.drainTimeoutMs).toBe(ms)
})

test.each(['-1', '1.5s', 'soon', '25h', '1e3', ' '])('--drain-timeout %s is refused', async text => {
  expect(await problemsOf(() => settle({ drainTimeoutMs: text }))).toHaveLength(1)
})

test('--dir may be repeated, and then the folders must exist', () => {
  const { settings } = settle({ scheduleDirs: ['a', '/b'] })
  expect(settings.scheduleDirs).toEqual(['/srv/site/a', '/b'])
  expect(settings.scheduleDirsGiven).toBe(true)
  expect(settle({}, { SCHED_DIRS: 'a:b' }).settings.scheduleDirs).toEqual(['/srv/site/a', '/srv/site/b'])
})

test('a socket path that is too long moves to a short place of this user, always the same one', () => {
  const long = `/${'x'.repeat(120)}/state.jsonl`
  const inRuntime = settle({ statePath: long }, { XDG_RUNTIME_DIR: '/run/user/7' }).settings.socketPath
  expect(inRuntime).toMatch(/^\/run\/user\/7\/dagbok\/[0-9a-f]{16}\.sock$/)
  expect(settle({ statePath: long }).settings.socketPath).toMatch(/^\/tmp\/dagbok-\d+\/[0-9a-f]{16}\.sock$/)
  expect(settle({ statePath: long }, { XDG_RUNTIME_DIR: '/run/user/7' }).settings.socketPath).toBe(inRuntime)
  expect(settle({ statePath: `${long}2` }).settings.socketPath).not.toBe(
    settle({ statePath: long }).settings.socketPath,
  )
})

test('journal and feed cannot be one file', async () => {
  expect(await problemsOf(() => settle({ statePath: 'a', eventsPath: 'a' }))).toHaveLength(1)
})

test('no two settings share a flag, a variable or a key', () => {
  for (const part of ['flag', 'env', 'key', 'name'] as const) {
    const used = SETTING_SPECS.flatMap(spec => spec[part] ?? [])
    expect(new Set(used).size).toBe(used.length)
  }
})
