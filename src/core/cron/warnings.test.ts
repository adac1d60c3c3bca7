import { describe, expect, it } from 'vitest'
import { CronError } from './cron-error.ts'
import { type CronWarningOptions, listCronWarnings } from './warnings.ts'

describe('warnings', () => {
  const cases: [cron: string, codes: string[], message: string][] = [
    ['*/7 * * * *', ['uneven_step'], 'from 56 to the next 0 it is 4, not 7'],
    ['*/25 * * * *', ['uneven_step'], 'from 50 to the next 0 it is 10, not 25'],
    ['0 */5 * * *', ['uneven_step'], 'from 20 to the next 0 it is 4, not 5'],
    ['3/7 * * * *', ['uneven_step'], 'from 59 to the next 3 it is 4, not 7'],
    ['0 0 */2 * *', ['uneven_step'], 'starts anew on day 1 of every month'],
    ['0 0 * * */2', ['uneven_step'], 'from 6 to the next 0 it is 1, not 2'],
    ['0 0 1 */5 *', ['uneven_step'], 'from 11 to the next 1 it is 2, not 5'],
    ['*/60 * * * *', ['step_fills_field'], 'it only ever matches 0'],
    ['0 0 13 * FRI', ['either_day'], 'matches either of them'],
    ['0 0 6 ? * 2', ['weekday_numbering'], 'counts from Sunday = 0'],
    ['*/7 */5 1 * 1', ['uneven_step', 'uneven_step', 'either_day'], 'from 56'],
  ]
  it.each(cases)('%s: %j', (cron, codes, message) => {
    const warnings = listCronWarnings(cron)
    expect(warnings.map(warning => warning.code)).toEqual(codes)
    expect(warnings[0]!.message).toContain(message)
    expect(warnings[0]!.hint).not.toBe('')
  })

  it('marks the part that it is about', () => {
    const [warning] = listCronWarnings('0,*/7 * * * *')
    expect(warning).toMatchObject({ position: 2, length: 3 })
    const [either] = listCronWarnings('0 0 13 * FRI')
    expect(either).toMatchObject({ position: 4, length: 8 })
  })

  it('says nothing about what is plain', () => {
    for (const cron of [
      '* * * * *',
      '*/15 * * * *',
      '10/20 * * * *',
      '0-30/7 * * * *',
      '0 6 * * MON-FRI',
      '0 0 ? * MON',
      '0 0 1 * ?',
      '@daily',
    ]) {
      expect(listCronWarnings(cron), cron).toEqual([])
    }
  })

  it('refuses what parseCron refuses', () => {
    expect(() => listCronWarnings('61 * * * *')).toThrow(CronError)
    expect(listCronWarnings('* * * * * *', { allowEverySecond: true })).toEqual([])
  })
})

/** The messages of one code. */
function messages(cron: string, code: string, options: CronWarningOptions = {}): string[] {
  return listCronWarnings(cron, options)
    .filter(warning => warning.code === code)
    .map(({ message }) => message)
}

describe('months that a day skips', () => {
  const cases: [cron: string, months: string][] = [
    ['0 0 31 * *', 'February, April, June, September and November'],
    ['0 0 30 * *', 'February'],
    ['0 0 29 * *', 'February but in leap years'],
    ['0 0 29 2 *', 'February but in leap years'],
    ['0 0 29-31 * *', 'February but in leap years'],
    ['0 0 30 1-3 *', 'February'],
    ['0 0 31W 3-6 *', 'April and June'],
    ['0 0 L-30 * *', 'February, April, June, September and November'],
    ['0 0 L-28 2 *', 'February but in leap years'],
    ['0 0 0 31 * ? 2027', 'February, April, June, September and November'],
  ]
  it.each(cases)('%s', (cron, months) => {
    const [warning] = listCronWarnings(cron)
    expect(warning?.code).toBe('skipped_months')
    expect(warning?.message).toContain(`does not come in ${months}: nothing`)
    expect(warning?.hint).toContain('L for the last day')
    const { position, length } = warning!
    const fields = cron.split(' ')
    expect(cron.slice(position, position + length)).toBe(fields[fields.length > 5 ? 3 : 2])
  })

  it('is silent where no month is skipped, and where a weekday is enough', () => {
    for (const cron of [
      '0 0 28 * *',
      '0 0 L * *',
      '0 0 LW * *',
      '0 0 1,31 * *',
      '0 0 30,L * *',
      '0 0 31 1,3,5 *',
    ])
      expect(messages(cron, 'skipped_months'), cron).toEqual([])
    expect(messages('0 0 31 * FRI', 'skipped_months')).toEqual([])
    expect(messages('0 0 * * 5#5', 'skipped_months')).toEqual([])
  })
})

describe('years that are over', () => {
  it('is said of a text that is never due again', () => {
    const now = Date.UTC(2026, 10, 21)
    const quartz = { dialect: 'quartz', now } as const
    expect(messages('0 0 0 1 1 ? 2020-2025', 'past_years', quartz)).toEqual([
      'its last year, 2025, is over: it is never due again',
    ])
    expect(messages('0 0 0 1 1 ? 2020-2026', 'past_years', quartz)).toEqual([])
    expect(messages('0 0 0 1 1 ? 2020', 'past_years', { dialect: 'quartz' })).toEqual([])
  })
})

describe('fixed times in a change of the clock', () => {
  const now = Date.UTC(2026, 5, 1)
  const said = (cron: string, timezone: string, options: CronWarningOptions = {}) =>
    messages(cron, 'clock_change', { now, timezone, ...options })

  it('names the two dates of the year and what is due there', () => {
    expect(said('30 2 * * *', 'Europe/Berlin')).toEqual([
      'Europe/Berlin changes its clock: on 2026-03-29 02:30 is left out and is due at 03:00 instead; ' +
        'on 2026-10-25 02:30 comes twice and is due the first time only',
    ])
    expect(said('30 2 * * *', 'Europe/Berlin', { dst: 'skip' })).toEqual([
      'Europe/Berlin changes its clock: on 2026-03-29 02:30 is left out and not due that day; ' +
        'on 2026-10-25 02:30 comes twice and is due the first time only',
    ])
    expect(said('30 2 * * *', 'Europe/Berlin', { dst: 'both' })).toEqual([
      'Europe/Berlin changes its clock: on 2026-03-29 02:30 is left out and is due at 03:00 instead; ' +
        'on 2026-10-25 02:30 comes twice and is due both times',
    ])
    expect(said('0,30 2,3 * * *', 'Europe/Berlin')[0]).toContain(
      '02:00 and 02:30 are left out, and the slot at 03:00 stands for them as well',
    )
  })

  it('knows each change by its own: gap and repeated hour may lie at other times, in other order', () => {
    expect(said('15 1 * * *', 'America/New_York')).toEqual([
      'America/New_York changes its clock: on 2026-11-01 01:15 comes twice and is due the first time only',
    ])
    expect(said('15 2 * * *', 'America/New_York')).toEqual([
      'America/New_York changes its clock: on 2026-03-08 02:15 is left out and is due at 03:00 instead',
    ])
    expect(said('45 1 * * *', 'Australia/Lord_Howe')[0]).toContain('on 2026-04-05 01:45 comes twice')
    expect(said('15 2 * * *', 'Australia/Lord_Howe')[0]).toContain(
      'on 2026-10-04 02:15 is left out and is due at 02:30 instead',
    )
    expect(said('0 3 * * *', 'Pacific/Chatham')).toHaveLength(1)
    expect(said('0 12 30 12 *', 'Pacific/Apia', { now: Date.UTC(2011, 0, 1) })).toEqual([
      'Pacific/Apia changes its clock: on 2011-12-30 12:00 is left out and not due that day',
    ])
  })

  it('counts the days too: what falls on another weekday is not touched', () => {
    expect(said('30 2 * * MON-FRI', 'Europe/Berlin')).toEqual([])
    expect(said('30 2 * * SUN', 'Europe/Berlin')).toHaveLength(1)
    expect(said('30 2 L * *', 'Europe/Berlin')).toEqual([])
    expect(said('30 2 ? * 0L', 'Europe/Berlin')).toHaveLength(1)
  })

  it('is said where a * in the minute makes a fixed hour follow the clock, not where the hour does', () => {
    expect(said('*/20 2 * * *', 'Europe/Berlin')[0]).toContain(
      'on 2026-03-29 02:00, 02:20 and 02:40 are left out and not due that day; ' +
        'on 2026-10-25 02:00, 02:20 and 02:40 come twice and are due both times',
    )
    for (const cron of ['30 * * * *', '0 */2 * * *', '* * * * *', '@hourly', '5 MINUTE', '2 HOURS'])
      expect(said(cron, 'Europe/Berlin'), cron).toEqual([])
  })

  it('is silent where nothing is touched, where there is no change, and where nobody says the year', () => {
    expect(said('30 4 * * *', 'Europe/Berlin')).toEqual([])
    expect(said('30 2 * * *', 'UTC')).toEqual([])
    expect(said('30 2 * * *', 'Asia/Tokyo')).toEqual([])
    expect(listCronWarnings('30 2 * * *', { timezone: 'Europe/Berlin' })).toEqual([])
  })

  it('takes the zone of USING CRON, and marks minute and hour', () => {
    const text = 'USING CRON 30 2 * * * Europe/Berlin'
    const [warning] = listCronWarnings(text, { now })
    expect(warning?.message).toContain('Europe/Berlin changes its clock')
    expect(text.slice(warning!.position, warning!.position + warning!.length)).toBe('30 2')
    expect(warning?.hint).toContain('dst')
    expect(said('@daily', 'America/Havana')[0]).toContain('00:00 is left out and is due at 01:00 instead')
  })
})

describe('dialects', () => {
  it('says nothing about weekday numbers where the dialect is said, and none about # and L by name', () => {
    expect(listCronWarnings('0 0 6 ? * 2', { dialect: 'quartz' })).toEqual([])
    expect(messages('0 0 6 ? * 6#3', 'weekday_numbering')).toHaveLength(1)
    expect(messages('0 0 6 ? * FRI#3', 'weekday_numbering')).toEqual([])
    expect(messages('0 0 6 ? * FRIL', 'weekday_numbering')).toEqual([])
  })

  it('measures the steps of H from where the hash begins', () => {
    const options = { hashSeed: 'heartbeat' }
    expect(listCronWarnings('H/15 * * * *', options)).toEqual([])
    expect(listCronWarnings('H(0-29)/7 * * * *', options)).toEqual([])
    // hash.test.ts knows its hash: 1,552,197,763, which is 4 modulo 7.
    expect(messages('H/7 * * * *', 'uneven_step', { hashSeed: 'weekly_ops_chain' })).toEqual([
      'minute H/7 is uneven: from 53 to the next 4 it is 11, not 7',
    ])
  })

  it('has none for periods', () => {
    expect(listCronWarnings('7 MINUTES', { now: 0, timezone: 'Europe/Berlin' })).toEqual([])
  })
})
