import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSlot } from '../time/instant.ts'
import { compileTiming, describeTiming, readTiming, sameTiming, type Timing, timingFields } from './timing.ts'

const PLAIN: Timing = { crons: [], timezone: 'UTC', dialect: 'unix', dst: 'cron' }

function slotsOf(timing: Partial<Timing>, from: string, count: number): string[] {
  const slots = compileTiming({ ...PLAIN, ...timing }, 's')
  const found: string[] = []
  for (let at = slots.next(Date.parse(from)); at !== undefined && found.length < count; at = slots.next(at))
    found.push(formatSlot(at))
  return found
}

describe('the slots of a timing', () => {
  test('several crons add up, each instant once', () => {
    expect(slotsOf({ crons: ['0 6 * * *', '0 6,18 * * *'] }, '2026-01-05T00:00Z', 3)).toEqual([
      '2026-01-05T06:00Z',
      '2026-01-05T18:00Z',
      '2026-01-06T06:00Z',
    ])
  })

  test('a period is due at its multiples since 1970, whenever one asks', () => {
    expect(slotsOf({ every: '15m' }, '2026-01-05T00:07:31Z', 2)).toEqual([
      '2026-01-05T00:15Z',
      '2026-01-05T00:30Z',
    ])
    expect(slotsOf({ every: '15m' }, '2026-01-05T00:15Z', 1)).toEqual(['2026-01-05T00:30Z'])
    expect(slotsOf({ every: '10s' }, '2026-01-05T00:00:09.999Z', 2)).toEqual([
      '2026-01-05T00:00:10Z',
      '2026-01-05T00:00:20Z',
    ])
  })

  test('a period with a start counts from it, and the start itself is due', () => {
    expect(slotsOf({ every: '90m', startAt: '2026-01-05T06:10Z' }, '2026-01-01T00:00Z', 3)).toEqual([
      '2026-01-05T06:10Z',
      '2026-01-05T07:40Z',
      '2026-01-05T09:10Z',
    ])
  })

  test('single instants, then never again', () => {
    const at = ['2026-01-05T06:00Z', '2026-01-07T06:00Z']
    expect(slotsOf({ at }, '2026-01-05T06:00Z', 9)).toEqual(['2026-01-07T06:00Z'])
    expect(slotsOf({ at, every: '36h' }, '2026-01-05T00:00Z', 3)).toEqual([
      '2026-01-05T06:00Z',
      '2026-01-05T12:00Z',
      '2026-01-07T00:00Z',
    ])
  })

  test('what stands between two seconds counts as the later one: a slot is found under its text', () => {
    const startAt = '2026-01-05T06:00:00.250Z'
    expect(slotsOf({ every: '10s', startAt }, '2026-01-05T06:00Z', 2)).toEqual([
      '2026-01-05T06:00:01Z',
      '2026-01-05T06:00:11Z',
    ])
    const at = ['2026-01-05T06:00:00.250Z', '2026-01-05T06:00:00.750Z', '2026-01-05T06:00:02Z']
    expect(slotsOf({ at }, '2026-01-05T06:00Z', 9)).toEqual(['2026-01-05T06:00:01Z', '2026-01-05T06:00:02Z'])
    expect(slotsOf({ crons: ['* * * * *'], startAt }, '2026-01-05T05:00Z', 1)).toEqual(['2026-01-05T06:01Z'])
    for (const every of ['1500ms', '0s', '20ms'])
      expect(() => compileTiming({ ...PLAIN, every }, 's')).toThrow(
        `a period is of whole seconds, got "${every}"`,
      )
  })

  test('bounds belong to the span', () => {
    const bounds = { startAt: '2026-01-05T06:00Z', endAt: '2026-01-05T08:00Z' }
    expect(slotsOf({ crons: ['0 * * * *'], ...bounds }, '2020-01-01T00:00Z', 9)).toEqual([
      '2026-01-05T06:00Z',
      '2026-01-05T07:00Z',
      '2026-01-05T08:00Z',
    ])
    expect(slotsOf({ crons: ['0 * * * *'], ...bounds }, '2026-01-05T08:00Z', 9)).toEqual([])
  })

  test('strictly increasing, and the same from any point between', () => {
    const timing = fc.record({
      crons: fc.subarray(['*/7 * * * *', '0 6 * * MON', '30 2 * * *', '5 0 1 * *']),
      every: fc.constantFrom(undefined, '7m', '61s', '36h'),
      at: fc.constantFrom(undefined, ['2026-03-29T01:00Z', '2026-03-29T01:00:01Z']),
      startAt: fc.constantFrom(undefined, '2026-03-28T12:34Z'),
      endAt: fc.constantFrom(undefined, '2026-04-02T00:00Z'),
    })
    fc.assert(
      fc.property(timing, fc.integer({ min: 0, max: 7 * 86_400 }), (drawn, seconds) => {
        const slots = compileTiming({ ...PLAIN, timezone: 'Europe/Berlin', ...drawn }, 's')
        const from = Date.parse('2026-03-26T00:00:00Z') + seconds * 1000
        const next = slots.next(from)
        if (next === undefined) return
        expect(next).toBeGreaterThan(from)
        expect(slots.next(next - 1)).toBe(next)
        expect(slots.next(from + Math.floor((next - from) / 2))).toBe(next)
      }),
    )
  })
})

describe('a timing as text', () => {
  const full: Timing = {
    crons: ['0 6 * * *', '0 18 * * *'],
    every: '15m',
    at: ['2026-12-24T18:00Z', '2026-12-25T18:00Z'],
    timezone: 'Europe/Berlin',
    dialect: 'quartz',
    dst: 'both',
    startAt: '2026-01-01T00:00Z',
    endAt: '2026-12-31T00:00Z',
  }

  test('says only what is not as usual, and is read back as it was', () => {
    const daily = { ...PLAIN, crons: ['0 6 * * *'] }
    expect(timingFields(daily)).toEqual({ cron: '0 6 * * *', timezone: 'UTC' })
    for (const timing of [daily, full, { ...PLAIN, every: '1h' }]) {
      const read = readTiming(JSON.parse(JSON.stringify(timingFields(timing))))
      expect(sameTiming(read, timing)).toBe(true)
      expect(timingFields(read)).toEqual(timingFields(timing))
    }
  })

  test('differs where any part does', () => {
    for (const change of [
      { dst: 'skip' as const },
      { every: '16m' },
      { crons: ['0 6 * * *'] },
      { endAt: undefined },
    ]) {
      expect(sameTiming(full, { ...full, ...change })).toBe(false)
    }
  })

  test('for a table', () => {
    expect(describeTiming(full)).toBe('0 6 * * * | 0 18 * * * | every 15m | at 2026-12-24T18:00Z and 1 more')
  })
})
