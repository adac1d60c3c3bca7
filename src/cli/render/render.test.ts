// What people read: tables, times, the plan, the summary, events in words, and the picture of a run.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TextSink } from '../../../test/support/command-line.ts'
import type { Dag } from '../../core/dag/dag.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { Channel, plain } from '../output.ts'
import { describeEvent } from './event-line.ts'
import { openRunView } from './live-run.ts'
import { renderPlan } from './plan.ts'
import { quoteWord, renderFailures, renderSummary } from './run-summary.ts'
import { measureWidth, renderTable, shorten } from './table.ts'
import { formatSeconds, formatSpan, formatWallClock } from './time.ts'

const AT = '2026-01-05T06:00:00.000Z'
const event = (name: string, extra: object = {}) =>
  ({ timestamp: AT, event: name, seq: 1, run_id: 'r', dag_name: 'd', ...extra }) as unknown as Event

describe('tables', () => {
  test('columns are as wide as what stands in them, numbers to the right, no blanks at the end', () => {
    const columns = [{ title: 'ID' }, { title: 'N', align: 'right' }, { title: 'X' }] as const
    expect(
      renderTable(columns, [
        ['a', '1', ''],
        ['日本', '100', 'y'],
        ['\x1b[31mred\x1b[39m', '7'],
      ]),
    ).toEqual(['ID      N  X', 'a       1', '日本  100  y', '\x1b[31mred\x1b[39m     7'])
    expect(renderTable(columns, [['a', '1', 'z']], false)).toEqual(['a  1  z'])
    expect(renderTable(columns, [])).toEqual(['ID  N  X'])
  })

  test('every line but the last cell is padded to the same width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.constant('|')), { minLength: 1 }),
        rows => {
          const clean = rows.map(([text, bar]) => [plain(text), bar])
          const places = renderTable([{ title: 'T' }, { title: '|' }], clean).map(line =>
            measureWidth(line.slice(0, line.lastIndexOf('|'))),
          )
          expect(new Set(places).size).toBe(1)
        },
      ),
    )
  })

  test('what is too long loses its middle', () => {
    expect(shorten('weekly_ops_chain@2026-01-05T06:00Z', 21)).toBe('weekly_ops…-05T06:00Z')
    expect(shorten('short', 21)).toBe('short')
  })
})

test('times', () => {
  expect([2340, 0, 60_001, -5].map(formatSeconds)).toEqual(['2.34s', '0.00s', '60.00s', '0.00s'])
  expect(
    [0, 999, 12_000, 80_000, 3_600_000, 3_605_000, 100_000_000, 86_400_000 * 40].map(formatSpan),
  ).toEqual(['now', 'now', '12s', '1m 20s', '1h', '1h', '1d 3h', '40d'])
  expect(formatWallClock(Date.UTC(2026, 0, 5, 6), 3_600_000)).toBe('2026-01-05 07:00+01:00')
  expect(formatWallClock(Date.UTC(2026, 0, 5, 6, 0, 30), 0)).toBe('2026-01-05 06:00:30Z')
  expect(formatWallClock(Date.UTC(2026, 0, 5, 6), -12_600_000)).toBe('2026-01-05 02:30-03:30')
})

test('the plan is the text that the seed shows', () => {
  const task = (id: string, workflowRef: string, ...dependsOn: string[]) => ({ id, workflowRef, dependsOn })
  const dag = {
    name: 'weekly_ops_chain',
    tenantId: 'local-dev',
    tasks: [
      task('brief', 'meeting_transcript_brief', 'report', 'sweep'),
      task('sweep', 'inbox_drive_sweep'),
      task('report', 'weekly_report_pack', 'sweep'),
    ],
  } as unknown as Dag
  expect(renderPlan(dag, ['sweep', 'report', 'brief']).join('\n')).toBe(`DRY RUN: DAG 'weekly_ops_chain'
Tenant: local-dev
Tasks: 3

Execution Plan:
  1. sweep (workflow: inbox_drive_sweep, depends_on: none)
  2. report (workflow: weekly_report_pack, depends_on: sweep)
  3. brief (workflow: meeting_transcript_brief, depends_on: report, sweep)`)
})

const SUMMARY = {
  run_id: 'weekly@2026-01-05T06:00Z',
  dag_name: 'weekly_ops_chain',
  status: 'success' as const,
  tasks_succeeded: 3,
  tasks_failed: 0,
  tasks_skipped: 0,
  duration_ms: 2341,
}

test('the summary is the text that the seed shows; skipped tasks only where there are any', () => {
  expect(renderSummary(SUMMARY).join('\n')).toBe(`DAG EXECUTION COMPLETE
DAG: weekly_ops_chain
Tasks Succeeded: 3
Tasks Failed: 0
Duration: 2.34s`)
  expect(renderSummary({ ...SUMMARY, tasks_skipped: 2 })[4]).toBe('Tasks Skipped: 2')
  expect(renderFailures(SUMMARY, [])).toEqual([])
})

test('a run that failed names the tasks, the reason, the log and the command', () => {
  const failed = { ...SUMMARY, run_id: "it's@1", status: 'failed' as const, error: "task 'report' failed" }
  const error = { kind: 'exit_code', message: 'exit code 3: \x1b[31mno such\nfile' }
  expect(renderFailures(failed, [{ taskId: 'report', attempt: 3, error, logFile: '/l/stderr.log' }])).toEqual(
    [
      '',
      "Run it's@1 failed",
      "RunnerError: Task 'report' failed after 3 attempts: exit code 3: no such file",
      '  log: /l/stderr.log',
      "  see: scheduler logs 'it'\\''s@1' report",
    ],
  )
  expect(quoteWord('a@2026-01-05T06:00Z')).toBe('a@2026-01-05T06:00Z')
})

describe('events in words', () => {
  const error = { kind: 'exit_code', message: 'exit code 1' }
  test.each<[object, string, string]>([
    [event('task_start', { task_id: 'a', attempt: 1 }), 'info', 'task a of r started (attempt 1)'],
    [
      event('task_ok', { task_id: 'a', attempt: 1, duration_ms: 120 }),
      'info',
      'task a of r ok (attempt 1, 0.12s)',
    ],
    [
      event('task_retry', { task_id: 'a', attempt: 1, duration_ms: 120, retry_at: AT, error }),
      'warn',
      `task a of r failed, again at ${AT} (attempt 1, 0.12s): exit code 1`,
    ],
    [
      event('task_fail', { task_id: 'a', attempt: 2, duration_ms: 5, error, message: 'm' }),
      'error',
      'task a of r failed (attempt 2, 0.01s): exit code 1',
    ],
    [
      event('task_skip', { task_id: 'b', reason: 'upstream_failed' }),
      'info',
      'task b of r skipped (upstream_failed)',
    ],
    [
      event('run_finished', { ...SUMMARY, run_id: 'r' }),
      'info',
      'run r success (3 ok, 0 failed, 0 skipped, 2.34s)',
    ],
    [
      event('schedule_missed', { schedule_id: 's', from: 'A', to: 'B', count: 3, reason: 'catchup_latest' }),
      'warn',
      'schedule s slot A to B, 3 slots, missed (catchup_latest)',
    ],
    [
      { ...event('task_ok', { note: 'x\ny' }), source: 'user' },
      'info',
      'recorded task_ok run_id=r dag_name=d note=x y',
    ],
    [event('from_the_future', { colour: 'red' }), 'debug', 'from_the_future run_id=r dag_name=d colour=red'],
  ])('%j', (given, level, text) => {
    expect(describeEvent(given as Event)).toEqual({ level, text })
  })

  test('no field of an event can move the cursor', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const given = event('task_fail', {
          task_id: text,
          attempt: 1,
          duration_ms: 1,
          error: { kind: 'x', message: text },
        })
        expect(describeEvent(given).text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
      }),
    )
  })
})

describe('a run while it runs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('off a terminal: one line per change, with its time', () => {
    const sink = new TextSink(false)
    const view = openRunView(new Channel(sink, {}), () => 0)
    view.take(event('run_started'))
    view.take(event('task_spawned', { task_id: 'sweep', attempt: 1, pid: 1 }))
    view.take(event('task_ok', { task_id: 'sweep', attempt: 1, duration_ms: 120 }))
    view.finish()
    expect(sink.text).toBe(`${AT} run r started\n${AT} task sweep ok (attempt 1, 0.12s)\n`)
  })

  test('on a terminal: one line per task, at most ten pictures a second, the last one stays', () => {
    const sink = new TextSink(true)
    let nowMs = 0
    const view = openRunView(new Channel(sink, { NO_COLOR: '1' }), () => nowMs)
    for (let i = 0; i < 1000; i++) view.take(event('task_start', { task_id: 'a', attempt: i + 1 }))
    expect(sink.text).toBe('')
    nowMs = 1000
    vi.advanceTimersByTime(1000)
    expect(sink.text.split('\x1b[J').length - 1).toBe(10)
    expect(sink.text).toContain('● a running (attempt 1000, 1.00s)\n')
    expect(sink.text).toContain('\x1b[1A\r\x1b[J')
    view.take(
      event('task_fail', {
        task_id: 'a',
        attempt: 1000,
        duration_ms: 1500,
        error: { kind: 'x', message: 'boom' },
      }),
    )
    view.finish()
    view.finish()
    expect(sink.text.split('\x1b[J').at(-1)).toBe('✗ a failed (attempt 1000, 1.50s) boom\n')
    const length = sink.text.length
    vi.advanceTimersByTime(1000)
    expect(sink.text.length).toBe(length)
  })

  test('a picture is never higher than the terminal, and what moves is in it', () => {
    const sink = new TextSink(true)
    sink.rows = 6
    const view = openRunView(new Channel(sink, { NO_COLOR: '1' }), () => 0)
    view.take(event('task_start', { task_id: 'mover', attempt: 1 }))
    for (let i = 0; i < 50; i++)
      view.take(event('task_skip', { task_id: `t${i}`, reason: 'upstream_failed' }))
    view.finish()
    const lines = sink.text.split('\x1b[J').at(-1)?.trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    expect(lines?.join('\n')).toContain('mover running')
  })
})
