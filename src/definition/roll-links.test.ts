import { describe, expect, test } from 'vitest'
import { formatSlot } from '../core/time/instant.ts'
import { type InputFile, loadDefinitions } from './load-definitions.ts'

const file = (name: string, text: string): InputFile => ({
  file: name,
  key: name,
  content: { bytes: new TextEncoder().encode(text) },
})

const OFFICE = 'name: office\ndates: [{date: 2026-05-01, name: May Day}]\n'

/** No range may be longer than a hundred years. */
const CLOSED = `name: office\ndates:\n${[1970, 2070, 2170, 2270]
  .map(year => `  - {from: ${year}-01-01, to: ${Math.min(year + 99, 2299)}-12-31, name: Closed}\n`)
  .join('')}`

async function load(schedules: string, calendar = OFFICE) {
  const result = await loadDefinitions({
    scheduleFiles: [file('s.yaml', schedules)],
    dagFiles: [
      file('d.yaml', 'name: d\ntasks: [{id: a, workflow_ref: shell, params: {command: ["true"]}}]\n'),
    ],
    calendarFiles: [file('c.yaml', calendar)],
    poolFiles: [],
    icsFiles: [],
    workflows: ['shell'],
    problems: [],
    findDag: async path => ({ refused: 'no such file', help: `create ${path}` }),
  })
  const problems = result.ok ? result.warnings : result.problems
  const said = problems.map(each => `${each.file}:${each.line}:${each.column} ${each.message} | ${each.help}`)
  return { said, schedules: result.ok ? result.definitions.schedules : undefined, problems }
}

const entry = (roll: string, due = 'cron: "0 6 1 * *"') => `- {id: x, ${due}, dag: d, roll: ${roll}}\n`

describe('a roll', () => {
  test('holds the days of its calendar, once for all schedules that say the same', async () => {
    const roll = '{convention: following, calendar: office}'
    const { schedules, said } = await load(
      `${entry(roll)}- {id: y, cron: "0 7 1 * *", dag: d, roll: ${roll}}\n`,
    )
    expect(said).toEqual([])
    const { timing, slots } = schedules!.get('x')!
    expect(timing.roll).toEqual({
      convention: 'following',
      calendar: 'office',
      days: { weekend: ['SUN', 'SAT'], dates: ['2026-05-01'] },
    })
    expect(schedules!.get('y')!.timing.roll).toBe(timing.roll)
    expect(formatSlot(slots.next(Date.parse('2026-05-01T00:00Z'))!)).toBe('2026-05-04T06:00Z')
  })

  test.each([
    [
      'a calendar that is not there, by the nearest name',
      entry('{convention: following, calendar: ofice}'),
      OFFICE,
      's.yaml:1:78 unknown calendar "ofice" | did you mean "office"?',
    ],
    [
      'a calendar without business days',
      entry('{convention: following, calendar: office}'),
      CLOSED,
      's.yaml:1:78 calendar "office" has no business day: no slot is ever due | shorten its dates, or name workdays',
    ],
    [
      'half of one',
      entry('{convention: following}'),
      OFFICE,
      's.yaml:1:44 missing key "calendar" | add calendar: office',
    ],
    [
      'another word',
      entry('{convention: nearest, calendar: office}'),
      OFFICE,
      's.yaml:1:57 expected following, preceding, modified_following or modified_preceding, got "nearest" | for example convention: following',
    ],
    [
      'a period beside it',
      entry('{convention: following, calendar: office}', 'cron: "0 6 1 * *", every: 2h'),
      OFFICE,
      's.yaml:1:37 roll moves times of cron: "every" cannot stand beside it | make it a schedule of its own',
    ],
    [
      'a period in the text of cron',
      entry('{convention: following, calendar: office}', 'cron: 90 MINUTES'),
      OFFICE,
      's.yaml:1:17 roll moves times of a day: a period has none | write five fields, such as "0 6 * * *"',
    ],
  ])('refuses %s, at its place', async (_, schedules, calendar, expected) => {
    expect((await load(schedules, calendar)).said).toEqual([expected])
  })

  test('refuses a calendar that is too much for a line of the journal', async () => {
    const dates = Array.from({ length: 3_000 }, (_, index) => {
      const day = new Date(Date.UTC(2020, 0, 1 + 2 * index)).toISOString().slice(0, 10)
      return `  - {date: ${day}, name: x}\n`
    })
    const { said } = await load(
      entry('{convention: following, calendar: office}'),
      `name: office\ndates:\n${dates.join('')}`,
    )
    expect(said).toEqual([
      's.yaml:1:78 calendar "office" has 39035 bytes of days and rules; a roll keeps at most 32768 | say yearly holidays as rules, join dates to spans, or leave past years out',
    ])
  })

  test('of more than a few times a day is warned of', async () => {
    const { problems, schedules } = await load(
      entry('{convention: following, calendar: office}', 'cron: "*/30 * * * *"'),
    )
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        code: 'crowded_roll',
        message: 'more than 24 times a day are rolled to one business day',
      },
    ])
    expect(schedules!.size).toBe(1)
  })
})
