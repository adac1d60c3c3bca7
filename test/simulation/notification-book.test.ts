// The judge of notifications is tested on what it must catch.

import { expect, test } from 'vitest'
import type { JournalLine, JournalText } from './journal-text.ts'
import { checkNotifications, type Delivery } from './notification-book.ts'

const queued = (id: string, more: object = {}) => ({
  event: 'notification_queued',
  notification_id: id,
  channel: 'ops',
  type: 'ON_ERROR',
  run_id: 'r',
  ...more,
})
const ended = (event: string, ...ids: string[]) => ({ event, notification_ids: ids, channel: 'ops' })
const finished = { event: 'run_finished', run_id: 'r' }
const delivered = (...ids: string[]): Delivery => ({ ids, channel: 'ops', accepted: true })

function judge(commits: object[][], deliveries: Delivery[], settled = true): string[] {
  const lines = commits.flat().map((line, index) => ({ seq: index + 1, ...line }) as unknown as JournalLine)
  const commitEnds = new Set<number>()
  let seq = 0
  for (const commit of commits) {
    seq += commit.length
    commitEnds.add(seq)
  }
  return checkNotifications(
    { lines, commitEnds, problems: [] } as unknown as JournalText,
    deliveries,
    settled,
  )
}

test('a story that is right', () => {
  const story = [
    [finished, queued('n1')],
    [ended('notification_retry', 'n1')],
    [ended('notification_sent', 'n1')],
    [finished, queued('n2', { type: 'ON_LATE' })],
    [ended('notification_failed', 'n2')],
    [{ ...ended('notification_suppressed', 'n3'), reason: 'duplicate' }],
  ]
  expect(judge(story, [delivered('n1'), delivered('n1')])).toEqual([])
})

test.each([
  ['lost', [[finished, queued('n1')]], [], 'n1 was queued and never ended'],
  [
    'ended twice',
    [[finished, queued('n1')], [ended('notification_sent', 'n1')], [ended('notification_failed', 'n1')]],
    [delivered('n1')],
    'n1 is notification_failed, it was notification_sent before',
  ],
  [
    'said to be sent',
    [[finished, queued('n1')], [ended('notification_sent', 'n1')]],
    [],
    'n1 is said to be sent and was not',
  ],
  ['brought before it was', [], [delivered('n1')], 'n1 was brought and never queued'],
  [
    'queued by itself',
    [[finished], [queued('n1')], [ended('notification_failed', 'n1')]],
    [],
    'n1 tells of what is not in its commit',
  ],
  [
    'of another channel',
    [[finished, queued('n1')], [{ ...ended('notification_failed', 'n1'), channel: 'mail' }]],
    [],
    'n1 was not queued for mail',
  ],
  [
    'queued twice',
    [[finished, queued('n1'), queued('n1')], [ended('notification_failed', 'n1')]],
    [],
    'n1 is queued twice',
  ],
])('one that was %s', (_name, commits, deliveries, finding) => {
  expect(judge(commits, deliveries).join('\n')).toContain(finding)
})
