// The commands that only look: validate, next, runs, logs, events, status, journal, over a house that holds what is seen.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { STATUS, scriptControl } from '../../../test/support/scripted-control.ts'
import { serveControl } from '../../adapters/control-socket/server.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { cronTiming } from '../../core/schedule/timing.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'
import type { AttemptKey } from '../../ports/executor.ts'
import type { RunIndex, RunRow, SlotRow, TaskRow } from '../../ports/run-index.ts'
import type { Reader } from '../house.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine()
})
afterEach(() => line.remove())
const lines = () => line.stdout.text.trimEnd().split('\n')

const PROBLEM: DefinitionProblem = {
  file: 'configs/dags/a.yaml',
  line: 9,
  column: 9,
  severity: 'error',
  message: 'unknown key "runn"',
  frame: '    8 |  - id: a\n >  9 |    runn: x\n      |    ^^^^\n   help: did you mean "run"?',
}

function schedule(
  id: string,
  everyMs: number | undefined,
  extra: Partial<Schedule> = {},
): [string, Schedule] {
  const next = (after: number) =>
    everyMs === undefined ? undefined : (Math.floor(after / everyMs) + 1) * everyMs
  const timing = cronTiming('* * * * *', 'UTC')
  return [
    id,
    {
      id,
      timing,
      slots: { next },
      dagName: 'd',
      tenantId: 't',
      enabled: true,
      ...extra,
    } as Schedule,
  ]
}

describe('validate', () => {
  test('prints every problem with its frame and ends with 3', async () => {
    line.house.loadDefinitions = async () => ({
      ok: false,
      problems: [PROBLEM, { ...PROBLEM, file: 'b.yaml', line: 1 }],
    })
    expect(await line.run('validate')).toBe(3)
    expect(line.stdout.text).toContain(
      `configs/dags/a.yaml:9:9 error: unknown key "runn"\n${PROBLEM.frame}\n`,
    )
    expect(line.stderr.text).toBe('2 errors in 2 files\n')
  })

  test('warnings alone end with 0', async () => {
    const warning = { ...PROBLEM, severity: 'warning' as const }
    line.house.loadDefinitions = async () => ({
      ok: true,
      definitions: {
        schedules: new Map(),
        dags: new Map(),
        calendars: new Map(),
        pools: new Map(),
        channels: new Map(),
      },
      warnings: [warning],
    })
    expect(await line.run('validate')).toBe(0)
    expect(line.stdout.text).toContain('9:9 warning: unknown key')
    expect(line.stderr.text).toBe('0 schedules, 0 DAGs: 1 warning in 1 file\n')
  })

  test('of named files only their own problems count; one that lies elsewhere is loaded alone', async () => {
    line.house.loadDefinitions = async () => ({ ok: false, problems: [PROBLEM] })
    const loaded: string[] = []
    line.house.loadDagFile = async (_settings, file) => {
      loaded.push(file)
      return { ok: false, problems: [{ ...PROBLEM, file: 'x.yaml' }] }
    }
    expect(await line.run('validate', 'configs/dags/other.yaml')).toBe(0)
    expect(line.stderr.text).toBe('1 file: no problems\n')
    expect(await line.run('validate', 'configs/dags/a.yaml', '--json')).toBe(3)
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      kind: 'Validation',
      ok: false,
      items: [{ file: PROBLEM.file }],
    })
    expect(loaded).toEqual([])
    expect(await line.run('validate', 'x.yaml')).toBe(3)
    expect(loaded).toEqual([join(line.root, 'x.yaml')])
  })
})

describe('next', () => {
  beforeEach(() => {
    const berlin = { timing: cronTiming('0 7 * * *', 'Europe/Berlin') }
    const schedules = new Map([
      schedule('off', 60_000, { enabled: false }),
      schedule('hourly', 3_600_000, berlin),
      schedule('minutely', 60_000),
      schedule('never', undefined),
    ])
    line.house.loadDefinitions = async () => ({
      ok: true,
      definitions: {
        schedules,
        dags: new Map(),
        calendars: new Map(),
        pools: new Map(),
        channels: new Map(),
      },
      warnings: [],
    })
    line.house.openReader = async () => {
      throw new DagbokError('JOURNAL_MISSING', 'there is no journal yet', { exitCode: EXIT.notFound })
    }
  })

  test('one line per schedule, the soonest first, in the wall clock of its zone', async () => {
    expect(await line.run('next')).toBe(0)
    expect(lines()).toEqual([
      'NEXT                          IN  LAST  SCHEDULE  DAG  CRON       ZONE',
      '2026-01-05 06:01Z            30s  -     minutely  d    * * * * *  UTC',
      '2026-01-05 08:00+01:00   59m 30s  -     hourly    d    0 7 * * *  Europe/Berlin',
      '-                       disabled  -     off       d    * * * * *  UTC',
      '-                          never  -     never     d    * * * * *  UTC',
    ])
    expect(line.stderr.text).toBe('')
  })

  test('with a journal, the last decided slot of each and what became of it', async () => {
    const slot = '2026-01-05T05:00Z'
    const row: SlotRow = {
      schedule_id: 'hourly',
      slot,
      slot_to: '2026-01-05T06:00Z',
      count: 2,
      disposition: 'missed',
      reason: 'catchup_none',
      run_id: null,
      decided_at: '2026-01-05T06:00:00.000Z',
    }
    let closed = 0
    const index = {
      slots: (id: string) => (id === 'hourly' ? [row] : []),
      events: () => [],
    } as unknown as RunIndex
    line.house.openReader = async () => ({ index, close: () => closed++ }) as unknown as Reader
    expect(await line.run('next', 'hourly', '-n', '1', '--no-headers')).toBe(0)
    expect(lines()).toEqual([
      '2026-01-05 08:00+01:00  59m 30s  2026-01-05 07:00+01:00 missed  hourly  d  0 7 * * *  Europe/Berlin',
    ])
    line.stdout.text = ''
    expect(await line.run('next', '--json')).toBe(0)
    const { items } = JSON.parse(line.stdout.text)
    expect(items.map((item: { last: object | null }) => item.last)).toEqual([null, row, null, null])
    expect(closed).toBe(2)
  })

  test('a journal that cannot be read is noted; what is due is known without it', async () => {
    line.house.openReader = async () => {
      throw new DagbokError('JOURNAL_DAMAGED', 'the journal is damaged at line 7', {
        exitCode: EXIT.journalDamaged,
      })
    }
    expect(await line.run('next')).toBe(0)
    expect(lines()).toHaveLength(5)
    expect(line.stderr.text).toBe(
      'what was decided last is unknown: the journal is damaged at line 7 [JOURNAL_DAMAGED]\n',
    )
  })

  test('ten slots of one, as many as asked for of all', async () => {
    expect(await line.run('next', 'minutely', '--no-headers')).toBe(0)
    expect(lines()).toHaveLength(10)
    line.stdout.text = ''
    expect(await line.run('next', '-n', '2', '--json')).toBe(0)
    const { items } = JSON.parse(line.stdout.text)
    expect(items.map((item: { slot: string }) => item.slot)).toEqual([
      '2026-01-05T06:01Z',
      '2026-01-05T06:02Z',
      '2026-01-05T07:00Z',
      '2026-01-05T08:00Z',
      null,
      null,
    ])
  })

  test('an unknown schedule ends with 4 and the one that was meant', async () => {
    expect(await line.run('next', 'minutley')).toBe(4)
    expect(line.stderr.text).toContain(
      'there is no schedule "minutley" [SCHEDULE_NOT_FOUND]\nhint: did you mean "minutely"?',
    )
  })

  test('broken definitions end with 3 and their frames', async () => {
    line.house.loadDefinitions = async () => ({ ok: false, problems: [PROBLEM] })
    expect(await line.run('next')).toBe(3)
    expect(line.stderr.text).toContain(PROBLEM.frame)
    expect(line.stderr.text).toContain('error: 1 error in 1 file [DEFINITIONS_INVALID]')
    expect(line.stderr.text.split('unknown key')).toHaveLength(2)
  })
})

const RUN: RunRow = {
  run_id: 'd@2026-01-05T06:00Z',
  dag_name: 'd',
  tenant_id: 't',
  schedule_id: 's',
  slot: '2026-01-05T06:00Z',
  status: 'failed',
  cause: 'schedule',
  enqueued_at: '2026-01-05T06:00:00.010Z',
  started_at: '2026-01-05T06:00:00.020Z',
  finished_at: '2026-01-05T06:00:02.360Z',
  duration_ms: 2340,
  tasks_succeeded: 1,
  tasks_failed: 1,
  tasks_skipped: 0,
  error: "task 'b' failed",
}
const TASK: TaskRow = {
  run_id: RUN.run_id,
  task_id: 'b',
  status: 'failed',
  attempt: 2,
  workflow_ref: 'shell',
  started_at: null,
  finished_at: null,
  duration_ms: 100,
  retry_at: null,
  reason: null,
  error: 'exit code 3',
  output: '{"n":1}',
}
const event = (seq: number, name: string, extra: object = {}) =>
  ({ timestamp: '2026-01-05T06:00:00.000Z', event: name, seq, ...extra }) as Event

interface Seen {
  runs: RunRow[]
  tasks: TaskRow[]
  events: Event[]
  /** Task, attempt, stream → text. */
  logs: Record<string, string>
  follow(signal: AbortSignal): AsyncIterable<Event>
}

/** A reader over plain data. */
function see(seen: Partial<Seen>): { closed: number } {
  const { runs = [RUN], tasks = [TASK], events = [], logs = {}, follow } = seen
  const counts = { closed: 0 }
  const fileOf = ({ taskId, attempt }: AttemptKey, stream: string) =>
    join(line.root, 'l', taskId, String(attempt), stream)
  for (const [name, text] of Object.entries(logs)) {
    const path = join(line.root, 'l', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const keys = [...new Set(Object.keys(logs).map(name => name.split('/').slice(0, 2).join('/')))].map(
    name => {
      const [taskId = '', attempt] = name.split('/')
      return { runId: RUN.run_id, taskId, attempt: Number(attempt) }
    },
  )
  const reader: Reader = {
    index: {
      checkpoint: () => ({ journalId: 'j', seq: events.at(-1)?.seq ?? 0 }),
      runs: ({ limit, status }: { limit: number; status?: readonly string[] }) =>
        runs.filter(row => status === undefined || status.includes(row.status)).slice(0, limit),
      run: (runId: string) => runs.find(row => row.run_id === runId),
      tasks: () => tasks,
      events: (query: { event?: string; runId?: string; limit: number }) =>
        events
          .filter(({ event: name }) => query.event === undefined || name === query.event)
          .toReversed()
          .slice(0, query.limit),
    } as unknown as RunIndex,
    logs: {
      list: () => keys,
      locate: key => ({ directory: '', stdout: fileOf(key, 'stdout'), stderr: fileOf(key, 'stderr') }),
      prepare: () => {
        throw new Error('a reader creates nothing')
      },
    } as Partial<Reader['logs']> as Reader['logs'],
    async *events(after = 0) {
      yield* events.filter(({ seq }) => seq > after)
    },
    follow: (_after, signal) => follow?.(signal) ?? (async function* () {})(),
    close: () => {
      counts.closed++
    },
  }
  line.house.openReader = async () => reader
  return counts
}

describe('runs', () => {
  test('a table, and JSON', async () => {
    const counts = see({})
    expect(await line.run('runs')).toBe(0)
    expect(lines()).toEqual([
      'RUN                  DAG  STATUS  ENQUEUED              DURATION  OK  FAILED  SKIPPED',
      'd@2026-01-05T06:00Z  d    failed  2026-01-05 06:00:00Z     2.34s   1       1        0',
    ])
    line.stdout.text = ''
    expect(await line.run('runs', '--json', '--status', 'failed', '--since', '2h')).toBe(0)
    expect(JSON.parse(line.stdout.text)).toEqual({ apiVersion: 'dagbok/v1', kind: 'RunList', items: [RUN] })
    expect(await line.run('runs', '--status', 'success')).toBe(0)
    expect(line.stderr.text).toBe('no runs\n')
    expect(counts.closed).toBe(3)
  })

  test('an id is cut in its middle only where the terminal is too narrow for the line', async () => {
    line.remove()
    line = openCommandLine({}, { tty: true })
    const run_id = `${'d'.repeat(30)}@2026-01-05T06:00Z`
    see({ runs: [{ ...RUN, run_id }] })
    line.stdout.columns = 200
    await line.run('runs')
    expect(lines()[1]).toContain(run_id)
    line.stdout.text = ''
    line.stdout.columns = 100
    await line.run('runs')
    expect(lines()[1]).toMatch(/^d+…d*@?2?0?[^ ]*06:00Z /)
    expect(Math.max(...lines().map(text => text.length))).toBeLessThanOrEqual(100)
  })

  test('one run with its tasks, by the beginning of its id', async () => {
    see({})
    expect(await line.run('runs', 'd@2026')).toBe(0)
    expect(line.stdout.text).toContain("status    failed: task 'b' failed\n")
    expect(line.stdout.text).toContain('cause     schedule: schedule s, slot 2026-01-05T06:00Z\n')
    expect(lines().at(-1)).toBe('b     failed        2     0.10s  shell     exit code 3')
    line.stdout.text = ''
    expect(await line.run('runs', RUN.run_id, '--json')).toBe(0)
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      kind: 'Run',
      tasks: [{ task_id: 'b', output: { n: 1 } }],
    })
  })

  test('an unknown one ends with 4, one that may be several with 2', async () => {
    const counts = see({ runs: [RUN, { ...RUN, run_id: 'd@2026-01-05T06:01Z' }] })
    expect(await line.run('runs', 'e@2026-01-05T06:00Z')).toBe(4)
    expect(line.stderr.text).toContain('did you mean "d@2026-01-05T06:00Z"?')
    expect(await line.run('runs', 'd@')).toBe(2)
    expect(line.stderr.text).toContain(
      'several runs begin with "d@": d@2026-01-05T06:00Z, d@2026-01-05T06:01Z',
    )
    expect(counts.closed).toBe(2)
  })
})

describe('logs', () => {
  test('of one stream alone there is no heading, of several there is', async () => {
    see({
      logs: {
        'a/1/stdout': 'no newline',
        'a/1/stderr': '',
        'b/1/stdout': 'old\n',
        'b/2/stdout': 'out\n',
        'b/2/stderr': 'err\n',
      },
    })
    expect(await line.run('logs', RUN.run_id, 'a')).toBe(1 - 1)
    expect(line.stdout.text).toBe('no newline')
    line.stdout.text = ''
    expect(await line.run('logs', RUN.run_id)).toBe(0)
    expect(line.stdout.text).toBe(
      '==> a attempt 1 stdout <==\nno newline\n\n==> b attempt 2 stdout <==\nout\n\n==> b attempt 2 stderr <==\nerr\n',
    )
    line.stdout.text = ''
    expect(await line.run('logs', RUN.run_id, 'b', '--attempt', '1')).toBe(0)
    expect(line.stdout.text).toBe('old\n')
  })

  test('a text in pieces, cut within a character, comes out whole', async () => {
    const text = 'ä€😀'.repeat(60_000)
    see({ logs: { 'a/1/stdout': text } })
    expect(await line.run('logs', RUN.run_id, 'a')).toBe(0)
    expect(line.stdout.text).toBe(text)
  })

  test('an unknown task ends with 4', async () => {
    see({ logs: { 'sweep/1/stdout': 'x' } })
    expect(await line.run('logs', RUN.run_id, 'swep')).toBe(4)
    expect(line.stderr.text).toContain('did you mean "sweep"?')
  })

  test('-f goes on until the run has ended and misses nothing at its end', async () => {
    const path = () => join(line.root, 'l/b/1/stdout')
    see({
      runs: [{ ...RUN, status: 'running' }],
      tasks: [{ ...TASK, status: 'running', attempt: 1 }],
      logs: { 'b/1/stdout': 'first\n' },
      async *follow() {
        yield event(5, 'task_ok', { run_id: 'another', task_id: 'b' })
        while (!line.stdout.text.includes('first')) await new Promise(resolve => setImmediate(resolve))
        writeFileSync(path(), 'first\nlast words\n')
        yield event(6, 'run_finished', { run_id: RUN.run_id })
        throw new Error('nobody should ask further')
      },
    })
    expect(await line.run('logs', RUN.run_id, 'b', '-f')).toBe(0)
    expect(line.stdout.text).toBe('first\nlast words\n')
    expect(line.interrupts.listening).toBe(0)
  })

  test('-f of what has ended just prints it', async () => {
    see({ logs: { 'b/1/stdout': 'done\n' } })
    expect(await line.run('logs', RUN.run_id, '-f')).toBe(0)
    expect(line.stdout.text).toBe('done\n')
  })
})

describe('events', () => {
  const events = [
    event(1, 'run_started', { run_id: 'r' }),
    event(2, 'run_started', { run_id: 'q' }),
    event(3, 'task_start', { run_id: 'r', dag_name: 'd', task_id: 'a', attempt: 1 }),
  ]

  test('JSON lines, filtered', async () => {
    see({ events })
    expect(await line.run('events', '--run', 'r', '--after', '1')).toBe(0)
    expect(line.stdout.text).toBe(`${JSON.stringify(events[2])}\n`)
    line.stdout.text = ''
    expect(await line.run('events', '--event', 'run_started', '-n', '1')).toBe(0)
    expect(line.stdout.text).toBe(`${JSON.stringify(events[1])}\n`)
  })

  test('on a terminal in words', async () => {
    line.remove()
    line = openCommandLine({}, { tty: true })
    see({ events })
    expect(await line.run('events')).toBe(0)
    expect(lines()[2]).toBe('2026-01-05 06:00:00Z      3 task a of r started (attempt 1)')
  })

  test.each(['a signal', 'a reader who leaves'])('-f begins with the last ones and ends by %s', async how => {
    const counts = see({
      events,
      async *follow(signal) {
        yield event(4, 'run_finished', { run_id: 'r' })
        if (how === 'a signal') line.interrupts.send('SIGINT')
        else line.stdout.leave()
        expect(signal.aborted).toBe(true)
        yield event(5, 'never_seen')
      },
    })
    expect(await line.run('events', '-f')).toBe(0)
    expect(lines().map(text => JSON.parse(text).seq)).toEqual([1, 2, 3, 4])
    expect(counts.closed).toBe(1)
    expect(line.interrupts.listening).toBe(0)
  })
})

describe('status', () => {
  const missing = () => {
    throw new DagbokError('JOURNAL_MISSING', 'none', { exitCode: EXIT.notFound })
  }

  test('of the scheduler that runs', async () => {
    const keeper = scriptControl()
    keeper.status_ = {
      ...STATUS,
      definition_errors: ['a.yaml:1:1 error: x'],
      pools: [
        { name: 'db', slots: 4, held: 3, waiting: 2, held_by: ['d@1'], next: ['d@2', 'd@3'] },
        { name: 'gone', held: 1, waiting: 0, held_by: ['e@1'], next: [] },
      ],
      runs: [
        {
          run_id: 'd@1',
          dag_name: 'd',
          status: 'running',
          enqueued_at: STATUS.started_at,
          started_at: STATUS.started_at,
          tasks: {
            waiting: 2,
            ready: 0,
            running: 1,
            retrying: 0,
            fanned_out: 0,
            ok: 0,
            failed: 0,
            skipped: 0,
            cancelled: 0,
          },
        },
      ],
    }
    const server = await serveControl({ control: keeper, socketPath: line.socketPath })
    expect(await line.run('status')).toBe(0)
    expect(lines()).toEqual([
      'scheduler   running for 1h, serve, version 1.2.3',
      'process     pid 4711 on attic, epoch 7',
      'definitions 2 schedules, 3 dags',
      '            a.yaml:1:1 error: x',
      'journal     /state.jsonl, seq 41, 9000 bytes',
      'runs        0 running, 0 queued; 0 tasks',
      'next        2026-01-05T06:01Z heartbeat',
      'pool        db: 3 of 4 slots held, 2 waiting',
      'pool        gone: 1 held, not defined any more, 0 waiting',
      '',
      'RUN  DAG  STATUS   STARTED               TASKS',
      'd@1  d    running  2026-01-05 05:00:00Z  2 waiting, 1 running',
    ])
    line.stdout.text = ''
    expect(await line.run('status', '--json')).toBe(0)
    expect(JSON.parse(line.stdout.text)).toEqual({
      apiVersion: 'dagbok/v1',
      kind: 'Status',
      ...keeper.status_,
    })
    await server.close()
  })

  test('without one: 6, and how the last one ended', async () => {
    line.house.readHolder = () => ({ holder: undefined, alive: false })
    see({ events: [event(1, 'scheduler_started', { mode: 'serve' }), event(9, 'scheduler_stopped')] })
    expect(await line.run('status')).toBe(6)
    expect(line.stdout.text).toBe(
      'no scheduler is running\nthe last one stopped at 2026-01-05T06:00:00.000Z\n',
    )
    line.stdout.text = ''
    see({ events: [event(1, 'scheduler_stopped'), event(9, 'scheduler_started')] })
    expect(await line.run('status')).toBe(6)
    expect(line.stdout.text).toContain(
      'the last one started at 2026-01-05T06:00:00.000Z and did not end in order',
    )
    line.stdout.text = ''
    line.house.openReader = missing
    expect(await line.run('status')).toBe(6)
    expect(line.stdout.text).toContain('nothing is in the journal yet')
  })

  test('a state that is held by someone who does not listen: 6, and who it is', async () => {
    line.house.openReader = missing
    const holder = {
      pid: 77,
      host: 'h',
      boot_id: '',
      start_ticks: 1,
      started_at: '',
      version: '',
      mode: 'command',
    }
    line.house.readHolder = () => ({ holder, alive: true })
    expect(await line.run('status')).toBe(6)
    expect(line.stdout.text).toContain('the state is held: command with pid 77 on h')
  })
})

describe('journal', () => {
  const segment = { file: 'state.jsonl', lines: 3, firstSeq: 1, lastSeq: 3, bytes: 300, ok: true }

  test('verify ends with 0 on a good one and with 78 on a damaged one, with the place', async () => {
    line.house.verifyJournal = async () => ({ segments: [segment], problems: [] })
    expect(await line.run('journal', 'verify')).toBe(0)
    expect(lines()[1]).toBe('state.jsonl      3      1     3    300  ok')
    line.stdout.text = ''
    const problem = { file: 'state.jsonl', line: 2, offset: 140, reason: 'the checksum does not fit' }
    line.house.verifyJournal = async () => ({ segments: [{ ...segment, ok: false }], problems: [problem] })
    expect(await line.run('journal', 'verify')).toBe(78)
    expect(lines().at(-1)).toBe('state.jsonl:2 (byte 140): the checksum does not fit')
  })

  test('rebuild-index', async () => {
    line.house.rebuildIndex = async () => ({ events: 1000, durationMs: 100 })
    expect(await line.run('journal', 'rebuild-index')).toBe(0)
    expect(line.stdout.text).toBe('run index built again: 1000 events in 100 ms (10000 events/s)\n')
  })
})
