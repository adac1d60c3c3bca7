import { expect, test } from 'vitest'
import { MemoryJournal } from '../adapters/memory/journal.ts'
import { Agenda } from '../core/planner/agenda.ts'
import { NO_DEFINITIONS } from '../core/schedule/definitions.ts'
import type { Command } from '../core/state-machine/command.ts'
import type { Event } from '../core/state-machine/event.ts'
import { emptyState } from '../core/state-machine/state.ts'
import type { Clock } from '../ports/clock.ts'
import { Loop } from './loop.ts'

class DiskFullError extends Error {}

const clock: Clock = {
  now: () => Date.UTC(2026, 0, 5, 6),
  monotonicMs: () => 0,
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs)
    return () => clearTimeout(timer)
  },
}

/** A loop over a journal in memory; `full` says how many writes the disk refuses. */
function aLoop(options: { segmentBytes?: number; full?: number } = {}) {
  let full = options.full ?? 0
  const events: Event[] = []
  const journal = new MemoryJournal({
    segmentBytes: options.segmentBytes ?? 1_000_000,
    beforeWrite: () => {
      if (full-- > 0) throw new DiskFullError()
    },
  })
  const loop = new Loop(
    { clock, random: { next: () => 0.5 }, journal, state: emptyState(), agenda: new Agenda() },
    {
      limits: { maxParallel: 3, maxTasks: 3 },
      tickMs: 1_000,
      isDiskFull: error => error instanceof DiskFullError,
      committed: committed => events.push(...committed),
      turned: () => {},
      fatal: error => {
        throw error
      },
    },
    NO_DEFINITIONS,
  )
  loop.start()
  const names = () => events.map(({ event }) => event)
  return { loop, names }
}

const BOOT: Command = { type: 'boot', mode: 'serve', pid: 1, host: 'h', version: '0' }
const NOTE: Command = { type: 'record', fields: { event: 'noted' } }

test('what comes in the same breath as the last word goes before it', async () => {
  const { loop, names } = aLoop()
  await loop.submit(BOOT)
  const stopped = loop.submit({ type: 'stopped' })
  const noted = loop.submit(NOTE)
  await Promise.all([stopped, noted])
  await loop.stop()
  expect(names()).toEqual(['scheduler_started', 'noted', 'scheduler_stopped'])
})

test('what comes after the last word is refused', async () => {
  const { loop, names } = aLoop()
  await loop.submit(BOOT)
  await loop.submit({ type: 'stopped' })
  await expect(loop.submit(NOTE)).rejects.toMatchObject({ code: 'SCHEDULER_STOPPED' })
  await loop.stop()
  expect(names().at(-1)).toBe('scheduler_stopped')
})

test('a segment that the last word fills is not rolled behind it', async () => {
  let rolls = 0
  // Whatever the length of a line: for some number of notes the last word is the one that fills the segment.
  for (let notes = 0; notes < 12; notes++) {
    const { loop, names } = aLoop({ segmentBytes: 1 })
    await loop.submit(BOOT)
    for (let note = 0; note < notes; note++) await loop.submit(NOTE)
    await loop.submit({ type: 'stopped' })
    await loop.stop()
    expect(names().at(-1)).toBe('scheduler_stopped')
    rolls += names().filter(name => name === 'checkpoint').length
  }
  expect(rolls).toBeGreaterThan(0)
})

test('a disk that was full for the last word leaves nothing to say behind it', async () => {
  const { loop, names } = aLoop({ full: 2 })
  const asked = [loop.submit(BOOT), loop.submit({ type: 'stopped' })]
  await Promise.all(asked)
  await loop.stop()
  expect(names()).toEqual(['scheduler_started', 'scheduler_stopped'])
})
