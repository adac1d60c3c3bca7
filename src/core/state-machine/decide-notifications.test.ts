import { describe, expect, test } from 'vitest'
import { aChannel, aDag, aSchedule, askedBy, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import type { Notification as Policy } from '../dag/notification.ts'
import type { Channel } from '../notification/channel.ts'
import { lineDueAt, nextOfLine, OUTBOX_MAX } from '../notification/outbox.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { describeState } from './checkpoint.ts'
import type { NotificationResult } from './command.ts'
import type { Event } from './event.ts'

const START = '2026-01-05T06:00:00.000Z'

interface Given extends Partial<Policy> {
  readonly channel?: Partial<Channel>
  readonly schedule?: Partial<Omit<Schedule, 'timing'>>
}

function world({ channel, schedule, ...policy }: Given = {}): DeciderWorld {
  const notification = { types: ['ON_ERROR'] as const, channels: ['SUPPORT'], failuresInRow: 1, ...policy }
  const dag = { ...aDag('etl', { a: [] }), notification }
  const quiet = aDag('quiet', { a: [] })
  const schedules = schedule === undefined ? [] : [aSchedule('s', '* * * * *', 'etl', schedule)]
  const channels = { SUPPORT: aChannel(channel), OTHER: aChannel() }
  return new DeciderWorld(definitionsOf([dag, quiet], schedules, {}, channels), START).boot()
}

let runs = 0
function run(given: DeciderWorld, how: 'ok' | 'fail' | 'cancel', dagName = 'etl'): Event[] {
  const runId = `${dagName}@manual-${runs++}`
  const dag = given.definitions.dags.get(dagName)!
  given.when({ type: 'trigger', runId, dag, cause: 'test' })
  if (how === 'ok') return given.ok(runId, 'a')
  if (how === 'fail') return given.fail(runId, 'a')
  given.when({ type: 'cancel', runId, reason: 'test' })
  return given.end(runId, 'a', { kind: 'cancelled', reason: 'test' })
}

const told = (events: readonly Event[]) =>
  events.filter(({ event }) => event === 'notification_queued') as unknown as Record<string, unknown>[]

const types = (events: readonly Event[]) => told(events).map(({ type }) => type)

function notified(given: DeciderWorld, ids: string[], result: NotificationResult): Event[] {
  return given.when({ type: 'notified', channel: 'SUPPORT', notificationIds: ids, result })
}

function checkFacts(given: DeciderWorld): void {
  expect(describeState(given.replayed())).toBe(given.facts())
  expect(describeState(given.restored())).toBe(given.facts())
}

describe('what is told', () => {
  test('a failure, in the same commit as the end of the run, and only if the DAG wants it', () => {
    const given = world()
    run(given, 'fail')
    const commit = given.commits.find(events => events.some(({ event }) => event === 'run_finished'))!
    expect(commit.map(({ event }) => event)).toEqual(['task_fail', 'run_finished', 'notification_queued'])
    expect(commit.at(-1)).toMatchObject({
      notification_id: 'n1',
      channel: 'SUPPORT',
      type: 'ON_ERROR',
      outcome: 'failed',
      dag_name: 'etl',
      subject: 'DAG etl failed',
      summary: "0 ok, 1 failed, 0 skipped after 0s\nRunnerError: Task 'a' failed after 1 attempt: boom",
      give_up_at: '2026-01-05T07:00:00.000Z',
    })
    expect(told(run(given, 'ok'))).toEqual([])
    expect(told(run(given, 'cancel'))).toEqual([])
    expect(told(run(given, 'fail', 'quiet'))).toEqual([])
    checkFacts(given)
  })

  test('each channel once, under the type that says most', () => {
    const given = world({
      types: ['ALWAYS', 'ON_SUCCESS', 'ON_ERROR'],
      channels: ['SUPPORT', 'OTHER', 'SUPPORT'],
    })
    expect(told(run(given, 'fail')).map(({ channel, type }) => [channel, type])).toEqual([
      ['SUPPORT', 'ON_ERROR'],
      ['OTHER', 'ON_ERROR'],
    ])
    expect(types(run(given, 'ok'))).toEqual(['ON_SUCCESS', 'ON_SUCCESS'])
    expect(types(run(given, 'cancel'))).toEqual(['ALWAYS', 'ALWAYS'])
  })

  test('a recovery: the first success after failures that were told, also across a restart', () => {
    let given = world({ types: ['ON_ERROR', 'ON_RECOVERY'], failuresInRow: 2 })
    expect(types(run(given, 'fail'))).toEqual([])
    expect(types(run(given, 'ok'))).toEqual([])
    expect(types(run(given, 'fail'))).toEqual([])
    expect(types(run(given, 'cancel'))).toEqual([])
    const restarted = new DeciderWorld(given.definitions, START)
    restarted.events.push(...given.events)
    Object.assign(restarted.state, given.restored())
    given = restarted.boot()
    expect(types(run(given, 'fail'))).toEqual(['ON_ERROR'])
    expect(told(run(given, 'fail'))[0]!['summary']).toContain('3 failures in a row')
    const [recovery] = told(run(given, 'ok'))
    expect(recovery).toMatchObject({ type: 'ON_RECOVERY', subject: 'DAG etl recovered', outcome: 'success' })
    expect(recovery!['summary']).toContain('3 failures in a row before it')
    expect(types(run(given, 'ok'))).toEqual([])
  })

  test('slots that were missed, and slots whose conditions nobody could answer', () => {
    const given = world({ types: ['ON_MISSED', 'ON_SKIP'], schedule: { catchup: 'none', ...askedBy() } })
    given.tickAt('2026-01-05T06:00:00.100Z')
    const [skipped] = told(given.answer(0, { error: 'nobody knows' }))
    expect(skipped).toMatchObject({
      type: 'ON_SKIP',
      outcome: 'skipped',
      schedule_id: 's',
      slot: '2026-01-05T06:00Z',
    })
    const [missed] = told(given.tickAt('2026-01-05T06:05:30.000Z'))
    expect(missed).toMatchObject({ type: 'ON_MISSED', subject: 'DAG etl missed slots', outcome: 'missed' })
    expect(missed!['summary']).toBe(
      'schedule s: 4 slots from 2026-01-05T06:01Z to 2026-01-05T06:04Z did not run (catchup_none)',
    )
    // A condition that does not hold is an answer.
    expect(told(given.answer(0, { holds: false, saw: {} }))).toEqual([])
    checkFacts(given)
  })

  test('a run that has not ended so long after its slot, once', () => {
    const given = world({ types: ['ON_LATE'], lateAfterMs: 600_000, schedule: { overlap: 'skip' } })
    const [enqueued] = given
      .tickAt('2026-01-05T06:00:01.000Z')
      .filter(({ event }) => event === 'schedule_enqueued')
    expect(enqueued).toMatchObject({ late_at: '2026-01-05T06:10:00.000Z' })
    expect(types(given.tickAt('2026-01-05T06:09:59.000Z'))).toEqual([])
    checkFacts(given)
    expect(given.replayed().lateness.nextAt).toBe(Date.parse('2026-01-05T06:10:00.000Z'))
    expect(told(given.tickAt('2026-01-05T06:10:00.000Z'))).toMatchObject([
      { type: 'ON_LATE', outcome: 'late', run_id: 's@2026-01-05T06:00Z', subject: 'DAG etl is late' },
    ])
    expect(types(given.tickAt('2026-01-05T06:30:00.000Z'))).toEqual([])
    expect(given.restored().lateness.size).toBe(0)
    checkFacts(given)
  })

  test('nothing of a run that ended in time', () => {
    const given = world({ types: ['ON_LATE'], lateAfterMs: 600_000, schedule: {} })
    given.tickAt('2026-01-05T06:00:01.000Z')
    given.ok('s@2026-01-05T06:00Z', 'a')
    given.use(definitionsOf([given.definitions.dags.get('etl')!]))
    expect(types(given.tickAt('2026-01-05T06:10:00.000Z'))).toEqual([])
  })
})

describe('what becomes of it', () => {
  test('sent: it leaves the outbox; what is said of it later is ignored', () => {
    const given = world()
    run(given, 'fail')
    expect(notified(given, ['n1'], { kind: 'sent' })).toMatchObject([
      { event: 'notification_sent', notification_ids: ['n1'], channel: 'SUPPORT', attempt: 1 },
    ])
    expect(given.state.outbox.size).toBe(0)
    expect(notified(given, ['n1'], { kind: 'refused', error: 'late' })).toEqual([])
    checkFacts(given)
  })

  test('failed: tried again with growing waits that are drawn once, and given up when its time is over', () => {
    const given = world({ channel: { retryForMs: 60_000 } })
    run(given, 'fail')
    const waits: number[] = []
    let last: Event[] = []
    for (let tries = 0; tries < 20 && given.state.outbox.size > 0; tries++) {
      last = notified(given, ['n1'], { kind: 'failed', error: 'it answered 503' })
      const again = (last[0] as unknown as { retry_at?: string }).retry_at
      if (again === undefined) break
      waits.push(Date.parse(again) - given.now)
      given.now = Date.parse(again)
      checkFacts(given)
    }
    expect(waits.slice(0, 4)).toEqual([750, 1_500, 3_000, 6_000])
    // The last one is at the end itself.
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(60_000)
    expect(last).toMatchObject([
      { event: 'notification_failed', reason: 'gave_up', error: 'it answered 503' },
    ])
    checkFacts(given)
  })

  test('a channel that asks for patience gets it', () => {
    const given = world()
    run(given, 'fail')
    const patience = (retryAfterMs: number) =>
      notified(given, ['n1'], { kind: 'failed', error: 'it answered 429', retryAfterMs })
    expect(patience(90_000)).toMatchObject([{ retry_at: '2026-01-05T06:01:30.000Z' }])
    expect(patience(86_400_000)).toMatchObject([{ retry_at: '2026-01-05T07:00:00.000Z' }])
  })

  test('refused: it is not tried again, what is behind it goes on at once', () => {
    const given = world()
    run(given, 'fail')
    run(given, 'fail')
    notified(given, ['n1'], { kind: 'failed', error: 'x' })
    expect(notified(given, ['n1'], { kind: 'refused', error: 'it answered 404' })).toMatchObject([
      { event: 'notification_failed', reason: 'refused', error: 'it answered 404', attempt: 2 },
    ])
    expect(given.state.outbox.lines.get('SUPPORT')).toMatchObject({ failures: 0, retryAt: undefined })
    checkFacts(given)
  })
})

describe('lines', () => {
  const idsOf = (given: DeciderWorld) =>
    nextOfLine(given.state.outbox.lines.get('SUPPORT')!).map(({ id }) => id)

  test('one by one; what had to wait for a failing channel goes together', () => {
    const given = world()
    run(given, 'fail')
    run(given, 'fail')
    expect(idsOf(given)).toEqual(['n1'])
    notified(given, ['n1'], { kind: 'failed', error: 'x' })
    run(given, 'fail')
    expect(idsOf(given)).toEqual(['n1', 'n2', 'n3'])
    expect(lineDueAt(given.state.outbox.lines.get('SUPPORT')!, given.now)).toBe(given.now + 750)
    // The clock was set back by a day: nobody waits for that.
    expect(lineDueAt(given.state.outbox.lines.get('SUPPORT')!, given.now - 86_400_000)).toBe(
      given.now - 86_400_000,
    )
  })

  test('a window gathers what comes within it', () => {
    const given = world({ channel: { groupMs: 30_000 } })
    run(given, 'fail')
    given.now += 10_000
    run(given, 'fail')
    expect(lineDueAt(given.state.outbox.lines.get('SUPPORT')!, given.now)).toBe(given.now + 20_000)
    expect(idsOf(given)).toEqual(['n1', 'n2'])
    notified(given, ['n1', 'n2'], { kind: 'sent' })
    run(given, 'fail')
    expect(lineDueAt(given.state.outbox.lines.get('SUPPORT')!, given.now)).toBe(given.now + 30_000)
    checkFacts(given)
  })

  test('the same subject is said to be suppressed, until its window is over', () => {
    const given = world({ types: ['ALWAYS'], channel: { dedupeMs: 60_000 } })
    run(given, 'fail')
    given.now += 59_999
    const again = run(given, 'fail').find(({ event }) => event.startsWith('notification_'))
    expect(again).toMatchObject({
      event: 'notification_suppressed',
      notification_ids: ['n2'],
      reason: 'duplicate',
      duplicate_of: 'n1',
      subject: 'DAG etl failed',
    })
    checkFacts(given)
    expect(told(run(given, 'ok'))).toHaveLength(1)
    given.now += 1
    expect(told(run(given, 'fail'))).toMatchObject([{ notification_id: 'n4' }])
    checkFacts(given)
    given.now += 3_600_000
    run(given, 'ok')
    // What nobody compares any more is forgotten.
    expect(given.state.outbox.told.size).toBe(1)
  })

  test('a full outbox: the oldest of the channel become one that says how many they were', () => {
    const given = world({ channels: ['SUPPORT', 'OTHER'] })
    for (let index = 0; index < OUTBOX_MAX / 2; index++) run(given, 'fail')
    expect(given.state.outbox.size).toBe(OUTBOX_MAX)
    const events = run(given, 'fail')
    const suppressed = events.find(({ event }) => event === 'notification_suppressed')
    expect(suppressed).toMatchObject({ channel: 'SUPPORT', reason: 'outbox_full' })
    expect((suppressed as unknown as { notification_ids: string[] }).notification_ids).toHaveLength(500)
    expect(told(events)[0]).toMatchObject({ type: 'MORE', more: 500, channel: 'SUPPORT' })
    expect(given.state.outbox.size).toBe(OUTBOX_MAX + 2 - 499)
    expect(Buffer.byteLength(JSON.stringify(suppressed))).toBeLessThan(32_768)
    checkFacts(given)
  })
})
