import { expect, test } from 'vitest'
import type { Clock } from '../ports/clock.ts'
import { startHousekeeping } from './housekeeping.ts'

function handClock() {
  const waiting: (() => void)[] = []
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    after: (_delayMs, wake) => {
      waiting.push(wake)
      return () => waiting.splice(waiting.indexOf(wake), 1)
    },
  }
  return { clock, waiting }
}

test('works at once, then again each time, whatever failed before', async () => {
  const { clock, waiting } = handClock()
  const told: unknown[] = []
  let turns = 0
  const work = async () => {
    turns += 1
    if (turns === 1) throw new Error('busy')
  }
  const keeping = startHousekeeping({ clock, everyMs: 1, work, failed: error => told.push(error) })
  await Promise.resolve().then(() => {})
  expect([turns, told.length]).toEqual([1, 1])
  await new Promise(resolve => setImmediate(resolve))
  waiting.shift()!()
  await new Promise(resolve => setImmediate(resolve))
  expect([turns, told.length]).toEqual([2, 1])
  await keeping.stop()
  expect(waiting).toEqual([])
})

test('a stop waits for what is under way and lets nothing follow', async () => {
  const { clock, waiting } = handClock()
  const done = Promise.withResolvers<void>()
  const keeping = startHousekeeping({ clock, everyMs: 1, work: () => done.promise, failed: () => {} })
  let stopped = false
  const stop = keeping.stop().then(() => {
    stopped = true
  })
  await new Promise(resolve => setImmediate(resolve))
  expect(stopped).toBe(false)
  done.resolve()
  await stop
  expect(waiting).toEqual([])
})
