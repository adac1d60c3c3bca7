// What the dialects' own documents say: the examples of Quartz's CronTrigger tutorial, the rules of Jenkins for H, the
// usage notes of Snowflake's CREATE TASK; and what is refused, with the place and the remedy.

import { describe, expect, it } from 'vitest'
import { formatSlot } from '../time/instant.ts'
import { compileCron } from './compile.ts'
import { CronError } from './cron-error.ts'
import { valuesOf } from './expression.ts'
import { type CronOptions, parseCron } from './parse.ts'

const QUARTZ: CronOptions = { dialect: 'quartz' }

/** The next `count` slots after 1 January 2026, 00:00 UTC, in UTC. */
function list(
  cron: string,
  count: number,
  options: CronOptions = {},
  from = '2026-01-01T00:00:00Z',
): string[] {
  const schedule = compileCron(cron, 'UTC', options)
  const slots: string[] = []
  let at: number | undefined = Date.parse(from)
  while (slots.length < count) {
    at = schedule.next(at)
    if (at === undefined) break
    slots.push(formatSlot(at))
  }
  return slots
}

function days(cron: string, count: number, options: CronOptions = {}, from?: string): string[] {
  return list(cron, count, options, from).map(slot => slot.slice(0, 10))
}

function refuse(cron: string, options: CronOptions = {}, timezone = 'UTC'): CronError {
  try {
    compileCron(cron, timezone, options)
  } catch (error) {
    expect(error).toBeInstanceOf(CronError)
    return error as CronError
  }
  throw new Error(`${JSON.stringify(cron)} was accepted`)
}

/** Cases as the text with the refused part between arrows, the start of the message, a word of the remedy. */
function expectRefused(marked: string, message: string, remedy: string, options?: CronOptions): void {
  const cron = marked.replaceAll(/[<>]/g, '')
  const error = refuse(cron, options)
  expect(error.message.startsWith(message), error.message).toBe(true)
  expect(error.hint).toContain(remedy)
  const end = error.position + error.length
  expect(`${cron.slice(0, error.position)}>${cron.slice(error.position, end)}<${cron.slice(end)}`).toBe(
    marked,
  )
}

describe('L, W and # (five fields)', () => {
  const cases: [cron: string, days: string[]][] = [
    ['0 0 L * *', ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30']],
    ['0 0 l 2 *', ['2026-02-28', '2027-02-28', '2028-02-29']],
    ['0 0 L-3 * *', ['2026-01-28', '2026-02-25', '2026-03-28', '2026-04-27']],
    // Day 1, of the months with 31 days.
    ['0 0 L-30 * *', ['2026-03-01', '2026-05-01', '2026-07-01', '2026-08-01', '2026-10-01']],
    ['0 0 1,L * *', ['2026-01-31', '2026-02-01', '2026-02-28', '2026-03-01']],
    // 31 January 2026 is a Saturday, 28 February too, 31 May a Sunday.
    ['0 0 LW * *', ['2026-01-30', '2026-02-27', '2026-03-31', '2026-04-30', '2026-05-29']],
    ['0 0 L-1W * *', ['2026-01-30', '2026-02-27', '2026-03-30', '2026-04-29', '2026-05-29']],
    // The 15th: a Thursday, two Sundays, a Wednesday, a Friday, a Monday, a Wednesday, a Saturday.
    [
      '0 0 15W * *',
      [
        '2026-01-15',
        '2026-02-16',
        '2026-03-16',
        '2026-04-15',
        '2026-05-15',
        '2026-06-15',
        '2026-07-15',
        '2026-08-14',
      ],
    ],
    // W stays in its month: 1 February 2026 is a Sunday, 1 August a Saturday; 31 May a Sunday.
    ['0 0 1W 2,8 *', ['2026-02-02', '2026-08-03']],
    ['0 0 31W 5 *', ['2026-05-29', '2027-05-31']],
    // A month without a day 31 has no 31W.
    ['0 0 31W * *', ['2026-01-30', '2026-03-31', '2026-05-29', '2026-07-31']],
    ['0 0 1W,15W 3 *', ['2026-03-02', '2026-03-16']],
    ['0 0 * * 5L', ['2026-01-30', '2026-02-27', '2026-03-27']],
    ['0 0 ? * fril', ['2026-01-30', '2026-02-27', '2026-03-27']],
    ['0 0 * * 0L', ['2026-01-25', '2026-02-22', '2026-03-29']],
    ['0 0 * * 7L', ['2026-01-25', '2026-02-22', '2026-03-29']],
    ['0 0 * * 5#2', ['2026-01-09', '2026-02-13', '2026-03-13']],
    ['0 0 * * MON#1,MON#3', ['2026-01-05', '2026-01-19', '2026-02-02', '2026-02-16']],
    ['0 0 * * 5#5', ['2026-01-30', '2026-05-29', '2026-07-31', '2026-10-30']],
    ['0 0 * * 5#1,TUE', ['2026-01-02', '2026-01-06', '2026-01-13']],
    // Both day fields restricted: either. One that begins with *: both.
    ['0 0 L * 5#2', ['2026-01-09', '2026-01-31', '2026-02-13', '2026-02-28']],
    ['0 0 L * MON', ['2026-01-05', '2026-01-12', '2026-01-19', '2026-01-26', '2026-01-31']],
    ['0 0 */2 * 5L', ['2026-02-27', '2026-03-27', '2026-05-29']],
    ['0 0 LW * */5', ['2026-01-30', '2026-02-27', '2026-05-29']],
  ]
  it.each(cases)('%s', (cron, expected) => {
    expect(days(cron, expected.length)).toEqual(expected)
  })

  it('knows a fifth Friday of February: 2036 and 2064, no leap year between them begins right', () => {
    expect(days('0 0 * 2 5#5', 2)).toEqual(['2036-02-29', '2064-02-29'])
  })

  const refused: [marked: string, message: string, remedy: string][] = [
    ['0 0 >L-31< * *', 'L-31 lies before the first day', 'at most 30'],
    ['0 0 >32W< * *', 'day of month 32W is out of range 1-31', '15W'],
    ['0 0 >0W< * *', 'day of month 0W is out of range', '15W'],
    ['0 0 1,>W15< * *', 'W stands behind its day', 'Write 15W'],
    ['0 0 >W< * *', 'W stands behind its day', '15W or LW'],
    ['0 0 >1-15W< * *', 'W cannot be part of a range', '1W,15W'],
    ['0 0 >15-L< * *', 'L cannot end a range', '15-31'],
    ['0 0 >L/2< * *', 'a step cannot follow L', 'Remove the step'],
    ['0 0 >5#2< * *', '5#2 counts weekdays', 'weekday field'],
    ['0 0 >5L< * *', '5L counts weekdays', 'weekday field'],
    ['0 0 * * >5#6<', '5#6 never comes', '5#5, or 5L for the last'],
    ['0 0 * * >5#0<', '5#0 never comes', '5#1 to 5#5'],
    ['0 0 * * >5#<', '5# does not say which one', '5#1'],
    ['0 0 * * >8#1<', 'weekday 8 of 8#1 is out of range 0-7', 'SUN-SAT'],
    ['0 0 * * MON,>9L<', 'weekday 9 of 9L is out of range', '0-7'],
    ['0 0 * * >L<', 'L alone in weekday is ambiguous', 'SAT or SUN'],
    ['0 0 * * >LW<', 'LW counts days of the month', 'day-of-month field'],
    ['0 0 * * >15W<', '15W counts days of the month', 'day-of-month field'],
    ['0 0 * * >MON-FRI#2<', 'L and # cannot be part of a range', 'List the days'],
    ['0 >5#2< * * *', 'hour does not understand 5#2', 'A field is'],
    ['0 >L< * * *', 'hour does not understand L', ''],
    ['0 0 ? * >?<', '? leaves the day to the other field', 'Write *'],
    ['0 0 >L-29< 2 *', 'day L-29 never comes in February', 'another month'],
    ['0 0 >31W< 4,6 *', 'day 31W never comes in April, June', 'another month'],
    ['0 0 >*/30< * 5#2', 'day */30 on a 5#2 never comes', 'another month'],
    ['0 0 L,>?< * *', '? cannot stand here', 'alone'],
    ['0 0 >L-< * *', 'day of month L- cannot be read', 'the third before it'],
    ['0 0 >LL< * *', 'day of month LL cannot be read', 'LW for the last weekday'],
    ['0 0 * * >FRY#2<', 'weekday FRY of FRY#2 is no name', 'FRI#2'],
    ['0 0 * * >L5<', 'weekday L5 cannot be read', '5L is the last Friday'],
    ['0 0 * * >#2<', 'weekday #2 cannot be read', '5#2 the second'],
    ['0 12 * * >?< *', '? cannot stand here in the month field', 'EventBridge end with the year'],
    ['>cron(0< 12 * * ? *)', "cron(…) is EventBridge's form", 'first five fields'],
    ['>rate(5< minutes)', "rate(…) is EventBridge's form", '5 MINUTE'],
    ['0 0 5 * >6#2/2<', 'a step cannot follow', 'Remove the step'],
  ]
  it.each(refused)('refuses %s', (marked, message, remedy) => {
    expectRefused(marked, message, remedy)
  })
})

describe('Quartz', () => {
  // Examples of the CronTrigger tutorial, each with its first slots after Thursday 1 January 2026, 00:00.
  const examples: [cron: string, slots: string[]][] = [
    ['0 0 12 * * ?', ['2026-01-01T12:00Z', '2026-01-02T12:00Z']],
    ['0 15 10 ? * *', ['2026-01-01T10:15Z', '2026-01-02T10:15Z']],
    ['0 15 10 * * ?', ['2026-01-01T10:15Z', '2026-01-02T10:15Z']],
    ['0 15 10 * * ? *', ['2026-01-01T10:15Z', '2026-01-02T10:15Z']],
    ['0 15 10 * * ? 2027', ['2027-01-01T10:15Z', '2027-01-02T10:15Z']],
    ['0 * 14 * * ?', ['2026-01-01T14:00Z', '2026-01-01T14:01Z']],
    ['0 0/5 14 * * ?', ['2026-01-01T14:00Z', '2026-01-01T14:05Z']],
    ['0 0/30 14,18 * * ?', ['2026-01-01T14:00Z', '2026-01-01T14:30Z', '2026-01-01T18:00Z']],
    ['0 0-5 14 * * ?', ['2026-01-01T14:00Z', '2026-01-01T14:01Z']],
    ['0 10,44 14 ? 3 WED', ['2026-03-04T14:10Z', '2026-03-04T14:44Z', '2026-03-11T14:10Z']],
    ['0 15 10 ? * MON-FRI', ['2026-01-01T10:15Z', '2026-01-02T10:15Z', '2026-01-05T10:15Z']],
    ['0 15 10 15 * ?', ['2026-01-15T10:15Z', '2026-02-15T10:15Z']],
    ['0 15 10 L * ?', ['2026-01-31T10:15Z', '2026-02-28T10:15Z']],
    ['0 15 10 L-2 * ?', ['2026-01-29T10:15Z', '2026-02-26T10:15Z']],
    // 6L is the last Friday, 6#3 the third: weekdays count from Sunday = 1.
    ['0 15 10 ? * 6L', ['2026-01-30T10:15Z', '2026-02-27T10:15Z']],
    ['0 15 10 ? * 6L 2026-2029', ['2026-01-30T10:15Z', '2026-02-27T10:15Z']],
    ['0 15 10 ? * 6#3', ['2026-01-16T10:15Z', '2026-02-20T10:15Z']],
    ['0 0 12 1/5 * ?', ['2026-01-01T12:00Z', '2026-01-06T12:00Z', '2026-01-11T12:00Z']],
    ['0 11 11 11 11 ?', ['2026-11-11T11:11Z', '2027-11-11T11:11Z']],
    ['0 0 0 ? * 1', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
    ['0 0 0 ? * 2-6', ['2026-01-02T00:00Z', '2026-01-05T00:00Z']],
    ['0 0 0 ? * 7,1', ['2026-01-03T00:00Z', '2026-01-04T00:00Z', '2026-01-10T00:00Z']],
    ['0 0 0 ? * 6-2', ['2026-01-02T00:00Z', '2026-01-03T00:00Z', '2026-01-04T00:00Z', '2026-01-05T00:00Z']],
    // L alone is the last day of the week, which in Quartz is Saturday.
    ['0 0 0 ? * L', ['2026-01-03T00:00Z', '2026-01-10T00:00Z', '2026-01-17T00:00Z']],
    ['0 0 0 LW * ?', ['2026-01-30T00:00Z', '2026-02-27T00:00Z']],
    ['0 0 0 15W * ?', ['2026-01-15T00:00Z', '2026-02-16T00:00Z']],
    ['*/30 0 6 ? * MON', ['2026-01-05T06:00Z', '2026-01-05T06:00:30Z']],
    ['@weekly', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
  ]
  it.each(examples)('%s', (cron, expected) => {
    expect(list(cron, expected.length, QUARTZ)).toEqual(expected)
  })

  it('ends with the years it names, however far away they are', () => {
    expect(list('0 0 0 1 1 ? 2026-2028/2', 9, QUARTZ, '2025-06-01T00:00:00Z')).toEqual([
      '2026-01-01T00:00Z',
      '2028-01-01T00:00Z',
    ])
    expect(list('0 0 0 1 1 ? 2099', 9, QUARTZ)).toEqual(['2099-01-01T00:00Z'])
    expect(list('0 0 0 1 1 ? 2020', 9, QUARTZ)).toEqual([])
    // The wall's year: midnight in Auckland is still the year before in UTC.
    const auckland = compileCron('0 0 0 1 1 ? 2027', 'Pacific/Auckland', QUARTZ)
    expect(formatSlot(auckland.next(Date.parse('2026-01-01T00:00:00Z'))!)).toBe('2026-12-31T11:00Z')
    expect(auckland.next(Date.parse('2026-12-31T11:00:00Z'))).toBeUndefined()
  })

  const refused: [marked: string, message: string, remedy: string][] = [
    ['0 0 6 * * >*<', 'Quartz needs ? in one day field', '? for the weekday'],
    ['0 0 6 >* * MON<', 'Quartz needs ? in one day field', '? for the day of month'],
    ['0 0 6 >15 * 2<', 'Quartz cannot restrict day of month and weekday at once', 'without dialect'],
    ['0 0 6 ? * >?<', '? leaves the day to the other field', 'Write *'],
    ['0 0 0 ? * >0<', 'weekday 0 is out of range 1-7', 'Sunday = 1'],
    ['0 0 0 ? * >8<', 'weekday 8 is out of range 1-7', '1 to 7'],
    ['0 0 0 ? * >8L<', 'weekday 8 of 8L is out of range 1-7', '1-7'],
    ['0 0 0 ? * >6#6<', '6#6 never comes', '6L'],
    ['0 0 0 >15W<,20 * ?', '15W cannot be part of a list', 'one expression for 15W'],
    ['0 0 0 1,>L< * ?', 'L cannot be part of a list', 'one expression for L'],
    ['0 0 0 ? * MON,>6#3<', '6#3 cannot be part of a list', 'one expression for 6#3'],
    ['0 0 0 >1W-15W< * ?', 'W cannot be part of a range', '1W,15W'],
    ['>0 6 * * *<', '5 fields where 6 are needed', '0 0 6 * * ?'],
    ['>0 6 ? * MON<', '5 fields where 6 are needed', 'seconds'],
    ['0 0 0 1 1 ? >1969<', 'year 1969 is out of range 1970-2099', '1970'],
    ['0 0 0 1 1 ? 2026,>2030-2026<', 'year 2030-2026 runs backwards', '2026-2030'],
    ['0 0 0 1 1 ? >H<', 'H cannot choose a year', 'Write the years'],
    ['0 0 0 >29< 2 ? 2026', 'day 29 never comes in February 2026', 'another month'],
    ['0 0 0 1 1 >2026<', 'weekday 2026 is out of range', 'seventh field'],
    ['>*< 0 6 * * ?', 'the seconds field matches all 60 seconds', 'write 0 0 6 * * ?'],
    ['>USING CRON 0 6 * * * UTC<', 'USING CRON is Snowflake', 'Remove dialect'],
  ]
  it.each(refused)('refuses %s', (marked, message, remedy) => {
    expectRefused(marked, message, remedy, QUARTZ)
  })

  it('reads the same six fields with other weekdays where the dialect is not said', () => {
    expect(days('0 0 0 ? * 2', 1)).toEqual(['2026-01-06'])
    expect(days('0 0 0 ? * 2', 1, QUARTZ)).toEqual(['2026-01-05'])
    expect(days('0 0 0 1 1 * 2027', 2)).toEqual(['2027-01-01'])
  })
})

describe('H', () => {
  const seeds = Array.from({ length: 500 }, (_, index) => `schedule-${index}`)
  const values = (
    cron: string,
    field: 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek',
    seed: string,
  ) => valuesOf(parseCron(cron, { hashSeed: seed }), field)

  it('is one value of the field, the same at every reading, and other for other schedules', () => {
    const minutes = seeds.map(seed => values('H * * * *', 'minute', seed))
    for (const [index, seed] of seeds.entries()) {
      expect(minutes[index]).toHaveLength(1)
      expect(values('H * * * *', 'minute', seed)).toEqual(minutes[index])
    }
    expect(new Set(minutes.flat()).size).toBe(60)
    // No minute has more than four times its share.
    for (let minute = 0; minute < 60; minute++)
      expect(minutes.flat().filter(value => value === minute).length).toBeLessThan(34)
    expect(new Set(seeds.map(seed => values('H H * * *', 'hour', seed)[0])).size).toBe(24)
    expect(new Set(seeds.map(seed => values('H H * H *', 'month', seed)[0])).size).toBe(12)
    expect(new Set(seeds.map(seed => values('H H * * H', 'dayOfWeek', seed)[0])).size).toBe(7)
  })

  it('chooses days that every month has', () => {
    const chosen = seeds.flatMap(seed => values('0 0 H * *', 'dayOfMonth', seed))
    expect(Math.max(...chosen)).toBe(28)
    expect(Math.min(...chosen)).toBe(1)
    for (const seed of seeds)
      expect(Math.max(...values('0 0 H/3 * *', 'dayOfMonth', seed))).toBeLessThanOrEqual(28)
  })

  it('takes steps and ranges as Jenkins does', () => {
    for (const seed of seeds) {
      const [start, ...more] = values('H/15 * * * *', 'minute', seed)
      expect([start, ...more]).toEqual([0, 15, 30, 45].map(offset => start! + offset))
      expect(start).toBeLessThan(15)
      const [inRange] = values('H(0-29) * * * *', 'minute', seed)
      expect(inRange).toBeLessThan(30)
      // As Jenkins writes it: every ten minutes in the first half of every hour.
      const tens = values('H(0-29)/10 * * * *', 'minute', seed)
      expect(tens).toEqual([0, 10, 20].map(offset => tens[0]! + offset))
      expect(tens[0]).toBeLessThan(10)
      const [night] = values('H H(22-2) * * *', 'hour', seed)
      expect([22, 23, 0, 1, 2]).toContain(night)
      expect([1, 2, 3, 4, 5]).toContain(values('H H * * H(MON-FRI)', 'dayOfWeek', seed)[0])
      // As Jenkins writes it: once every two hours between 9 and 5 on weekdays.
      const hours = values('H H(9-16)/2 * * 1-5', 'hour', seed)
      expect([
        [9, 11, 13, 15],
        [10, 12, 14, 16],
      ]).toContainEqual(hours)
    }
  })

  it('is one choice per field: two halves of an hour are 30 minutes apart', () => {
    for (const seed of seeds) {
      const [first, second] = values('H(0-29),H(30-59) * * * *', 'minute', seed)
      expect(second! - first!).toBe(30)
    }
  })

  it('is as good as the number it stands for', () => {
    const seed = 'nightly-report'
    const [minute] = values('H H * * *', 'minute', seed)
    const [hour] = values('H H * * *', 'hour', seed)
    const options = { hashSeed: seed }
    expect(list('H H * * *', 5, options)).toEqual(list(`${minute} ${hour} * * *`, 5))
    expect(list('h h * * *', 5, options)).toEqual(list(`${minute} ${hour} * * *`, 5))
    expect(compileCron('H H * * *', 'UTC', options)).toBe(compileCron('H H * * *', 'UTC', { hashSeed: seed }))
    expect(list('H H * * *', 1, { hashSeed: 'another' })).not.toEqual(list('H H * * *', 1, options))
    expect(compileCron('0 0 * * THU', 'UTC', options)).toBe(compileCron('0 0 * * THU', 'UTC', {}))
  })

  const refused: [marked: string, message: string, remedy: string][] = [
    ['H(0->75<) * * * *', 'minute 75 is out of range', '0 to 59'],
    ['>H/90< * * * *', 'minute step 90 is longer than the 60 values', 'fits'],
    ['>H(0-9)/15< * * * *', 'minute step 15 is longer than its range', 'fits'],
    ['>H/0< * * * *', 'minute step is 0', '1 or more'],
    ['>H-5< * * * *', 'minute H-5 cannot be read', 'brackets'],
    ['>H(5)< * * * *', 'minute H(5) cannot be read', 'brackets'],
  ]
  it.each(refused)('refuses %s', (marked, message, remedy) => {
    const cron = marked.replaceAll(/[<>]/g, '')
    expect(() => parseCron(cron)).toThrow('needs a seed')
    expectRefused(marked, message, remedy, { hashSeed: 'x' })
  })

  it('is refused without a seed, with the remedy', () => {
    expectRefused('0 >H< * * *', 'H in hour needs a seed', 'hashSeed')
    expectRefused('0 0 >1,H< * *', 'H in day of month needs a seed', 'hashSeed')
  })
})

describe('Snowflake', () => {
  it('reads USING CRON with its zone', () => {
    const schedule = compileCron('USING CRON 0 9-17 * * SUN America/Los_Angeles', undefined)
    expect(schedule.timezone).toBe('America/Los_Angeles')
    expect(schedule.expression).toBe('USING CRON 0 9-17 * * SUN America/Los_Angeles')
    expect(formatSlot(schedule.next(Date.parse('2026-01-01T00:00:00Z'))!)).toBe('2026-01-04T17:00Z')
    // The examples of CREATE TASK.
    expect(list('USING CRON * * * * * UTC', 2)).toEqual(['2026-01-01T00:01Z', '2026-01-01T00:02Z'])
    expect(list('USING CRON 0 2 * * * UTC', 1)).toEqual(['2026-01-01T02:00Z'])
    expect(list('using cron 30 2 L 6 * UTC', 2)).toEqual(['2026-06-30T02:30Z', '2027-06-30T02:30Z'])
    expect(list('USING CRON 0 0 L * 5L UTC', 3)).toEqual([
      '2026-01-30T00:00Z',
      '2026-01-31T00:00Z',
      '2026-02-27T00:00Z',
    ])
    // "Any 10th to 20th day of the month, and also any Tuesday or Thursday outside of those dates."
    expect(days('USING CRON 0 0 10-20 * TUE,THU UTC', 6)).toEqual([
      '2026-01-06',
      '2026-01-08',
      '2026-01-10',
      '2026-01-11',
      '2026-01-12',
      '2026-01-13',
    ])
    // 4/3 in the month field: April, July and October.
    expect(days('USING CRON 0 0 1 4/3 * UTC', 4)).toEqual([
      '2026-04-01',
      '2026-07-01',
      '2026-10-01',
      '2027-04-01',
    ])
  })

  it('takes the zone of the text over none, and refuses two that differ', () => {
    const text = 'USING CRON 0 9 * * * America/Los_Angeles'
    for (const timezone of [undefined, 'UTC', 'America/Los_Angeles', 'america/los_angeles'])
      expect(compileCron(text, timezone).next(0)).toBe(17 * 3_600_000)
    const error = refuse(text, {}, 'Europe/Berlin')
    expect(error.message).toContain('the text says America/Los_Angeles and timezone says Europe/Berlin')
    expect(text.slice(error.position, error.position + error.length)).toBe('America/Los_Angeles')
    expect(error.hint).toContain('Remove timezone')
  })

  it('reads periods, whose slots are the multiples since 1970 whatever the zone and the start', () => {
    expect(list('5 MINUTE', 2, {}, '2026-01-01T00:03:20Z')).toEqual([
      '2026-01-01T00:05Z',
      '2026-01-01T00:10Z',
    ])
    expect(list('90 SECONDS', 3)).toEqual([
      '2026-01-01T00:01:30Z',
      '2026-01-01T00:03Z',
      '2026-01-01T00:04:30Z',
    ])
    expect(list('2 hours', 2)).toEqual(['2026-01-01T02:00Z', '2026-01-01T04:00Z'])
    for (const text of ['120 MINUTE', '120 MINUTES', '120 m', '2 H', '2 HOUR', '7200 S', ' 7200  second '])
      expect(list(text, 5)).toEqual(list('2 HOURS', 5))
    const seven = compileCron('7 MINUTES', 'America/New_York')
    const berlin = compileCron('7 MINUTES', 'Europe/Berlin')
    for (let at = -10_000_000; at < 10_000_000; at += 77_777) {
      const slot = seven.next(at)!
      expect(slot % 420_000 === 0 && slot > at && slot - at <= 420_000).toBe(true)
      expect(berlin.next(at)).toBe(slot)
    }
    expect(compileCron('8 HOURS', 'UTC').next(Date.UTC(2300, 0, 1))).toBeUndefined()
    expect(() => compileCron('5 MINUTE', 'UTC').next(Number.NaN)).toThrow(RangeError)
    expect(() => compileCron('5 MINUTE', 'Europe/Nowhere')).toThrow('unknown')
  })

  const refused: [marked: string, message: string, remedy: string][] = [
    ['>0< MINUTE', 'a period of 0', '1 or more'],
    ['>-5< MINUTE', 'the period -5 is not a whole number', 'smaller unit'],
    ['>1.5< HOURS', 'the period 1.5 is not a whole number', '90 SECONDS'],
    ['>11521< MINUTE', 'the period 11521 MINUTE is too long', '8 days'],
    ['>1< SECOND', 'a period of one second', 'every second explicitly'],
    ['5 >MINUTTE<', "the period's unit MINUTTE is unknown", '5 MINUTE'],
    ['2 >DAYS<', "the period's unit DAYS is unknown", '48 HOURS'],
    [
      'USING CRON 0 9 * * * >Amerika/Los_Angeles<',
      'time zone Amerika/Los_Angeles is unknown',
      'America/Los_Angeles',
    ],
    ['USING CRON 0 9 * * >*<', 'USING CRON lacks its time zone', 'America/Los_Angeles'],
    ['>USING CRON<', 'USING CRON lacks its time zone', 'America/Los_Angeles'],
    ['USING CRON 0 0 9 * * >*< UTC', '6 fields where 5 are needed', 'Remove'],
    ['USING CRON >0 9 *< UTC', '3 fields where 5 are needed', 'Write *'],
    ['USING CRON >61< 9 * * * UTC', 'minute 61 is out of range', '0 to 59'],
    ['USING CRON 0 9 * * >MON<', 'USING CRON lacks its time zone', 'America/Los_Angeles'],
    ['>5MINUTE<', '1 field where 5 are needed', '5 MINUTE'],
    ['0 9 * * * >UTC<', 'the fields and a time zone', 'timezone: UTC'],
    ['0 9 * * * >America/Los_Angeles<', 'the fields and a time zone', 'timezone: America/Los_Angeles'],
    ['>CRON_TZ=Asia/Tokyo< 0 9 * * *', 'the fields and a time zone', 'timezone: Asia/Tokyo'],
  ]
  it.each(refused)('refuses %s', (marked, message, remedy) => {
    expectRefused(marked, message, remedy)
  })

  it('allows a period of one second where that is asked for', () => {
    expect(list('1 SECOND', 1, { allowEverySecond: true })).toEqual(['2026-01-01T00:00:01Z'])
  })
})
