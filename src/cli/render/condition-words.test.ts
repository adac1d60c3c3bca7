import { expect, test } from 'vitest'
import { reasonInWords } from './reason-words.ts'

const christmas = {
  calendar: 'office',
  date: '2026-12-25',
  because: 'holiday',
  name: 'Christmas',
  holds: false,
}
const freeze = {
  blackout: 'office',
  window: 'freeze',
  from: '2026-12-20T18:00Z',
  to: '2027-01-03T06:00Z',
  holds: false,
}

test.each([
  [
    'calendar',
    [{ ...christmas, day: 'business_day' }],
    '2026-12-25 is a holiday (Christmas) in the calendar office, and it must be a business day',
  ],
  [
    'calendar',
    [{ calendar: 'office', nth_business_day: -2, date: '2026-12-24', because: 'weekday', holds: false }],
    '2026-12-24 is a business day in the calendar office, and it must be business day -2 of its month',
  ],
  [
    'blackout',
    [{ ...christmas, holds: true }, freeze],
    'the window "freeze" of the calendar office is open from 2026-12-20T18:00Z to 2027-01-03T06:00Z',
  ],
  [
    'calendar',
    [{ not: { ...christmas, day: 'holiday', holds: true }, holds: false }],
    '2026-12-25 is a holiday (Christmas) in the calendar office, which must not be',
  ],
  [
    'condition',
    [{ any: [{ ...christmas, day: 'last_business_day' }, freeze], holds: false }],
    'none of these holds: 2026-12-25 is a holiday (Christmas) in the calendar office, and it must be the last business day; ' +
      'the window "freeze" of the calendar office is open from 2026-12-20T18:00Z to 2027-01-03T06:00Z',
  ],
])('%s %j', (reason, conditions, words) => {
  expect(reasonInWords(reason, { conditions })).toBe(words)
})

test('a record of another form still gets its sentence', () => {
  expect(reasonInWords('blackout', { conditions: 'odd' })).toBe('a blackout window was in force')
})
