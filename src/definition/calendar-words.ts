// The fields of calendars in words: what goes after "expected", and an example to copy.

import { EASTER_REACH } from '../core/calendar/rule.ts'
import { ID_WORDS } from '../core/ids.ts'
import { MONDAY_TO_SUNDAY } from './calendar-schema.ts'
import { DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'

const DATE_WORDS = 'a date such as 2026-12-25'
const NAME_WORDS = 'a name (a text of 1 to 200 characters)'
const SPAN_WORDS = 'a date such as 2026-12-25, or a mapping with date, or with from and to'
const MONTH_DAY_WORDS = 'a day of the year as month-day, such as 12-25'
const WEEKDAY_WORDS = 'MON, TUE, WED, THU, FRI, SAT or SUN'
const OBSERVED_WORDS = 'none, nearest_weekday, next_monday or a mapping such as {SAT: FRI, SUN: MON}'
const YEAR_WORDS = 'a year (1900 to 2299)'
const MOMENT_WORDS = 'a time such as "22:00", or a date with or without one such as 2026-12-20T18:00'

const OBSERVED_FIELD = { expected: OBSERVED_WORDS, example: 'observed: nearest_weekday' }
const WEEKDAY_FIELD = { expected: WEEKDAY_WORDS, example: 'weekday: MON' }

/** The fields of `dates[]`, `exclude[]`, `workdays[]`. */
const spanWords = (key: string): FieldWords => ({
  [`${key}[]`]: { expected: SPAN_WORDS, example: '- 2026-12-25' },
  [`${key}[].date`]: { expected: DATE_WORDS, example: 'date: 2026-12-24', aliases: ['day', 'on'] },
  [`${key}[].from`]: { expected: DATE_WORDS, example: 'from: 2026-12-28', aliases: ['start', 'begin'] },
  [`${key}[].to`]: { expected: DATE_WORDS, example: 'to: 2026-12-31', aliases: ['end', 'until'] },
  [`${key}[].name`]: { expected: NAME_WORDS, example: 'name: Shutdown', aliases: ['summary', 'title'] },
})

const observedWords = (prefix: string): FieldWords => ({
  [prefix]: OBSERVED_FIELD,
  ...Object.fromEntries(
    MONDAY_TO_SUNDAY.map(day => [
      `${prefix}.${day}`,
      { expected: WEEKDAY_WORDS, example: `${day}: ${day === 'SAT' ? 'FRI' : 'MON'}` },
    ]),
  ),
})

export const CALENDAR_WORDS: FieldWords = {
  '': { expected: 'a calendar (a mapping with name)', example: 'name: office' },
  name: { expected: ID_WORDS, example: 'name: office', aliases: ['id', 'calendar'] },
  description: { expected: 'a text (at most 2000 characters)', example: 'description: what it is for' },
  timezone: {
    expected: 'an IANA time zone',
    example: 'timezone: Europe/Berlin',
    aliases: ['tz', 'time_zone', 'zone'],
  },
  weekend: {
    expected: 'a list of at most 6 weekdays',
    example: 'weekend: [SAT, SUN]',
    aliases: ['weekends', 'weekdays_off'],
  },
  'weekend[]': { expected: WEEKDAY_WORDS, example: 'weekend: [SAT, SUN]' },
  include: {
    expected: 'a list of names of calendars',
    example: 'include: [us_federal]',
    aliases: ['includes', 'extends', 'base'],
  },
  'include[]': { expected: ID_WORDS, example: 'include: [us_federal]' },
  ...observedWords('observed'),
  dates: { expected: 'a list of dates', example: 'dates: [2026-12-25]', aliases: ['holidays', 'days'] },
  ...spanWords('dates'),
  rules: {
    expected: 'a list of at most 1000 rules',
    example: 'rules: [{day: 12-25, name: Christmas Day}]',
    aliases: ['recurring', 'yearly'],
  },
  'rules[]': {
    expected: 'a rule (a mapping with day, nth, easter, on_or_after or on_or_before)',
    example: '- {day: 12-25, name: Christmas Day}',
  },
  'rules[].name': { expected: NAME_WORDS, example: 'name: Christmas Day', aliases: ['summary', 'title'] },
  'rules[].day': { expected: MONTH_DAY_WORDS, example: 'day: 12-25', aliases: ['date', 'on', 'month_day'] },
  'rules[].nth': { expected: 'a number from -5 to 5', example: 'nth: 4', aliases: ['week', 'ordinal'] },
  'rules[].weekday': { ...WEEKDAY_FIELD, aliases: ['dow', 'day_of_week'] },
  'rules[].month': { expected: 'a month (1 to 12)', example: 'month: 11' },
  'rules[].on_or_after': { expected: MONTH_DAY_WORDS, example: 'on_or_after: 06-20', aliases: ['after'] },
  'rules[].on_or_before': { expected: MONTH_DAY_WORDS, example: 'on_or_before: 05-24', aliases: ['before'] },
  'rules[].easter': {
    expected: `days after Easter Sunday (${EASTER_REACH.from} to ${EASTER_REACH.to})`,
    example: 'easter: -2',
  },
  'rules[].orthodox': { expected: 'true or false', example: 'orthodox: true', aliases: ['julian'] },
  ...observedWords('rules[].observed'),
  'rules[].from_year': { expected: YEAR_WORDS, example: 'from_year: 2021', aliases: ['since', 'from'] },
  'rules[].until_year': {
    expected: YEAR_WORDS,
    example: 'until_year: 2030',
    aliases: ['until', 'to_year', 'to'],
  },
  ics: {
    expected: 'a list of paths of .ics files',
    example: 'ics: [school.ics]',
    aliases: ['ical', 'files'],
  },
  'ics[]': { expected: 'the path of an .ics file', example: 'ics: [school.ics]' },
  exclude: { expected: 'a list of dates', example: 'exclude: [2026-07-03]', aliases: ['excludes', 'except'] },
  ...spanWords('exclude'),
  workdays: {
    expected: 'a list of dates',
    example: 'workdays: [2026-10-10]',
    aliases: ['working_days', 'business_days'],
  },
  ...spanWords('workdays'),
  windows: {
    expected: 'a list of at most 200 windows',
    example: 'windows: [{name: patches, cron: "0 22 * * SUN", duration: 4h}]',
    aliases: ['blackouts', 'blackout', 'maintenance'],
  },
  'windows[]': {
    expected: 'a window (a mapping with name, and cron and duration, or from and to)',
    example: '- {name: patches, cron: "0 22 * * SUN", duration: 4h}',
  },
  'windows[].name': { expected: NAME_WORDS, example: 'name: patches', aliases: ['id', 'title'] },
  'windows[].cron': {
    expected: 'a cron expression in quotes',
    example: 'cron: "0 22 * * SUN"',
    aliases: ['schedule', 'start'],
  },
  'windows[].duration': { expected: DURATION_WORDS, example: 'duration: 4h', aliases: ['length', 'for'] },
  'windows[].weekdays': {
    expected: 'a list of weekdays',
    example: 'weekdays: [SAT, SUN]',
    aliases: ['weekday', 'days'],
  },
  'windows[].weekdays[]': { expected: WEEKDAY_WORDS, example: 'weekdays: [SAT, SUN]' },
  'windows[].from': { expected: MOMENT_WORDS, example: 'from: "22:00"', aliases: ['begin'] },
  'windows[].to': { expected: MOMENT_WORDS, example: 'to: "04:00"', aliases: ['end', 'until'] },
  'windows[].timezone': {
    expected: 'an IANA time zone',
    example: 'timezone: Europe/Berlin',
    aliases: ['tz', 'zone'],
  },
}
