import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBusinessDay } from '../calendar/business-day.ts'
import { type Day, dayAt, formatDay, parseDay, WEEKDAY_NAMES } from '../calendar/day.ts'
import { type RecordedDays, readDays } from '../calendar/recorded-days.ts'
import { compileCron, compileOnWall } from '../cron/compile.ts'
import type { CronDst } from '../cron/parse.ts'
import { DAY_MS, formatSlot, type Instant } from '../time/instant.ts'
import { instantsOf } from '../time/wall-clock.ts'
import { zoneOf } from '../time/zone.ts'
import { ROLL_CONVENTIONS, type RollConvention, rollDay, shareRoll } from './roll.ts'
import {
  compileTiming,
  describeTiming,
  readTiming,
  rolledFrom,
  rolledTo,
  sameTiming,
  type Timing,
  timingFields,
} from './timing.ts'

const WEEKDAYS: RecordedDays = { weekend: ['SUN', 'SAT'] }

function timingOf(
  crons: readonly string[],
  convention: RollConvention,
  days: RecordedDays = WEEKDAYS,
  changes: Partial<Timing> = {},
): Timing {
  const roll = { convention, calendar: 'office', days }
  return { crons, timezone: 'UTC', dialect: 'unix', dst: 'cron', roll, ...changes }
}

function slotsOf(timing: Timing, from: string, count: number): string[] {
  const slots = compileTiming(timing, 's')
  const found: string[] = []
  for (let at = slots.next(Date.parse(from)); at !== undefined && found.length < count; at = slots.next(at))
    found.push(formatSlot(at))
  return found
}

describe('rolled slots', () => {
  // The month-long steps of QuantLib's test of its conventions (test-suite/businessdayconventions.cpp), South Africa 2015.
  const southAfrica: RecordedDays = {
    ...WEEKDAYS,
    dates: ['2015-04-03', '2015-04-06', '2015-04-27', '2015-05-01'],
  }
  test.each<[date: string, RollConvention, expected: string]>([
    ['2015-03-03', 'following', '2015-03-03'],
    ['2015-02-07', 'following', '2015-02-09'],
    ['2015-02-28', 'following', '2015-03-02'],
    ['2015-02-28', 'modified_following', '2015-02-27'],
    ['2015-04-25', 'modified_following', '2015-04-28'],
    ['2015-03-07', 'modified_following', '2015-03-09'],
    ['2015-02-01', 'preceding', '2015-01-30'],
    ['2015-02-01', 'modified_preceding', '2015-02-02'],
  ])('QuantLib: %s %s is %s', (date, convention, expected) => {
    const [, month, day] = date.split('-').map(Number)
    const timing = timingOf([`0 6 ${day} ${month} *`], convention, southAfrica)
    expect(slotsOf(timing, '2014-12-01T00:00Z', 1)).toEqual([`${expected}T06:00Z`])
  })

  test('the bank holidays of Easter 2024 in London: due once a day, whatever has moved there', () => {
    const london: RecordedDays = { ...WEEKDAYS, rules: [{ easter: -2 }, { easter: 1 }] }
    const daily = (convention: RollConvention) =>
      slotsOf(
        timingOf(['0 6 * * *'], convention, london, { timezone: 'Europe/London' }),
        '2024-03-28T00:00Z',
        3,
      )
    expect(daily('following')).toEqual(['2024-03-28T06:00Z', '2024-04-02T05:00Z', '2024-04-03T05:00Z'])
    const monthEnd = (convention: RollConvention) =>
      slotsOf(
        timingOf(['0 6 31 3 *'], convention, london, { timezone: 'Europe/London' }),
        '2024-01-01T00:00Z',
        1,
      )
    expect(monthEnd('following')).toEqual(['2024-04-02T05:00Z'])
    expect(monthEnd('modified_following')).toEqual(['2024-03-28T06:00Z'])
    expect(monthEnd('preceding')).toEqual(['2024-03-28T06:00Z'])
  })

  test('a month without a business day: the other way, and no slot is lost', () => {
    const august: RecordedDays = { ...WEEKDAYS, dates: ['2026-08-01/2026-08-31'] }
    const of = (convention: RollConvention) =>
      slotsOf(timingOf(['0 6 15 8 *'], convention, august), '2026-01-01T00:00Z', 1)
    expect(of('modified_following')).toEqual(['2026-07-31T06:00Z'])
    expect(of('modified_preceding')).toEqual(['2026-09-01T06:00Z'])
    expect(of('following')).toEqual(['2026-09-01T06:00Z'])
  })

  test('a moved time goes through summer time as a fixed one does', () => {
    const open: RecordedDays = { weekend: ['SAT'] }
    const timing = (dst: CronDst) =>
      timingOf(['30 2 * * SAT'], 'following', open, { timezone: 'Europe/Berlin', dst })
    // 29 March: 02:30 is left out. 25 October: it comes twice.
    expect(slotsOf(timing('cron'), '2026-03-23T00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-04-05T00:30Z',
    ])
    expect(slotsOf(timing('skip'), '2026-03-23T00:00Z', 1)).toEqual(['2026-04-05T00:30Z'])
    expect(slotsOf(timing('cron'), '2026-10-19T00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-11-01T01:30Z',
    ])
    expect(slotsOf(timing('both'), '2026-10-19T00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
    ])
  })

  test('a time that a gap swallowed on a closed day keeps its place on the open one', () => {
    const timing = timingOf(['30 2 * * *'], 'following', WEEKDAYS, { timezone: 'Europe/Berlin' })
    expect(slotsOf(timing, '2026-03-28T00:00Z', 2)).toEqual(['2026-03-30T00:30Z', '2026-03-31T00:30Z'])
  })

  test('the end of a day that a gap at midnight has swallowed is not lost', () => {
    // Nuuk, Saturday 28 March 2026: after 23:00 comes Sunday, 00:00.
    const open: RecordedDays = { weekend: ['SUN'] }
    const timing = timingOf(['30 23 * * *'], 'following', open, { timezone: 'America/Nuuk' })
    expect(slotsOf(timing, '2026-03-28T03:00Z', 3)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-31T00:30Z',
      '2026-04-01T00:30Z',
    ])
  })

  test('bounds hold for what has moved; periods and single instants stay', () => {
    const bounds = { startAt: '2026-01-05T00:00Z', endAt: '2026-01-31T23:59Z' }
    const timing = timingOf(['0 6 3,31 1 *'], 'following', WEEKDAYS, bounds)
    expect(slotsOf(timing, '2025-01-01T00:00Z', 9)).toEqual(['2026-01-05T06:00Z'])
    const saturday = timingOf([], 'following', WEEKDAYS, { at: ['2026-01-03T06:00Z'] })
    expect(slotsOf(saturday, '2026-01-01T00:00Z', 1)).toEqual(['2026-01-03T06:00Z'])
    expect(slotsOf(timingOf(['12 HOURS'], 'following'), '2026-01-03T00:00Z', 1)).toEqual([
      '2026-01-03T12:00Z',
    ])
  })

  test('a calendar without business days ends the search', () => {
    const never: RecordedDays = { weekend: [...WEEKDAY_NAMES] }
    expect(slotsOf(timingOf(['* * * * *'], 'following', never), '2026-01-01T00:00Z', 1)).toEqual([])
    const untilThen: RecordedDays = { dates: ['2026-02-02/2299-12-31'] }
    for (const convention of ROLL_CONVENTIONS)
      expect(slotsOf(timingOf(['0 6 1 * *'], convention, untilThen), '2025-12-31T00:00Z', 9)).toHaveLength(2)
  })

  test('says where a slot has come from, and where one has gone', () => {
    const timing = timingOf(['0 6 * * *', '0 18 * * SUN'], 'following')
    const from = (slot: string) => rolledFrom(timing, 's', Date.parse(slot)).map(formatDay)
    expect(from('2026-01-05T06:00Z')).toEqual(['2026-01-03', '2026-01-04'])
    expect(from('2026-01-05T18:00Z')).toEqual(['2026-01-04'])
    expect(from('2026-01-06T06:00Z')).toEqual([])
    const to = (time: string) => rolledTo(timing, 's', Date.parse(time))
    expect(to('2026-01-04T18:00Z')).toBe(Date.parse('2026-01-05T18:00Z'))
    for (const time of ['2026-01-03T18:00Z', '2026-01-04T18:01Z', '2026-01-05T06:00Z'])
      expect(to(time)).toBe(undefined)
  })

  test('goes through the journal, is held once, and differs when the days do', () => {
    const timing = timingOf(['0 6 1 * *'], 'modified_following', { ...WEEKDAYS, dates: ['2026-05-01'] })
    const [a, b] = [0, 1].map(() => readTiming(JSON.parse(JSON.stringify(timingFields(timing)))))
    expect(a!.roll).toBe(b!.roll)
    expect(shareRoll(timing.roll!)).toBe(a!.roll)
    expect(sameTiming(a!, timing)).toBe(true)
    expect(sameTiming(a!, timingOf(['0 6 1 * *'], 'modified_following'))).toBe(false)
    expect(describeTiming(timing)).toBe(
      '0 6 1 * *, rolled to the following business day of office, or the preceding one at the end of a month',
    )
  })
})

const SPAN = { from: Date.parse('2026-02-20T00:00Z'), to: Date.parse('2026-04-20T00:00Z') }
const MARGIN_MS = 80 * DAY_MS

const drawn = fc.record({
  cron: fc.constantFrom(
    '0 6 * * *',
    '30 2 * * *',
    '15 0,12,23 * * *',
    '30 23 * * SAT,SUN',
    '0 6 1,15,31 * *',
    '0 */5 * * *',
    '45 1 13 * FRI',
    '30 2 29 3 *',
  ),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'),
  dst: fc.constantFrom<CronDst>('cron', 'skip', 'both'),
  convention: fc.constantFrom(...ROLL_CONVENTIONS),
  days: fc.record({
    weekend: fc.subarray([...WEEKDAY_NAMES], { maxLength: 6 }),
    dates: fc.array(
      fc
        .tuple(fc.integer({ min: parseDay('2026-01-20')!, max: parseDay('2026-05-20')! }), fc.nat(40))
        .map(([from, length]) => `${formatDay(from)}/${formatDay(from + length)}`),
      { maxLength: 5 },
    ),
  }),
})

/** Day by day, without any search: each time of the wall clock goes to its day. */
function bruteForce(timing: Timing): Instant[] {
  const { timezone, dst, roll } = timing
  const zone = zoneOf(timezone)
  const calendar = readDays('c', roll!.days)
  const found = new Set<Instant>()
  const own = compileCron(timing.crons[0]!, timezone, { dst })
  for (let at = own.next(SPAN.from - MARGIN_MS); at! < SPAN.to + MARGIN_MS; at = own.next(at!))
    if (isBusinessDay(calendar, dayAt(at!, zone))) found.add(at!)
  const wall = compileOnWall(timing.crons[0]!, { dst })!
  for (let at = wall.next(SPAN.from - MARGIN_MS); at! < SPAN.to + MARGIN_MS; at = wall.next(at!)) {
    const day = Math.floor(at! / DAY_MS)
    if (isBusinessDay(calendar, day)) continue
    const target = walk(calendar, day, roll!.convention)
    const moved = at! + (target - day) * DAY_MS
    const passes = instantsOf(zone, moved)
    const gap = zone.transitions(moved - 2 * DAY_MS, moved + 2 * DAY_MS)[0]
    if (passes.length === 0 && dst !== 'skip') found.add(gap!.at)
    else for (const pass of dst === 'both' ? passes : passes.slice(0, 1)) found.add(pass)
  }
  return [...found].filter(at => at > SPAN.from && at <= SPAN.to).sort((a, b) => a - b)
}

function walk(calendar: ReturnType<typeof readDays>, day: Day, convention: RollConvention): Day {
  const step = (from: Day, way: 1 | -1): Day => (isBusinessDay(calendar, from) ? from : step(from + way, way))
  const first = convention.endsWith('following') ? 1 : -1
  const target = step(day, first)
  const isModified = convention.startsWith('modified')
  return isModified && formatDay(target).slice(0, 7) !== formatDay(day).slice(0, 7)
    ? step(day, first === 1 ? -1 : 1)
    : target
}

describe('any roll', () => {
  test('its slots are those that each day gives, from wherever one asks', () => {
    fc.assert(
      fc.property(
        drawn,
        fc.integer({ min: SPAN.from, max: SPAN.to }),
        ({ cron, timezone, dst, convention, days }, from) => {
          const timing = timingOf([cron], convention, days, { timezone, dst })
          const slots = compileTiming(timing, 's')
          const chain: Instant[] = []
          for (let at = slots.next(SPAN.from); at !== undefined && at <= SPAN.to; at = slots.next(at)) {
            expect(at).toBeGreaterThan(chain.at(-1) ?? SPAN.from)
            chain.push(at)
          }
          expect(chain.map(formatSlot)).toEqual(bruteForce(timing).map(formatSlot))
          const next = chain.find(at => at > from)
          if (next !== undefined) expect(slots.next(from)).toBe(next)
        },
      ),
      { numRuns: Number(process.env['ROLLS'] ?? 400) },
    )
  })

  test('keeps the order of days', () => {
    fc.assert(
      fc.property(drawn, ({ convention, days }) => {
        const calendar = readDays('c', days)
        let before = Number.NEGATIVE_INFINITY
        for (let day = parseDay('2026-01-01')!; day < parseDay('2026-07-01')!; day++) {
          const target = rollDay(calendar, day, convention)!
          expect(target).toBe(walk(calendar, day, convention))
          expect(target).toBeGreaterThanOrEqual(before)
          before = target
        }
      }),
      { numRuns: 100 },
    )
  })

  test('where every day is a business day nothing moves', () => {
    fc.assert(
      fc.property(drawn, ({ cron, timezone, dst, convention }) => {
        const timing = timingOf([cron], convention, {}, { timezone, dst })
        const { roll: _, ...plain } = timing
        const [rolled, unrolled] = [timing, plain].map(each => slotsOf(each, '2026-03-01T00:00Z', 60))
        expect(rolled).toEqual(unrolled)
      }),
      { numRuns: 60 },
    )
  })
})
