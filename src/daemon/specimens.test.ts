import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../test/support/builders.ts'
import { DeciderWorld } from '../../test/support/decider-world.ts'
import type { Event } from '../core/state-machine/event.ts'
import { Specimens } from './specimens.ts'

test('the last event of each name outlives a full collection, those before it do not', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const world = new DeciderWorld(definitionsOf([aDag('d', { t: [] })]), '2026-01-05T06:00:00Z')
  const specimens = new Specimens(world.context)
  const weak = (events: readonly Event[]) => events.map(event => new WeakRef(event))
  const emit = (jumps: number): WeakRef<Event>[] => {
    const events = Array.from({ length: jumps }, (_, seq) => ({
      timestamp: '2026-01-05T06:00:00.000Z',
      event: 'scheduler_stopping' as const,
      seq,
      reason: `number ${seq}`,
    }))
    specimens.keep(events, world.state)
    return weak(events)
  }
  const refs = emit(100)
  // A WeakRef holds what it was made for until the end of the turn; the next turn may collect.
  return new Promise<void>(resolve => setImmediate(resolve)).then(() => {
    collect()
    expect(refs.at(-1)!.deref()).toMatchObject({ reason: 'number 99' })
    expect(refs.slice(0, -1).filter(ref => ref.deref() !== undefined)).toEqual([])
  })
})

test('what it keeps does not grow with what happens', () => {
  const world = new DeciderWorld(definitionsOf([aDag('d', { t: [] })]), '2026-01-05T06:00:00Z').boot()
  const specimens = new Specimens(world.context)
  const day = (n: number) => {
    const events = world.when({
      type: 'trigger',
      runId: `d@${n}`,
      dag: aDag('d', { t: [] }),
      cause: 'cli',
      params: undefined,
    })
    specimens.keep(events, world.state)
    specimens.keep(world.when({ type: 'cancel', runId: `d@${n}`, reason: 'test' }), world.state)
  }
  for (let n = 0; n < 10; n++) day(n)
  const size = specimens.size
  for (let n = 10; n < 1_000; n++) day(n)
  expect(specimens.size).toBe(size)
})
