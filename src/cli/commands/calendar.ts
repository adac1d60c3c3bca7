// `scheduler calendar`: which calendars there are, and what one of them says about a year. What is imported is
// commands/calendar-import.ts.

import { explainDay, isBusinessDay } from '../../core/calendar/business-day.ts'
import { type Calendar, type HolidayOn, listHolidays } from '../../core/calendar/calendar.ts'
import {
  civilOf,
  type Day,
  dayAt,
  dayOf,
  FIRST_YEAR,
  formatDay,
  LAST_YEAR,
  parseDay,
  WEEKDAY_NAMES,
  weekdayOf,
} from '../../core/calendar/day.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import { zoneOf } from '../../core/time/zone.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { CalendarFlags } from '../flags.ts'
import { plain, writeJson, writeJsonList } from '../output.ts'
import { renderTable } from '../render/table.ts'
import { suggest, UsageError } from '../usage.ts'

/** How far the next holiday is looked for. */
const AHEAD_DAYS = 400
const LONGEST_PERIOD_DAYS = 36_525

export async function run(
  context: CommandContext,
  action: string,
  name: string | undefined,
  flags: CalendarFlags,
): Promise<number> {
  if (action === 'list') {
    if (name !== undefined) throw new UsageError(`calendar list takes no name, got ${JSON.stringify(name)}`)
    return list(context)
  }
  if (action === 'show') {
    if (name === undefined)
      throw new UsageError(
        'calendar show needs the name of a calendar',
        '`scheduler calendar list` shows them',
      )
    return show(context, name, flags)
  }
  if (action === 'import') {
    if (name !== undefined)
      throw new UsageError(
        `calendar import takes no name here, got ${JSON.stringify(name)}`,
        'say --country US, and --name for the name of the calendar',
      )
    return (await import('./calendar-import.ts')).run(context, flags)
  }
  throw new UsageError(
    `unknown action ${JSON.stringify(action)}`,
    suggest(action, ['list', 'show', 'import'], 'list, show or import'),
  )
}

async function list(context: CommandContext): Promise<number> {
  const { out, json, headers } = context
  const { calendars } = await loadGoodDefinitions(context)
  const sorted = [...calendars.values()].sort((a, b) => (a.plan.name < b.plan.name ? -1 : 1))
  const items = sorted.map(calendar => {
    const today = dayAt(context.now(), zoneOf(calendar.plan.timezone))
    const [next] = listHolidays(calendar, today, today + AHEAD_DAYS)
    return { plan: calendar.plan, windows: calendar.windows.length, next }
  })
  if (json) {
    writeJsonList(
      out.data,
      'CalendarList',
      items.map(({ plan, next }) => ({
        name: plan.name,
        ...(plan.description === undefined ? {} : { description: plan.description }),
        timezone: plan.timezone,
        weekend: plan.weekend.map(weekday => WEEKDAY_NAMES[weekday]),
        include: plan.include,
        next_holiday: next === undefined ? null : { date: formatDay(next.day), name: next.name },
        hash: plan.hash,
      })),
    )
    return EXIT.ok
  }
  if (items.length === 0) {
    out.note.line(`no calendars in ${context.settings.calendarsDir}`)
    return EXIT.ok
  }
  const rows = items.map(({ plan, next }) => [
    plan.name,
    plan.weekend.map(weekday => WEEKDAY_NAMES[weekday]).join(',') || '-',
    plan.timezone,
    next === undefined ? '-' : `${formatDay(next.day)} ${plain(next.name)}`,
    plain(plan.description ?? ''),
  ])
  const columns = ['CALENDAR', 'WEEKEND', 'ZONE', 'NEXT HOLIDAY', 'DESCRIPTION'].map(title => ({ title }))
  for (const line of renderTable(columns, rows, headers)) out.data.line(line)
  return EXIT.ok
}

async function show(context: CommandContext, name: string, flags: CalendarFlags): Promise<number> {
  const { out, json, headers } = context
  const { calendars } = await loadGoodDefinitions(context)
  const calendar = calendars.get(name)
  if (calendar === undefined)
    throw new DagbokError('CALENDAR_NOT_FOUND', `there is no calendar ${JSON.stringify(name)}`, {
      exitCode: EXIT.notFound,
      hint: suggest(name, calendars.keys(), '`scheduler calendar list` shows them all'),
    })
  const { from, to } = readPeriod(flags, dayAt(context.now(), zoneOf(calendar.plan.timezone)))
  const entries = listEntries(calendar, from, to)
  let businessDays = 0
  for (let day = from; day <= to; day++) if (isBusinessDay(calendar, day)) businessDays++
  const windows = calendar.plan.windows.filter(
    window =>
      window.kind !== 'once' || (window.to > from * 86_400_000 && window.from < (to + 1) * 86_400_000),
  )
  if (json) {
    writeJson(out.data, 'Calendar', {
      name,
      timezone: calendar.plan.timezone,
      from: formatDay(from),
      to: formatDay(to),
      business_days: businessDays,
      items: entries.map(({ day, ...entry }) => ({
        date: formatDay(day),
        weekday: WEEKDAY_NAMES[weekdayOf(day)],
        ...entry,
        business: explainDay(calendar, day).business,
      })),
      windows: windows.map(({ kind, name }) => ({ name, kind })),
    })
    return EXIT.ok
  }
  const rows = entries.map(entry => [
    formatDay(entry.day),
    WEEKDAY_NAMES[weekdayOf(entry.day)],
    plain(entry.name),
    describeSource(entry, name),
  ])
  const columns = ['DATE', 'DAY', 'NAME', 'SOURCE'].map(title => ({ title }))
  if (rows.length > 0) for (const line of renderTable(columns, rows, headers)) out.data.line(line)
  const holidays = new Set(entries.filter(({ kind }) => kind !== 'workday').map(({ day }) => day)).size
  out.note.line(
    `${formatDay(from)} to ${formatDay(to)}: ${count(holidays, 'holiday')}, ${count(businessDays, 'business day')}, ${count(windows.length, 'window')}`,
  )
  return EXIT.ok
}

type Entry = Omit<HolidayOn, 'kind'> & { kind: HolidayOn['kind'] | 'workday' }

/** Holidays, and the days that are business days by name alone. */
function listEntries(calendar: Calendar, from: Day, to: Day): Entry[] {
  const entries: Entry[] = [...listHolidays(calendar, from, to)]
  for (const span of calendar.plan.workdays)
    for (let day = Math.max(span.from, from); day <= Math.min(span.to, to); day++)
      entries.push({ day, name: 'workday', calendar: calendar.plan.name, kind: 'workday' })
  return entries.sort((a, b) => a.day - b.day)
}

function describeSource({ kind, calendar, file }: Entry, shown: string): string {
  const what = file === undefined ? kind : `${kind} ${plain(file)}`
  return calendar === shown ? what : `${calendar}: ${what}`
}

/** @throws UsageError */
function readPeriod(flags: CalendarFlags, today: Day): { from: Day; to: Day } {
  if (flags.from !== undefined || flags.to !== undefined) {
    if (flags.year !== undefined) throw new UsageError('--year cannot be combined with --from and --to')
    if (flags.from === undefined || flags.to === undefined)
      throw new UsageError('--from and --to belong together', 'for example --from 2026-12-01 --to 2027-01-31')
    const from = readDate('--from', flags.from)
    const to = readDate('--to', flags.to)
    if (from > to) throw new UsageError(`--to: ${flags.to} is before ${flags.from}`, 'swap them')
    if (to - from >= LONGEST_PERIOD_DAYS)
      throw new UsageError('--to: expected at most 100 years after --from')
    return { from, to }
  }
  const text = flags.year ?? String(civilOf(today).year)
  const year = /^\d{4}$/.test(text) ? Number(text) : Number.NaN
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR))
    throw new UsageError(
      `--year: expected a year from ${FIRST_YEAR} to ${LAST_YEAR}, got ${JSON.stringify(text)}`,
    )
  return { from: dayOf(year, 1, 1), to: dayOf(year, 12, 31) }
}

function readDate(flag: string, text: string): Day {
  const day = parseDay(text)
  if (day === undefined)
    throw new UsageError(
      `${flag}: expected a date that exists, got ${JSON.stringify(text)}`,
      'for example 2026-12-24',
    )
  return day
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
