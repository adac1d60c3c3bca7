import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zoneOf } from '../time/zone.ts'
import { dayAt, type Weekday, weekdayOf } from './day.ts'
import { compileWindows, firstClearInstant, type WindowPlan, windowAt } from './window.ts'

const at = (text: string) => Date.parse(`${text}:00Z`)
const calendarOf = (...plans: WindowPlan[]) => ({ windows: compileWindows(plans) })
const tell = (calendar: ReturnType<typeof calendarOf>, text: string) => {
  const open = windowAt(calendar, at(text))
  if (open === undefined) return undefined
  const short = (instant: number) => new Date(instant).toISOString().slice(0, 16)
  return `${open.name} ${short(open.from)} ${short(open.to)}`
}

describe('windows of a cron expression', () => {
  const calendar = calendarOf({
    kind: 'cron',
    name: 'patches',
    cron: '0 22 * * SUN',
    timezone: 'Europe/Berlin',
    durationMs: 4 * 3_600_000,
  })

  it.each([
    ['2026-11-22T20:59', undefined],
    ['2026-11-22T21:00', 'patches 2026-11-22T21:00 2026-11-23T01:00'],
    ['2026-11-23T00:59', 'patches 2026-11-22T21:00 2026-11-23T01:00'],
    ['2026-11-23T01:00', undefined],
  ])('%s', (text, expected) => {
    expect(tell(calendar, text)).toBe(expected)
  })
})

describe('windows between two times', () => {
  const night: WindowPlan = {
    kind: 'weekly',
    name: 'night',
    weekdays: [6, 0],
    fromMinute: 22 * 60,
    untilMinute: 4 * 60,
    timezone: 'Europe/Berlin',
  }

  it.each([
    ['2026-11-21T20:59', undefined],
    ['2026-11-21T21:00', 'night 2026-11-21T21:00 2026-11-22T03:00'],
    ['2026-11-23T02:59', 'night 2026-11-22T21:00 2026-11-23T03:00'],
    ['2026-11-23T03:00', undefined],
    ['2026-11-23T21:30', undefined],
  ])('over midnight: %s', (text, expected) => {
    expect(tell(calendarOf(night), text)).toBe(expected)
  })

  it('a whole day is as long as the day is', () => {
    const sunday = calendarOf({ ...night, weekdays: [0], fromMinute: 0, untilMinute: 1_440 })
    expect(tell(sunday, '2026-03-29T12:00')).toBe('night 2026-03-28T23:00 2026-03-29T22:00')
    expect(tell(sunday, '2026-10-25T12:00')).toBe('night 2026-10-24T22:00 2026-10-25T23:00')
  })

  it('an hour that is repeated is in it twice, one that is skipped makes it end where the clock goes on', () => {
    const early = calendarOf({ ...night, weekdays: [0], fromMinute: 120, untilMinute: 150 })
    expect(tell(early, '2026-10-25T00:00')).toBe('night 2026-10-25T00:00 2026-10-25T01:30')
    expect(tell(early, '2026-10-25T01:29')).toBe('night 2026-10-25T00:00 2026-10-25T01:30')
    // 02:00 to 02:30 do not exist on this day.
    expect(tell(early, '2026-03-29T01:00')).toBeUndefined()
  })

  it('is found where a repeated midnight takes the clock back to the day before', () => {
    // Azores, 25 October 2026: at 01:00 local back to 00:00; Cuba, 1 November 2026: at 01:00 back to 00:00.
    const cuba = calendarOf({
      ...night,
      weekdays: [0],
      fromMinute: 0,
      untilMinute: 60,
      timezone: 'America/Havana',
    })
    expect(tell(cuba, '2026-11-01T04:00')).toBe('night 2026-11-01T04:00 2026-11-01T06:00')
    expect(tell(cuba, '2026-11-01T05:59')).toBe('night 2026-11-01T04:00 2026-11-01T06:00')
  })
})

describe('any window between two times', () => {
  it('holds what the wall clock says', () => {
    const minute = fc.integer({ min: 0, max: 1_439 })
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 6 }) as fc.Arbitrary<Weekday>, { minLength: 1 }),
        minute,
        fc.integer({ min: 1, max: 1_440 }),
        fc.constantFrom('UTC', 'Asia/Kolkata', 'Pacific/Chatham'),
        fc.integer({ min: 0, max: 60 * 24 * 30 }),
        (weekdays, fromMinute, untilMinute, timezone, offset) => {
          fc.pre(fromMinute !== untilMinute)
          const calendar = calendarOf({
            kind: 'weekly',
            name: 'w',
            weekdays,
            fromMinute,
            untilMinute,
            timezone,
          })
          const zone = zoneOf(timezone)
          // In June no zone of these changes its clock.
          const instant = Date.parse('2026-06-01T00:00Z') + offset * 60_000
          const day = dayAt(instant, zone)
          const wall = (instant + zone.offsetAt(instant)) / 60_000 - day * 1_440
          const opens = (each: number) => weekdays.includes(weekdayOf(each))
          const isOpen =
            fromMinute < untilMinute
              ? opens(day) && wall >= fromMinute && wall < untilMinute
              : (opens(day) && wall >= fromMinute) || (opens(day - 1) && wall < untilMinute)
          expect(windowAt(calendar, instant) !== undefined).toBe(isOpen)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('windows that happen once', () => {
  const once = (name: string, from: string, to: string): WindowPlan => ({
    kind: 'once',
    name,
    from: at(from),
    to: at(to),
  })

  it('are found among many, long ones behind short ones', () => {
    const calendar = calendarOf(
      once('freeze', '2026-01-01T00:00', '2026-12-31T00:00'),
      ...Array.from({ length: 300 }, (_, day) => {
        const from = at('2026-02-01T00:00') + day * 86_400_000
        return { kind: 'once', name: `d${day}`, from, to: from + 3_600_000 } as const
      }),
    )
    expect(tell(calendar, '2026-06-01T12:00')).toBe('freeze 2026-01-01T00:00 2026-12-31T00:00')
    expect(tell(calendar, '2026-12-31T00:00')).toBeUndefined()
    expect(tell(calendar, '2025-12-31T23:59')).toBeUndefined()
  })

  it('of several, the one that closes last counts', () => {
    const calendar = calendarOf(
      once('short', '2026-01-01T10:00', '2026-01-01T11:00'),
      once('long', '2026-01-01T09:00', '2026-01-01T12:00'),
    )
    expect(tell(calendar, '2026-01-01T10:30')).toContain('long')
  })
})

describe('firstClearInstant', () => {
  it('goes from window to window', () => {
    const calendar = calendarOf(
      { kind: 'once', name: 'a', from: at('2026-01-01T10:00'), to: at('2026-01-01T11:00') },
      { kind: 'cron', name: 'b', cron: '0 11 * * *', timezone: 'UTC', durationMs: 1_800_000 },
    )
    expect(firstClearInstant(calendar, at('2026-01-01T10:15'))).toBe(at('2026-01-01T11:30'))
    expect(firstClearInstant(calendar, at('2026-01-01T12:00'))).toBe(at('2026-01-01T12:00'))
  })

  it('gives up where windows never end', () => {
    const calendar = calendarOf({
      kind: 'cron',
      name: 'always',
      cron: '* * * * *',
      timezone: 'UTC',
      durationMs: 60_000,
    })
    expect(firstClearInstant(calendar, at('2026-01-01T12:00'))).toBeUndefined()
  })
})
