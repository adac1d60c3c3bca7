// What is said about a set of schedules, and what is not.

import { describe, expect, test } from 'vitest'
import { aSchedule } from '../../../test/support/builders.ts'
import { DAY_MS } from '../time/instant.ts'
import type { Schedule } from './schedule.ts'
import { listSetWarnings } from './set-warnings.ts'

const NOW = Date.UTC(2026, 0, 5, 6, 0, 30)
const list = (schedules: readonly Schedule[], crowd = 20) =>
  listSetWarnings(schedules, { now: NOW, crowd, withinMs: 7 * DAY_MS })
const codes = (schedules: readonly Schedule[], crowd?: number) =>
  list(schedules, crowd).map(({ code, scheduleId }) => `${code} ${scheduleId}`)

test('disabled, and never due again', () => {
  const past = { expression: '', timezone: 'UTC', next: () => undefined }
  expect(
    codes([
      aSchedule('good', '@daily', 'd'),
      aSchedule('off', '@daily', 'd', { enabled: false }),
      aSchedule('over', '@daily', 'd', { slots: past }),
    ]),
  ).toEqual(['disabled off', 'never_due over'])
})

describe('the same twice', () => {
  test('the same times of the same DAG and tenant', () => {
    const [warning, ...more] = list([
      aSchedule('a', '0 6 * * *', 'd'),
      aSchedule('b', '0 6 * * *', 'd'),
      aSchedule('otherDag', '0 6 * * *', 'e'),
      aSchedule('otherTenant', '0 6 * * *', 'd', { tenantId: 'x' }),
      aSchedule('otherTime', '1 6 * * *', 'd'),
    ])
    expect(more).toEqual([])
    expect(warning).toMatchObject({
      code: 'same_schedule',
      scheduleId: 'b',
      message: 'schedule b says the same as a: DAG d runs twice for every slot',
    })
  })

  test('an H is another minute for each: not the same', () => {
    const hashed = (id: string) => aSchedule(id, 'H H * * *', 'd')
    expect(codes([hashed('a'), hashed('b')])).toEqual([])
  })
})

describe('a crowd', () => {
  const crowd = Array.from({ length: 4 }, (_, index) => aSchedule(`s${index}`, '0 6 * * MON', `d${index}`))

  test('the fullest minute of the week, with its number and who is in it', () => {
    expect(codes(crowd, 4)).toEqual([])
    const [warning] = list([...crowd, aSchedule('seconds', '*/10 0 6 * * *', 'd')], 3)
    expect(warning).toMatchObject({
      code: 'crowded_minute',
      scheduleId: 's0',
      message: '5 schedules are due at 2026-01-12T06:00Z, more than 3: s0, s1, s2, s3, seconds',
    })
  })

  test('many are counted, and so are the other minutes', () => {
    const many = Array.from({ length: 30 }, (_, index) => aSchedule(`m${index}`, '@hourly', `d${index}`))
    expect(list(many)[0]?.message).toBe(
      '30 schedules are due at 2026-01-05T07:00Z, more than 20: m0, m1, m2, m3, m4 and 25 more; 167 other minutes of that time are over it, too',
    )
  })
})
