// `scheduler simulate`: the summary, the events, expectations, and what is wrong with what was asked.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { loadDefinitions, openReader } from '../../compose.ts'
import type { RunIndex } from '../../ports/run-index.ts'
import type { Reader } from '../house.ts'
import { readInstant } from '../span.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine({ loadDefinitions, openReader })
  write('configs/dags/etl.yaml', dag('etl', 'load'))
  write(
    'configs/schedules/s.yaml',
    '- id: quarter\n  cron: "*/15 * * * *"\n  dag: etl\n' +
      '- id: nightly\n  cron: 30 2 * * *\n  dag: etl\n  timezone: Europe/Berlin\n' +
      '- id: resting\n  cron: "@daily"\n  dag: etl\n  enabled: false\n',
  )
})
afterEach(() => line.remove())
const lines = () => line.stdout.text.trimEnd().split('\n')
const DAY = ['--from', '2026-03-28', '--to', '2026-03-30']

function write(file: string, text: string): void {
  const path = join(line.root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function dag(name: string, task: string): string {
  return `name: ${name}\ntasks:\n  - id: ${task}\n    workflow_ref: shell\n    params: {command: ["true"]}\n`
}

describe('the summary', () => {
  test('one line per enabled schedule, then the load; nothing is written', async () => {
    expect(await line.run('simulate', ...DAY)).toBe(0)
    expect(lines()).toEqual([
      'simulated 2026-03-28T00:00Z to 2026-03-30T00:00Z',
      '',
      'SCHEDULE  DAG  FIRES  SKIPPED  MISSED  FIRST              LAST               LONGEST WAIT  DURATIONS',
      'quarter   etl    192        0       0  2026-03-28T00:00Z  2026-03-29T23:45Z             -  1m a run',
      'nightly   etl      2        0       0  2026-03-28T01:30Z  2026-03-29T01:00Z             -  1m a run',
      '',
      'fullest minutes   2 at 2026-03-28T01:30Z, 2 at 2026-03-29T01:00Z, 1 at 2026-03-28T00:00Z, 1 at 2026-03-28T00:15Z, 1 at 2026-03-28T00:30Z (fires)',
      'most runs at once 2, first at 2026-03-28T01:30Z',
    ])
    expect(line.stderr.text).toMatch(/^\d+ events in \d+\.\ds; nothing was run or written\n$/)
    expect(existsSync(join(line.root, 'logs'))).toBe(false)
  })

  test('named schedules are shown, a disabled one as if it were enabled; the others still take room', async () => {
    expect(await line.run('simulate', 'resting', ...DAY, '--json')).toBe(0)
    const answer = JSON.parse(line.stdout.text)
    expect(answer).toMatchObject({
      kind: 'Simulation',
      from: '2026-03-28T00:00Z',
      to: '2026-03-30T00:00Z',
      schedules: [{ schedule_id: 'resting', fires: 2, skipped: 0, past_runs: 0 }],
      load: { fires: 196, peak_runs: { count: 2 } },
      run_ms_without_past: 60_000,
    })
  })

  test('predicted skips name their cause, and that the length was a guess', async () => {
    expect(await line.run('simulate', ...DAY, '--duration', '20m')).toBe(0)
    expect(lines()[3]).toMatch(/^quarter {3}etl {5}96 {7}96 /)
    expect(line.stdout.text).toContain('why slots would not run:\n  quarter: 96 overlap\n')
    expect(line.stdout.text).toContain(
      'quarter never ran: that slots are skipped follows from --duration 20m\n',
    )
  })

  test('past runs say how long the next ones take', async () => {
    const index = {
      runs: () => [{ run_id: 'a' }, { run_id: 'b' }, { run_id: 'c' }],
      tasks: (id: string) => [
        { task_id: 'load', status: 'ok', duration_ms: { a: 1_000, b: 1_200_000, c: 1_300_000 }[id] },
      ],
    } as unknown as RunIndex
    line.house.openReader = async () => ({ index, close: () => {} }) as unknown as Reader
    expect(await line.run('simulate', ...DAY)).toBe(0)
    expect(lines()[3]).toMatch(/^quarter {3}etl {5}96 {7}96 .* median of 3$/)
  })

  test('--slots: every decision about a slot, in words or as the journal would have it', async () => {
    expect(await line.run('simulate', 'nightly', ...DAY, '--slots')).toBe(0)
    expect(lines()).toEqual([
      '2026-03-28T01:30:00.000Z schedule nightly slot 2026-03-28T01:30Z enqueued (due)',
      '2026-03-29T01:00:00.000Z schedule nightly slot 2026-03-29T01:00Z enqueued (due)',
    ])
    line.stdout.text = ''
    expect(await line.run('simulate', 'nightly', ...DAY, '--slots', '--json')).toBe(0)
    expect(JSON.parse(lines()[1]!)).toMatchObject({
      event: 'schedule_enqueued',
      slot: '2026-03-29T01:00Z',
      run_id: 'nightly@2026-03-29T01:00Z',
      reason: 'due',
    })
  })
})

describe('expectations', () => {
  test('all hold: 0; one does not: 1, with its line and what was got', async () => {
    write('good.yaml', '- schedule: nightly\n  exactly: 2\n  never_between: ["03:30", "02:00"]\n')
    expect(await line.run('simulate', ...DAY, '--assert', 'good.yaml')).toBe(0)
    expect(line.stderr.text).toContain('good.yaml: all 1 expectations hold\n')
    write(
      'bad.json',
      '[{"schedule":"nightly","slots":["2026-03-29T01:30Z"]},\n{"schedule":"quarter","at_least":1}]',
    )
    line.stdout.text = ''
    expect(await line.run('simulate', ...DAY, '--assert', 'bad.json', '--json')).toBe(1)
    expect(line.stderr.text).toContain(
      'bad.json:1: schedule nightly: expected a fire at 2026-03-29T01:30Z, got none\nbad.json: 1 of 2 expectations do not hold\n',
    )
    expect(JSON.parse(line.stdout.text).expectations).toEqual([
      {
        schedule_id: 'nightly',
        line: 1,
        ok: false,
        failures: ['expected a fire at 2026-03-29T01:30Z, got none'],
      },
      { schedule_id: 'quarter', line: 2, ok: true, failures: [] },
    ])
  })

  test('a file that cannot be read as expectations: every place at once, exit 3', async () => {
    write(
      'wrong.yaml',
      '- schedule: nigthly\n  exacly: 2\n- schedule: quarter\n- schedule: nightly\n  slots: [yesterday]\n  never_between: ["25:00", "02:00"]\n',
    )
    expect(await line.run('simulate', ...DAY, '--assert', 'wrong.yaml')).toBe(3)
    for (const words of [
      'wrong.yaml:1:13 error: there is no schedule "nigthly"',
      'did you mean "nightly"?',
      'did you mean "exactly"?',
      'wrong.yaml:3:3 error: nothing is expected of it',
      'wrong.yaml:5:11 error: expected a point in time, got "yesterday"',
      'expected a point in time, got "25:00"',
    ])
      expect(line.stderr.text).toContain(words)
    expect(await line.run('simulate', '--assert', 'none.yaml')).toBe(2)
    expect(line.stderr.text).toContain('--assert: none.yaml cannot be read: ENOENT')
    write('empty.yaml', '')
    expect(await line.run('simulate', '--assert', 'empty.yaml')).toBe(3)
  })
})

describe('what is wrong with what was asked', () => {
  test.each([
    [
      ['--from', 'monday', '--to', '2026-02-30'],
      2,
      '--from: expected a date or ISO 8601 with an offset, got "monday"; --to: expected',
    ],
    [['--from', '2026-01-05T06:00', '--to', '2026-01-06'], 2, 'got "2026-01-05T06:00"'],
    [['--from', '2026-01-06', '--to', '2026-01-06'], 2, '--from 2026-01-06T00:00Z is not before --to'],
    [['--from', '2026-01-01', '--to', '2031-01-03'], 2, 'it is more than 5 years'],
    [['--duration', '5'], 2, '--duration: '],
    [['nigthly'], 4, 'did you mean "nightly"?'],
  ])('%j', async (words, code, said) => {
    expect(await line.run('simulate', ...words)).toBe(code)
    expect(line.stderr.text).toContain(said)
  })

  test('broken definitions end with 3', async () => {
    write('configs/schedules/b.yaml', '- id: x\n  crn: 1\n')
    expect(await line.run('simulate', ...DAY)).toBe(3)
  })
})

test('dates and instants, and what is none', () => {
  expect(readInstant('2026-01-05')).toBe(Date.UTC(2026, 0, 5))
  expect(readInstant('2024-02-29')).toBe(Date.UTC(2024, 1, 29))
  expect(readInstant('2026-01-05T07:00+01:00')).toBe(Date.UTC(2026, 0, 5, 6))
  for (const text of [
    '2026-02-29',
    '2026-02-30T00:00Z',
    '2026-13-01',
    '2026-1-5',
    '',
    'now',
    '2026-01-05T06:00',
  ])
    expect(readInstant(text)).toBeNaN()
})
