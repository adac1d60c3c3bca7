import { expect, test } from 'vitest'
import type { Event } from '../core/state-machine/event.ts'
import type { Clock } from '../ports/clock.ts'
import { type Follower, FollowerRunner } from './follower.ts'

const clock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs)
    return () => clearTimeout(timer)
  },
}

function line(seq: number): Event {
  return { timestamp: '2026-01-05T06:00:00.000Z', event: 'noted', seq, source: 'user' }
}

/** A follower that writes down what it takes, over a journal of `journal` lines. */
function follow(journal: Event[], head: number) {
  const taken: number[] = []
  const reads: number[] = []
  const follower: Follower = {
    name: 'notes',
    open: () => taken.at(-1) ?? 0,
    apply: events => {
      for (const { seq } of events) taken.push(seq)
    },
    close: () => {},
  }
  const runner = new FollowerRunner(follower, head, {
    clock,
    read: async function* (afterSeq) {
      reads.push(afterSeq)
      yield* journal.filter(({ seq }) => seq > afterSeq)
    },
    failed: (_name, error) => {
      throw error
    },
  })
  return { runner, taken, reads }
}

test('lines that the journal wrote about itself reach a follower although the loop never hands them over', async () => {
  const journal = [1, 2, 3, 4, 5, 6].map(line)
  const { runner, taken } = follow(journal, 0)
  // A roll: 3 is the seal, 4 the header; the loop hands over what came before and the checkpoint behind them.
  runner.push([line(1), line(2)])
  runner.push([line(5), line(6)])
  await runner.close()
  expect(taken).toEqual([1, 2, 3, 4, 5, 6])
})

test('what is handed over without a hole is not read from the journal', async () => {
  const { runner, taken, reads } = follow([], 0)
  runner.push([line(1), line(2)])
  runner.push([line(3)])
  await runner.close()
  expect(taken).toEqual([1, 2, 3])
  expect(reads).toEqual([])
})

test('what was there before the start is read from the journal first', async () => {
  const { runner, taken } = follow([1, 2, 3].map(line), 3)
  runner.push([line(4)])
  await runner.close()
  expect(taken.slice(0, 3)).toEqual([1, 2, 3])
  expect(taken.at(-1)).toBe(4)
})
