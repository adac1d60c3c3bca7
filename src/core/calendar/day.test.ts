import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zoneOf } from '../time/zone.ts'
import { civilOf, dayAt, dayOf, formatDay, instantAt, lengthOfMonth, parseDay, weekdayOf } from './day.ts'

describe('days', () => {
  it('are what Date says, and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 200_000 }), day => {
        const date = new Date(day * 86_400_000)
        const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
        expect(civilOf(day)).toEqual(civil)
        expect(dayOf(civil.year, civil.month, civil.day)).toBe(day)
        expect(weekdayOf(day)).toBe(date.getUTCDay())
        expect(formatDay(day)).toBe(date.toISOString().slice(0, 10))
        expect(parseDay(formatDay(day))).toBe(day)
      }),
    )
  })

  it.each(['2026-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '26-01-01', '2026-1-1', '', '1900-02-29'])(
    '%s is none',
    text => {
      expect(parseDay(text)).toBeUndefined()
    },
  )

  it('know leap years', () => {
    expect([1900, 2000, 2023, 2024, 2100].map(year => lengthOfMonth(year, 2))).toEqual([28, 29, 28, 29, 28])
    expect(lengthOfMonth(2026, 12)).toBe(31)
  })
})

describe('the wall clock of a zone', () => {
  const berlin = zoneOf('Europe/Berlin')
  const at = (date: string, minute: number, pass: 'first' | 'second') =>
    new Date(instantAt(parseDay(date)!, minute, berlin, pass)).toISOString().slice(0, 16)

  it('shows a minute at an instant', () => {
    expect(at('2026-01-05', 6 * 60, 'first')).toBe('2026-01-05T05:00')
    expect(at('2026-07-05', 1_440, 'second')).toBe('2026-07-05T22:00')
  })

  it('skips an hour: the first instant after the gap', () => {
    expect(at('2026-03-29', 2 * 60 + 30, 'first')).toBe('2026-03-29T01:00')
    expect(at('2026-03-29', 2 * 60 + 30, 'second')).toBe('2026-03-29T01:00')
    expect(at('2026-03-29', 3 * 60, 'first')).toBe('2026-03-29T01:00')
  })

  it('repeats an hour: the first or the second pass', () => {
    expect(at('2026-10-25', 2 * 60 + 30, 'first')).toBe('2026-10-25T00:30')
    expect(at('2026-10-25', 2 * 60 + 30, 'second')).toBe('2026-10-25T01:30')
    expect(at('2026-10-25', 3 * 60, 'first')).toBe('2026-10-25T02:00')
  })

  it('and back, wherever the clock is', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia']
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 40_000_000 }).map(minutes => minutes * 60_000 + 788_918_400_000),
        (name, instant) => {
          const zone = zoneOf(name)
          const day = dayAt(instant, zone)
          const minute = (instant + zone.offsetAt(instant)) / 60_000 - day * 1_440
          const passes = [instantAt(day, minute, zone, 'first'), instantAt(day, minute, zone, 'second')]
          expect(passes).toContain(instant)
        },
      ),
      { numRuns: 500 },
    )
  })
})
