// Zone tables against two readers that share no code with them: Temporal's transitions and Intl's wall clocks.

import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { DagbokError } from '../error.ts'
import { isTimeZone, Zone, zoneOf } from './zone.ts'

const ALL_ZONES = Intl.supportedValuesOf('timeZone')

describe('names', () => {
  it('knows every zone of this engine, whatever the case', () => {
    for (const name of ALL_ZONES) expect(isTimeZone(name), name).toBe(true)
    for (const name of [
      'utc',
      'UTC',
      'GMT',
      'europe/berlin',
      'US/Eastern',
      'Etc/GMT+5',
      'EST5EDT',
      'CET',
      'Asia/Calcutta',
    ]) {
      expect(isTimeZone(name), name).toBe(true)
    }
    expect(zoneOf('Europe/Berlin')).toBe(zoneOf('europe/berlin'))
  })

  it('refuses what is no zone or could mean several', () => {
    for (const name of [
      '',
      'PST',
      'IST',
      '+05:30',
      '-03',
      'local',
      'Europe/Berlinn',
      'SystemV/EST5',
      'Etc/Unknown',
      'Z',
      ' UTC',
      'x'.repeat(1000),
      '__proto__',
    ]) {
      expect(isTimeZone(name), name).toBe(false)
    }
  })

  it.each([
    ['Europe/Berln', 'Did you mean Europe/Berlin?'],
    ['America/NewYork', 'Did you mean America/New_York?'],
    ['Amercia/Chicago', 'Did you mean America/Chicago?'],
    ['+05:30', 'an offset knows no summer time'],
    ['UTC+2', 'an offset knows no summer time'],
    ['IST', 'Several zones share this abbreviation'],
    ['', 'Write an IANA name'],
  ])('says what to write instead of %j', (name, remedy) => {
    let caught: unknown
    try {
      zoneOf(name)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(DagbokError)
    expect(caught).toMatchObject({ code: 'TIMEZONE_INVALID', exitCode: 3 })
    expect((caught as DagbokError).hint).toContain(remedy)
    expect((caught as DagbokError).message).toContain(JSON.stringify(name))
  })
})

describe('tables', () => {
  it('have the changes that Temporal finds, in every zone (2000 to 2030)', () => {
    const from = Date.UTC(2000, 0, 1)
    const until = Date.UTC(2030, 0, 1)
    let changes = 0
    for (const name of ALL_ZONES) {
      const expected: number[] = []
      let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(name)
      for (;;) {
        const change = at.getTimeZoneTransition('next')
        if (change === null || change.epochMilliseconds >= until) break
        expected.push(change.epochMilliseconds)
        at = change
      }
      const found = new Zone(name).transitions(from, until)
      expect(
        found.map(change => change.at),
        name,
      ).toEqual(expected)
      changes += found.length
    }
    expect(changes).toBeGreaterThan(5000)
  })

  it('have two changes that lie a week apart, the closest since 1970: Recife 2000', () => {
    const recife = new Zone('America/Recife').transitions(Date.UTC(2000, 9, 1), Date.UTC(2000, 9, 31))
    expect(recife.map(change => new Date(change.at).toISOString())).toEqual([
      '2000-10-08T03:00:00.000Z',
      '2000-10-15T02:00:00.000Z',
    ])
  })

  it('tell the offset that the wall clock shows, whatever was asked before', () => {
    const instant = fc.integer({ min: Date.UTC(1901, 0, 1), max: Date.UTC(2299, 0, 1) })
    const zones = new Map<string, Zone>()
    fc.assert(
      fc.property(fc.constantFrom(...ALL_ZONES), instant, (name, at) => {
        const format = new Intl.DateTimeFormat('en-US', {
          timeZone: name,
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        })
        const parts = Object.fromEntries(
          format.formatToParts(at).map(part => [part.type, Number(part.value)]),
        )
        const wall = Date.UTC(
          parts['year']!,
          parts['month']! - 1,
          parts['day']!,
          parts['hour']!,
          parts['minute']!,
          parts['second']!,
        )
        const expected = wall - Math.floor(at / 1000) * 1000
        const zone = zones.get(name) ?? new Zone(name)
        zones.set(name, zone)
        expect(zone.offsetAt(at), `${name} ${new Date(at).toISOString()}`).toBe(expected)
        expect(new Zone(name).offsetAt(at)).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('change exactly at the change', () => {
    for (const name of ['America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia']) {
      const zone = new Zone(name)
      const changes = zone.transitions(Date.UTC(2008, 0, 1), Date.UTC(2028, 0, 1))
      expect(changes.length).toBeGreaterThan(5)
      for (const { at, offsetBeforeMs, offsetAfterMs } of changes) {
        expect(zone.offsetAt(at - 1)).toBe(offsetBeforeMs)
        expect(zone.offsetAt(at)).toBe(offsetAfterMs)
        expect(zone.transitions(at, at + 1)).toHaveLength(1)
        expect(zone.transitions(at + 1, at + 2)).toEqual([])
      }
    }
  })

  it('are the same however they grew', () => {
    const from = Date.UTC(1950, 0, 1)
    const until = Date.UTC(2050, 0, 1)
    fc.assert(
      fc.property(
        fc.constantFrom('America/New_York', 'Africa/Casablanca', 'Australia/Lord_Howe', 'Asia/Gaza'),
        fc.array(fc.tuple(fc.integer({ min: from, max: until }), fc.nat(1e12)), { maxLength: 5 }),
        (name, asked) => {
          const zone = new Zone(name)
          for (const [start, length] of asked) zone.transitions(start, start + length)
          expect(zone.transitions(from, until)).toEqual(new Zone(name).transitions(from, until))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('stay small and quick for instants at which no clock stands', () => {
    const zone = new Zone('Europe/Berlin')
    expect(zone.offsetAt(8.64e15)).toBe(zone.offsetAt(Date.UTC(2299, 11, 31)))
    expect(zone.offsetAt(-8.64e15)).toBe(zone.offsetAt(Date.UTC(1900, 0, 1)))
    expect(zone.startsS.length).toBeLessThan(1000)
    expect(new Zone('UTC').transitions(-8.64e15, 8.64e15)).toEqual([])
  })

  it('know half, quarter and odd offsets', () => {
    const at = Date.UTC(2026, 0, 5)
    expect(zoneOf('Asia/Kathmandu').offsetAt(at)).toBe((5 * 60 + 45) * 60_000)
    expect(zoneOf('Pacific/Chatham').offsetAt(at)).toBe((13 * 60 + 45) * 60_000)
    expect(zoneOf('America/St_Johns').offsetAt(at)).toBe(-(3 * 60 + 30) * 60_000)
    expect(zoneOf('Etc/GMT+5').offsetAt(at)).toBe(-5 * 3_600_000)
    expect(zoneOf('Africa/Monrovia').offsetAt(Date.UTC(1971, 0, 1))).toBe(-(44 * 60 + 30) * 1000)
  })
})
