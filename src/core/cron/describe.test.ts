// Words for what matches: facts for the shapes that people write, and that no two sets of matches share their words.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeCron } from './describe.ts'
import { EITHER_DAY, valuesOf } from './expression.ts'
import { parseCron } from './parse.ts'

const say = (expression: string) => describeCron(parseCron(expression))

describe('what people write', () => {
  test.each([
    ['* * * * *', 'every minute'],
    ['*/5 * * * *', 'every 5 minutes'],
    ['5/15 * * * *', 'every 15 minutes from minute 5'],
    ['1,16,31,46 * * * *', 'every 15 minutes from minute 1'],
    ['@hourly', 'at minute 0 of every hour'],
    ['0 */2 * * *', 'at minute 0 of every 2nd hour every day'],
    ['30 2 * * *', 'at 02:30 every day'],
    ['0 9,17 * * *', 'at 09:00 and 17:00 every day'],
    ['0 6 * * MON-FRI', 'at 06:00, Monday to Friday'],
    ['0 0 * * FRI-MON', 'at 00:00, Friday to Monday'],
    ['0 0 * * 7', 'at 00:00 on Sundays'],
    ['*/15 9-17 * * 1-5', 'every 15 minutes of hours 9 to 17, Monday to Friday'],
    ['*/15 22-2 * * *', 'every 15 minutes of hours 22 to 2'],
    ['15,45 8-18 * * *', 'at minutes 15 and 45 of hours 8 to 18 every day'],
    ['1-5,3,9 * * * *', 'at minutes 1 to 5 and 9 of every hour'],
    ['0 0 1 1 *', 'at 00:00 on day 1 of the month, in January'],
    ['0 0 * NOV-FEB *', 'at 00:00 every day, in November to February'],
    ['*/20 30 6 * * *', 'at 06:30:00, 06:30:20 and 06:30:40 every day'],
    ['*/15 * * * * *', 'every 15 seconds of every minute of every hour'],
    ['5 */2 9-17 * * *', 'at second 5 of every 2nd minute of hours 9 to 17 every day'],
  ])('%s is %s', (expression, words) => {
    expect(say(expression)).toBe(words)
  })
})

describe('days that depend on the month, and years', () => {
  test.each([
    ['0 0 L * *', 'at 00:00 on the last day of the month'],
    ['0 0 L-3 * *', 'at 00:00 on the day 3 days before the last day of the month'],
    ['0 0 1,15,L * *', 'at 00:00 on days 1 and 15 and the last day of the month'],
    ['0 0 15W 3 *', 'at 00:00 on the weekday nearest to day 15 of the month, in March'],
    ['0 0 LW * *', 'at 00:00 on the last weekday of the month'],
    ['0 0 * * 5L', 'at 00:00 on the last Friday of the month'],
    ['0 0 ? * 5#2', 'at 00:00 on the 2nd Friday of the month'],
    ['0 0 * * TUE,MON#1,5#5', 'at 00:00 on Tuesdays, the 1st Monday and the 5th Friday of the month'],
    ['0 0 L * FRI', 'at 00:00 on the last day of the month, and also on Fridays'],
    ['0 0 13 * 5#2', 'at 00:00 on day 13 of the month, and also on the 2nd Friday of the month'],
    [
      '0 0 */2 * 5L',
      'at 00:00 on days 1 to 31 in steps of 2 of the month, but only the last Friday of the month',
    ],
    ['0 */15 * * * * 2027', 'every 15 minutes, in 2027'],
    ['0 0 6 1 1 * 2027-2030', 'at 06:00 on day 1 of the month, in January of 2027 to 2030'],
    ['0 0 6 L * * 2026,2028', 'at 06:00 on the last day of the month, in 2026 and 2028'],
  ])('%s is %s', (expression, words) => {
    expect(say(expression)).toBe(words)
  })
})

describe('where words are easily wrong', () => {
  test('an uneven step is no period', () => {
    expect(say('*/7 * * * *')).toBe('at minutes 0 to 56 in steps of 7 of every hour')
    expect(say('*/60 * * * *')).toBe('at minute 0 of every hour')
  })

  test('two restricted day fields: either is enough; with a * in front: both must hold', () => {
    expect(say('0 0 13 * FRI')).toBe('at 00:00 on day 13 of the month, and also on Fridays')
    expect(say('0 0 31 2 1-5')).toBe(
      'at 00:00 on day 31 of the month, and also Monday to Friday, in February',
    )
    expect(say('0 0 */2 * MON')).toBe('at 00:00 on days 1 to 31 in steps of 2 of the month, but only Mondays')
    expect(say('0 0 1-31 * MON')).toBe('at 00:00 every day')
  })
})

/** What the words are about: the matches, with the day rule only where it makes a difference. */
function matchesOf(expression: string): string {
  const fields = parseCron(expression)
  const days = valuesOf(fields, 'dayOfMonth')
  const weekdays = valuesOf(fields, 'dayOfWeek')
  const isOpen = days.length === 31 || weekdays.length === 7
  const isAnyDay = days.length === 31 && weekdays.length === 7
  const either = (fields.calendar & EITHER_DAY) !== 0
  return JSON.stringify([
    valuesOf(fields, 'second'),
    valuesOf(fields, 'minute'),
    valuesOf(fields, 'hour'),
    valuesOf(fields, 'month'),
    isAnyDay || (either && isOpen) ? 'every day' : [days, weekdays, either && !isOpen],
  ])
}

const item = (low: number, high: number) =>
  fc.oneof(
    fc.integer({ min: low, max: high }).map(String),
    fc
      .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
      .map(([a, b]) => `${a}-${b}`),
    fc
      .tuple(fc.constantFrom('*', String(low), String(low + 1)), fc.constantFrom(2, 3, 4, 5, 7))
      .map(([start, step]) => `${start}/${step}`),
  )
const field = (low: number, high: number) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: fc.array(item(low, high), { minLength: 1, maxLength: 3 }).map(String) },
  )
const expression = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map(fields => fields.join(' '))

test('the same matches have the same words, other matches have others', () => {
  const seen = new Map<string, string>()
  const spoken = new Map<string, string>()
  fc.assert(
    fc.property(expression, text => {
      const matches = matchesOf(text)
      const words = say(text)
      expect(spoken.get(words) ?? matches, `${text}: ${words}`).toBe(matches)
      expect(seen.get(matches) ?? words, text).toBe(words)
      spoken.set(words, matches)
      seen.set(matches, words)
    }),
    { numRuns: 20_000 },
  )
  expect(spoken.size).toBeGreaterThan(5_000)
})

test('every set of hours of two stretches has words of its own', () => {
  const spoken = new Map<string, string>()
  for (let a = 0; a < 24; a++)
    for (let b = 0; b < 24; b++)
      for (let c = 0; c < 24; c++) {
        const text = `*/15 ${a}-${b},${c} * * *`
        const words = say(text)
        const matches = matchesOf(text)
        expect(spoken.get(words) ?? matches, `${text}: ${words}`).toBe(matches)
        spoken.set(words, matches)
      }
})
