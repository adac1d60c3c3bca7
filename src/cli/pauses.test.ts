// Pauses from the index, against what the state machine does with the slots.

import { expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../test/support/builders.ts'
import { DeciderWorld } from '../../test/support/decider-world.ts'
import { createMemoryRunIndex } from '../adapters/memory/run-index.ts'
import type { Event } from '../core/state-machine/event.ts'
import { parseInstant } from '../core/time/instant.ts'
import { readPauses } from './pauses.ts'

const at = (time: string) => parseInstant(`2026-01-05T${time}Z`)

function worldOf(): DeciderWorld {
  const schedules = ['a', 'b'].map(id => aSchedule(id, '0 * * * *', 'd', { overlap: 'allow' }))
  return new DeciderWorld(definitionsOf([aDag('d', { t: [] })], schedules), '2026-01-05T06:10:00Z').boot()
}

/** The journal's own first line, then the world's. */
function indexOf({ events }: DeciderWorld) {
  const index = createMemoryRunIndex()
  const opened = { timestamp: '2026-01-05T06:10:00.000Z', event: 'segment_opened', seq: 1 } as Event
  index.apply('memory', [opened, ...events.map(event => ({ ...event, seq: event.seq + 1 }))])
  return index
}

/** Slots of the next hours that are said to be paused, and those that are then skipped. */
function compare(world: DeciderWorld): { told: string[]; skipped: string[] } {
  const pauses = readPauses(indexOf(world))
  const hours = ['07:00', '08:00', '09:00', '10:00']
  const told = hours.flatMap(hour =>
    ['a', 'b'].filter(id => pauses.covers(id, at(hour))).map(id => `${id} ${hour}`),
  )
  const skipped = hours.flatMap(hour =>
    world
      .tickAt(`2026-01-05T${hour}:00Z`)
      .filter(({ event }) => event === 'schedule_skipped')
      .map(event => `${(event as unknown as { schedule_id: string }).schedule_id} ${hour}`),
  )
  return { told, skipped: skipped.sort((x, y) => x.slice(2).localeCompare(y.slice(2)) || x.localeCompare(y)) }
}

test('a pause with an end, of one schedule', () => {
  const world = worldOf()
  world.when({ type: 'pause', scheduleId: 'a', reason: 'x', until: at('08:30') })
  const { told, skipped } = compare(world)
  expect(told).toEqual(['a 07:00', 'a 08:00'])
  expect(skipped).toEqual(told)
})

test('one that was ended, one of everything, one on top of the other', () => {
  const world = worldOf()
  world.when({ type: 'pause', scheduleId: 'a', reason: 'x' })
  world.now = at('06:20')
  world.when({ type: 'resume', scheduleId: 'a', reason: 'done' })
  world.when({ type: 'pause', scheduleId: undefined, reason: 'audit', until: at('07:30') })
  world.now = at('06:30')
  world.when({ type: 'pause', scheduleId: 'b', reason: 'y', until: at('09:30') })
  const { told, skipped } = compare(world)
  expect(told).toEqual(['a 07:00', 'b 07:00', 'b 08:00', 'b 09:00'])
  expect(skipped).toEqual(told)
})
