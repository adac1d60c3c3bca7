// `scheduler why` over synthetic journals: every way in which a slot can end, and every place where a run can stand.

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { readerOf, tellLines } from '../../../test/support/look-back.ts'
import { STATUS, scriptControl } from '../../../test/support/scripted-control.ts'
import { serveControl } from '../../adapters/control-socket/server.ts'
import type { StatusAnswer } from '../../api/control.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { REASONS_IN_WORDS } from '../render/reason-words.ts'

let line: CommandLine
const closers: (() => Promise<void>)[] = []
beforeEach(() => {
  line = openCommandLine()
  define(aSchedule('nightly', '30 2 * * *', 'etl', {
    timing: { timezone: 'Europe/Berlin' },
  }))
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  line.remove()
})

function see(events: readonly Event[]): void {
  line.house.openReader = async () => readerOf(events)
}

function define(...schedules: Schedule[]): void {
  line.house.loadDefinitions = async () => ({
    ok: true,
    definitions: definitionsOf([], schedules),
    warnings: [],
  })
}

async function serve(status: Partial<StatusAnswer> = {}): Promise<void> {
  const control = scriptControl()
  control.status_ = { ...STATUS, ...status }
  const server = await serveControl({ control, socketPath: line.socketPath })
  closers.push(() => server.close())
}

async function why(...words: string[]): Promise<string> {
  line.stdout.text = ''
  line.stderr.text = ''
  expect(await line.run('why', ...words)).toBe(0)
  return line.stdout.text
}

const OPENED = ['00:00', 'segment_opened', { format: 1, journal_id: 'j', segment: 1 }] as const
const STARTED = [
  '00:00',
  'scheduler_started',
  { epoch: 1, mode: 'serve', pid: 1, host: 'h', version: '1' },
] as const
const HOURLY = { schedule_id: 'hourly', cron: '0 * * * *', timezone: 'UTC' }
const REGISTERED = [
  '00:00',
  'schedule_registered',
  { ...HOURLY, cause: 'first_seen', cursor: '2026-01-04T23:59:59.999Z' },
] as const
const slotAt = (hour: string) => ({
  schedule_id: 'hourly',
  slot: `2026-01-05T${hour}Z`,
  minute: `2026-01-05T${hour}Z`,
})
const runAt = (hour: string) => ({ run_id: `hourly@2026-01-05T${hour}Z`, dag_name: 'etl', tenant_id: 't' })
const enqueued = (hour: string, fields: object = {}) => ({
  ...slotAt(hour),
  ...runAt(hour),
  definition_hash: 'h',
  reason: 'due',
  order: 'serial',
  ...fields,
})
const skipped = (hour: string, reason: string, inputs: object) => ({ ...slotAt(hour), reason, inputs })
const hourly = aSchedule('hourly', '0 * * * *', 'etl')

test('every reason that the documents list has its words', () => {
  const page = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8')
  const codes = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter(code => !REASONS_IN_WORDS.includes(code!))).toEqual([])
})

describe('a slot that was decided', () => {
  test.each<[string, object, string]>([
    [
      'overlap',
      { blocked_by: 'hourly@2026-01-05T02:00Z' },
      'the run hourly@2026-01-05T02:00Z of the same schedule',
    ],
    [
      'calendar',
      { calendar: 'de-holidays', day: '2026-01-06' },
      'the calendar de-holidays does not have this day',
    ],
    ['condition', { condition: 'vars.go', vars: { go: false } }, 'its condition vars.go was false'],
    [
      'condition_error',
      { condition: 'x', error: 'no such variable' },
      'could not be judged: no such variable',
    ],
    [
      'paused',
      { since: '2026-01-05T01:00Z', note: 'release' },
      'was paused since 2026-01-05T01:00Z (release)',
    ],
    ['frozen', { since: '2026-01-05T01:00Z' }, 'all scheduling was frozen since 2026-01-05T01:00Z'],
    ['skipped_by_hand', { note: 'not today' }, 'asked for this slot to be skipped (not today)'],
    ['blackout', { window: 'month-end' }, 'a blackout window month-end was in force'],
    ['deadline', { starting_deadline: '10m' }, 'its starting deadline had passed'],
    ['from_a_newer_version', { level: 3 }, 'its reason code is from_a_newer_version'],
  ])('skipped by %s, with what it saw', async (reason, inputs, words) => {
    see(
      tellLines(OPENED, STARTED, REGISTERED, ['03:00', 'schedule_skipped', skipped('03:00', reason, inputs)]),
    )
    define(hourly)
    const said = await why('hourly', '2026-01-05T03:00Z')
    expect(said).toContain(`decision  skipped: ${reason}\n`)
    expect(said).toContain(words)
    for (const [name, value] of Object.entries(inputs)) {
      expect(said).toContain(`${name} = ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    }
    expect(said).toContain('decided   2026-01-05T03:00:00.000Z, 0.00s after the slot')
    await why('hourly', '2026-01-05T03:00Z', '--json')
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      kind: 'Why',
      schedule_id: 'hourly',
      items: [{ decision: 'skipped', reason, inputs, late_ms: 0 }],
    })
  })

  test('missed while no scheduler was running: the span of slots, and of the downtime around it', async () => {
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['01:30', 'scheduler_stopping', { reason: 'SIGTERM' }],
        ['01:30', 'scheduler_stopped', { epoch: 1 }],
        ['05:40', 'scheduler_started', { epoch: 2, mode: 'serve', pid: 2, host: 'h', version: '1' }],
        [
          '05:40',
          'schedule_missed',
          {
            schedule_id: 'hourly',
            from: '2026-01-05T02:00Z',
            to: '2026-01-05T04:00Z',
            count: 3,
            reason: 'catchup_latest',
          },
        ],
        ['05:40', 'schedule_enqueued', enqueued('05:00', { reason: 'catchup' })],
      ),
    )
    define(hourly)
    const missed = await why('hourly', '2026-01-05T03:00Z')
    expect(missed).toContain('decision  missed: catchup_latest\n')
    expect(missed).toContain('with it 3 slots, from 2026-01-05T02:00Z to 2026-01-05T04:00Z\n')
    expect(missed).toContain('decided   2026-01-05T05:40:00.000Z, 2h 40m after the slot\n')
    expect(missed).toContain(
      'because   no scheduler was running from 2026-01-05T01:30:00.000Z to 2026-01-05T05:40:00.000Z\n',
    )
    const late = await why('hourly', '2026-01-05T05:00Z')
    expect(late).toContain('decision  enqueued: catchup\n')
    expect(late).toContain('decided   2026-01-05T05:40:00.000Z, 40m after the slot\n')
    expect(late).toContain('because   no scheduler was running from 2026-01-05T01:30:00.000Z')
    // What lies between the slots of a span was no slot.
    expect(await why('hourly', '2026-01-05T03:30Z')).toContain('decision  not due\n')
  })

  test('after a crash the downtime begins with the last line before it', async () => {
    const missed = { schedule_id: 'hourly', from: '2026-01-05T02:00Z', to: '2026-01-05T02:00Z', count: 1 }
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['01:10', 'task_ok', { run_id: 'r', dag_name: 'd', task_id: 'a', attempt: 1, duration_ms: 1 }],
        ['03:20', 'journal_recovered', { reason: 'unclean_stop', dropped_bytes: 0 }],
        // Somebody's command in between decides no slots: it is no end of the downtime.
        ['03:20', 'scheduler_started', { epoch: 2, mode: 'command', pid: 2, host: 'h', version: '1' }],
        ['03:20', 'scheduler_stopped', { epoch: 2 }],
        ['04:10', 'scheduler_started', { epoch: 3, mode: 'serve', pid: 3, host: 'h', version: '1' }],
        ['04:10', 'schedule_missed', { ...missed, reason: 'catchup_none' }],
      ),
    )
    define(hourly)
    expect(await why('hourly', '2026-01-05T02:00Z')).toContain(
      'from 2026-01-05T01:10:00.000Z (it ended without a word; this is when it was last heard of) to 2026-01-05T04:10:00.000Z\n',
    )
  })

  test('late because the disk was full, or because the clock jumped', async () => {
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['02:30', 'journal_resumed', { reason: 'disk_full', since: '2026-01-05T01:50:00.000Z', refused: 0 }],
        ['02:30', 'schedule_enqueued', enqueued('02:00', { reason: 'catchup' })],
        ['05:30', 'clock_jumped', { direction: 'forward', wall_ms: 7_200_000, monotonic_ms: 1_000 }],
        ['05:30', 'schedule_enqueued', enqueued('05:00', { reason: 'catchup' })],
      ),
    )
    define(hourly)
    await serve()
    expect(await why('hourly', '2026-01-05T02:00Z')).toContain(
      'because   the disk of the journal was full from 2026-01-05T01:50:00.000Z to 2026-01-05T02:30:00.000Z\n',
    )
    expect(await why('hourly', '2026-01-05T05:00Z')).toContain(
      'because   the clock jumped forward at 2026-01-05T05:30:00.000Z, by 2h\n',
    )
  })
})

describe('an instant without a decision', () => {
  const events = tellLines(
    OPENED,
    STARTED,
    REGISTERED,
    ['01:00', 'schedule_enqueued', enqueued('01:00')],
    ['02:30', 'schedule_retired', { schedule_id: 'hourly', cause: 'disabled' }],
    ['04:30', 'schedule_registered', { ...HOURLY, cause: 'enabled', cursor: '2026-01-05T04:29:59.999Z' }],
    ['05:00', 'schedule_enqueued', enqueued('05:00')],
  )

  test('not due: the neighbours and the timing', async () => {
    see(events)
    define(hourly)
    expect(await why('hourly', '2026-01-05T01:30Z')).toBe(`slot      2026-01-05T01:30Z  2026-01-05 01:30Z
decision  not due
          the schedule has no slot at this instant
          its timing is 0 * * * * in UTC
before    2026-01-05T01:00Z
after     2026-01-05T02:00Z
`)
  })

  test('not due because a roll has moved it: where it has gone, by the days that the journal kept', async () => {
    const rolled = (...dates: string[]) => ({
      timing: { roll: { convention: 'following' as const, calendar: 'office', days: { dates } } },
    })
    const fields = {
      schedule_id: 'hourly',
      cron: '0 3 * * *',
      timezone: 'UTC',
      cursor: '2026-01-04T23:59:59.999Z',
    }
    const { roll } = rolled('2026-01-05').timing
    see(
      tellLines(OPENED, STARTED, ['00:00', 'schedule_registered', { ...fields, roll, cause: 'first_seen' }]),
    )
    define(aSchedule('hourly', '0 3 * * *', 'etl', rolled('2026-01-05', '2026-01-06')))
    expect(await why('hourly', '2026-01-05T03:00Z')).toBe(`slot      2026-01-05T03:00Z  2026-01-05 03:00Z
decision  not due
          the schedule has no slot at this instant
          its timing is 0 3 * * *, rolled to the following business day of office in UTC
          the time of this day is due at 2026-01-06T03:00Z
before    2026-01-04T03:00Z
after     2026-01-06T03:00Z
`)
  })

  test('before it was first seen, while it was disabled, to come', async () => {
    see(events)
    define(hourly)
    expect(await why('hourly', '2026-01-04T23:00Z')).toContain(
      'it was first seen at 2026-01-05T00:00:00.000Z\n',
    )
    const retired = await why('hourly', '2026-01-05T03:00Z')
    expect(retired).toContain('decision  retired\n')
    expect(retired).toContain('it was disabled at 2026-01-05T02:30:00.000Z\n')
    expect(await why('hourly', '2026-01-05T09:00Z')).toContain('due in    2h 59m\n')
  })

  test('due and not decided yet: whether anybody is there to decide it', async () => {
    see(events)
    define(hourly)
    const down = await why('hourly', '2026-01-05T06:00Z')
    expect(down).toContain('decision  open\n')
    expect(down).toContain('the next start decides it')
    expect(down).toContain('waiting   for 30s\n')
    expect(down).toContain('because   no scheduler was running from 2026-01-05T05:00:00.000Z')
    await serve()
    expect(await why('hourly', '2026-01-05T06:00Z')).toContain('the scheduler is running')
  })

  test('without a slot: the last decided one, the first open one, the next one', async () => {
    see(events)
    define(hourly)
    const said = await why('hourly')
    expect(said.match(/^slot +\S+/gm)).toEqual([
      'slot      2026-01-05T05:00Z',
      'slot      2026-01-05T06:00Z',
      'slot      2026-01-05T07:00Z',
    ])
    expect(await why('hourly', 'last')).toContain('slot      2026-01-05T05:00Z')
    expect(await why('hourly', 'next')).toContain('slot      2026-01-05T07:00Z')
  })

  test('a slot to come that somebody has paused or skipped says so', async () => {
    see([
      ...events,
      ...tellLines(
        [
          '05:10',
          'schedule_paused',
          { schedule_id: 'hourly', reason: 'release', until: '2026-01-05T08:30:00.000Z' },
        ],
        ['05:20', 'slot_skip_requested', { schedule_id: 'hourly', slot: '2026-01-05T09:00Z', reason: 'x' }],
      ).map((event, index) => ({ ...event, seq: events.length + index + 1 })),
    ])
    define(hourly)
    expect(await why('hourly', 'next')).toContain('(release): it will be skipped\n')
    expect(await why('hourly', '2026-01-05T09:00Z')).toContain('somebody asked for it to be skipped')
    expect(await why('hourly', '2026-01-05T10:00Z')).not.toContain('skipped')
  })

  test('never seen, disabled, and gone from the definitions', async () => {
    see(events)
    define(
      hourly,
      aSchedule('new', '0 5 * * *', 'etl'),
      aSchedule('off', '0 5 * * *', 'etl', { enabled: false }),
    )
    expect(await why('new', '2026-01-05T05:00Z')).toContain('no scheduler has seen this schedule yet')
    expect(await why('off')).toContain('its definition says enabled: false')
    define()
    expect(await why('hourly', '2026-01-05T09:00Z')).toContain('decision  retired\n')
  })

  test('older than what is kept: the checkpoint of the oldest segment knows the schedule', async () => {
    const kept = [
      { ...OPENED[2], event: 'segment_opened', timestamp: '2026-01-05T03:00:00.000Z', seq: 500 },
      {
        event: 'checkpoint',
        timestamp: '2026-01-05T03:00:00.000Z',
        seq: 501,
        part: 1,
        parts: 1,
        items: [
          { kind: 'state', epoch: 1 },
          {
            kind: 'schedule',
            id: 'hourly',
            cursor: Date.UTC(2026, 0, 5, 3),
            cron: '0 * * * *',
            timezone: 'UTC',
          },
        ],
      },
    ] as unknown as Event[]
    see(kept)
    define(hourly)
    const said = await why('hourly', '2026-01-05T02:00Z')
    expect(said).toContain('decision  forgotten\n')
    expect(said).toContain('the journal is kept from 2026-01-05T03:00:00.000Z on\n')
    expect(await why('hourly', '2026-01-05T04:00Z')).toContain('decision  open\n')
  })

  test('with broken definitions the journal alone answers, and says so', async () => {
    see(events)
    line.house.loadDefinitions = async () => ({ ok: false, problems: [] })
    expect(await why('hourly', 'next')).toContain('slot      2026-01-05T07:00Z')
    expect(line.stderr.text).toContain('answered from the journal alone')
  })
})

describe('where a run stands', () => {
  const started = (hour: string) => ({ ...runAt(hour), ...slotAt(hour) })
  const task = (hour: string, task_id: string, attempt = 1) => ({ ...runAt(hour), task_id, attempt })

  test('queued behind another run of its schedule, for room, or for a scheduler', async () => {
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['04:00', 'schedule_enqueued', enqueued('04:00')],
        ['04:00', 'run_started', started('04:00')],
        ['05:00', 'schedule_enqueued', enqueued('05:00')],
        ['06:00', 'schedule_enqueued', enqueued('06:00', { order: 'parallel' })],
      ),
    )
    define(hourly)
    const down = await why('hourly', '2026-01-05T05:00Z')
    expect(down).toContain('run       hourly@2026-01-05T05:00Z  queued for 1h\n')
    expect(down).toContain('waits     no scheduler is running')
    await serve({ running_runs: 3 })
    const behind = await why('hourly', '2026-01-05T05:00Z')
    expect(behind).toContain(
      'waits     runs of this schedule go one after the other, and hourly@2026-01-05T04:00Z is before it\n',
    )
    const full = await why('hourly@2026-01-05T06:00Z')
    expect(full).toContain('waits     3 runs are under way and SCHED_MAX_PARALLEL is 3\n')
  })

  test('queued with nothing in its way, while it drains, while the disk is full, before its time', async () => {
    const start_after = '2026-01-05T06:01:00.000Z'
    see(
      tellLines(OPENED, STARTED, REGISTERED, [
        '06:00',
        'schedule_enqueued',
        enqueued('06:00', { start_after }),
      ]),
    )
    define(hourly)
    await serve({ state: 'draining' })
    expect(await why('hourly', 'last')).toContain('the scheduler is stopping and starts nothing new')
    await closers.pop()!()
    await serve({ state: 'degraded' })
    expect(await why('hourly', 'last')).toContain('the disk of the journal is full')
    await closers.pop()!()
    await serve()
    expect(await why('hourly', 'last')).toContain(`it does not start before ${start_after}`)
    line.now += 60_000
    expect(await why('hourly', 'last')).toContain('it starts with the next turn of the scheduler')
  })

  test('queued for room in a pool that other runs hold, and with a deadline', async () => {
    const start_by = '2026-01-05T06:10:00.000Z'
    const pool = { pool: 'warehouse', order: 'parallel', weight: 2, priority: 7 }
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['04:00', 'schedule_enqueued', enqueued('04:00', pool)],
        ['04:00', 'run_started', started('04:00')],
        ['05:00', 'schedule_enqueued', enqueued('05:00', { ...pool, pool: 'other' })],
        ['05:00', 'run_started', started('05:00')],
        ['06:00', 'schedule_enqueued', enqueued('06:00', { ...pool, start_by })],
      ),
    )
    define(hourly)
    const view = {
      name: 'warehouse',
      slots: 4,
      held: 3,
      waiting: 5,
      held_by: ['hourly@2026-01-05T04:00Z', 'etl@manual-1'],
      next: ['etl@manual-2', 'hourly@2026-01-05T06:00Z'],
    }
    await serve({ running_runs: 2, pools: [view] })
    const said = await why('hourly', 'last')
    expect(said).toContain(
      'waits     it needs room in the pool warehouse (3 of 4 slots held), held by hourly@2026-01-05T04:00Z, etl@manual-1; it takes 2 slots; number 2 of 5 in line; priority 7\n',
    )
    expect(said).toContain(`waits     it is given up if it has not started by ${start_by}\n`)
    await closers.pop()!()
    // It fits, but another is before it; then it is first and fits; then its pool is not defined any more.
    await serve({ running_runs: 2, pools: [{ ...view, held: 1 }] })
    expect(await why('hourly', 'last')).toContain('number 2 of 5 in line')
    await closers.pop()!()
    await serve({ running_runs: 2, pools: [{ ...view, held: 2, next: ['hourly@2026-01-05T06:00Z'] }] })
    expect(await why('hourly', 'last')).toContain('it starts with the next turn of the scheduler')
    await closers.pop()!()
    const { slots: _, ...gone } = view
    await serve({ running_runs: 3, pools: [gone] })
    const limited = await why('hourly', 'last')
    expect(limited).toContain('SCHED_MAX_PARALLEL is 3')
    expect(limited).not.toContain('warehouse')
    await closers.pop()!()
    const alone = await why('hourly', 'last')
    expect(alone).toContain('no scheduler is running')
    expect(alone).toContain(
      'it needs room in the pool warehouse, held by hourly@2026-01-05T04:00Z; it takes 2 slots; priority 7\n',
    )
  })

  test('running: its tasks, and the retry that it waits for', async () => {
    const error = { kind: 'exit_code', message: 'exit code 3' }
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['06:00', 'schedule_enqueued', enqueued('06:00')],
        ['06:00', 'run_started', started('06:00')],
        ['06:00', 'task_start', { ...task('06:00', 'load'), workflow_ref: 'shell' }],
        ['06:00', 'task_start', { ...task('06:00', 'sweep'), workflow_ref: 'shell' }],
        [
          '06:00',
          'task_retry',
          { ...task('06:00', 'sweep'), duration_ms: 9, error, retry_at: '2026-01-05T06:05:00.000Z' },
        ],
      ),
    )
    define(hourly)
    await serve()
    const said = await why('hourly', 'last')
    expect(said).toContain('run       hourly@2026-01-05T06:00Z  running for 30s, waiting\n')
    expect(said).toContain('waits     task sweep waits for another attempt at 2026-01-05T06:05:00.000Z\n')
    expect(said).toContain('task      load is running for 30s (attempt 1)\n')
    expect(said).toContain('task      sweep did not end well (attempt 1): exit code 3\n')
    expect(said).toContain('see       scheduler logs -f hourly@2026-01-05T06:00Z\n')
  })

  test('running, and all places for tasks are taken', async () => {
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['06:00', 'schedule_enqueued', enqueued('06:00')],
        ['06:00', 'run_started', started('06:00')],
      ),
    )
    define(hourly)
    const none = {
      waiting: 0,
      running: 0,
      retrying: 0,
      fanned_out: 0,
      ok: 0,
      failed: 0,
      skipped: 0,
      cancelled: 0,
    }
    const view = {
      ...runAt('06:00'),
      status: 'running' as const,
      enqueued_at: '',
      tasks: { ...none, ready: 2 },
    }
    await serve({ runs: [view] })
    expect(await why('hourly', 'last')).toContain('all 16 places for tasks (SCHED_MAX_TASKS) are taken')
  })

  test('ended because it was cancelled: by what', async () => {
    const ended = { tasks_succeeded: 0, tasks_failed: 0, tasks_skipped: 1, duration_ms: 0 }
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['05:00', 'schedule_enqueued', enqueued('05:00')],
        [
          '05:10',
          'run_cancel_requested',
          { ...runAt('05:00'), reason: 'starting_deadline: not started by 05:10' },
        ],
        ['05:10', 'run_finished', { ...started('05:00'), ...ended, status: 'cancelled' }],
      ),
    )
    define(hourly)
    const said = await why('hourly', 'last')
    expect(said).toContain('run       hourly@2026-01-05T05:00Z  cancelled after 0.00s')
    expect(said).toContain('cancelled starting_deadline: not started by 05:10\n')
  })

  test('ended: how, by which task, and the command that shows it', async () => {
    const error = { kind: 'exit_code', message: 'exit code 3: \x1b[31mno table\nhere' }
    see(
      tellLines(
        OPENED,
        STARTED,
        REGISTERED,
        ['06:00', 'schedule_enqueued', enqueued('06:00')],
        ['06:00', 'run_started', started('06:00')],
        ['06:00', 'task_start', { ...task('06:00', 'load'), workflow_ref: 'shell' }],
        ['06:00', 'task_fail', { ...task('06:00', 'load'), duration_ms: 9, error, message: 'm' }],
        [
          '06:00',
          'run_finished',
          {
            ...started('06:00'),
            status: 'failed',
            tasks_succeeded: 0,
            tasks_failed: 1,
            tasks_skipped: 0,
            duration_ms: 9,
            error: "task 'load' failed",
          },
        ],
      ),
    )
    define(hourly)
    expect(
      await why('hourly@2026-01-05T06:00Z'),
    ).toBe(`run       hourly@2026-01-05T06:00Z  failed after 0.01s, at 2026-01-05 06:00:00Z: task 'load' failed
task      load failed (attempt 1): exit code 3: no table here
see       scheduler logs hourly@2026-01-05T06:00Z load
`)
    await why('hourly@2026-01-05T06:00Z', '--json')
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      kind: 'WhyRun',
      run: { status: 'failed' },
      waits_for: [],
    })
  })
})

describe('what was asked wrongly', () => {
  beforeEach(() => {
    see(tellLines(OPENED, STARTED, REGISTERED))
    define(
      hourly,
      aSchedule('nightly', '30 2 * * *', 'etl', {
        timing: { timezone: 'Europe/Berlin' },
      }),
    )
  })
  const refused = async (code: number, ...words: string[]) => {
    line.stderr.text = ''
    expect(await line.run('why', ...words)).toBe(code)
    return line.stderr.text
  }

  test('a schedule, a run and a DAG that are not there', async () => {
    expect(await refused(4, 'houlry')).toContain('hint: did you mean "hourly"?')
    expect(await refused(4, 'etl')).toContain('it is a DAG; its schedules are hourly, nightly')
    expect(await refused(4, 'hourly@2026-01-05T06:00Z')).toContain('RUN_NOT_FOUND')
  })

  test('no instant, a wall clock that is twice or never', async () => {
    expect(await refused(2, 'hourly', 'yesterday')).toContain(
      'slot: expected an instant such as 2026-01-05T06:00Z',
    )
    expect(await refused(2, 'hourly', '2026-02-30', '06:00')).toContain('got "2026-02-30 06:00"')
    const twice = await refused(2, 'nightly', '2026-10-25', '02:30')
    expect(twice).toContain('is twice in Europe/Berlin')
    expect(twice).toContain('hint: say which one: 2026-10-25T00:30Z or 2026-10-25T01:30Z')
    const never = await refused(2, 'nightly', '2026-03-29 02:30')
    expect(never).toContain('does not exist in Europe/Berlin; the clock is set forward at 2026-03-29T01:00Z')
    expect(await why('nightly', '2026-07-01 02:30')).toContain(
      'slot      2026-07-01T00:30Z  2026-07-01 02:30+02:00',
    )
  })

  test('last and next where there is none', async () => {
    expect(await refused(2, 'nightly', 'last')).toContain('no slot of nightly has been decided yet')
    define(aSchedule('off', '0 5 * * *', 'etl', { enabled: false }))
    expect(await refused(2, 'off', 'next')).toContain('off has no next slot: it is disabled')
  })
})
