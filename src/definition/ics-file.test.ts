import { describe, expect, it } from 'vitest'
import { formatDay } from '../core/calendar/day.ts'
import { checkIcsFile } from './ics-file.ts'
import { SourceText } from './source-text.ts'

const calendar = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n')
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:u', ...lines, 'END:VEVENT']

async function check(text: string, zone = 'Europe/Berlin') {
  const { days, times, problems } = await checkIcsFile(new SourceText('c.ics', text))
  const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16)
  return {
    days: days.map(
      ({ from, to, name }) => `${formatDay(from)}${to === from ? '' : `/${formatDay(to)}`} ${name}`,
    ),
    times: times.map(({ from, to, name }) => `${iso(from(zone))} ${iso(to(zone))} ${name}`),
    said: problems
      .finish()
      .map(each => `${each.line}:${each.column} ${each.severity}: ${each.message} | ${each.help}`),
  }
}

describe('all-day events', () => {
  it.each([
    [
      'one day',
      event('DTSTART;VALUE=DATE:20261225', 'SUMMARY:Christmas\\, day'),
      ['2026-12-25 Christmas, day'],
    ],
    [
      'several, the end not included',
      event('DTSTART;VALUE=DATE:20261228', 'DTEND;VALUE=DATE:20270101'),
      ['2026-12-28/2026-12-31 holiday'],
    ],
    ['a duration', event('DTSTART;VALUE=DATE:20261228', 'DURATION:P2D'), ['2026-12-28/2026-12-29 holiday']],
    [
      'every year',
      event('DTSTART;VALUE=DATE:20250501', 'RRULE:FREQ=YEARLY;COUNT=3'),
      ['2025-05-01 holiday', '2026-05-01 holiday', '2027-05-01 holiday'],
    ],
    [
      'by weekday',
      event('DTSTART;VALUE=DATE:20251127', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231'),
      ['2025-11-27 holiday', '2026-11-26 holiday', '2027-11-25 holiday'],
    ],
    [
      'but not on the excluded ones',
      event('DTSTART;VALUE=DATE:20250501', 'RRULE:FREQ=YEARLY;COUNT=3', 'EXDATE;VALUE=DATE:20260501'),
      ['2025-05-01 holiday', '2027-05-01 holiday'],
    ],
    [
      'and on others',
      event('DTSTART;VALUE=DATE:20250501', 'RDATE;VALUE=DATE:20250503,20250504'),
      ['2025-05-01 holiday', '2025-05-03 holiday', '2025-05-04 holiday'],
    ],
    [
      '29 February where it exists',
      event('DTSTART;VALUE=DATE:20240229', 'RRULE:FREQ=YEARLY;UNTIL=20320301'),
      ['2024-02-29 holiday', '2028-02-29 holiday', '2032-02-29 holiday'],
    ],
    [
      'the last day of February, every year',
      event('DTSTART;VALUE=DATE:20240229', 'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=2'),
      ['2024-02-29 holiday', '2025-02-28 holiday'],
    ],
    [
      'not before 2000',
      event('DTSTART;VALUE=DATE:19980101', 'RRULE:FREQ=YEARLY;COUNT=3'),
      ['2000-01-01 holiday'],
    ],
    ['nothing that is cancelled', event('DTSTART;VALUE=DATE:20261225', 'STATUS:CANCELLED'), []],
  ])('%s', async (_, lines, expected) => {
    expect(await check(calendar(...lines))).toEqual({ days: expected, times: [], said: [] })
  })

  it('without end reach to 2100', async () => {
    const { days } = await check(calendar(...event('DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=YEARLY')))
    expect(days).toHaveLength(75)
    expect(days.at(-1)).toBe('2100-01-01 holiday')
  })

  it('an occurrence that was moved stands for the one in the rule', async () => {
    const text = calendar(
      ...event('DTSTART;VALUE=DATE:20250505', 'RRULE:FREQ=YEARLY;COUNT=2', 'SUMMARY:May'),
      ...event('RECURRENCE-ID;VALUE=DATE:20260505', 'DTSTART;VALUE=DATE:20260508', 'SUMMARY:May, moved'),
    )
    expect((await check(text)).days).toEqual(['2025-05-05 May', '2026-05-08 May, moved'])
  })
})

describe('timed events', () => {
  it.each([
    [
      'UTC',
      event('DTSTART:20261107T180000Z', 'DTEND:20261107T200000Z', 'SUMMARY:x'),
      ['2026-11-07T18:00 2026-11-07T20:00 x'],
    ],
    [
      'a zone that tzdata knows',
      event('DTSTART;TZID=America/New_York:20260707T180000', 'DURATION:PT2H', 'SUMMARY:x'),
      ['2026-07-07T22:00 2026-07-08T00:00 x'],
    ],
    [
      'the zone of the calendar, where there is none',
      event('DTSTART:20260707T180000', 'DTEND:20260707T235959', 'SUMMARY:x'),
      ['2026-07-07T16:00 2026-07-07T21:59 x'],
    ],
    [
      'weekly through a change of the clock',
      event(
        'DTSTART;TZID=Europe/Berlin:20261024T220000',
        'DTEND;TZID=Europe/Berlin:20261024T230000',
        'RRULE:FREQ=WEEKLY;COUNT=2',
        'SUMMARY:x',
      ),
      ['2026-10-24T20:00 2026-10-24T21:00 x', '2026-10-31T21:00 2026-10-31T22:00 x'],
    ],
    [
      'an excluded time',
      event(
        'DTSTART;TZID=Europe/Berlin:20261024T220000',
        'DURATION:PT1H',
        'RRULE:FREQ=WEEKLY;COUNT=2',
        'EXDATE:20261024T200000Z',
        'SUMMARY:x',
      ),
      ['2026-10-31T21:00 2026-10-31T22:00 x'],
    ],
    ['nothing without length', event('DTSTART:20261107T180000Z'), []],
  ])('%s', async (_, lines, expected) => {
    expect(await check(calendar(...lines))).toEqual({ days: [], times: expected, said: [] })
  })

  const VTIMEZONE = [
    'BEGIN:VTIMEZONE',
    'TZID:Our Time',
    'BEGIN:STANDARD',
    'DTSTART:19700101T000000',
    'TZOFFSETFROM:+0300',
    'TZOFFSETTO:+0300',
    'END:STANDARD',
    'END:VTIMEZONE',
  ]
  const ours = event('DTSTART;TZID=Our Time:20261107T180000', 'DURATION:PT1H', 'SUMMARY:x')

  it("a zone of the file's own", async () => {
    expect((await check(calendar(...VTIMEZONE, ...ours))).times).toEqual([
      '2026-11-07T15:00 2026-11-07T16:00 x',
    ])
  })

  it('a zone that nobody knows', async () => {
    expect((await check(calendar(...ours))).said).toEqual([
      '3:1 error: unknown time zone "Our Time": it is no IANA name, and the file has no VTIMEZONE for it | export the file with its time zones, or write an IANA name such as Europe/Berlin',
    ])
  })
})

describe('what is wrong', () => {
  it.each([
    [
      'another format',
      'Christmas,2026-12-25\n',
      '1:1 error: expected an iCalendar file, which has BEGIN:VCALENDAR | export it again as iCalendar (.ics)',
    ],
    [
      'a torn file',
      'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\n',
      '1:1 error: iCalendar syntax: invalid ical body. component began but did not end | export it again as iCalendar (.ics)',
    ],
    [
      'a line that is none',
      calendar('hello'),
      '3:1 error: iCalendar syntax: invalid line (no token ";" or ":") "hello" | export it again as iCalendar (.ics)',
    ],
    ['no events', calendar(), '1:1 warning: the file holds no events | check that it was exported whole'],
    [
      'an event without a start',
      calendar(...event('SUMMARY:x')),
      '3:1 error: the event has no DTSTART | give it one, or remove it',
    ],
    [
      'a day that does not exist',
      calendar(...event('DTSTART;VALUE=DATE:20260230')),
      '3:1 error: there is no date 2026-02-30 | correct DTSTART',
    ],
    [
      'a rule by the hour',
      calendar(...event('DTSTART:20260101T000000Z', 'DURATION:PT1H', 'RRULE:FREQ=HOURLY')),
      '3:1 error: expected a rule that recurs DAILY, WEEKLY, MONTHLY or YEARLY, got HOURLY | write a window with cron instead',
    ],
    [
      'a rule for every day of a century',
      calendar(...event('DTSTART;VALUE=DATE:20200101', 'RRULE:FREQ=DAILY')),
      '3:1 error: the file has more than 20000 dates from 2000 to 2100 | give recurring events an end (UNTIL), or write a window with cron',
    ],
  ])('%s', async (_, text, expected) => {
    expect((await check(text)).said).toEqual([expected])
  })

  // Each of these holds the library up for ever, or makes it invent dates.
  it.each([
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30',
    'FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29',
    'FREQ=YEARLY;BYYEARDAY=366;INTERVAL=2',
  ])('a rule that never comes: %s', async rule => {
    const began = performance.now()
    const { days } = await check(calendar(...event('DTSTART;VALUE=DATE:20230201', `RRULE:${rule}`)))
    expect(days).toEqual([])
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('reads the other events all the same', async () => {
    const text = calendar(...event('SUMMARY:x'), ...event('DTSTART;VALUE=DATE:20261225'))
    expect((await check(text)).days).toEqual(['2026-12-25 holiday'])
  })
})
