// The three policies for changes of the clock, at the changes that tell them apart. Times in the comments are local.

import { describe, expect, it } from 'vitest'
import { formatSlot } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { compileCron } from './compile.ts'
import type { CronDst, CronOptions } from './parse.ts'

function listSlots(
  cron: string,
  zone: string,
  [from, until]: readonly [string, string],
  options: CronOptions,
): string[] {
  const schedule = compileCron(cron, zone, options)
  const slots: string[] = []
  let at = schedule.next(Date.parse(from))
  while (at !== undefined && at < Date.parse(until)) {
    slots.push(formatSlot(at))
    at = schedule.next(at)
  }
  return slots
}

interface Change {
  name: string
  zone: string
  span: readonly [from: string, until: string]
  slots: Record<string, Record<CronDst, string[]>>
}

const CHANGES: Change[] = [
  {
    name: 'Berlin, 29 March 2026: 02:00-03:00 does not exist',
    zone: 'Europe/Berlin',
    span: ['2026-03-28T22:59:00Z', '2026-03-29T02:00:00Z'],
    slots: {
      '30 2 * * *': { cron: ['2026-03-29T01:00Z'], skip: [], both: ['2026-03-29T01:00Z'] },
      '0,30 2,3 * * *': {
        cron: ['2026-03-29T01:00Z', '2026-03-29T01:30Z'],
        skip: ['2026-03-29T01:00Z', '2026-03-29T01:30Z'],
        both: ['2026-03-29T01:00Z', '2026-03-29T01:30Z'],
      },
      '30 3 * * *': { cron: ['2026-03-29T01:30Z'], skip: ['2026-03-29T01:30Z'], both: ['2026-03-29T01:30Z'] },
      // What follows the clock does so under every policy.
      '*/20 2 * * *': { cron: [], skip: [], both: [] },
      '30 * * * *': {
        cron: ['2026-03-28T23:30Z', '2026-03-29T00:30Z', '2026-03-29T01:30Z'],
        skip: ['2026-03-28T23:30Z', '2026-03-29T00:30Z', '2026-03-29T01:30Z'],
        both: ['2026-03-28T23:30Z', '2026-03-29T00:30Z', '2026-03-29T01:30Z'],
      },
    },
  },
  {
    name: 'Berlin, 25 October 2026: 02:00-03:00 comes twice',
    zone: 'Europe/Berlin',
    span: ['2026-10-24T22:59:00Z', '2026-10-25T03:00:00Z'],
    slots: {
      '30 2 * * *': {
        cron: ['2026-10-25T00:30Z'],
        skip: ['2026-10-25T00:30Z'],
        both: ['2026-10-25T00:30Z', '2026-10-25T01:30Z'],
      },
      '0 1,2,3 * * *': {
        cron: ['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T02:00Z'],
        skip: ['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T02:00Z'],
        both: ['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
      },
      '*/30 2 * * *': {
        cron: ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z'],
        skip: ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z'],
        both: ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z'],
      },
    },
  },
  {
    name: 'New York, 8 March 2026: 02:00-03:00 does not exist',
    zone: 'America/New_York',
    span: ['2026-03-08T05:00:00Z', '2026-03-08T09:00:00Z'],
    slots: { '15,45 2 * * *': { cron: ['2026-03-08T07:00Z'], skip: [], both: ['2026-03-08T07:00Z'] } },
  },
  {
    name: 'New York, 1 November 2026: 01:00-02:00 comes twice',
    zone: 'America/New_York',
    span: ['2026-11-01T04:00:00Z', '2026-11-01T08:00:00Z'],
    slots: {
      '15 1 * * *': {
        cron: ['2026-11-01T05:15Z'],
        skip: ['2026-11-01T05:15Z'],
        both: ['2026-11-01T05:15Z', '2026-11-01T06:15Z'],
      },
    },
  },
  {
    name: 'Lord Howe, 4 October 2026: 02:00-02:30 does not exist',
    zone: 'Australia/Lord_Howe',
    span: ['2026-10-03T14:59:00Z', '2026-10-03T16:31:00Z'],
    slots: {
      '15 2 * * *': { cron: ['2026-10-03T15:30Z'], skip: [], both: ['2026-10-03T15:30Z'] },
      '30 2 * * *': { cron: ['2026-10-03T15:30Z'], skip: ['2026-10-03T15:30Z'], both: ['2026-10-03T15:30Z'] },
    },
  },
  {
    name: 'Lord Howe, 5 April 2026: 01:30-02:00 comes twice',
    zone: 'Australia/Lord_Howe',
    span: ['2026-04-04T13:29:00Z', '2026-04-04T16:31:00Z'],
    slots: {
      '45 1 * * *': {
        cron: ['2026-04-04T14:45Z'],
        skip: ['2026-04-04T14:45Z'],
        both: ['2026-04-04T14:45Z', '2026-04-04T15:15Z'],
      },
    },
  },
  {
    name: 'Chatham, 27 September 2026: 02:45-03:45 does not exist',
    zone: 'Pacific/Chatham',
    span: ['2026-09-26T13:00:00Z', '2026-09-26T15:00:00Z'],
    slots: { '0 3 * * *': { cron: ['2026-09-26T14:00Z'], skip: [], both: ['2026-09-26T14:00Z'] } },
  },
  {
    name: 'Chatham, 5 April 2026: 02:45-03:45 comes twice',
    zone: 'Pacific/Chatham',
    span: ['2026-04-04T12:40:00Z', '2026-04-04T15:01:00Z'],
    slots: {
      '0 3 * * *': {
        cron: ['2026-04-04T13:15Z'],
        skip: ['2026-04-04T13:15Z'],
        both: ['2026-04-04T13:15Z', '2026-04-04T14:15Z'],
      },
    },
  },
  {
    name: 'Apia, 30 December 2011 was skipped whole: no summer time, no policy brings it back',
    zone: 'Pacific/Apia',
    span: ['2011-12-29T12:00:00Z', '2011-12-31T12:00:00Z'],
    slots: {
      '0 12 * * *': {
        cron: ['2011-12-29T22:00Z', '2011-12-30T22:00Z'],
        skip: ['2011-12-29T22:00Z', '2011-12-30T22:00Z'],
        both: ['2011-12-29T22:00Z', '2011-12-30T22:00Z'],
      },
      '0 12 30 12 *': { cron: [], skip: [], both: [] },
    },
  },
  {
    name: 'Apia, 24 September 2011: 03:00-04:00 does not exist',
    zone: 'Pacific/Apia',
    span: ['2011-09-24T10:00:00Z', '2011-09-24T16:00:00Z'],
    slots: { '30 3 * * *': { cron: ['2011-09-24T14:00Z'], skip: [], both: ['2011-09-24T14:00Z'] } },
  },
]

describe('dst', () => {
  for (const { name, zone, span, slots } of CHANGES) {
    it(name, () => {
      expect(zoneOf(zone).transitions(Date.parse(span[0]), Date.parse(span[1]))).toHaveLength(1)
      for (const [cron, policies] of Object.entries(slots)) {
        for (const [dst, expected] of Object.entries(policies) as [CronDst, string[]][]) {
          expect(listSlots(cron, zone, span, { dst }), `${cron}, dst: ${dst}`).toEqual(expected)
        }
        expect(listSlots(cron, zone, span, {}), cron).toEqual(policies.cron)
      }
    })
  }

  it('holds for every dialect', () => {
    const span = ['2026-10-24T22:59:00Z', '2026-10-25T03:00:00Z'] as const
    const both = ['2026-10-25T00:30Z', '2026-10-25T01:30Z']
    const quartz = { dialect: 'quartz', dst: 'both' } as const
    expect(listSlots('0 30 2 ? * 1', 'Europe/Berlin', span, quartz)).toEqual(both)
    expect(listSlots('0 30 2 ? * 1L', 'Europe/Berlin', span, quartz)).toEqual(both)
    expect(listSlots('USING CRON 30 2 * * 0L Europe/Berlin', 'UTC', span, { dst: 'both' })).toEqual(both)
    // The last Sunday of October, which is that very day.
    expect(listSlots('30 2 * * 0L', 'Europe/Berlin', span, {})).toEqual(['2026-10-25T00:30Z'])
  })
})
