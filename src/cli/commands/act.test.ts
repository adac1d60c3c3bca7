// The commands that act: run, trigger, cancel, record, reload, --once and --serve, with a scheduler or without one.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CommandLine, openCommandLine, ScriptedSession } from '../../../test/support/command-line.ts'
import {
  refusal,
  type ScriptedControl,
  STATUS,
  scriptControl,
} from '../../../test/support/scripted-control.ts'
import { type ControlServer, serveControl } from '../../adapters/control-socket/server.ts'
import type { RunSummary } from '../../api/control.ts'
import type { Dag } from '../../core/dag/dag.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'
import type { ServiceManager } from '../../ports/service-manager.ts'

let line: CommandLine
let session: ScriptedSession
let modes: string[]
let server: ControlServer | undefined

beforeEach(() => {
  session = new ScriptedSession()
  modes = []
  line = openCommandLine({
    openSession: async (_settings, mode) => {
      modes.push(mode)
      return session
    },
  })
})
afterEach(async () => {
  await server?.close()
  server = undefined
  line.remove()
})

/** A scheduler listens. */
async function live(): Promise<ScriptedControl> {
  const keeper = scriptControl()
  server = await serveControl({ control: keeper, socketPath: line.socketPath })
  return keeper
}

const AT = '2026-01-05T06:00:00.000Z'
const event = (name: string, extra: object = {}) =>
  ({
    timestamp: AT,
    event: name,
    seq: 50,
    run_id: 'd@manual-01',
    dag_name: 'd',
    ...extra,
  }) as unknown as Event
const FIGURES = { tasks_succeeded: 2, tasks_failed: 0, tasks_skipped: 0, duration_ms: 2340 }
const SUMMARY: RunSummary = { run_id: 'd@manual-01', dag_name: 'd', status: 'success', ...FIGURES }
const FAILED: RunSummary = {
  ...SUMMARY,
  status: 'failed',
  tasks_succeeded: 1,
  tasks_failed: 1,
  error: "task 'b' failed",
}
const TASK_FAIL = event('task_fail', {
  task_id: 'b',
  attempt: 3,
  duration_ms: 9,
  error: { kind: 'exit_code', message: 'exit code 3' },
  message: '',
})
const COMPLETE = 'DAG EXECUTION COMPLETE\nDAG: d\nTasks Succeeded: 2\nTasks Failed: 0\nDuration: 2.34s\n'

describe('run --dry-run', () => {
  const task = (id: string, ...dependsOn: string[]) => ({ id, workflowRef: 'shell', dependsOn, retries: 0 })
  const dag = { name: 'd', tenantId: 't', tasks: [task('b', 'a'), task('a')] } as unknown as Dag
  const plan =
    "DRY RUN: DAG 'd'\nTenant: t\nTasks: 2\n\nExecution Plan:\n  1. a (workflow: shell, depends_on: none)\n  2. b (workflow: shell, depends_on: a)\n"

  test('of a file, and of a name; nothing is started', async () => {
    const files: string[] = []
    line.house.loadDagFile = async (_settings, file) => {
      files.push(file)
      return { ok: true, dag }
    }
    line.house.loadDefinitions = async () => ({
      ok: true,
      definitions: {
        schedules: new Map(),
        dags: new Map([['d', dag]]),
        calendars: new Map(),
        pools: new Map(),
        channels: new Map(),
      },
      warnings: [],
    })
    expect(await line.run('run', 'dags/d.yaml', '--dry-run')).toBe(0)
    expect(await line.run('run', 'd', '--dry-run')).toBe(0)
    expect(line.stdout.text).toBe(plan + plan)
    expect(files).toEqual([`${line.root}/dags/d.yaml`])
    expect(await line.run('run', 'e', '--dry-run')).toBe(4)
    expect(modes).toEqual([])
  })

  test('of a broken file: its frames, and 3', async () => {
    const problem = {
      file: 'd.yaml',
      line: 1,
      column: 1,
      severity: 'error',
      message: 'no name',
      frame: '> 1 | x',
    }
    line.house.loadDagFile = async () => ({ ok: false, problems: [problem as DefinitionProblem] })
    expect(await line.run('run', './d.yaml', '--dry-run')).toBe(3)
    expect(line.stderr.text).toContain('d.yaml:1:1 error: no name\n> 1 | x\n')
  })
})

describe('run without a scheduler', () => {
  test('drives its own run: progress on stderr, the summary on stdout', async () => {
    const done = line.run('run', 'd', '--param', 'n=1')
    await vi.waitFor(() => expect(session.requests).toEqual([{ dag: 'd', params: { n: 1 } }]))
    session.emit(
      event('run_started', { run_id: 'left over' }),
      event('run_requested', { cause: 'cli' }),
      event('run_started'),
    )
    session.emit(
      event('task_ok', { task_id: 'a', attempt: 1, duration_ms: 120 }),
      event('run_finished', SUMMARY),
    )
    session.ran.resolve(SUMMARY)
    expect(await done).toBe(0)
    expect(modes).toEqual(['run'])
    expect(line.stdout.text).toBe(COMPLETE)
    expect(line.stderr.text).toContain(`${AT} task a ok (attempt 1, 0.12s)\n`)
    expect(line.stderr.text).not.toContain('left over')
    expect(session.stops).toEqual([{ now: false, reason: 'the run has ended' }])
    expect(line.interrupts.listening).toBe(0)
  })

  test('a run that failed ends with 1, says which task, why, and where its words are', async () => {
    line.house.openReader = async () =>
      ({ logs: { locate: () => ({ stderr: '/logs/b/3/stderr.log' }) }, close() {} }) as never
    const done = line.run('run', 'd')
    await vi.waitFor(() => expect(session.requests).toHaveLength(1))
    session.emit(event('run_requested'), TASK_FAIL)
    session.ran.resolve(FAILED)
    expect(await done).toBe(1)
    expect(line.stdout.text.split('\n').slice(6)).toEqual([
      'Run d@manual-01 failed',
      "RunnerError: Task 'b' failed after 3 attempts: exit code 3",
      '  log: /logs/b/3/stderr.log',
      '  see: scheduler logs d@manual-01 b',
      '',
    ])
  })

  test('--json', async () => {
    const done = line.run('run', 'd', '--json')
    session.ran.resolve(FAILED)
    expect(await done).toBe(1)
    expect(JSON.parse(line.stdout.text)).toEqual({ apiVersion: 'dagbok/v1', kind: 'RunSummary', ...FAILED })
  })

  test('the first Ctrl-C cancels the run and waits, the second leaves with 130', async () => {
    const done = line.run('run', 'd')
    await vi.waitFor(() => expect(session.requests).toHaveLength(1))
    session.emit(event('run_requested'))
    line.interrupts.send('SIGINT')
    expect(session.control.calls).toEqual([
      { verb: 'cancel', request: { run_id: 'd@manual-01', reason: 'SIGINT' } },
    ])
    expect(session.stops).toEqual([])
    line.interrupts.send('SIGINT')
    session.ran.reject(new DagbokError('RUN_LEFT', 'left'))
    expect(await done).toBe(130)
    expect(session.stops).toEqual([{ now: true, reason: 'SIGINT' }])
    expect(line.stderr.text).toContain('left: the next start goes on with run d@manual-01')
    expect(line.stdout.text).toBe('')
  })

  test('a run that was cancelled by the first signal ends with 1 and its summary', async () => {
    const done = line.run('run', 'd')
    await vi.waitFor(() => expect(session.requests).toHaveLength(1))
    session.emit(event('run_requested'))
    line.interrupts.send('SIGTERM')
    session.ran.resolve({ ...SUMMARY, status: 'cancelled' })
    expect(await done).toBe(1)
    expect(line.stdout.text).toContain('DAG EXECUTION COMPLETE')
    expect(line.stdout.text).toContain('Run d@manual-01 cancelled')
  })

  test('a refusal lets go of the state and keeps its exit code', async () => {
    session.ran.reject(new DagbokError('DAG_NOT_FOUND', 'none', { exitCode: EXIT.notFound }))
    expect(await line.run('run', 'ghost')).toBe(4)
    expect(session.stops).toHaveLength(1)
  })

  test('a held state: 5, and who holds it', async () => {
    line.house.openSession = async () => {
      throw new DagbokError('LOCK_HELD', 'another scheduler holds the state: pid 77', {
        exitCode: EXIT.conflict,
      })
    }
    expect(await line.run('run', 'd')).toBe(5)
    expect(line.stderr.text).toContain('pid 77')
  })
})

describe('run with a scheduler', () => {
  test('goes to it and follows the run to its end', async () => {
    const keeper = await live()
    const done = line.run('run', 'sub/d.yaml')
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
    expect(keeper.calls.at(-1)).toEqual({
      verb: 'trigger',
      request: { file: `${line.root}/sub/d.yaml`, cause: 'cli' },
    })
    // From before the request: its own commit may hold the start of the run.
    expect(keeper.listeners[0]?.filter).toEqual({ after_seq: 41, run_id: 'from_file@manual-01' })
    const run_id = 'from_file@manual-01'
    keeper.emit(event('task_ok', { run_id, task_id: 'a', attempt: 1, duration_ms: 120 }))
    keeper.emit(event('run_finished', { ...SUMMARY, run_id }))
    expect(await done).toBe(0)
    expect(modes).toEqual([])
    expect(line.stdout.text).toBe(COMPLETE)
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(0))
  })

  test('Ctrl-C cancels there; once more leaves it to the scheduler', async () => {
    const keeper = await live()
    const done = line.run('run', 'd')
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
    line.interrupts.send('SIGINT')
    await vi.waitFor(() => expect(keeper.calls.at(-1)?.verb).toBe('cancel'))
    line.interrupts.send('SIGINT')
    expect(await done).toBe(130)
  })

  test('a scheduler that goes away meanwhile: 6, and what now', async () => {
    const keeper = await live()
    const done = line.run('run', 'd')
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
    await server?.close()
    expect(await done).toBe(6)
    expect(line.stderr.text).toContain('the run goes on when the scheduler is started again')
    expect(line.interrupts.listening).toBe(0)
  })

  test('a foreground run that listens drives only itself: the state is asked for instead', async () => {
    const keeper = await live()
    keeper.status_ = { ...STATUS, mode: 'run' }
    session.ran.resolve(SUMMARY)
    expect(await line.run('run', 'd')).toBe(0)
    expect(modes).toEqual(['run'])
    expect(keeper.calls.map(({ verb }) => verb)).toEqual(['status'])
  })
})

describe('trigger, cancel, record, reload', () => {
  test('go to the scheduler that runs', async () => {
    const keeper = await live()
    expect(await line.run('trigger', 'd', '--param', 'x=y')).toBe(0)
    expect(line.stdout.text).toBe('d@manual-01\n')
    expect(line.stderr.text).toBe('follow it with: scheduler logs -f d@manual-01\n')
    expect(await line.run('cancel', 'd@manual-01', '--reason', 'enough')).toBe(0)
    expect(await line.run('record', 'deployed', 'version="1"', 'n=2')).toBe(0)
    expect(await line.run('reload')).toBe(0)
    expect(line.stdout.text.split('\n').slice(1)).toEqual([
      'run d@manual-01 is being cancelled: its tasks are asked to end',
      'recorded as 44',
      'reloaded: 2 schedules, 3 dags',
      '',
    ])
    expect(keeper.calls.filter(({ verb }) => verb !== 'status')).toEqual([
      { verb: 'trigger', request: { dag: 'd', params: { x: 'y' }, cause: 'cli' } },
      { verb: 'cancel', request: { run_id: 'd@manual-01', reason: 'enough' } },
      { verb: 'record', request: { fields: { event: 'deployed', version: '1', n: 2 } } },
      { verb: 'reload', request: {} },
    ])
    expect(modes).toEqual([])
  })

  test('without one hold the state for a moment, and say that the run waits', async () => {
    session.control.status_ = { ...STATUS, mode: 'command' }
    expect(await line.run('trigger', 'd')).toBe(0)
    expect(line.stderr.text).toContain('no scheduler is running: the run waits for the next start')
    expect(await line.run('record', 'deployed')).toBe(0)
    expect(modes).toEqual(['command', 'command'])
    expect(session.stops).toEqual(Array(2).fill({ now: false, reason: 'the command is done' }))
  })

  test('a refusal keeps its words and exit code, and lets go of the state', async () => {
    session.control.failure = refusal()
    expect(await line.run('cancel', 'ghost')).toBe(4)
    expect(line.stderr.text).toContain(`${refusal().message} [RUN_NOT_FOUND]\nhint: scheduler runs\n`)
    expect(session.stops).toHaveLength(1)
    const keeper = await live()
    keeper.failure = refusal()
    expect(await line.run('cancel', 'ghost')).toBe(4)
    expect(modes).toHaveLength(1)
  })

  test('reload of broken definitions: 3; without a scheduler: 6', async () => {
    const keeper = await live()
    keeper.reload = async () => ({ ok: false, schedules: 2, dags: 3, errors: ['a.yaml:1:1 error: x'] })
    expect(await line.run('reload')).toBe(3)
    expect(line.stdout.text).toBe('a.yaml:1:1 error: x\n')
    expect(line.stderr.text).toContain('the scheduler goes on with its last good definitions')
    await server?.close()
    expect(await line.run('reload')).toBe(6)
  })
})

describe('--once', () => {
  const report = { enqueued: 2, skipped: 1, missed: 3, runs: [SUMMARY], unfinished: [] as string[] }

  test('prints slots, runs and totals; 0 if all went well', async () => {
    session.onced.resolve(report)
    expect(await line.run('--once')).toBe(0)
    expect(line.stdout.text).toBe(`Slots: 2 enqueued, 1 skipped, 3 missed
  d@manual-01  success  2.34s
Runs: 1 succeeded, 0 failed
`)
    expect(modes).toEqual(['once'])
    expect(session.stops).toHaveLength(1)
  })

  test('1 if a run failed, with the command that shows why', async () => {
    session.onced.resolve({ ...report, runs: [SUMMARY, FAILED] })
    expect(await line.run('--once')).toBe(1)
    expect(line.stdout.text).toContain("  d@manual-01  failed   2.34s  task 'b' failed\n")
    expect(line.stdout.text).toContain('see: scheduler logs d@manual-01\n')
  })

  test('a signal: a clean drain is judged by its runs, an unclean one ends with 130 or 143', async () => {
    const done = line.run('--once')
    await vi.waitFor(() => expect(line.interrupts.listening).toBe(1))
    line.interrupts.send('SIGINT')
    session.onced.resolve({ ...report, unfinished: ['late@1'] })
    expect(await done).toBe(0)
    expect(line.stdout.text).toContain('Runs: 1 succeeded, 0 failed, 1 unfinished')

    session = new ScriptedSession()
    session.drained = false
    const again = line.run('--once', '--json')
    await vi.waitFor(() => expect(line.interrupts.listening).toBe(1))
    line.interrupts.send('SIGTERM')
    line.interrupts.send('SIGTERM')
    session.onced.resolve(report)
    expect(await again).toBe(143)
    expect(session.stops).toEqual([
      { now: false, reason: 'SIGTERM' },
      { now: true, reason: 'SIGTERM' },
    ])
  })

  test('what it failed of is said, and the state is let go', async () => {
    session.onced.reject(new DagbokError('DISK', 'gone', { exitCode: EXIT.journalIo }))
    expect(await line.run('--once')).toBe(74)
    expect(session.stops).toEqual([{ now: true, reason: 'it failed' }])
  })
})

describe('--serve', () => {
  let said: string[]
  let watchdogMs: number | undefined
  beforeEach(() => {
    said = []
    watchdogMs = undefined
    line.house.openServiceManager = (): ServiceManager => ({
      watchdogMs,
      ready: status => said.push(`ready ${status}`),
      describe: status => said.push(`describe ${status}`),
      alive: () => said.push('alive'),
      stopping: ms => said.push(`stopping ${ms}`),
    })
  })
  const started = () => vi.waitFor(() => expect(line.stderr.text).toContain('scheduler is serving'))

  test('says what it serves, logs what happens, drains on SIGTERM and ends with 0', async () => {
    const done = line.run('--serve')
    await started()
    const status = '2 schedules, 3 dags, state /state.jsonl, next slot 2026-01-05T06:01Z heartbeat (in 30s)'
    expect(line.stderr.text).toBe(`scheduler is serving: ${status}\n`)
    session.emit(event('run_started'), event('task_spawned', { task_id: 'a', pid: 1 }))
    line.interrupts.send('SIGTERM')
    expect(await done).toBe(0)
    expect(line.stderr.text.split('\n').slice(1)).toEqual([
      `${AT} info  run d@manual-01 started`,
      'SIGTERM: stopping; running tasks have 1m to end, once more to stop now',
      '',
    ])
    expect(said).toEqual([`ready ${status}`, 'stopping 65000'])
    expect(session.stops).toEqual([{ now: false, reason: 'SIGTERM' }])
    expect(line.stdout.text).toBe('')
    expect(line.interrupts.listening).toBe(0)
  })

  test('a second signal does not wait: 130', async () => {
    const gate = Promise.withResolvers<void>()
    session.stopGate = gate.promise
    session.drained = false
    const done = line.run('--serve', '--log-level', 'error')
    await started()
    session.emit(event('run_started'))
    expect(line.stderr.text).not.toContain('d@manual-01')
    line.interrupts.send('SIGINT')
    line.interrupts.send('SIGINT')
    gate.resolve()
    expect(await done).toBe(130)
    expect(session.stops.map(({ now }) => now)).toEqual([false, true])
  })

  test('SIGHUP reloads', async () => {
    const done = line.run('--serve')
    await started()
    line.interrupts.hangUp()
    expect(session.control.calls.map(({ verb }) => verb)).toEqual(['status', 'reload'])
    line.interrupts.send('SIGINT')
    expect(await done).toBe(0)
  })

  test('--json writes the events to stdout', async () => {
    const done = line.run('--serve', '--json')
    await started()
    session.emit(event('run_started'))
    line.interrupts.send('SIGINT')
    await done
    expect(JSON.parse(line.stdout.text)).toMatchObject({ event: 'run_started', run_id: 'd@manual-01' })
  })

  test('the watchdog is fed while the loop turns, and only then', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      watchdogMs = 30_000
      const done = line.run('--serve')
      await started()
      vi.advanceTimersByTime(30_000)
      expect(said.filter(word => word === 'alive')).toHaveLength(4)
      session.heartbeat = () => 99
      vi.advanceTimersByTime(100_000)
      expect(said.filter(word => word === 'alive')).toHaveLength(5)
      line.interrupts.send('SIGINT')
      await done
      vi.advanceTimersByTime(100_000)
      expect(said.filter(word => word === 'alive')).toHaveLength(5)
    } finally {
      vi.useRealTimers()
    }
  })

  test('broken definitions refuse the start: every frame, and 3', async () => {
    const { DefinitionsInvalidError } = await import('../../definition/problem.ts')
    const problem = {
      file: 'd.yaml',
      line: 1,
      column: 1,
      severity: 'error',
      message: 'no name',
      frame: '> 1 | x',
    }
    line.house.openSession = async () => {
      throw new DefinitionsInvalidError([problem as DefinitionProblem])
    }
    expect(await line.run('--serve')).toBe(3)
    expect(line.stderr.text).toContain(
      'd.yaml:1:1 error: no name\n> 1 | x\nerror: 1 error in 1 file [DEFINITIONS_INVALID]',
    )
    expect(said).toEqual([])
  })

  test('a journal that fails while serving ends with 74', async () => {
    const done = line.run('--serve')
    await started()
    session.served.reject(
      new DagbokError('JOURNAL_SYNC_FAILED', 'fdatasync failed', { exitCode: EXIT.journalIo }),
    )
    expect(await done).toBe(74)
  })
})
