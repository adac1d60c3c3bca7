import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { factsOf, fillMarks, findMarks } from './occasion.ts'
import type { Occasion } from './question.ts'

const occasion: Occasion = {
  scheduleId: 'nightly',
  tenantId: 'acme',
  dagName: 'load',
  slot: '2026-01-04T23:30Z',
  timezone: 'Europe/Berlin',
}

describe('fillMarks', () => {
  it.each([
    ['in/{{ds}}/{{ ds_nodash }}.csv', 'in/2026-01-05/20260105.csv'],
    ['{{tenant}}-{{schedule}}-{{slot}}', 'acme-nightly-2026-01-04T23:30Z'],
    ['no marks', 'no marks'],
    ['{{other}} {{ds', '{{other}} {{ds'],
  ])('%s → %s', (text, filled) => {
    expect(fillMarks(text, occasion)).toBe(filled)
  })

  it('encodes values where the text gives characters a meaning', () => {
    expect(fillMarks('/x?at={{slot}}', occasion, encodeURIComponent)).toBe('/x?at=2026-01-04T23%3A30Z')
  })

  it('changes nothing outside of marks, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'd', 's', ' ') }), text => {
        const outside = (parts: { start: number; end: number }[]) => {
          let from = 0
          let rest = ''
          for (const { start, end } of parts) {
            rest += text.slice(from, start)
            from = end
          }
          return rest + text.slice(from)
        }
        const known = findMarks(text).filter(({ name }) => name === 'ds')
        expect(fillMarks(text, occasion).replaceAll('2026-01-05', '')).toBe(outside(known))
      }),
    )
  })
})

describe('factsOf', () => {
  it('reads the wall clock of the schedule', () => {
    expect(factsOf(occasion)).toMatchObject({
      date: '2026-01-05',
      year: 2026,
      month: 1,
      day: 5,
      hour: 0,
      weekday: 1,
    })
    expect(factsOf({ ...occasion, timezone: 'UTC' })).toMatchObject({
      date: '2026-01-04',
      hour: 23,
      weekday: 0,
    })
  })
})
