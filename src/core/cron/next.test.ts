// Slots by example: the calendar, the day rule, and every DST case that schedulers are known to get wrong.
// `local` in a case's name is the wall clock; the lists are UTC.

import { describe, expect, it } from 'vitest'
import { formatSlot } from '../time/instant.ts'
import { Zone } from '../time/zone.ts'
import { compileCron } from './compile.ts'
import { findNextSlot } from './next.ts'
import { parseCron } from './parse.ts'

/** The slots after `from` (exclusive) and before `until`, as text; at most 500. */
function listSlots(cron: string, zone: string, from: string, until: string): string[] {
  const schedule = compileCron(cron, zone)
  const slots: string[] = []
  let at = schedule.next(Date.parse(from))
  while (at !== undefined && at < Date.parse(until) && slots.length < 500) {
    slots.push(formatSlot(at))
    at = schedule.next(at)
  }
  return slots
}

function nextOf(cron: string, zone: string, after: string): string | undefined {
  const slot = compileCron(cron, zone).next(Date.parse(after))
  return slot === undefined ? undefined : formatSlot(slot)
}

describe('the calendar', () => {
  const cases: [cron: string, after: string, next: string | undefined][] = [
    ['* * * * *', '2026-01-05T06:00:00Z', '2026-01-05T06:01Z'],
    ['* * * * *', '2026-01-05T05:59:59.999Z', '2026-01-05T06:00Z'],
    ['*/15 * * * *', '2026-01-05T06:46:00Z', '2026-01-05T07:00Z'],
    ['5/15 * * * *', '2026-01-05T06:46:00Z', '2026-01-05T06:50Z'],
    ['0 6 * * *', '2026-01-05T06:00:00Z', '2026-01-06T06:00Z'],
    ['0 6 * * MON', '2026-01-05T06:00:00Z', '2026-01-12T06:00Z'],
    ['0 6 * * FRI-MON', '2026-01-05T06:00:00Z', '2026-01-09T06:00Z'],
    ['0 22-2 * * *', '2026-01-05T02:00:00Z', '2026-01-05T22:00Z'],
    ['0 0 1 NOV-FEB *', '2026-02-01T00:00:00Z', '2026-11-01T00:00Z'],
    ['0 0 31 * *', '2026-01-31T00:00:00Z', '2026-03-31T00:00Z'],
    ['59 23 31 12 *', '2026-12-31T23:59:00Z', '2027-12-31T23:59Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00Z'],
    ['0 0 29 2 *', '2096-02-29T00:00:00Z', '2104-02-29T00:00Z'],
    ['0 0 * 2 0', '2026-02-22T00:00:00Z', '2027-02-07T00:00Z'],
    ['@hourly', '2026-01-05T06:00:00Z', '2026-01-05T07:00Z'],
    ['@Weekly', '2026-01-05T06:00:00Z', '2026-01-11T00:00Z'],
    ['@YEARLY', '2026-01-05T06:00:00Z', '2027-01-01T00:00Z'],
    ['0 0 1 1 *', '1969-06-01T00:00:00Z', '1970-01-01T00:00Z'],
    ['0 0 1 3 *', '1900-02-28T00:00:00Z', '1900-03-01T00:00Z'],
  ]
  it.each(cases)('%s after %s is %s', (cron, after, next) => {
    expect(nextOf(cron, 'UTC', after)).toBe(next)
  })

  it('looks 40 years ahead and then gives up instead of searching on', () => {
    // 29 February on a Sunday: 2088, then not before 2128, because 2100 is no leap year.
    expect(nextOf('0 0 29 2 */7', 'UTC', '2080-01-01T00:00:00Z')).toBe('2088-02-29T00:00Z')
    expect(nextOf('0 0 29 2 */7', 'UTC', '2088-02-29T00:00:00Z')).toBe('2128-02-29T00:00Z')
    const never = { ...parseCron('0 0 29 2 *'), daysOfMonth: 1 << 29 }
    for (const zone of ['UTC', 'America/New_York']) {
      expect(findNextSlot(never, new Zone(zone), Date.UTC(2026, 0, 1))).toBeUndefined()
    }
  })

  it('stays bounded where no clock stands: beyond 2300 there is no slot, before 1900 the first offset holds', () => {
    expect(nextOf('* * * * *', 'Europe/Berlin', '3010-01-01T00:00:00Z')).toBeUndefined()
    expect(compileCron('* * * * *', 'Europe/Berlin').next(8.64e15)).toBeUndefined()
    expect(nextOf('0 0 1 1 *', 'UTC', '1800-06-01T00:00:00Z')).toBe('1801-01-01T00:00Z')
    expect(() => compileCron('* * * * *', 'UTC').next(Number.NaN)).toThrow(RangeError)
  })
})

describe('day of month and weekday', () => {
  it('matches either when both are restricted', () => {
    expect(listSlots('0 0 13 * FRI', 'UTC', '2026-02-01T00:00:00Z', '2026-03-14T00:00:00Z')).toEqual([
      '2026-02-06T00:00Z',
      '2026-02-13T00:00Z',
      '2026-02-20T00:00Z',
      '2026-02-27T00:00Z',
      '2026-03-06T00:00Z',
      '2026-03-13T00:00Z',
    ])
  })

  it('needs both when one begins with *', () => {
    // Odd days that are Mondays, not odd days or Mondays.
    expect(listSlots('0 0 */2 * 1', 'UTC', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z')).toEqual([
      '2026-01-05T00:00Z',
      '2026-01-19T00:00Z',
    ])
    expect(listSlots('0 0 1-7 * */7', 'UTC', '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z')).toEqual([
      '2026-01-04T00:00Z',
      '2026-02-01T00:00Z',
      '2026-03-01T00:00Z',
    ])
  })

  it('lets the weekday rescue a day that never comes', () => {
    expect(nextOf('0 0 31 2 1-5', 'UTC', '2026-02-01T00:00:00Z')).toBe('2026-02-02T00:00Z')
  })

  it('counts Sunday as 0 and as 7', () => {
    for (const cron of ['0 0 * * 0', '0 0 * * 7', '0 0 * * SUN', '0 0 * * 0,7', '0 0 * * 7-7']) {
      expect(nextOf(cron, 'UTC', '2026-01-05T00:00:00Z'), cron).toBe('2026-01-11T00:00Z')
    }
    expect(nextOf('0 0 * * 7-2', 'UTC', '2026-01-06T00:00:00Z')).toBe('2026-01-11T00:00Z')
    expect(nextOf('0 0 * * FRI-7', 'UTC', '2026-01-11T00:00:00Z')).toBe('2026-01-16T00:00Z')
  })
})

describe('daylight saving time', () => {
  interface DstCase {
    name: string
    zone: string
    from: string
    until: string
    slots: Record<string, string[]>
  }

  const cases: DstCase[] = [
    {
      name: 'New York, the gap 02:00-03:00 local',
      zone: 'America/New_York',
      from: '2025-03-09T05:59:00Z',
      until: '2025-03-09T09:00:00Z',
      slots: {
        '30 2 * * *': ['2025-03-09T07:00Z'],
        '0 2 * * *': ['2025-03-09T07:00Z'],
        '0 3 * * *': ['2025-03-09T07:00Z'],
        '0 2,3 * * *': ['2025-03-09T07:00Z'],
        '0,20,40 2 * * *': ['2025-03-09T07:00Z'],
        '30 0-23 * * *': ['2025-03-09T06:30Z', '2025-03-09T07:00Z', '2025-03-09T07:30Z', '2025-03-09T08:30Z'],
        '30 * * * *': ['2025-03-09T06:30Z', '2025-03-09T07:30Z', '2025-03-09T08:30Z'],
        '0 * * * *': ['2025-03-09T06:00Z', '2025-03-09T07:00Z', '2025-03-09T08:00Z'],
        // A minute that begins with * follows the clock, so the swallowed hour has no slot at all that day.
        '*/20 2 * * *': [],
        '0 */2 * * *': ['2025-03-09T08:00Z'],
        '@hourly': ['2025-03-09T06:00Z', '2025-03-09T07:00Z', '2025-03-09T08:00Z'],
      },
    },
    {
      name: 'New York, 01:00-02:00 local twice',
      zone: 'America/New_York',
      from: '2025-11-02T04:59:00Z',
      until: '2025-11-02T07:00:00Z',
      slots: {
        '30 1 * * *': ['2025-11-02T05:30Z'],
        '0,30 1 * * *': ['2025-11-02T05:00Z', '2025-11-02T05:30Z'],
        '30 0-23 * * *': ['2025-11-02T05:30Z'],
        '30 * * * *': ['2025-11-02T05:30Z', '2025-11-02T06:30Z'],
        '*/30 1 * * *': ['2025-11-02T05:00Z', '2025-11-02T05:30Z', '2025-11-02T06:00Z', '2025-11-02T06:30Z'],
        '*/30 * * * *': ['2025-11-02T05:00Z', '2025-11-02T05:30Z', '2025-11-02T06:00Z', '2025-11-02T06:30Z'],
        '0 2 * * *': [],
      },
    },
    {
      name: 'Berlin, 02:00-03:00 local twice (east of UTC)',
      zone: 'Europe/Berlin',
      from: '2026-10-24T23:59:00Z',
      until: '2026-10-25T02:01:00Z',
      slots: {
        '30 2 * * *': ['2026-10-25T00:30Z'],
        '0 2 * * *': ['2026-10-25T00:00Z'],
        '30 * * * *': ['2026-10-25T00:30Z', '2026-10-25T01:30Z'],
        '0 3 * * *': ['2026-10-25T02:00Z'],
      },
    },
    {
      name: 'Lord Howe, half an hour twice: 01:30-02:00 local',
      zone: 'Australia/Lord_Howe',
      from: '2025-04-05T13:29:00Z',
      until: '2025-04-05T16:31:00Z',
      slots: {
        '0 2 * * *': ['2025-04-05T15:30Z'],
        '0 */2 * * *': ['2025-04-05T15:30Z'],
        '0 * * * *': ['2025-04-05T14:00Z', '2025-04-05T15:30Z', '2025-04-05T16:30Z'],
        '45 * * * *': ['2025-04-05T13:45Z', '2025-04-05T14:45Z', '2025-04-05T15:15Z', '2025-04-05T16:15Z'],
        '45 1 * * *': ['2025-04-05T14:45Z'],
        '30 1 * * *': ['2025-04-05T14:30Z'],
      },
    },
    {
      name: 'Lord Howe, the half-hour gap 02:00-02:30 local',
      zone: 'Australia/Lord_Howe',
      from: '2025-10-04T14:59:00Z',
      until: '2025-10-04T16:31:00Z',
      slots: {
        '*/30 * * * *': ['2025-10-04T15:00Z', '2025-10-04T15:30Z', '2025-10-04T16:00Z', '2025-10-04T16:30Z'],
        '30 2 * * *': ['2025-10-04T15:30Z'],
        '15 2 * * *': ['2025-10-04T15:30Z'],
        '0 2 * * *': ['2025-10-04T15:30Z'],
        '0 3 * * *': ['2025-10-04T16:00Z'],
      },
    },
    {
      name: 'Chatham, 02:45-03:45 local twice: never backwards',
      zone: 'Pacific/Chatham',
      from: '2026-04-04T12:40:00Z',
      until: '2026-04-04T15:01:00Z',
      slots: {
        '*/15 * * * *': [
          '2026-04-04T12:45Z',
          '2026-04-04T13:00Z',
          '2026-04-04T13:15Z',
          '2026-04-04T13:30Z',
          '2026-04-04T13:45Z',
          '2026-04-04T14:00Z',
          '2026-04-04T14:15Z',
          '2026-04-04T14:30Z',
          '2026-04-04T14:45Z',
          '2026-04-04T15:00Z',
        ],
        '0 3 * * *': ['2026-04-04T13:15Z'],
        '45 3 * * *': ['2026-04-04T15:00Z'],
      },
    },
    {
      name: 'Troll, the two-hour gap 01:00-03:00 local: several swallowed times are one slot',
      zone: 'Antarctica/Troll',
      from: '2026-03-28T23:59:00Z',
      until: '2026-03-29T02:00:00Z',
      slots: {
        '30 1,2 * * *': ['2026-03-29T01:00Z'],
        '30 2 * * *': ['2026-03-29T01:00Z'],
        '0 0-23 * * *': ['2026-03-29T00:00Z', '2026-03-29T01:00Z'],
      },
    },
    {
      name: 'Troll, 01:00-03:00 local twice',
      zone: 'Antarctica/Troll',
      from: '2026-10-24T22:59:00Z',
      until: '2026-10-25T03:01:00Z',
      slots: {
        '30 1 * * *': ['2026-10-24T23:30Z'],
        '30 1,2 * * *': ['2026-10-24T23:30Z', '2026-10-25T00:30Z'],
        '0 * * * *': [
          '2026-10-24T23:00Z',
          '2026-10-25T00:00Z',
          '2026-10-25T01:00Z',
          '2026-10-25T02:00Z',
          '2026-10-25T03:00Z',
        ],
      },
    },
    {
      name: 'Apia, the day that was skipped (30 December 2011): no summer time, nothing is caught up',
      zone: 'Pacific/Apia',
      from: '2011-12-29T12:00:00Z',
      until: '2011-12-31T12:00:00Z',
      slots: {
        '0 12 * * *': ['2011-12-29T22:00Z', '2011-12-30T22:00Z'],
        '0 12 30 12 *': [],
        '0 12 * * FRI': [],
        '0 12 30 * FRI': [],
        '0 12 31 * FRI': ['2011-12-30T22:00Z'],
      },
    },
    {
      name: 'São Paulo, the gap at midnight (4 November 2018)',
      zone: 'America/Sao_Paulo',
      from: '2018-11-03T12:00:00Z',
      until: '2018-11-04T12:00:00Z',
      slots: {
        '0 0 * * *': ['2018-11-04T03:00Z'],
        '@daily': ['2018-11-04T03:00Z'],
        '30 0 4 11 *': ['2018-11-04T03:00Z'],
        '0 1 * * *': ['2018-11-04T03:00Z'],
        '30 */12 * * *': ['2018-11-03T15:30Z'],
      },
    },
    {
      name: 'Havana, the gap at midnight',
      zone: 'America/Havana',
      from: '2025-03-08T12:00:00Z',
      until: '2025-03-09T12:00:00Z',
      slots: { '0 0 * * *': ['2025-03-09T05:00Z'], '15 0 * * SUN': ['2025-03-09T05:00Z'] },
    },
    {
      name: 'Havana, 00:00-01:00 local twice',
      zone: 'America/Havana',
      from: '2025-11-02T03:59:00Z',
      until: '2025-11-02T06:30:00Z',
      slots: {
        '0 0 * * *': ['2025-11-02T04:00Z'],
        '30 0 * * *': ['2025-11-02T04:30Z'],
        '0 * * * *': ['2025-11-02T04:00Z', '2025-11-02T05:00Z', '2025-11-02T06:00Z'],
      },
    },
    {
      name: 'Santiago, 23:00-24:00 local of 5 April twice: the weekday counts on the wall',
      zone: 'America/Santiago',
      from: '2025-04-06T01:00:00Z',
      until: '2025-04-06T05:00:00Z',
      slots: {
        '30 23 * * SAT': ['2025-04-06T02:30Z'],
        '30 * * * SAT': ['2025-04-06T01:30Z', '2025-04-06T02:30Z', '2025-04-06T03:30Z'],
        '0 0 * * *': ['2025-04-06T04:00Z'],
      },
    },
    {
      name: 'Cairo, the gap at midnight',
      zone: 'Africa/Cairo',
      from: '2025-04-24T12:00:00Z',
      until: '2025-04-25T12:00:00Z',
      slots: {
        '0 0 * * *': ['2025-04-24T22:00Z'],
        '30 */6 * * *': ['2025-04-24T16:30Z', '2025-04-25T03:30Z', '2025-04-25T09:30Z'],
      },
    },
    {
      name: 'Casablanca, the end of Ramadan 2026: the gap 02:00-03:00 local',
      zone: 'Africa/Casablanca',
      from: '2026-03-22T01:00:00Z',
      until: '2026-03-23T01:00:00Z',
      slots: { '30 2 * * *': ['2026-03-22T02:00Z'], '30 4 * * *': ['2026-03-22T03:30Z'] },
    },
    {
      name: 'Caracas, half an hour back for good (9 December 2007)',
      zone: 'America/Caracas',
      from: '2007-12-09T06:00:00Z',
      until: '2007-12-09T08:00:00Z',
      slots: {
        '45 2 * * *': ['2007-12-09T06:45Z'],
        '45 * * * *': ['2007-12-09T06:45Z', '2007-12-09T07:15Z'],
        '0 3 * * *': ['2007-12-09T07:30Z'],
      },
    },
    {
      name: 'Pyongyang, half an hour forward for good (4 May 2018, 23:30 local)',
      zone: 'Asia/Pyongyang',
      from: '2018-05-04T14:00:00Z',
      until: '2018-05-04T17:00:00Z',
      slots: {
        '45 23 * * *': ['2018-05-04T15:00Z'],
        '0 0 * * *': ['2018-05-04T15:00Z'],
        '45 * * * *': ['2018-05-04T14:15Z', '2018-05-04T15:45Z', '2018-05-04T16:45Z'],
      },
    },
    {
      name: 'Kathmandu, a quarter of an hour forward for good (1 January 1986)',
      zone: 'Asia/Kathmandu',
      from: '1985-12-31T17:45:00Z',
      until: '1985-12-31T20:00:00Z',
      slots: {
        '0 0 * * *': ['1985-12-31T18:30Z'],
        '15 0 1 1 *': ['1985-12-31T18:30Z'],
        '30 0 * * *': ['1985-12-31T18:45Z'],
      },
    },
    {
      name: 'Sydney, 02:00-03:00 local twice: never backwards',
      zone: 'Australia/Sydney',
      from: '2026-04-04T14:59:00Z',
      until: '2026-04-04T17:01:00Z',
      slots: {
        '*/30 * * * *': [
          '2026-04-04T15:00Z',
          '2026-04-04T15:30Z',
          '2026-04-04T16:00Z',
          '2026-04-04T16:30Z',
          '2026-04-04T17:00Z',
        ],
        '30 2 * * *': ['2026-04-04T15:30Z'],
      },
    },
    {
      name: 'Dublin, whose winter is the daylight saving time',
      zone: 'Europe/Dublin',
      from: '2026-10-24T23:59:00Z',
      until: '2026-10-25T02:01:00Z',
      slots: {
        '30 1 * * *': ['2026-10-25T00:30Z'],
        '30 * * * *': ['2026-10-25T00:30Z', '2026-10-25T01:30Z'],
      },
    },
    {
      name: 'Kwajalein, a day back (1 October 1969): more than 3 hours, so what is repeated is due again',
      zone: 'Pacific/Kwajalein',
      from: '1969-09-29T00:00:00Z',
      until: '1969-10-02T00:00:00Z',
      slots: { '0 12 * * *': ['1969-09-29T01:00Z', '1969-09-30T01:00Z', '1969-10-01T00:00Z'] },
    },
  ]

  for (const { name, zone, from, until, slots } of cases) {
    it(name, () => {
      // The case is about a change of the clock, so there must be one here.
      expect(new Zone(zone).transitions(Date.parse(from), Date.parse(until))).toHaveLength(1)
      for (const [cron, expected] of Object.entries(slots)) {
        expect(listSlots(cron, zone, from, until), cron).toEqual(expected)
      }
    })
  }

  it('gives the same after a restart inside the special hour', () => {
    expect(nextOf('30 1 * * *', 'America/New_York', '2025-11-02T06:29:59Z')).toBe('2025-11-03T06:30Z')
    expect(nextOf('30 2 * * *', 'America/New_York', '2025-03-09T06:59:59.999Z')).toBe('2025-03-09T07:00Z')
    expect(nextOf('30 2 * * *', 'America/New_York', '2025-03-09T07:00:00Z')).toBe('2025-03-10T06:30Z')
  })

  it('gives the same when the restart meets a table that is still empty', () => {
    for (const [name, change] of [
      ['America/New_York', '2025-11-02T06:00:00Z'],
      ['America/New_York', '2025-03-09T07:00:00Z'],
      ['Antarctica/Troll', '2026-10-25T01:00:00Z'],
      ['Antarctica/Troll', '2026-03-29T01:00:00Z'],
    ] as const) {
      const warm = new Zone(name)
      expect(warm.transitions(Date.UTC(2025, 0), Date.UTC(2027, 0)).map(found => found.at)).toContain(
        Date.parse(change),
      )
      for (const cron of ['30 1 * * *', '30 1,2 * * *', '30 * * * *']) {
        const fields = parseCron(cron)
        for (let minutes = -200; minutes <= 200; minutes += 5) {
          const after = Date.parse(change) + minutes * 60_000
          const cold = findNextSlot(fields, new Zone(name), after)
          expect(cold, `${cron} ${name} ${minutes}`).toBe(findNextSlot(fields, warm, after))
        }
      }
    }
  })

  it('keeps to the wall clock where an offset has seconds (Monrovia 1972: 44 min 30 s forward)', () => {
    const zone = 'Africa/Monrovia'
    const after = '1972-01-07T00:40:00Z'
    expect(nextOf('55 * * * *', zone, '1972-01-06T12:00:00Z')).toBe('1972-01-06T12:39:30Z')
    // The gap ends at 00:44:30 on the wall: the first minute after it is 00:45, the first second is 00:44:30.
    expect(nextOf('15 0 7 1 *', zone, after)).toBe('1972-01-07T00:45Z')
    expect(nextOf('0 15 0 7 1 *', zone, after)).toBe('1972-01-07T00:44:30Z')
  })

  it('does not depend on what was asked before', () => {
    const fields = parseCron('30 2 * * *')
    const asked = new Zone('America/New_York')
    for (const year of [2040, 1975, 2026, 1990]) findNextSlot(fields, asked, Date.UTC(year, 5, 1))
    for (const year of [1974, 1987, 2007, 2025, 2039]) {
      const after = Date.UTC(year, 2, 1)
      const fresh = new Zone('America/New_York')
      expect(findNextSlot(fields, asked, after)).toBe(findNextSlot(fields, fresh, after))
    }
    expect(asked.transitions(Date.UTC(1975, 0, 1), Date.UTC(2040, 0, 1))).toEqual(
      new Zone('America/New_York').transitions(Date.UTC(1975, 0, 1), Date.UTC(2040, 0, 1)),
    )
  })
})

describe('six fields', () => {
  it('puts slots inside the minute', () => {
    expect(listSlots('*/20 30 6 * * *', 'UTC', '2026-01-05T06:00:00Z', '2026-01-06T00:00:00Z')).toEqual([
      '2026-01-05T06:30Z',
      '2026-01-05T06:30:20Z',
      '2026-01-05T06:30:40Z',
    ])
    expect(nextOf('59 59 23 31 12 *', 'UTC', '2026-01-01T00:00:00Z')).toBe('2026-12-31T23:59:59Z')
    expect(nextOf('10 * * * * *', 'UTC', '2026-01-01T00:00:09.999Z')).toBe('2026-01-01T00:00:10Z')
  })

  it('is one slot at the end of a gap and runs in the first pass of a repeated hour', () => {
    const zone = 'America/New_York'
    expect(listSlots('15,45 30 2 * * *', zone, '2025-03-09T05:00:00Z', '2025-03-09T12:00:00Z')).toEqual([
      '2025-03-09T07:00Z',
    ])
    expect(listSlots('15,45 30 1 * * *', zone, '2025-11-02T04:00:00Z', '2025-11-02T12:00:00Z')).toEqual([
      '2025-11-02T05:30:15Z',
      '2025-11-02T05:30:45Z',
    ])
    expect(listSlots('15 */30 1 * * *', zone, '2025-11-02T04:00:00Z', '2025-11-02T12:00:00Z')).toEqual([
      '2025-11-02T05:00:15Z',
      '2025-11-02T05:30:15Z',
      '2025-11-02T06:00:15Z',
      '2025-11-02T06:30:15Z',
    ])
  })
})
