// The authored form of calendars: `configs/calendars/*.yaml`, one calendar a file. The JSON Schema for editors is made
// from this; what kind of rule or window an entry is, and whether its dates exist, is for calendar-file.ts.

import { z } from 'zod'
import { EASTER_REACH } from '../core/calendar/rule.ts'
import { ID_PATTERN } from '../core/ids.ts'
import { DURATION_PATTERN } from './duration-text.ts'

export const CALENDAR_DEFAULTS = { timezone: 'UTC', weekend: ['SAT', 'SUN'] } as const

/** Entries of one list: a century of holidays, written out. */
const MAX_DATES = 20_000
const MAX_RULES = 1_000
const MAX_WINDOWS = 200
const MAX_INCLUDES = 100

export const DATE_PATTERN = /^\d{4}-\d{2}-\d{2}$/
/** A date, a date with a time, or a time of day; whether it exists is checked later. */
const MOMENT_PATTERN = /^(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2})?|\d{2}:\d{2})$/
const MONTH_DAY_PATTERN = /^\d{2}-\d{2}$/

export const MONDAY_TO_SUNDAY = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const

const date = () => z.string().regex(DATE_PATTERN)
const name = () => z.string().min(1).max(200)
const weekday = () => z.enum(MONDAY_TO_SUNDAY)
const monthDay = () => z.string().regex(MONTH_DAY_PATTERN)
const year = () => z.int().min(1900).max(2299)
const moment = () => z.string().regex(MOMENT_PATTERN)
const timezone = () => z.string().min(1).max(64)

const observed = () =>
  z.union([
    z.enum(['none', 'nearest_weekday', 'next_monday']),
    z.strictObject({
      MON: weekday()
        .optional()
        .meta({ description: 'A holiday on a Monday.', examples: ['FRI'] }),
      TUE: weekday()
        .optional()
        .meta({ description: 'A holiday on a Tuesday.', examples: ['MON'] }),
      WED: weekday()
        .optional()
        .meta({ description: 'A holiday on a Wednesday.', examples: ['MON'] }),
      THU: weekday()
        .optional()
        .meta({ description: 'A holiday on a Thursday.', examples: ['FRI'] }),
      FRI: weekday()
        .optional()
        .meta({ description: 'A holiday on a Friday.', examples: ['SUN'] }),
      SAT: weekday()
        .optional()
        .meta({ description: 'A holiday on a Saturday.', examples: ['FRI'] }),
      SUN: weekday()
        .optional()
        .meta({ description: 'A holiday on a Sunday.', examples: ['MON'] }),
    }),
  ])

const span = (what: string) =>
  z.union([
    date(),
    z.strictObject({
      date: date()
        .optional()
        .meta({ description: `One ${what}.`, examples: ['2026-12-24'] }),
      from: date()
        .optional()
        .meta({ description: `The first of several, with \`to\`.`, examples: ['2026-12-28'] }),
      to: date()
        .optional()
        .meta({ description: 'The last of them.', examples: ['2026-12-31'] }),
      name: name()
        .optional()
        .meta({ description: 'What it is called where it decides something.', examples: ['Shutdown'] }),
    }),
  ])

const Rule = z
  .strictObject({
    name: name()
      .optional()
      .meta({ description: 'What the holiday is called.', examples: ['Christmas Day'] }),
    day: monthDay()
      .optional()
      .meta({ description: 'The same date every year: month-day.', examples: ['12-25', '01-01'] }),
    nth: z
      .int()
      .min(-5)
      .max(5)
      .optional()
      .meta({
        description: 'The nth `weekday` of `month`; -1 is the last one.',
        examples: [4, -1],
      }),
    weekday: weekday()
      .optional()
      .meta({ description: 'With nth, on_or_after or on_or_before.', examples: ['MON'] }),
    month: z
      .int()
      .min(1)
      .max(12)
      .optional()
      .meta({ description: 'With nth.', examples: [11] }),
    on_or_after: monthDay()
      .optional()
      .meta({ description: 'The first `weekday` from this day on.', examples: ['06-20'] }),
    on_or_before: monthDay()
      .optional()
      .meta({ description: 'The last `weekday` up to this day.', examples: ['05-24'] }),
    easter: z
      .int()
      .min(EASTER_REACH.from)
      .max(EASTER_REACH.to)
      .optional()
      .meta({ description: 'Days after Easter Sunday; before it if negative.', examples: [-2, 1, 39] }),
    orthodox: z
      .boolean()
      .optional()
      .meta({ description: 'With easter: count from Orthodox Easter.', examples: [true] }),
    observed: observed()
      .optional()
      .meta({
        description: 'Where the holiday goes from a weekend. Default: what the calendar says.',
        examples: ['none', { SUN: 'MON' }],
      }),
    from_year: year()
      .optional()
      .meta({ description: 'The first year with it.', examples: [2021] }),
    until_year: year()
      .optional()
      .meta({ description: 'The last year with it.', examples: [2030] }),
  })
  .meta({ description: 'A holiday that comes back every year.' })

const Window = z
  .strictObject({
    name: name().meta({
      description: 'What it is called where it decides something.',
      examples: ['patches'],
    }),
    cron: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: 'When it opens; `duration` says for how long.', examples: ['0 22 * * SUN'] }),
    duration: z
      .string()
      .regex(DURATION_PATTERN)
      .optional()
      .meta({ description: 'With cron: how long it stays open, at most 31 days.', examples: ['4h'] }),
    weekdays: z
      .array(weekday())
      .min(1)
      .max(7)
      .optional()
      .meta({
        description: 'The days on which it opens. Default, where from and to are times: every day.',
        examples: [['SAT', 'SUN']],
      }),
    from: moment()
      .optional()
      .meta({
        description: 'A time of day, in quotes; or, for a window that happens once, a date.',
        examples: ['22:00', '2026-12-20T18:00'],
      }),
    to: moment()
      .optional()
      .meta({
        description:
          'When it closes; a time that is not after `from` is on the next day. A date is not included.',
        examples: ['04:00', '2027-01-03T06:00'],
      }),
    timezone: timezone()
      .optional()
      .meta({
        description: 'IANA zone of its wall clock. Default: that of the calendar.',
        examples: ['UTC'],
      }),
  })
  .meta({ description: 'A stretch of time in which nothing should run.' })

export const CalendarFile = z
  .strictObject({
    name: z
      .string()
      .regex(ID_PATTERN)
      .meta({ description: 'Names the calendar. Unique in all files.', examples: ['us_federal'] }),
    description: z
      .string()
      .max(2_000)
      .optional()
      .meta({
        description: 'For people. Not evaluated.',
        examples: ['Federal holidays of the United States'],
      }),
    timezone: timezone()
      .default(CALENDAR_DEFAULTS.timezone)
      .meta({
        description: 'IANA zone of the windows, and of iCalendar times that name none.',
        examples: ['America/New_York'],
      }),
    weekend: z
      .array(weekday())
      .max(6)
      .default([...CALENDAR_DEFAULTS.weekend])
      .meta({
        description: 'Weekdays that are no business days.',
        examples: [['SAT', 'SUN'], ['FRI', 'SAT'], []],
      }),
    include: z
      .array(z.string().regex(ID_PATTERN))
      .max(MAX_INCLUDES)
      .default([])
      .meta({
        description: 'Calendars whose holidays and windows count here, too. Their weekends do not.',
        examples: [['us_federal']],
      }),
    observed: observed()
      .default('none')
      .meta({
        description: 'Where a holiday of `rules` goes from a weekend, unless the rule says otherwise.',
        examples: ['nearest_weekday', { SAT: 'FRI', SUN: 'MON' }],
      }),
    dates: z
      .array(span('day'))
      .max(MAX_DATES)
      .default([])
      .meta({
        description: 'Holidays by date: a date, or a mapping with date, or from and to, and a name.',
        examples: [['2026-12-25', { from: '2026-12-28', to: '2026-12-31', name: 'Shutdown' }]],
      }),
    rules: z
      .array(Rule)
      .max(MAX_RULES)
      .default([])
      .meta({
        description: 'Holidays that come back every year.',
        examples: [[{ day: '12-25', name: 'Christmas Day' }]],
      }),
    ics: z
      .array(z.string().min(1).max(1024))
      .max(MAX_INCLUDES)
      .default([])
      .meta({
        description: 'iCalendar files, relative to this one: days are holidays, times are windows.',
        examples: [['school.ics']],
      }),
    exclude: z
      .array(span('day'))
      .max(MAX_DATES)
      .default([])
      .meta({
        description: 'Days that are no holidays, whatever the rules, files and included calendars say.',
        examples: [['2026-07-03']],
      }),
    workdays: z
      .array(span('day'))
      .max(MAX_DATES)
      .default([])
      .meta({
        description: 'Business days, whatever the weekend and the holidays say.',
        examples: [['2026-10-10']],
      }),
    windows: z
      .array(Window)
      .max(MAX_WINDOWS)
      .default([])
      .meta({
        description: 'Maintenance and blackout windows.',
        examples: [[{ name: 'patches', cron: '0 22 * * SUN', duration: '4h' }]],
      }),
  })
  .meta({
    title: 'Dagbok calendar',
    description: 'One calendar: configs/calendars/*.yaml.',
    examples: [{ name: 'office', rules: [{ day: '12-25', name: 'Christmas Day' }] }],
  })

/** An entry of `dates`, `exclude` or `workdays`. */
export type SpanEntry = z.output<typeof CalendarFile>['dates'][number]
