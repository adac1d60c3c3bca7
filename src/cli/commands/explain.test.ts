// `scheduler explain`: a text or a schedule, for people and machines, and what is wrong with what was asked.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { loadDefinitions } from '../../compose.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine({ loadDefinitions })
})
afterEach(() => line.remove())
const lines = () => line.stdout.text.trimEnd().split('\n')

function write(file: string, text: string): void {
  const path = join(line.root, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

describe('a cron text', () => {
  test('in words, with its slots and what it does at both clock changes', async () => {
    expect(await line.run('explain', '30 2 * * *', '--timezone', 'Europe/Berlin', '-n', '2')).toBe(0)
    expect(lines()).toEqual([
      'cron      30 2 * * *',
      'means     at 02:30 every day',
      'zone      Europe/Berlin',
      '',
      'SLOT               LOCAL (Europe/Berlin)            IN',
      '2026-01-06T01:30Z  Tue 2026-01-06 02:30+01:00  19h 29m',
      '2026-01-07T01:30Z  Wed 2026-01-07 02:30+01:00   1d 19h',
      '',
      'clock changes of Europe/Berlin in the next 12 months (it names fixed times):',
      '  2026-03-29 02:00 to 03:00 is left out: 02:30 is due at 03:00 instead (2026-03-29T01:00Z)',
      '  2026-10-25 02:00 to 03:00 comes twice: 02:30 is due the first time only (2026-10-25T00:30Z)',
    ])
  })

  test('words need no quotes; without a zone it is UTC, which keeps its clock', async () => {
    expect(await line.run('explain', '0', '6', '*', '*', 'MON-FRI')).toBe(0)
    expect(line.stdout.text).toContain('means     at 06:00, Monday to Friday\nzone      UTC\n')
    expect(lines().at(-1)).toBe('UTC keeps its clock for the next 12 months')
    expect(lines()).toHaveLength(12)
  })

  test('warnings with their remedy', async () => {
    expect(await line.run('explain', '*/7 * 13 * FRI')).toBe(0)
    expect(line.stdout.text).toContain(
      'warning   minute */7 is uneven: from 56 to the next 0 it is 4, not 7 [uneven_step]\n' +
        '          Use a step that divides 60 evenly.\n',
    )
    expect(line.stdout.text).toContain('[either_day]')
  })

  test('what follows the clock says so, and what it loses', async () => {
    expect(await line.run('explain', '*/20 2 * * *', '--timezone', 'America/New_York')).toBe(0)
    expect(line.stdout.text).toContain('(it follows the wall clock)')
    expect(line.stdout.text).toContain('is left out: 02:00, 02:20 and 02:40 have no slot that day')
  })

  test('--json holds the same, in UTC', async () => {
    expect(
      await line.run('explain', '0 2,3 * * *', '--timezone', 'America/New_York', '-n', '1', '--json'),
    ).toBe(0)
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      kind: 'Explanation',
      timezone: 'America/New_York',
      crons: [
        {
          cron: '0 2,3 * * *',
          words: 'at 02:00 and 03:00 every day',
          follows_clock: false,
          warnings: [],
          clock_changes: [
            {
              at: '2026-03-08T07:00Z',
              kind: 'gap',
              named: ['2026-03-08 02:00'],
              effect: 'merged',
              slots: ['2026-03-08T07:00Z'],
            },
            { at: '2026-11-01T06:00Z', kind: 'overlap', named: [], effect: 'untouched', slots: [] },
          ],
        },
      ],
      slots: [{ slot: '2026-01-05T07:00Z', local: '2026-01-05 02:00-05:00', in_ms: 3_570_000 }],
    })
  })

  test('one that cannot be read ends with 3, its column and a remedy; so does an unknown zone', async () => {
    expect(await line.run('explain', '0 6 * * MOM')).toBe(3)
    expect(line.stderr.text).toContain('column 9 of cron "0 6 * * MOM"')
    expect(line.stderr.text).toContain('hint: Did you mean MON?')
    expect(await line.run('explain', '@dayly')).toBe(3)
    expect(await line.run('explain', '@daily', '--timezone', 'Europe/Berln')).toBe(3)
    expect(line.stderr.text).toContain('Did you mean Europe/Berlin?')
    expect(await line.run('explain', '@daily', '-n', '0')).toBe(2)
    expect(await line.run('explain')).toBe(2)
  })

  test('every dialect, every rule for clock changes', async () => {
    const explain = async (...words: string[]) => {
      line.stdout.text = ''
      expect(await line.run('explain', ...words)).toBe(0)
      return line.stdout.text
    }
    expect(await explain('0 0 6 ? * 2-6', '--dialect', 'quartz')).toContain('at 06:00, Monday to Friday\n')
    expect(await explain('H 3 * * *', '--seed', 'nightly')).toMatch(/means {5}at 03:\d\d every day\n/)
    const skip = await explain('30 2 * * *', '--timezone', 'Europe/Berlin', '--dst', 'skip')
    expect(skip).toContain('(it names fixed times, dst: skip):\n')
    expect(skip).toContain('is left out: 02:30 has no slot that day\n')
    expect(skip).toContain('comes twice: 02:30 is due the first time only')
    const both = await explain('30 2 * * *', '--timezone', 'Europe/Berlin', '--dst', 'both')
    expect(both).toContain('comes twice: 02:30 is due both times (2026-10-25T00:30Z, 2026-10-25T01:30Z)')
    const snowflake = await explain('USING CRON 30 2 * * * Europe/Berlin')
    expect(snowflake).toContain('zone      Europe/Berlin\n')
    expect(snowflake).toContain('02:30 is due at 03:00 instead (2026-03-29T01:00Z)')
    const period = await explain('90 SECONDS')
    expect(period).toContain('means     every 1m30s, counted from 1970-01-01T00:00Z\n')
    expect(period).toContain('it counts elapsed time: no change of a clock touches it\n')
    expect(await line.run('explain', 'H 3 * * THU')).toBe(2)
    expect(line.stderr.text).toContain('--seed nightly')
    expect(await line.run('explain', '0 6 * * *', '--dialect', 'quarz')).toBe(2)
    expect(line.stderr.text).toContain('--dialect: expected unix or quartz, got "quarz"')
  })

  test('broken definitions are none of its business', async () => {
    write('configs/schedules/a.yaml', '- id: [')
    expect(await line.run('explain', '@daily')).toBe(0)
  })
})

describe('a schedule', () => {
  beforeEach(() => {
    write(
      'configs/dags/etl.yaml',
      'name: etl\ntasks:\n  - id: a\n    workflow_ref: shell\n    params: {command: ["true"]}\n',
    )
    write(
      'configs/schedules/etl.yaml',
      '- id: nightly\n  cron: 30 2 * * *\n  timezone: Europe/Berlin\n  dag: etl\n  catchup: all\n  max_catchup: 3\n  overlap: queue\n',
    )
  })

  test('with its policies in words', async () => {
    expect(await line.run('explain', 'nightly', '-n', '1')).toBe(0)
    expect(lines()[0]).toMatch(/^schedule {2}nightly → dag etl, tenant \S+$/)
    expect(line.stdout.text).toContain('means     at 02:30 every day\nzone      Europe/Berlin\n')
    expect(line.stdout.text).toContain(
      'catchup   all: slots that passed while no scheduler ran are run, oldest first: the last 3, ',
    )
    expect(line.stdout.text).toContain(
      'overlap   queue: a slot that comes while a run of this schedule waits or runs waits for its end\n',
    )
    line.stdout.text = ''
    expect(await line.run('explain', 'nightly', '--json')).toBe(0)
    expect(JSON.parse(line.stdout.text)).toMatchObject({
      schedule_id: 'nightly',
      dag_name: 'etl',
      enabled: true,
      policies: { catchup: { value: 'all' }, overlap: { value: 'queue' } },
    })
  })

  test('pool and priority in words', async () => {
    write('configs/pools.yaml', 'db: 4\n')
    write(
      'configs/schedules/etl.yaml',
      '- id: nightly\n  cron: 30 2 * * *\n  dag: etl\n  pool: { name: db, weight: 2 }\n  priority: 7\n',
    )
    expect(await line.run('explain', 'nightly', '-n', '1')).toBe(0)
    expect(line.stdout.text).toContain('db: a run holds 2 of its slots from start to end, or waits\n')
    expect(line.stdout.text).toContain(
      '7: of runs that wait for room, those of a higher priority start first\n',
    )
  })

  test('conditions in words', async () => {
    write(
      'configs/calendars/office.yaml',
      'name: office\ntimezone: Europe/Berlin\nrules:\n  - { day: 01-01, name: Neujahr }\n',
    )
    write(
      'configs/schedules/when.yaml',
      '- id: when\n  cron: 0 9 * * *\n  dag: etl\n  conditions:\n    - calendar: office\n    - not: { calendar: office, nth: -2 }\n    - blackout: office\n',
    )
    expect(await line.run('explain', 'when', '-n', '6')).toBe(0)
    expect(line.stdout.text).toContain('2026-01-09T09:00Z  Fri 2026-01-09 09:00Z   4d 2h  hold\n')
    expect(line.stdout.text).toContain(
      '2026-01-10T09:00Z  Sat 2026-01-10 09:00Z   5d 2h  skipped (calendar)\n',
    )
    expect(line.stdout.text).toContain(
      'conditions 3: a slot gets a run only if its day is a business day by calendar office, and not: its day is business day 2 from the end of its month by calendar office, and it lies in no window of calendar office\n',
    )
  })

  test('several crons, a period, single moments, bounds', async () => {
    write(
      'configs/schedules/more.yaml',
      '- id: several\n  cron: ["0 6 * * *", "0 18 * * FRI"]\n  dag: etl\n' +
        '- id: period\n  every: 15m\n  start_at: 2026-02-01\n  end_at: 2026-02-02\n  dag: etl\n' +
        '- id: moments\n  at: [2026-12-24 18:00, 2026-12-31]\n  timezone: Europe/Berlin\n  dag: etl\n',
    )
    const explain = async (...words: string[]) => {
      line.stdout.text = ''
      expect(await line.run('explain', ...words)).toBe(0)
      return line.stdout.text
    }
    const several = await explain('several')
    expect(several).toContain('means     at 06:00 every day\n')
    expect(several).toContain('means     at 18:00 on Fridays\n')
    const period = await explain('period', '-n', '1')
    expect(period).toContain(
      'every     15m\nmeans     every 15m, counted from 2026-02-01T00:00Z; clocks do not touch it\n',
    )
    expect(period).toContain('end_at    2026-02-02T00:00Z\nmeans     no slot after it\n')
    expect(period.trimEnd().split('\n').at(-1)).toMatch(/^2026-02-01T00:00Z/)
    expect(await explain('moments')).toContain(
      'at        2026-12-24T17:00Z, 2026-12-30T23:00Z\nmeans     2 times, at these moments\n',
    )
    expect(JSON.parse(await explain('moments', '--json'))).toMatchObject({
      timing: { at: ['2026-12-24T17:00Z', '2026-12-30T23:00Z'], timezone: 'Europe/Berlin' },
      crons: [],
      slots: [{ slot: '2026-12-24T17:00Z' }, { slot: '2026-12-30T23:00Z' }],
    })
  })

  test('an unknown one ends with 4 and the one that was meant; a zone beside an id with 2', async () => {
    expect(await line.run('explain', 'nightley')).toBe(4)
    expect(line.stderr.text).toContain('did you mean "nightly"? a cron text has five fields')
    expect(await line.run('explain', 'nightly', '--timezone', 'UTC')).toBe(2)
  })

  test('broken definitions end with 3', async () => {
    write('configs/schedules/b.yaml', '- id: other\n  crn: "* * * * *"\n  dag: etl\n')
    expect(await line.run('explain', 'nightly')).toBe(3)
    expect(line.stderr.text).toContain('DEFINITIONS_INVALID')
  })
})

test('a roll in words, and from which days each slot has come', async () => {
  write(
    'configs/dags/etl.yaml',
    'name: etl\ntasks:\n  - id: a\n    workflow_ref: shell\n    params: {command: ["true"]}\n',
  )
  write('configs/calendars/office.yaml', 'name: office\ndates: [{date: 2026-01-06, name: Epiphany}]\n')
  write(
    'configs/schedules/a.yaml',
    '- {id: daily, cron: "0 6 * * *", dag: etl, roll: {convention: following, calendar: office}}\n',
  )
  expect(await line.run('explain', 'daily', '-n', '3')).toBe(0)
  const table = lines().filter(text => /^(roll|SLOT|2026)/.test(text))
  expect(table).toEqual([
    'roll      following, office',
    'SLOT               LOCAL (UTC)                IN  ROLLED FROM',
    '2026-01-07T06:00Z  Wed 2026-01-07 06:00Z  1d 23h  2026-01-06',
    '2026-01-08T06:00Z  Thu 2026-01-08 06:00Z  2d 23h  -',
    '2026-01-09T06:00Z  Fri 2026-01-09 06:00Z  3d 23h  -',
  ])
  expect(lines()).toContain(
    'means     a time on any other day is rolled to the following business day of office, at the same time of day',
  )
})
