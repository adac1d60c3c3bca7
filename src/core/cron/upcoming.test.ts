import { describe, expect, it } from 'vitest'
import { CronError, cron, DagbokError } from '../../index.ts'

function refuse(call: () => unknown): DagbokError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(DagbokError)
    return error as DagbokError
  }
  throw new Error('nothing was refused')
}

describe('cron() of the library', () => {
  it('lists the next instants after one, in UTC', () => {
    const weekdays = cron('0 6 * * MON-FRI', { timezone: 'Europe/Berlin' })
    expect(weekdays).toMatchObject({ expression: '0 6 * * MON-FRI', timezone: 'Europe/Berlin' })
    expect(weekdays.next('2026-03-27T05:00:00Z', 3)).toEqual([
      '2026-03-30T04:00:00.000Z',
      '2026-03-31T04:00:00.000Z',
      '2026-04-01T04:00:00.000Z',
    ])
    expect(weekdays.next('2026-03-27T06:00+01:00')).toEqual(['2026-03-30T04:00:00.000Z'])
    expect(weekdays.next(new Date('2026-03-27T04:59:59.999Z'))).toEqual(['2026-03-27T05:00:00.000Z'])
  })

  it('takes the dialect, the policy for changes of the clock and the seed of H', () => {
    const gap = (dst: 'cron' | 'skip' | 'both') =>
      cron('30 2 * * *', { timezone: 'Europe/Berlin', dst }).next('2026-03-28T12:00Z')
    expect(gap('cron')).toEqual(['2026-03-29T01:00:00.000Z'])
    expect(gap('skip')).toEqual(['2026-03-30T00:30:00.000Z'])
    expect(cron('0 30 2 ? * 2', { dialect: 'quartz' }).next('2026-01-01T00:00Z')).toEqual([
      '2026-01-05T02:30:00.000Z',
    ])
    expect(cron('H 3 * * *', { hashSeed: 'heartbeat' }).next('2026-01-01T00:00Z', 2)).toHaveLength(2)
    const snowflake = cron('USING CRON 0 9 * * * America/Los_Angeles')
    expect(snowflake.timezone).toBe('America/Los_Angeles')
    expect(cron('5 MINUTE').next('2026-01-01T00:01Z', 2)).toEqual([
      '2026-01-01T00:05:00.000Z',
      '2026-01-01T00:10:00.000Z',
    ])
  })

  it('gives fewer where there are no more', () => {
    const twice = cron('0 0 0 1 1 ? 2027,2030', { dialect: 'quartz' })
    expect(twice.next('2026-01-01T00:00Z', 5)).toEqual([
      '2027-01-01T00:00:00.000Z',
      '2030-01-01T00:00:00.000Z',
    ])
    expect(twice.next('2030-01-01T00:00Z', 5)).toEqual([])
  })

  it('refuses a text with position and remedy', () => {
    const error = refuse(() => cron('0 25 * * *')) as CronError
    expect(error).toBeInstanceOf(CronError)
    expect(error).toMatchObject({
      code: 'CRON_INVALID',
      position: 2,
      length: 2,
      hint: 'Write a value from 0 to 23.',
    })
    expect(refuse(() => cron('H 3 * * *')).hint).toContain('hashSeed')
    expect(refuse(() => cron('USING CRON 0 9 * * * Asia/Tokyo', { timezone: 'UTC' })).message).toContain(
      'the text says Asia/Tokyo and timezone says UTC',
    )
    expect(refuse(() => cron('@daily', { timezone: 'Europe/Berln' }))).toMatchObject({
      code: 'TIMEZONE_INVALID',
      hint: 'Did you mean Europe/Berlin?',
    })
  })

  it('refuses a start that is no instant, and says what one is', () => {
    const daily = cron('@daily')
    for (const from of [
      'yesterday',
      '2026-01-05',
      '2026-01-05T06:00',
      '',
      new Date('?'),
      0,
      null,
      undefined,
    ]) {
      const error = refuse(() => daily.next(from as string))
      expect(error).toMatchObject({ code: 'INSTANT_INVALID', exitCode: 2 })
      expect(error.hint).toContain('offset')
    }
  })

  it('refuses what its types do not allow', () => {
    for (const count of [0, -1, 1.5, Number.NaN, 100_001, '5']) {
      const error = refuse(() => cron('@daily').next('2026-01-01T00:00Z', count as number))
      expect(error).toMatchObject({ code: 'CRON_QUERY_INVALID', exitCode: 2 })
    }
    const wrong: [unknown, string][] = [
      [{ dst: 'skipp' }, 'Did you mean skip?'],
      [{ dst: true }, 'Write one of: cron, skip, both.'],
      [{ dialect: 'vixie' }, 'Write one of: unix, quartz.'],
      [{ timezone: 2 }, 'Pass timezone as text'],
      [{ hashSeed: 7 }, 'Pass hashSeed as text'],
    ]
    for (const [options, hint] of wrong)
      expect(refuse(() => cron('@daily', options as object)).hint).toContain(hint)
    expect(refuse(() => cron(5 as unknown as string)).code).toBe('CRON_QUERY_INVALID')
  })
})
