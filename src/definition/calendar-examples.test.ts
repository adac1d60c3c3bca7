// The calendars of configs/calendars against the lists that governments publish, and against another library's.

import { readdirSync, readFileSync } from 'node:fs'
import Holidays from 'date-holidays'
import { beforeAll, describe, expect, it } from 'vitest'
import { explainDay, isBusinessDay } from '../core/calendar/business-day.ts'
import { type Calendar, listHolidays } from '../core/calendar/calendar.ts'
import { formatDay, parseDay } from '../core/calendar/day.ts'
import { windowAt } from '../core/calendar/window.ts'
import { type InputFile, loadDefinitions } from './load-definitions.ts'

const folder = new URL('../../configs/calendars/', import.meta.url)
let calendars: ReadonlyMap<string, Calendar>

beforeAll(async () => {
  const files = readdirSync(folder).map(
    (name): InputFile => ({ file: name, key: name, content: { bytes: readFileSync(new URL(name, folder)) } }),
  )
  const result = await loadDefinitions({
    scheduleFiles: [],
    dagFiles: [],
    calendarFiles: files.filter(({ file }) => file.endsWith('.yaml')),
    icsFiles: files.filter(({ file }) => file.endsWith('.ics')),
    poolFiles: [],
    workflows: [],
    problems: [],
    findDag: async () => ({ refused: '', help: '' }),
  })
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'))
  calendars = result.definitions.calendars
})

/** Days off that are no weekend days: what the published lists hold. */
function daysOff(name: string, year: number, except = ''): string {
  const calendar = calendars.get(name)!
  const found = listHolidays(calendar, parseDay(`${year}-01-01`)!, parseDay(`${year}-12-31`)!)
  const days = new Set(
    [...found]
      .filter(holiday => holiday.name !== except)
      .map(({ day }) => day)
      .filter(day => !calendar.isWeekend(day)),
  )
  return [...days].map(day => formatDay(day).slice(5)).join(' ')
}

describe('published lists', () => {
  // opm.gov, gov.uk, and the laws of the German states.
  it.each([
    ['us_federal', 2024, '01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25'],
    ['us_federal', 2025, '01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25'],
    ['us_federal', 2026, '01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25'],
    ['us_federal', 2027, '01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31'],
    ['us_federal', 2028, '01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25'],
    ['uk_england', 2022, '01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27'],
    ['uk_england', 2023, '01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26'],
    ['uk_england', 2024, '01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26'],
    ['uk_england', 2025, '01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26'],
    ['uk_england', 2026, '01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28'],
    ['uk_england', 2027, '01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28'],
    ['uk_england', 2028, '01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26'],
    ['de_national', 2024, '01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26'],
    ['de_national', 2025, '01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26'],
    ['de_national', 2026, '01-01 04-03 04-06 05-01 05-14 05-25 12-25'],
    ['de_national', 2027, '01-01 03-26 03-29 05-06 05-17'],
    ['de_national', 2028, '04-14 04-17 05-01 05-25 06-05 10-03 12-25 12-26'],
  ])('%s %i', (name, year, expected) => {
    expect(daysOff(name, year)).toBe(expected)
  })
})

describe('another library', () => {
  it.each([
    ['us_federal', new Holidays('US')],
    ['uk_england', new Holidays('GB', 'ENG')],
    ['de_national', new Holidays('DE')],
  ])('says the same of %s, 2024 to 2035', (name, library) => {
    for (let year = 2024; year <= 2035; year++) {
      const calendar = calendars.get(name)!
      const days = library
        .getHolidays(year)
        .filter(({ type }) => type === 'public')
        .map(({ date }) => date.slice(0, 10))
        .filter(date => date.startsWith(`${year}`) && !calendar.isWeekend(parseDay(date)!))
      // The library does not move Veterans Day from a Saturday, as the law does.
      expect([year, daysOff(name, year, 'Veterans Day (observed)')]).toEqual([
        year,
        [...new Set(days)].map(date => date.slice(5)).join(' '),
      ])
    }
  })
})

describe('office', () => {
  it('adds its own days, a file, a workday', () => {
    const office = calendars.get('office')!
    const because = (date: string) => explainDay(office, parseDay(date)!)
    expect(because('2026-03-15')).toMatchObject({ because: 'holiday', name: "Founders' Day" })
    expect(because('2026-12-25')).toMatchObject({ because: 'holiday', name: '1. Weihnachtstag' })
    expect(because('2026-12-29')).toMatchObject({ because: 'holiday', name: 'Shutdown' })
    expect(because('2026-10-10')).toMatchObject({ because: 'workday', business: true })
    expect(isBusinessDay(office, parseDay('2026-10-11')!)).toBe(false)
  })

  it('has windows', () => {
    const office = calendars.get('office')!
    const at = (text: string) => windowAt(office, Date.parse(text))?.name
    expect(at('2026-11-24T21:30Z')).toBe('patch night')
    expect(at('2026-11-25T00:15Z')).toBe('patch night')
    expect(at('2026-11-26T00:45Z')).toBe('backups')
    expect(at('2026-11-07T20:00Z')).toBe('Move of the data centre')
    expect(at('2026-12-24T12:00Z')).toBe('year-end freeze')
    expect(at('2026-11-24T12:00Z')).toBeUndefined()
  })
})
