import { describe, expect, it } from 'vitest'
import { parseDay } from '../core/calendar/day.ts'
import { checkCalendarFile } from './calendar-file.ts'
import { SourceText } from './source-text.ts'

async function check(text: string) {
  const file = await checkCalendarFile(new SourceText('c.yaml', text))
  const said = file.problems
    .finish()
    .map(each => `${each.line}:${each.column} ${each.severity}: ${each.message} | ${each.help}`)
  return { file, said }
}

/** A sound calendar with further lines; the first of them is line 2. */
const withLines = (...lines: string[]) => ['name: c', ...lines, ''].join('\n')

describe('checkCalendarFile', () => {
  it('needs nothing but a name', async () => {
    const { file, said } = await check('name: c\n')
    expect(said).toEqual([])
    expect(file.plan).toEqual({
      name: 'c',
      timezone: 'UTC',
      weekend: [6, 0],
      include: [],
      dates: [],
      rules: [],
      exclude: [],
      workdays: [],
      windows: [],
    })
  })

  it('reads every field', async () => {
    const { file, said } = await check(
      withLines(
        'description: d',
        'timezone: Europe/Berlin',
        'weekend: [FRI, SAT]',
        'include: [other]',
        'observed: {SAT: FRI, SUN: MON}',
        'dates:',
        '  - 2026-12-25',
        '  - {date: 2026-12-24, name: Eve}',
        '  - {from: 2026-12-28, to: 2026-12-31, name: Shutdown}',
        'rules:',
        '  - {day: 12-25, name: Christmas Day}',
        '  - {nth: -1, weekday: MON, month: 5, name: Memorial, observed: none, from_year: 1971}',
        '  - {easter: 1, orthodox: true, until_year: 2030}',
        '  - {weekday: SAT, on_or_after: 06-20, observed: next_monday}',
        'ics: [x.ics]',
        'exclude: [2026-07-03]',
        'workdays: [{date: 2026-10-10, name: stocktaking}]',
        'windows:',
        '  - {name: a, cron: "0 22 * * SUN", duration: 4h}',
        '  - {name: b, weekdays: [SAT], from: "22:00", to: "04:00", timezone: UTC}',
        '  - {name: c, from: 2026-12-20T18:00, to: 2026-12-21}',
        '  - {name: d, weekdays: [SUN]}',
      ),
    )
    expect(said).toEqual([])
    const day = (text: string) => parseDay(text)!
    const observed = [1, undefined, undefined, undefined, undefined, undefined, 5]
    const years = { fromYear: Number.NEGATIVE_INFINITY, untilYear: Number.POSITIVE_INFINITY }
    expect(file.plan).toEqual({
      name: 'c',
      description: 'd',
      timezone: 'Europe/Berlin',
      weekend: [5, 6],
      include: ['other'],
      dates: [
        { from: day('2026-12-25'), to: day('2026-12-25'), name: 'holiday' },
        { from: day('2026-12-24'), to: day('2026-12-24'), name: 'Eve' },
        { from: day('2026-12-28'), to: day('2026-12-31'), name: 'Shutdown' },
      ],
      rules: [
        { name: 'Christmas Day', on: { kind: 'date', month: 12, day: 25 }, observed, ...years },
        {
          name: 'Memorial',
          on: { kind: 'nth', nth: -1, weekday: 1, month: 5 },
          observed: undefined,
          ...years,
          fromYear: 1971,
        },
        {
          name: 'holiday',
          on: { kind: 'easter', offset: 1, orthodox: true },
          observed,
          ...years,
          untilYear: 2030,
        },
        {
          name: 'holiday',
          on: { kind: 'near', weekday: 6, month: 6, day: 20, direction: 'on_or_after' },
          observed: [1, undefined, undefined, undefined, undefined, undefined, 1],
          ...years,
        },
      ],
      exclude: [{ from: day('2026-07-03'), to: day('2026-07-03') }],
      workdays: [{ from: day('2026-10-10'), to: day('2026-10-10') }],
      windows: [
        {
          kind: 'cron',
          name: 'a',
          cron: '0 22 * * SUN',
          timezone: 'Europe/Berlin',
          durationMs: 14_400_000,
        },
        {
          kind: 'weekly',
          name: 'b',
          weekdays: [6],
          fromMinute: 1_320,
          untilMinute: 240,
          timezone: 'UTC',
        },
        {
          kind: 'once',
          name: 'c',
          from: Date.parse('2026-12-20T17:00Z'),
          to: Date.parse('2026-12-20T23:00Z'),
        },
        {
          kind: 'weekly',
          name: 'd',
          weekdays: [0],
          fromMinute: 0,
          untilMinute: 1_440,
          timezone: 'Europe/Berlin',
        },
      ],
    })
    expect(file.includes.map(({ name }) => name)).toEqual(['other'])
    expect(file.icsFiles.map(({ name }) => name)).toEqual(['x.ics'])
  })

  it.each([
    [
      'an empty file',
      '# nothing\n',
      '1:1 error: the file is empty: expected a calendar (a mapping with name) | write name: and what else there is to say, or delete the file',
    ],
    [
      'a list',
      '- a\n',
      '1:1 error: expected a calendar (a mapping with name), got a list | for example name: office',
    ],
    ['no name', 'weekend: []\n', '1:1 error: missing key "name" | add name: office'],
    [
      'a word of another product',
      withLines('holidays: []'),
      '2:1 error: unknown key "holidays" | did you mean "dates"?',
    ],
    ['a typo', withLines('windoes: []'), '2:1 error: unknown key "windoes" | did you mean "windows"?'],
    [
      'a day that does not exist',
      withLines('dates: [2026-02-30]'),
      '2:9 error: expected a date that exists, got "2026-02-30" | February 2026 has 28 days',
    ],
    [
      'month and day swapped',
      withLines('dates: [2026-24-12]'),
      '2:9 error: expected a date that exists, got "2026-24-12" | months are 01 to 12, and stand before the day',
    ],
    [
      'a year too early',
      withLines('dates: [1066-10-14]'),
      '2:9 error: expected a date from 1900 to 2299, got "1066-10-14" | correct the year',
    ],
    [
      'another way to write dates',
      withLines('dates: [25.12.2026]'),
      '2:9 error: expected a date such as 2026-12-25, or a mapping with date, or with from and to, got "25.12.2026" | for example - 2026-12-25',
    ],
    [
      'an unknown key inside of one of two kinds',
      withLines('dates:', '  - {dat: 2026-12-25}'),
      '3:6 error: unknown key "dat" | did you mean "date"?',
      '3:5 error: missing key "date" | add date: 2026-12-24',
    ],
    [
      'half a range',
      withLines('dates: [{from: 2026-12-25}]'),
      '2:9 error: missing key "to": a range has a first and a last day | for one day write date',
    ],
    [
      'a day and a range',
      withLines('dates: [{date: 2026-12-25, to: 2026-12-26}]'),
      '2:9 error: expected either date, or from and to, got both | keep date for one day, from and to for several',
    ],
    [
      'an empty range',
      withLines('exclude: [{from: 2026-12-31, to: 2026-12-28}]'),
      '2:34 error: the range is empty: 2026-12-28 is before 2026-12-31 | swap from and to',
    ],
    [
      'a range of centuries',
      withLines('dates: [{from: 1900-01-01, to: 2199-12-31}]'),
      '2:32 error: expected a range of at most 100 years (36525 days), got 109573 days | a day that is never a business day belongs into weekend',
    ],
    [
      'no weekday',
      withLines('weekend: [SAT, SON]'),
      '2:16 error: expected MON, TUE, WED, THU, FRI, SAT or SUN, got "SON" | did you mean "MON"?',
    ],
    [
      'a week without days',
      withLines('weekend: [MON, TUE, WED, THU, FRI, SAT, SUN]'),
      '2:10 error: expected a list of at most 6 weekdays, got 7 | for example weekend: [SAT, SUN]',
    ],
    [
      'an unknown zone',
      withLines('timezone: Europe/Berlinn'),
      '2:11 error: time zone "Europe/Berlinn" is unknown: expected an IANA name | did you mean Europe/Berlin?',
    ],
    [
      'a rule of no kind',
      withLines('rules: [{name: x}]'),
      '2:9 error: missing key: a rule has day, nth, easter, on_or_after or on_or_before | for example {day: 12-25, name: Christmas Day}',
    ],
    [
      'a rule of two kinds',
      withLines('rules: [{day: 12-25, easter: 1}]'),
      '2:9 error: expected one of day, easter, got 2 of them | make it a rule for each',
    ],
    [
      'a rule that lacks something',
      withLines('rules: [{nth: 4, weekday: THU}]'),
      '2:9 error: missing key "month" beside "nth" | add month: 11',
    ],
    [
      'a rule with too much',
      withLines('rules: [{day: 12-25, weekday: MON}]'),
      '2:22 error: "weekday" says nothing beside "day" | remove it, or make it a rule of its own',
    ],
    [
      'a rule for the zeroth',
      withLines('rules: [{nth: 0, weekday: THU, month: 11}]'),
      '2:15 error: expected a number from -5 to 5 other than 0, got 0 | 1 is the first one, -1 the last one',
    ],
    [
      'a day that no year has',
      withLines('rules: [{day: 02-30}]'),
      '2:15 error: expected a day of the year that exists, got "02-30" | February has 29 days',
    ],
    [
      'day before month',
      withLines('rules: [{day: 25-12}]'),
      '2:15 error: expected a day of the year that exists, got "25-12" | months are 01 to 12, and stand before the day: 25 December is 12-25',
    ],
    [
      'years that are none',
      withLines('rules: [{day: 12-25, from_year: 2030, until_year: 2020}]'),
      '2:51 error: the years are empty: 2020 is before 2030 | swap from_year and until_year',
    ],
    [
      'a rule far from Easter',
      withLines('rules: [{easter: 200}]'),
      '2:18 error: expected days after Easter Sunday (-80 to 120), got 200 | for example easter: -2',
    ],
    [
      'an unknown way of moving',
      withLines('observed: nearest_weekdy'),
      '2:11 error: expected none, nearest_weekday, next_monday or a mapping such as {SAT: FRI, SUN: MON}, got "nearest_weekdy" | did you mean "nearest_weekday"?',
    ],
    [
      'a long name of a weekday',
      withLines('observed: {SAT: Friday}'),
      '2:17 error: expected MON, TUE, WED, THU, FRI, SAT or SUN, got "Friday" | for example SAT: FRI',
    ],
    [
      'a window of no kind',
      withLines('windows: [{name: x}]'),
      '2:11 error: missing key: a window has cron and duration, from and to, or weekdays | for example {name: patches, cron: "0 22 * * SUN", duration: 4h}',
    ],
    [
      'a window without length',
      withLines('windows: [{name: x, cron: "@daily"}]'),
      '2:11 error: missing key "duration" beside "cron" | add duration: 4h',
    ],
    [
      'a window of nothing',
      withLines('windows: [{name: x, cron: "@daily", duration: 0s}]'),
      '2:47 error: expected a duration of more than nothing and at most 31d, got "0s" | a longer window is one with from and to, or a range of dates',
    ],
    [
      'a window of months',
      withLines('windows: [{name: x, cron: "@daily", duration: 60d}]'),
      '2:47 error: expected a duration of more than nothing and at most 31d, got "60d" | a longer window is one with from and to, or a range of dates',
    ],
    [
      'a wrong cron expression',
      withLines('windows: [{name: x, cron: "0 25 * * *", duration: 1h}]'),
      '2:30 error: hour 25 is out of range 0-23 | write a value from 0 to 23',
    ],
    [
      'a window with half a range',
      withLines('windows: [{name: x, from: "22:00"}]'),
      '2:11 error: missing key "to" beside "from" | add to: "04:00"',
    ],
    [
      'a time and a date',
      withLines('windows: [{name: x, from: "22:00", to: 2026-01-01}]'),
      '2:40 error: expected two times or two dates, got "22:00" and "2026-01-01" | for example from: "22:00" with to: "04:00"',
    ],
    [
      'a time that no clock shows',
      withLines('windows: [{name: x, from: "22:00", to: "25:00"}]'),
      '2:40 error: expected a time of day, got "25:00" | 00:01 to 24:00',
    ],
    [
      'a window that closes when it opens',
      withLines('windows: [{name: x, from: "22:00", to: "22:00"}]'),
      '2:40 error: the window is empty: it closes at 22:00, when it opens | for a whole day write from: "00:00" and to: "24:00"',
    ],
    [
      'a window that closes before it opens',
      withLines('windows: [{name: x, from: 2026-01-02, to: 2026-01-02}]'),
      '2:43 error: the window is empty: 2026-01-02 is not after 2026-01-02 | a date without a time is its midnight: the end is not included',
    ],
    [
      'a window of centuries',
      withLines('windows: [{name: x, from: 1926-01-02, to: 2126-01-02}]'),
      '2:43 error: expected a window of at most 100 years, got 1926-01-02 to 2126-01-02 | correct the year; a schedule that should never run is disabled',
    ],
    [
      'weekdays of a window that happens once',
      withLines('windows: [{name: x, weekdays: [SAT], from: 2026-01-02, to: 2026-01-03}]'),
      '2:21 error: "weekdays" says nothing beside "from" | a window between two dates happens once',
    ],
    [
      'a path for a list of paths',
      withLines('ics: x.ics'),
      '2:6 error: expected a list of paths of .ics files, got "x.ics" | for example ics: [school.ics]',
    ],
  ])('%s', async (_, text, ...expected) => {
    const { file, said } = await check(text)
    expect(said).toEqual(expected)
    expect(file.plan).toBeUndefined()
  })

  it('finds everything in one go', async () => {
    const { said } = await check(
      withLines(
        'timezone: Mars/Base',
        'dates: [2026-02-30, {from: x}]',
        'rules: [{day: 13-01}]',
        'windows: [{name: x, cron: "x", duration: 4}]',
        'oops: 1',
      ),
    )
    expect(said).toHaveLength(8)
  })

  it('takes 20,000 dates in bounded time, and refuses more', async () => {
    const dates = (count: number) => withLines(`dates: [${Array(count).fill('2026-12-25').join(', ')}]`)
    const began = performance.now()
    expect((await check(dates(20_000))).file.plan?.dates).toHaveLength(20_000)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect((await check(dates(20_001))).said).toEqual([
      expect.stringContaining('expected a list of dates, got 20001'),
    ])
  })
})
