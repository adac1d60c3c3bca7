import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aRun } from '../../../test/support/builders.ts'
import { mapIndexOf, RunTable } from './run-table.ts'

test('is the Map it stands for, in its order', () => {
  const id = fc.oneof(
    fc.integer({ min: 0, max: 99 }).map(n => `schedule_${n}@2026-01-05T06:00Z`),
    fc.constantFrom('', 'a', '__proto__', 'prüfung@manual-1', '\u{1f680}@manual-2'),
  )
  const step = fc.record({ do: fc.constantFrom('add', 'add', 'delete'), id })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const table = new RunTable()
      const model = new Map<string, ReturnType<typeof aRun>>()
      for (const [place, { do: what, id: runId }] of steps.entries()) {
        if (what === 'delete') expect(table.delete(runId)).toBe(model.delete(runId))
        else if (!table.has(runId)) {
          const run = { ...aRun(place), runId }
          table.add(run)
          model.set(runId, run)
        }
        expect([table.has(runId), table.get(runId), table.size]).toEqual([
          model.has(runId),
          model.get(runId),
          model.size,
        ])
      }
      expect([...table.values()]).toEqual([...model.values()])
      expect([...table.keys()]).toEqual([...model.keys()])
    }),
  )
})

test('what is deleted while it is gone through is left out', () => {
  const table = new RunTable()
  for (let place = 0; place < 100; place++) table.add(aRun(place))
  const seen: number[] = []
  for (const { place } of table.values()) {
    seen.push(place)
    table.delete(`r${place + 1}`)
  }
  expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => 2 * n))
})

test('ids that differ by a digit are spread: each map has its share, from 2.2 % to 4.3 %', () => {
  const counts: number[] = []
  for (let n = 0; n < 100_000; n++) {
    const index = mapIndexOf(`schedule_${n}@2026-01-05T06:00Z`)
    counts[index] = (counts[index] ?? 0) + 1
  }
  for (const [index, count] of counts.entries()) {
    const share = 2 ** ((index + 1) / 32) - 2 ** (index / 32)
    expect(count / 100_000 / share).toBeGreaterThan(0.9)
    expect(count / 100_000 / share).toBeLessThan(1.1)
  }
  expect(counts).toHaveLength(32)
})
