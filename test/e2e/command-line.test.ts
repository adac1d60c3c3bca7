// The command line as people call it: `node bin/scheduler.js` in a folder of its own. What the daemon does over time is
// told elsewhere; here it is texts, exit codes, signals and pipes.

import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

let cache: string
let root: string
const running = new Set<ChildProcessWithoutNullStreams>()

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'dagbok-cache-'))
})
afterAll(() => rmSync(cache, { recursive: true, force: true }))
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-e2e-'))
})
afterEach(async () => {
  await Promise.all(
    [...running].map(child => {
      const gone = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGKILL')
      return gone
    }),
  )
  rmSync(root, { recursive: true, force: true })
})

const environment = (extra: Record<string, string> = {}) => ({
  PATH: process.env['PATH'],
  XDG_CACHE_HOME: cache,
  ...extra,
})

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function scheduler(
  words: readonly string[],
  env: Record<string, string> = {},
  nodeFlags: readonly string[] = [],
) {
  return new Promise<Ended>(resolve => {
    const child = execFile(
      process.execPath,
      [...nodeFlags, BIN, ...words],
      { cwd: root, env: environment(env), maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

/** A call that goes on: what it has said so far, and its end. */
function start(words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, ...words], { cwd: root, env: environment(env) })
  running.add(child)
  const said = { stdout: '', stderr: '' }
  const heard = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', chunk => {
      said[stream] += chunk
      for (const look of heard) look()
    })
  }
  const ended = new Promise<Ended>(resolve =>
    child.on('close', code => {
      running.delete(child)
      resolve({ code, ...said })
    }),
  )
  const hear = (stream: 'stdout' | 'stderr', words: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!words.test(said[stream])) return
        heard.delete(look)
        resolve()
      }
      heard.add(look)
      look()
      ended.then(({ code }) => reject(new Error(`it ended with ${code} before: ${JSON.stringify(said)}`)))
    })
  return { child, said, ended, hear }
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const CHAIN = `name: chain
tenant_id: local-dev
tasks:
  - id: brief
    workflow_ref: shell
    params: { command: [echo, "brief"] }
    depends_on: [report]
  - id: sweep
    workflow_ref: shell
    params: { command: "echo '{\\"summary\\": \\"Prioritized 15 items\\"}'" }
    depends_on: []
  - id: report
    workflow_ref: shell
    params: { command: "echo reporting" }
    depends_on:
      - sweep
`
const FAILING = `name: failing
tasks:
  - { id: good, workflow_ref: shell, params: { command: "echo fine" } }
  - { id: bad, workflow_ref: shell, params: { command: "echo no such table >&2; exit 3" }, retries: 1, retry_delay: 1ms, depends_on: [good] }
  - { id: after, workflow_ref: shell, params: { command: "true" }, depends_on: [bad] }
`
const SLOW = `name: slow
tasks:
  - { id: sleeper, workflow_ref: shell, params: { command: "echo awake; exec sleep 60" } }
`

describe('without a scheduler', () => {
  beforeEach(() => write({ 'configs/dags/chain.yaml': CHAIN, 'configs/dags/failing.yaml': FAILING }))

  test('an old Node gets one clear sentence and 2, before anything else is loaded', async () => {
    const older = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})'
    const { code, stdout, stderr } = await scheduler(['--help'], {}, [
      '--import',
      `data:text/javascript,${older}`,
    ])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^scheduler needs Node\.js 22\.22 or newer, and this is 20\.20\.2 \(.*\)\. .*\n$/)
  })

  test('help, and a command that does not exist', async () => {
    const help = await scheduler(['--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('Usage: scheduler --serve | --once')
    const unknown = await scheduler(['statsu'])
    expect([unknown.code, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr).toContain('did you mean "status"?')
  })

  test('the dry run is the text that the seed shows, and writes nothing', async () => {
    const expected = `DRY RUN: DAG 'chain'
Tenant: local-dev
Tasks: 3

Execution Plan:
  1. sweep (workflow: shell, depends_on: none)
  2. report (workflow: shell, depends_on: sweep)
  3. brief (workflow: shell, depends_on: report)
`
    expect(await scheduler(['run', 'configs/dags/chain.yaml', '--dry-run'])).toEqual({
      code: 0,
      stdout: expected,
      stderr: '',
    })
    expect((await scheduler(['run', 'chain', '--dry-run'])).stdout).toBe(expected)
    expect(existsSync(join(root, 'logs'))).toBe(false)
  })

  test('a run: the summary that the seed shows, its logs, its line in the journal and in the feed', async () => {
    const { code, stdout, stderr } = await scheduler(['run', 'configs/dags/chain.yaml'])
    expect(stdout).toMatch(
      /^DAG EXECUTION COMPLETE\nDAG: chain\nTasks Succeeded: 3\nTasks Failed: 0\nDuration: \d+\.\d\ds\n$/,
    )
    expect(code).toBe(0)
    expect(stderr).toMatch(/^\S+Z task sweep ok \(attempt 1, \d+\.\d\ds\)$/m)
    const runs = JSON.parse((await scheduler(['runs', '--json'])).stdout)
    expect(runs).toMatchObject({
      kind: 'RunList',
      items: [{ dag_name: 'chain', status: 'success', tasks_succeeded: 3 }],
    })
    const runId = runs.items[0].run_id
    expect((await scheduler(['logs', runId, 'report'])).stdout).toBe('reporting\n')
    const journal = (await scheduler(['events', '--run', runId, '--event', 'run_finished'])).stdout
    expect(JSON.parse(journal)).toMatchObject({ event: 'run_finished', run_id: runId, status: 'success' })
    const feed = readFileSync(join(root, 'logs/orchestrator_events.jsonl'), 'utf8')
    expect(
      feed
        .trim()
        .split('\n')
        .map(text => JSON.parse(text).event),
    ).toEqual(['dag_start', ...Array(3).fill(['task_start', 'task_ok']).flat(), 'dag_done'])
    const state = join(root, 'logs/orchestrator_state.jsonl')
    expect((await scheduler(['journal', 'path'])).stdout).toBe(`${state}\n`)
    expect((await scheduler(['journal', 'verify'])).code).toBe(0)
    expect((await scheduler(['journal', 'rebuild-index'])).code).toBe(0)
    expect(JSON.parse((await scheduler(['runs', '--json'])).stdout)).toEqual(runs)
  })

  test('a run that fails: 1, the task, the reason, the log and the command that shows it', async () => {
    const { code, stdout } = await scheduler(['run', 'failing'])
    expect(code).toBe(1)
    const tail = stdout.slice(stdout.indexOf('\n\n') + 2).split('\n')
    expect(stdout).toContain('Tasks Succeeded: 1\nTasks Failed: 1\nTasks Skipped: 1\n')
    expect(tail[1]).toMatch(/^RunnerError: Task 'bad' failed after 2 attempts: .*no such table/)
    const log = /^ {2}log: (.*)$/.exec(tail[2] ?? '')?.[1] ?? ''
    expect(readFileSync(log, 'utf8')).toBe('no such table\n')
    const words = /^ {2}see: scheduler (.*)$/.exec(tail[3] ?? '')?.[1]?.split(' ') ?? []
    expect((await scheduler(words)).stdout).toContain('no such table\n')
  })

  test('what is not there: 4 for a DAG, a run, a schedule; 6 for a scheduler', async () => {
    expect((await scheduler(['run', 'chian'])).code).toBe(4)
    expect((await scheduler(['next', 'nightly'])).code).toBe(4)
    expect((await scheduler(['runs', 'chain@1'])).code).toBe(4)
    expect((await scheduler(['reload'])).code).toBe(6)
    const status = await scheduler(['status'])
    expect(status.code).toBe(6)
    expect(status.stdout).toContain('no scheduler is running\n')
  })

  test('broken definitions: every problem with its frame, 3, from validate, --once and --serve', async () => {
    write({
      'configs/dags/broken.yaml': 'name: broken\ntasks:\n  - id: a\n    workflow_ref: shel\n    params: {}\n',
      'configs/schedules/s.yaml': '- id: s\n  cron: "61 * * * *"\n  dag: chain\n',
    })
    const validated = await scheduler(['validate'])
    expect(validated.code).toBe(3)
    expect(validated.stdout).toMatch(/configs\/dags\/broken\.yaml:4:\d+ error: .*Unknown workflow: shel/)
    expect(validated.stdout).toMatch(/configs\/schedules\/s\.yaml:2:\d+ error:/)
    expect(validated.stdout).toMatch(/\n > +4 \|/)
    expect(validated.stderr).toMatch(/^2 errors in 2 files/)
    for (const mode of ['--once', '--serve']) {
      const { code, stderr } = await scheduler([mode])
      expect(code).toBe(3)
      expect(stderr).toContain('Unknown workflow: shel')
    }
    expect(existsSync(join(root, 'logs/orchestrator_state.jsonl'))).toBe(false)
  })

  test('next: in the wall clock of each zone', async () => {
    write({
      'configs/schedules/s.yaml': `- { id: minutely, cron: "* * * * *", dag: chain }
- { id: yearly, cron: "30 4 1 1 *", dag: configs/dags/chain.yaml, timezone: Asia/Kolkata }
`,
    })
    const { code, stdout } = await scheduler(['next'])
    expect(code).toBe(0)
    const [head, first, second] = stdout.split('\n')
    expect(head).toMatch(/^NEXT +IN +LAST +SCHEDULE +DAG +CRON +ZONE$/)
    expect(first).toMatch(
      /^20\d\d-\d\d-\d\d \d\d:\d\dZ +(\d+s|1m|now) {2}- +minutely {2}chain {2}\* \* \* \* \* +UTC$/,
    )
    expect(second).toMatch(/^20\d\d-01-01 04:30\+05:30 .* yearly {4}chain {2}30 4 1 1 \* {2}Asia\/Kolkata$/)
    expect(
      (await scheduler(['next', 'minutely', '-n', '7', '--no-headers'])).stdout.trim().split('\n'),
    ).toHaveLength(7)
  })

  test('settings: flag over environment over file over default; wrong ones all at once with 2', async () => {
    write({ 'dagbok.yaml': 'max_tasks: 5\nlog_level: warn\n' })
    const { stdout } = await scheduler(['config', '--json', '--tick-ms', '50'], {
      SCHED_TICK_MS: '60',
      SCHED_MAX_TASKS: '6',
    })
    const shown = Object.fromEntries(
      JSON.parse(stdout).items.map((item: { name: string; value: unknown; source: string }) => [
        item.name,
        [item.value, item.source],
      ]),
    )
    expect(shown).toMatchObject({
      tickMs: [50, 'flag'],
      maxTasks: [6, 'environment'],
      logLevel: ['warn', 'file'],
      maxParallel: [3, 'default'],
      root: [root, 'default'],
    })
    write({ 'dagbok.yaml': 'max_tasks: none\n' })
    const wrong = await scheduler(['--once'], { SCHED_TICK_MS: 'abc' })
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain(
      'SCHED_TICK_MS: expected a whole number of milliseconds from 10 to 60000, got "abc"\n',
    )
    expect(wrong.stderr).toContain(
      'dagbok.yaml:1:1 max_tasks: expected a whole number from 1 to 1000, got "none"\n',
    )
  })

  test('--once: runs what is due, prints what it did, and a second one beside it in the same minute does not repeat it', async () => {
    write({ 'configs/schedules/s.yaml': '- { id: minutely, cron: "* * * * *", dag: chain }\n' })
    const first = await scheduler(['--once', '--dir', 'configs/schedules'])
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(
      /^Slots: \d+ enqueued, \d+ skipped, \d+ missed\n( {2}minutely@20\S+Z {2}success +\d+\.\d\ds\n)+Runs: \d+ succeeded, 0 failed\n$/,
    )
    const slots = [first, await scheduler(['--once', '--json'])].flatMap(({ stdout }) => [
      ...stdout.matchAll(/minutely@[^ "]+Z/g),
    ])
    expect(new Set(slots.map(String)).size).toBe(slots.length)
  })

  test('--once ends with 1 if a run failed', async () => {
    write({ 'configs/schedules/s.yaml': '- { id: minutely, cron: "* * * * *", dag: failing }\n' })
    const { code, stdout } = await scheduler(['--once', '--log-level', 'silent'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/ failed +\d/)
    expect(stdout).toMatch(/^see: scheduler logs minutely@/m)
  })

  test('a folder named with --dir must exist', async () => {
    const { code, stderr } = await scheduler(['--once', '--dir', 'nowhere'])
    expect(code).toBe(3)
    expect(stderr).toContain('nowhere')
  })

  test('trigger, record and cancel hold the state for a moment; the run waits for the next start', async () => {
    const triggered = await scheduler(['trigger', 'chain', '--param', 'n=1'])
    expect(triggered.stderr).toContain('no scheduler is running: the run waits for the next start')
    const runId = triggered.stdout.trim()
    expect(runId).toMatch(/^chain@manual-/)
    expect((await scheduler(['record', 'deployed', 'version=1.10', 'build=7'])).code).toBe(0)
    const recorded = JSON.parse((await scheduler(['events', '--event', 'deployed'])).stdout)
    expect(recorded).toMatchObject({ event: 'deployed', source: 'user', version: '1.10', build: 7 })
    const dropped = (await scheduler(['trigger', 'chain'])).stdout.trim()
    expect((await scheduler(['cancel', dropped])).stdout).toBe(`run ${dropped} is cancelled\n`)
    const once = JSON.parse((await scheduler(['--once', '--json'])).stdout)
    expect(once.runs.map((run: { run_id: string }) => run.run_id)).toEqual([runId])
    expect((await scheduler(['cancel', runId])).code).toBe(4)
  })

  test('a reader who leaves ends the command quietly', async () => {
    write({ 'configs/schedules/s.yaml': '- { id: minutely, cron: "* * * * *", dag: chain }\n' })
    const { child, ended, hear } = start(['next', 'minutely', '-n', '10000'])
    await hear('stdout', /\n/)
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('words that cannot be written are an error, and the run is not', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [BIN, 'run', 'chain'], {
      cwd: root,
      env: environment(),
      stdio: ['ignore', full, 'pipe'],
    })
    let stderr = ''
    child.stderr?.on('data', chunk => {
      stderr += chunk
    })
    const code = await new Promise(resolve => child.once('close', resolve))
    closeSync(full)
    expect(stderr).toContain('the output could not be written: ENOSPC [OUTPUT_FAILED]')
    expect(code).toBe(1)
    expect(JSON.parse((await scheduler(['runs', '--json'])).stdout).items).toMatchObject([
      { status: 'success' },
    ])
  })

  test('Ctrl-C cancels a run and waits for its end', async () => {
    write({ 'configs/dags/slow.yaml': SLOW })
    const { child, ended, hear } = start(['run', 'slow'])
    await hear('stderr', /task sleeper started/)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    expect(code).toBe(1)
    expect(stdout).toContain('DAG EXECUTION COMPLETE')
    expect(stdout).toMatch(/^Run slow@\S+ cancelled/m)
  })
})

describe('with a scheduler', () => {
  test('commands reach it, a second one is turned away, and SIGTERM drains it', async () => {
    write({ 'configs/dags/chain.yaml': CHAIN, 'configs/dags/slow.yaml': SLOW })
    const serving = start(['--serve'], { SCHED_KILL_GRACE_MS: '200' })
    await serving.hear(
      'stderr',
      /scheduler is serving: 0 schedules, 2 dags, state .*, nothing is scheduled\n/,
    )

    const status = await scheduler(['status', '--json'])
    expect(status.code).toBe(0)
    expect(JSON.parse(status.stdout)).toMatchObject({
      kind: 'Status',
      state: 'running',
      mode: 'serve',
      pid: serving.child.pid,
      dags: 2,
    })

    const run = await scheduler(['run', 'configs/dags/chain.yaml'])
    expect(run.stdout).toMatch(/^DAG EXECUTION COMPLETE\nDAG: chain\nTasks Succeeded: 3\n/)
    expect(run.stderr).toContain('asked for at the running scheduler\n')
    // What is committed together with the request is part of its story.
    expect(run.stderr).toMatch(/ run chain@manual-\w+ started\n.* task sweep started \(attempt 1\)\n/)
    expect(run.code).toBe(0)

    const slow = (await scheduler(['trigger', 'slow'])).stdout.trim()
    const following = start(['logs', '-f', slow, 'sleeper'])
    await following.hear('stdout', /^awake\n$/)
    const beside = await scheduler(['--once'])
    expect(beside.code).toBe(5)
    expect(beside.stderr).toMatch(new RegExp(`another scheduler holds the state.*${serving.child.pid}`))
    expect((await scheduler(['cancel', slow])).stdout).toContain(`run ${slow} is being cancelled`)
    expect((await following.ended).code).toBe(0)

    write({ 'configs/dags/more.yaml': CHAIN.replace('name: chain', 'name: more') })
    expect(await scheduler(['reload'])).toMatchObject({ code: 0, stdout: 'reloaded: 0 schedules, 3 dags\n' })
    write({ 'configs/dags/more.yaml': 'name: [' })
    const refused = await scheduler(['reload'])
    expect([refused.code, refused.stdout]).toEqual([3, expect.stringContaining('configs/dags/more.yaml:1')])

    serving.child.kill('SIGTERM')
    const { code, stderr, stdout } = await serving.ended
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toContain('SIGTERM: stopping')
    const after = await scheduler(['status'])
    expect([after.code, after.stdout]).toEqual([6, expect.stringMatching(/the last one stopped at 20/)])
  }, 60_000)

  test('one that was killed leaves a socket that misleads nobody', async () => {
    const serving = start(['--serve'])
    await serving.hear('stderr', /scheduler is serving/)
    serving.child.kill('SIGKILL')
    await serving.ended
    const socket = JSON.parse((await scheduler(['journal', 'path', '--json'])).stdout).socket
    expect(lstatSync(socket).isSocket()).toBe(true)
    const status = await scheduler(['status'])
    expect([status.code, status.stdout]).toEqual([6, expect.stringContaining('did not end in order')])
    expect((await scheduler(['record', 'noticed'])).code).toBe(0)
    const again = start(['--serve'])
    await again.hear('stderr', /scheduler is serving/)
    expect((await scheduler(['status'])).code).toBe(0)
    again.child.kill('SIGINT')
    expect((await again.ended).code).toBe(0)
    expect(existsSync(socket)).toBe(false)
  })

  test('a state too deep for a socket beside it is reached all the same', async () => {
    const env = { STATE_STORE_PATH: `${'deep/'.repeat(25)}state.jsonl`, XDG_RUNTIME_DIR: join(root, 'run') }
    const serving = start(['--serve'], env)
    await serving.hear('stderr', /scheduler is serving/)
    expect(readdirSync(join(root, 'run/dagbok'))).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.sock$/)])
    const status = await scheduler(['status', '--json'], env)
    expect(JSON.parse(status.stdout)).toMatchObject({ pid: serving.child.pid })
    serving.child.kill('SIGTERM')
    expect((await serving.ended).code).toBe(0)
    expect(readdirSync(join(root, 'run/dagbok'))).toEqual([])
  })
})
