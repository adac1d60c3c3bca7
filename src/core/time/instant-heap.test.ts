import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InstantHeap } from './instant-heap.ts'

const NOON = Date.parse('2026-01-05T12:00:00Z')

function takeAll(heap: InstantHeap<number>, now = Number.POSITIVE_INFINITY) {
  const taken: { at: number; item: number }[] = []
  for (let due = heap.takeDue(now); due !== undefined; due = heap.takeDue(now)) taken.push(due)
  return taken
}

describe('InstantHeap', () => {
  it('gives back what was put in, the earliest first, each once', () => {
    const instant = fc.integer({ min: NOON, max: NOON + 50 })
    const step = fc.oneof(
      { weight: 3, arbitrary: instant.map(at => ({ do: 'put', at }) as const) },
      instant.map(at => ({ do: 'take', at }) as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const heap = new InstantHeap<number>()
        const model: { at: number; item: number }[] = []
        for (const [item, { do: what, at }] of steps.entries()) {
          if (what === 'put') {
            heap.put(at, item)
            model.push({ at, item })
          } else {
            const earliest = Math.min(...model.map(entry => entry.at))
            const taken = heap.takeDue(at)
            expect(taken?.at).toBe(earliest <= at ? earliest : undefined)
            if (taken !== undefined) {
              const place = model.findIndex(entry => entry.item === taken.item)
              expect(model.splice(place, 1)).toEqual([taken])
            }
          }
          const nextAt = model.length === 0 ? undefined : Math.min(...model.map(entry => entry.at))
          expect([heap.size, heap.nextAt]).toEqual([model.length, nextAt])
          expect(heap.earliest(1)[0]?.at).toBe(nextAt)
        }
        const left = takeAll(heap)
        expect(left.map(({ at }) => at)).toEqual(model.map(({ at }) => at).sort((a, b) => a - b))
        expect(new Set(left.map(({ item }) => item))).toEqual(new Set(model.map(({ item }) => item)))
      }),
      { numRuns: 300 },
    )
  })

  it('leaves what is not due, and has nothing when it is empty', () => {
    const heap = new InstantHeap<number>()
    expect([heap.nextAt, heap.nextItem, heap.takeDue(NOON)]).toEqual([undefined, undefined, undefined])
    heap.put(NOON + 1, 1)
    expect(heap.takeDue(NOON)).toBeUndefined()
    expect(heap.takeDue(NOON + 1)).toEqual({ at: NOON + 1, item: 1 })
    expect(heap.size).toBe(0)
  })

  it('finds the instant that most share, and takes none of them out', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 60 }), fc.nat(12), (instants, most) => {
        const heap = new InstantHeap<{ at: number }>()
        for (const at of instants) heap.put(NOON + at, { at })
        const crowd = heap.crowd(most)
        const sizes = [
          0,
          ...Map.groupBy(instants, at => at)
            .values()
            .map(({ length }) => length),
        ]
        expect(crowd.length).toBe(Math.min(most, Math.max(...sizes)))
        expect(new Set(crowd).size).toBe(crowd.length)
        expect(new Set(crowd.map(({ at }) => at)).size).toBe(Math.min(1, crowd.length))
        if (most >= Math.max(...sizes) && crowd.length > 0)
          expect(instants.filter(at => at === crowd[0]!.at).length).toBe(Math.max(...sizes))
        expect(heap.size).toBe(instants.length)
      }),
      { numRuns: 300 },
    )
  })

  it('shows what is due without taking it, as many as are asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), fc.nat(20), fc.nat(70), (instants, now, most) => {
        const heap = new InstantHeap<number>()
        for (const [item, at] of instants.entries()) heap.put(NOON + at, item)
        const due = instants.flatMap((at, item) => (at <= now ? [item] : []))
        const shown: number[] = []
        heap.visitDue(NOON + now, most, item => shown.push(item))
        expect(shown).toHaveLength(Math.min(most, due.length))
        expect(new Set(shown).size).toBe(shown.length)
        expect(shown.filter(item => !due.includes(item))).toEqual([])
        expect(heap.size).toBe(instants.length)
      }),
    )
  })

  it('names the earliest in order without taking them', () => {
    const heap = new InstantHeap<number>()
    for (const n of [5, 3, 8, 1, 9, 2]) heap.put(NOON + n, n)
    expect(heap.earliest(3).map(({ item }) => item)).toEqual([1, 2, 3])
    expect(heap.size).toBe(6)
  })
})
