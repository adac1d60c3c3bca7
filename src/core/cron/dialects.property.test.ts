// The days that L, W, # and years name, in any combination and zone, against a matcher that looks at one date at a time
// and knows nothing of masks. One list says it all: whatever the instant asked about, the next slot is the first one after
// it, so there is none before, none between and none missing, and a chain that is restarted goes on as it was.

import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { compileCron } from './compile.ts'
import type { CronSchedule } from './cron.ts'
import { CronError } from './cron-error.ts'
import { describeCron } from './describe.ts'
import { parseCron } from './parse.ts'
import { readPeriod } from './period.ts'
import { listCronWarnings } from './warnings.ts'

type Test = (date: Temporal.PlainDate) => boolean

interface Part {
  text: string
  /** The same in Quartz, where weekdays count from 1. */
  quartz: string
  matches: Test
}

const isWeekday = (date: Temporal.PlainDate): boolean => date.dayOfWeek <= 5
const lastOf = (date: Temporal.PlainDate): Temporal.PlainDate => date.with({ day: date.daysInMonth })

/** The date from Monday to Friday nearest to another, in its month: the nearest of all of them, no rule for Saturdays. */
function nearest(to: Temporal.PlainDate): Temporal.PlainDate {
  const dates = Array.from({ length: to.daysInMonth }, (_, index) => to.with({ day: index + 1 })).filter(
    isWeekday,
  )
  return dates.reduce((best, date) =>
    Math.abs(date.day - to.day) < Math.abs(best.day - to.day) ? date : best,
  )
}

const same = (text: string, matches: Test): Part => ({ text, quartz: text, matches })

const dates: fc.Arbitrary<Part> = fc.oneof(
  fc.integer({ min: 1, max: 31 }).map(day => same(`${day}`, date => date.day === day)),
  fc.constant(same('L', date => date.day === date.daysInMonth)),
  fc
    .integer({ min: 1, max: 30 })
    .map(back => same(`L-${back}`, date => date.day === date.daysInMonth - back)),
  fc.constant(same('LW', date => date.equals(nearest(lastOf(date))))),
  fc.integer({ min: 1, max: 30 }).map(back =>
    same(`L-${back}W`, date => {
      const day = date.daysInMonth - back
      return day >= 1 && date.equals(nearest(date.with({ day })))
    }),
  ),
  fc
    .integer({ min: 1, max: 31 })
    .map(day => same(`${day}W`, date => day <= date.daysInMonth && date.equals(nearest(date.with({ day }))))),
)

const NAMES = 'SUN MON TUE WED THU FRI SAT'.split(' ')

const weekdays: fc.Arbitrary<Part> = fc
  .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.boolean())
  .map(([weekday, nth, isNamed]) => {
    const is: Test = date => date.dayOfWeek % 7 === weekday
    const [text, quartz] = isNamed ? [NAMES[weekday]!, NAMES[weekday]!] : [`${weekday}`, `${weekday + 1}`]
    if (nth === 0) return { text, quartz, matches: is }
    if (nth === 6) {
      const matches: Test = date => is(date) && date.add({ days: 7 }).month !== date.month
      return { text: `${text}L`, quartz: `${quartz}L`, matches }
    }
    const matches: Test = date => is(date) && Math.ceil(date.day / 7) === nth
    return { text: `${text}#${nth}`, quartz: `${quartz}#${nth}`, matches }
  })

function listed(parts: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  return fc.array(parts, { minLength: 1, maxLength: 3 }).map(all => ({
    text: all.map(part => part.text).join(','),
    quartz: all.map(part => part.quartz).join(','),
    matches: date => all.some(part => part.matches(date)),
  }))
}

const months = fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }))
const years = fc.option(fc.uniqueArray(fc.integer({ min: 2025, max: 2029 }), { minLength: 1, maxLength: 3 }))

const oddDays: Test = date => date.day % 2 === 1

/** Both day fields, and whether either is enough. */
const days: fc.Arbitrary<{ date: string; weekday: string; matches: Test }> = fc.oneof(
  listed(dates).map(({ text, matches }) => ({ date: text, weekday: '*', matches })),
  listed(weekdays).map(({ text, matches }) => ({ date: '*', weekday: text, matches })),
  listed(weekdays).map(({ text, matches }) => ({ date: '?', weekday: text, matches })),
  listed(weekdays).map(({ text, matches }) => ({
    date: '*/2',
    weekday: text,
    matches: (date: Temporal.PlainDate) => oddDays(date) && matches(date),
  })),
  fc.tuple(listed(dates), listed(weekdays)).map(([date, weekday]) => ({
    date: date.text,
    weekday: weekday.text,
    matches: (day: Temporal.PlainDate) => date.matches(day) || weekday.matches(day),
  })),
)

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Asia/Kolkata',
]

/** Every noon from 2026 to 2028 whose date matches, as instants. Noon is far from every change of the clock. */
function listNoons(zone: string, matches: Test): number[] {
  const found: number[] = []
  const end = Temporal.PlainDate.from('2029-01-01')
  for (let date = Temporal.PlainDate.from('2026-01-01'); !date.equals(end); date = date.add({ days: 1 })) {
    if (!matches(date)) continue
    found.push(date.toZonedDateTime({ timeZone: zone, plainTime: '12:00' }).epochMilliseconds)
  }
  return found
}

/** Noon on New Year's Eve is over in every zone, that of New Year's Day in none. */
const START = Date.UTC(2025, 11, 31, 18)
const END = Date.UTC(2028, 11, 31)

function compare(schedule: CronSchedule, expected: readonly number[], restarts: readonly number[]): void {
  // The chain in one go …
  const chain: number[] = []
  let at = schedule.next(START)
  while (at !== undefined && at < END) {
    chain.push(at)
    at = schedule.next(at)
  }
  expect(chain).toEqual(expected.filter(slot => slot < END))
  // … and from anywhere in between.
  for (const restart of restarts) {
    const next = schedule.next(restart)
    const wanted = expected.find(slot => slot > restart)
    if (wanted === undefined) expect(next === undefined || next > END - 86_400_000).toBe(true)
    else expect(next).toBe(wanted)
  }
}

const restarts = fc.array(fc.integer({ min: Date.UTC(2026, 0, 2), max: Date.UTC(2028, 11, 1) }), {
  minLength: 5,
  maxLength: 5,
})

describe('days that depend on the month', () => {
  it('are those of a matcher that looks at one date at a time', () => {
    let compared = 0
    fc.assert(
      fc.property(
        days,
        months,
        years,
        fc.constantFrom(...ZONES),
        restarts,
        (day, monthList, yearList, zone, after) => {
          const month = monthList?.join(',') ?? '*'
          const fields = `12 ${day.date} ${month} ${day.weekday}`
          const text = yearList === null ? `0 ${fields}` : `0 0 ${fields} ${yearList.join(',')}`
          const expected = listNoons(
            zone,
            date =>
              day.matches(date) &&
              (monthList === null || monthList.includes(date.month)) &&
              (yearList === null || yearList.includes(date.year)),
          )
          // A text that never comes is refused; of that the last test speaks.
          if (expected.length === 0) return
          compare(compileCron(text, zone), expected, after)
          compared++
        },
      ),
      { numRuns: 250 },
    )
    expect(compared).toBeGreaterThan(180)
  }, 120_000)

  it('are the same in Quartz, one rule a field and ? in the other', () => {
    let compared = 0
    const either = fc.oneof(
      dates.map(part => ({ part, text: `${part.quartz} MONTH ?` })),
      weekdays.map(part => ({ part, text: `? MONTH ${part.quartz}` })),
    )
    fc.assert(
      fc.property(
        either,
        months,
        fc.constantFrom(...ZONES),
        restarts,
        ({ part, text }, monthList, zone, after) => {
          const cron = `0 0 12 ${text.replace('MONTH', monthList?.join(',') ?? '*')}`
          const expected = listNoons(
            zone,
            date => part.matches(date) && (monthList === null || monthList.includes(date.month)),
          )
          if (expected.length === 0) return
          compare(compileCron(cron, zone, { dialect: 'quartz' }), expected, after)
          compared++
        },
      ),
      { numRuns: 150 },
    )
    expect(compared).toBeGreaterThan(100)
  }, 120_000)

  it('are refused only where no date of any year has them', () => {
    const outcome = { refused: 0, accepted: 0 }
    fc.assert(
      fc.property(dates, fc.integer({ min: 1, max: 12 }), (part, month) => {
        const every = Array.from({ length: 28 }, (_, index) =>
          Temporal.PlainDate.from({ year: 2001 + index, month, day: 1 }),
        )
        const comes = every.some(first =>
          Array.from({ length: first.daysInMonth }, (_, index) => first.with({ day: index + 1 })).some(
            part.matches,
          ),
        )
        const text = `0 0 ${part.text} ${month} *`
        if (comes) {
          expect(compileCron(text, 'UTC').next(0)).toBeDefined()
          outcome.accepted++
        } else {
          expect(() => compileCron(text, 'UTC')).toThrow(CronError)
          outcome.refused++
        }
      }),
      { numRuns: 400 },
    )
    expect(outcome.refused).toBeGreaterThan(0)
    expect(outcome.accepted).toBeGreaterThan(200)
  })
})

describe('texts that hardly anyone means', () => {
  const piece = fc.constantFrom(
    ...[
      '*',
      '?',
      'L',
      'LW',
      'L-3',
      'L-31',
      '15W',
      '32W',
      'W',
      '5L',
      '5#2',
      '5#6',
      '#',
      'MON',
      'FRI#1',
      'SATL',
      'MON-FRI',
    ],
    ...[
      'H',
      'H/15',
      'H(0-29)',
      'H(5-1)/3',
      'H(',
      'h',
      '1',
      '0',
      '31',
      '1-5',
      '22-2',
      '*/7',
      '5/15',
      '*/0',
      '1W-15W',
      '1,L',
    ],
    ...[
      '2026',
      '2020-2030/3',
      '2030-2026',
      '1969',
      'USING',
      'CRON',
      'UTC',
      'Europe/Berlin',
      '5',
      'MINUTE',
      '@daily',
      '',
      '＃',
    ],
  )
  const field = fc.oneof(
    { weight: 4, arbitrary: piece },
    { weight: 1, arbitrary: fc.array(piece, { minLength: 2, maxLength: 3 }).map(list => list.join(',')) },
    {
      weight: 1,
      arbitrary: fc.tuple(piece, fc.constantFrom('-', '/', '#', 'W', 'L'), piece).map(list => list.join('')),
    },
  )
  const text = fc.array(field, { minLength: 1, maxLength: 8 }).map(fields => fields.join(' '))
  const day = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        '*',
        '?',
        '1',
        '31',
        'L',
        'LW',
        'L-3',
        '15W',
        'H',
        'H(1-5)',
        '1,L',
        '*/7',
        '1-5',
      ),
    },
    { weight: 1, arbitrary: field },
  )
  const month = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('*', '2', 'JAN-MAR', '*/5') },
    { weight: 1, arbitrary: field },
  )
  const weekday = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom('*', '?', '1', '5L', '5#2', 'FRI#1', 'SATL', 'MON-FRI', 'MON,2L', 'H'),
    },
    { weight: 1, arbitrary: field },
  )
  const likely = fc
    .tuple(
      fc.constantFrom('0 ', ''),
      fc.constantFrom('5', '*/7', 'H'),
      day,
      month,
      weekday,
      fc.constantFrom('', '', ' 2027', ' 2020'),
    )
    .map(([second, minute, ...rest]) => `${second}${minute} 6 ${rest.slice(0, 3).join(' ')}${rest[3]}`)
  const options = fc.record({
    dialect: fc.constantFrom('unix' as const, 'quartz' as const),
    dst: fc.constantFrom('cron' as const, 'skip' as const, 'both' as const),
    hashSeed: fc.constantFrom(undefined, 'heartbeat'),
  })

  it('are read, or refused with a place in the text and a remedy; what is read has slots and words that hold', () => {
    const outcome = { read: 0, refused: 0 }
    fc.assert(
      fc.property(
        fc.oneof(text, likely),
        options,
        fc.constantFrom('UTC', 'Europe/Berlin'),
        (cron, given, zone) => {
          let schedule: CronSchedule
          try {
            schedule = compileCron(cron, zone, given)
          } catch (error) {
            outcome.refused++
            expect(error).toBeInstanceOf(CronError)
            const { position, length, hint, expected, message } = error as CronError
            expect(hint, cron).toMatch(/\S/)
            expect(expected).toMatch(/\S/)
            expect(message).not.toMatch(/undefined|NaN|\[object/)
            expect(hint).not.toMatch(/undefined|NaN|\[object/)
            expect(position).toBeGreaterThanOrEqual(0)
            expect(position + length, cron).toBeLessThanOrEqual(cron.length)
            return
          }
          outcome.read++
          const now = Date.UTC(2026, 10, 21)
          let at = now
          for (let count = 0; count < 3; count++) {
            const next = schedule.next(at)
            if (next === undefined) break
            expect(next).toBeGreaterThan(at)
            // Nothing in between, whether asked from the middle or from just before.
            expect(schedule.next(at + Math.floor((next - at) / 2))).toBe(next)
            expect(schedule.next(next - 1)).toBe(next)
            at = next
          }
          for (const warning of listCronWarnings(cron, { ...given, timezone: zone, now })) {
            expect(warning.message).not.toMatch(/undefined|NaN/)
            expect(warning.position + warning.length).toBeLessThanOrEqual(cron.length)
          }
          if (readPeriod(cron) === undefined)
            expect(describeCron(parseCron(cron, given)), cron).toMatch(
              /^(?:at|every) [^\s](?:(?!undefined|NaN| {2}).)*$/,
            )
        },
      ),
      { numRuns: 6000 },
    )
    expect(outcome.read).toBeGreaterThan(500)
    expect(outcome.refused).toBeGreaterThan(2000)
  }, 60_000)
})
