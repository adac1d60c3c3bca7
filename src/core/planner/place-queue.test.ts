import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aRun } from '../../../test/support/builders.ts'
import { PlaceQueue } from './place-queue.ts'

test('is the array it stands for, over many blocks', () => {
  const step = fc.oneof(
    fc.integer({ min: 1, max: 2_500 }).map(count => ({ do: 'push', count }) as const),
    fc.integer({ min: 1, max: 2_500 }).map(count => ({ do: 'shift', count }) as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), steps => {
      const queue = new PlaceQueue()
      let model: ReturnType<typeof aRun>[] = []
      const gone = [aRun(0)]
      let place = 0
      for (const { do: what, count } of steps) {
        if (what === 'push') {
          for (let n = 0; n < count; n++) {
            place += 2
            const run = aRun(place)
            queue.push(run)
            model.push(run)
          }
        } else {
          for (let n = 0; n < count; n++) queue.shift()
          gone.push(...model.slice(0, count))
          model = model.slice(count)
        }
        expect(queue.first).toBe(model[0])
        expect(queue.last).toBe(model.at(-1))
        expect([...queue.values()]).toEqual(model)
        expect(model.every(run => queue.has(run))).toBe(true)
        expect(gone.some(run => queue.has(run))).toBe(false)
        // Of a place in between, and another run of a place that is taken.
        expect(queue.has(aRun(place - 1))).toBe(false)
        expect(queue.has(aRun(place))).toBe(false)
      }
    }),
    { numRuns: 50 },
  )
})

test('what was never there is no first, no last, and leaves nothing behind', () => {
  const queue = new PlaceQueue()
  queue.shift()
  expect([queue.first, queue.last, [...queue.values()], queue.has(aRun(1))]).toEqual([
    undefined,
    undefined,
    [],
    false,
  ])
  const run = aRun(1)
  queue.push(run)
  expect([queue.first, queue.last]).toEqual([run, run])
})
