import { describe, expect, it } from 'vitest'
import { type Day, dayOf, weekdayOf } from './day.ts'
import { easterOf, orthodoxEasterOf } from './easter.ts'

// From python-dateutil 2.x, whose formulas are others: for each year from 1900, the days after 21 March (western) and
// after 3 April (orthodox), as a digit in base 36.
const TABLES: [string, (year: number) => Day, month: number, day: number, table: string][] = [
  [
    'western',
    easterOf,
    3,
    21,
    'ph9mdxpatl6qh2mexiaue6qbumeriauf6qbvm7rj3nfzjbvg7rj4nfskbvg8rcwo8sk5og8lcwo9sk5pgtldwh9td5patldqh9me' +
      'xpaul6qi2meyiauf6qbvmerjauf7qbvn7rj4nfzkbvg8rj4ofskcvg8scwo9sk5pg8ldwo9tk5phtldxh9te5pauldqi9meypaum',
  ],
  [
    'orthodox',
    orthodoxEasterOf,
    4,
    3,
    'jbog7rcwn8sk4og1kcwh8sd5ogtlcwh9sd5p9tl6ph2mdxiatl6qh2mexiaue6qbum7rianf6qbvm7rj3nfzjbvg7rc4nfskbog8' +
      'rcwo8sk5og1lcwh9sd5pgtldwh9td5patl6qh2mexiaul6qi2meyiauf6qbvm7rjanf7qbvg7rj4nfzkbvg8rc4ofsk5og8lcwo9',
  ],
]

describe('Easter', () => {
  it.each(TABLES)('%s: as the table says, 1900 to 2099', (_, easter, month, day, table) => {
    expect(table).toHaveLength(200)
    const told = Array.from(table, (_digit, index) =>
      (easter(1900 + index) - dayOf(1900 + index, month, day)).toString(36),
    )
    expect(told.join('')).toBe(table)
  })

  it('is a Sunday, in every year that calendars know', () => {
    for (let year = 1900; year <= 2299; year++)
      expect([weekdayOf(easterOf(year)), weekdayOf(orthodoxEasterOf(year))]).toEqual([0, 0])
  })

  it('falls on days that people remember', () => {
    const known = [
      [2000, 4, 23],
      [2008, 3, 23],
      [2011, 4, 24],
      [2026, 4, 5],
      [2038, 4, 25],
    ] as const
    for (const [year, month, day] of known) expect(easterOf(year)).toBe(dayOf(year, month, day))
    expect(orthodoxEasterOf(2026)).toBe(dayOf(2026, 4, 12))
    expect(orthodoxEasterOf(2025)).toBe(easterOf(2025))
  })
})
