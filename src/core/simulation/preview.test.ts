// A preview says what the real decision then does, on states that have a past.

import { expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import { formatSlot } from '../time/instant.ts'
import { previewDefinitions } from './preview.ts'

const dags = [aDag('d', { a: [] })]

function worldOf(...schedules: ReturnType<typeof aSchedule>[]): DeciderWorld {
  return new DeciderWorld(definitionsOf(dags, schedules), '2026-01-05T06:10:00Z').boot()
}

test('the events of the preview are those of the reload that follows', () => {
  const world = worldOf(
    aSchedule('moved', '*/20 * * * *', 'd'),
    aSchedule('gone', '*/30 * * * *', 'd'),
    aSchedule('stays', '0 * * * *', 'd'),
  )
  world.now = Date.parse('2026-01-05T07:05:00Z')
  const next = definitionsOf(dags, [
    aSchedule('moved', '*/15 * * * *', 'd'),
    aSchedule('stays', '0 * * * *', 'd'),
    aSchedule('fresh', '@daily', 'd'),
    aSchedule('off', '@daily', 'd', { enabled: false }),
  ])
  const { changes, backlog } = previewDefinitions(world.replayed(), next, world.now)
  const told = changes.map(({ scheduleId, kind, missed }) => [
    scheduleId,
    kind,
    missed.map(({ from, to, count }) => `${count}: ${from} ${to}`).join(),
  ])
  expect(told).toEqual([
    ['moved', 'timing_changed', '3: 2026-01-05T06:20Z 2026-01-05T07:00Z'],
    ['fresh', 'added', ''],
    ['gone', 'removed', '2: 2026-01-05T06:30Z 2026-01-05T07:00Z'],
  ])
  expect(changes[0]!.before!.next.map(formatSlot)).toEqual([
    '2026-01-05T07:20Z',
    '2026-01-05T07:40Z',
    '2026-01-05T08:00Z',
  ])
  expect(changes[0]!.after!.next.map(formatSlot)[0]).toBe('2026-01-05T07:15Z')
  expect(backlog).toEqual([
    { scheduleId: 'stays', enqueued: ['2026-01-05T07:00Z'], skipped: [], missed: [], asked: [] },
  ])

  const events = world.use(next)
  const real = events.flatMap(event => {
    const { event: name, schedule_id: id, cause } = event as unknown as Record<string, string>
    return name === 'schedule_registered' || name === 'schedule_retired' ? [[id, cause]] : []
  })
  expect(real).toEqual([
    ['moved', 'timing_changed'],
    ['fresh', 'first_seen'],
    ['gone', 'removed'],
  ])
  const missed = events.filter(({ event }) => event === 'schedule_missed') as unknown as { count: number }[]
  expect(missed.map(({ count }) => count)).toEqual([3, 2])
})

test('what passed while a schedule was paused is skipped; one that was retired is enabled again', () => {
  const hourly = aSchedule('hourly', '0 * * * *', 'd', { catchup: 'all' })
  const world = worldOf(hourly, aSchedule('rests', '@daily', 'd'))
  world.when({
    type: 'pause',
    scheduleId: 'hourly',
    reason: 'maintenance',
    until: Date.parse('2026-01-05T08:30Z'),
  })
  world.use(definitionsOf(dags, [hourly, aSchedule('rests', '@daily', 'd', { enabled: false })]))
  world.now = Date.parse('2026-01-05T09:05:00Z')
  const next = definitionsOf(dags, [hourly, aSchedule('rests', '@daily', 'd')])
  const { changes, backlog } = previewDefinitions(world.replayed(), next, world.now)
  expect(changes.map(({ scheduleId, kind }) => [scheduleId, kind])).toEqual([['rests', 'enabled']])
  expect(backlog).toEqual([
    {
      scheduleId: 'hourly',
      enqueued: ['2026-01-05T09:00Z'],
      skipped: [
        { slot: '2026-01-05T07:00Z', reason: 'paused' },
        { slot: '2026-01-05T08:00Z', reason: 'paused' },
      ],
      missed: [],
      asked: [],
    },
  ])
})

test('nothing starts, whatever waits', () => {
  const world = worldOf(aSchedule('hourly', '0 * * * *', 'd'))
  world.now = Date.parse('2026-01-05T07:00:00Z')
  const state = world.replayed()
  previewDefinitions(state, world.definitions, world.now)
  expect([...state.runs.values()].map(({ runId, status }) => [runId, status])).toEqual([
    ['hourly@2026-01-05T07:00Z', 'queued'],
  ])
})
