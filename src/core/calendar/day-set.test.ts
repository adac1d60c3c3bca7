import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DaySet } from './day-set.ts'

it('holds the days of its spans, and no others', () => {
  const span = fc
    .record({ from: fc.integer({ min: -20, max: 60 }), length: fc.nat(9) })
    .map(({ from, length }) => ({ from, to: from + length }))
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12 }), spans => {
      const set = new DaySet(spans)
      for (let day = -25; day <= 75; day++)
        expect([day, set.has(day)]).toEqual([day, spans.some(({ from, to }) => from <= day && day <= to)])
    }),
  )
})
