// One iCalendar file: its all-day events as days, its timed ones as stretches of time, recurring ones written out.
// ical.js reads the text and walks the recurrence rules; it is loaded when the first calendar names such a file.
//
//   I1. Bounded: events from FIRST_ICS_YEAR to LAST_ICS_YEAR, at most MAX_ICS_DATES of them (definition/ics-recurrence.ts
//       bounds the rules). What is too much is a problem of its event and holds nothing up.
//   I2. A time in a zone that tzdata knows is read with tzdata; in another one, with the VTIMEZONE of the file; in none,
//       in the zone of the calendar that names the file.

import { setImmediate } from 'node:timers/promises'
import type ICAL from 'ical.js'
import { type Day, dayOf, FIRST_YEAR, instantAt } from '../core/calendar/day.ts'
import type { Instant } from '../core/time/instant.ts'
import { isTimeZone, zoneOf } from '../core/time/zone.ts'
import { listOccurrences, RecurrenceError, StepBudget } from './ics-recurrence.ts'
import { ProblemList } from './problem.ts'
import type { SourceText, Span } from './source-text.ts'

export const FIRST_ICS_YEAR = 2000
export const LAST_ICS_YEAR = 2100
export const MAX_ICS_DATES = 20_000

const UNNAMED = 'holiday'
const NAME_LENGTH = 200

type Time = ICAL.Time
type Component = ICAL.Component

/** An all-day event; both days included. */
export interface IcsDays {
  readonly from: Day
  readonly to: Day
  readonly name: string
}

/** A timed event. Its instants depend on the zone of the calendar only where the file names none. */
export interface IcsTimes {
  readonly name: string
  from(calendarZone: string): Instant
  to(calendarZone: string): Instant
}

export interface CheckedIcsFile {
  readonly source: SourceText
  readonly problems: ProblemList
  readonly days: readonly IcsDays[]
  readonly times: readonly IcsTimes[]
}

/** Checks one file. Never throws for what the text says. */
export async function checkIcsFile(source: SourceText): Promise<CheckedIcsFile> {
  const problems = new ProblemList(source)
  const { default: ical } = await import('ical.js')
  const reader = new IcsReader(ical, problems)
  const file = { source, problems, days: reader.days, times: reader.times }
  const calendars = readText(ical, problems)
  const events = calendars.flatMap(calendar => calendar.getAllSubcomponents('vevent'))
  if (calendars.length > 0 && events.length === 0)
    problems.add({ start: 0, end: 1 }, 'the file holds no events', {
      severity: 'warning',
      help: 'check that it was exported whole',
    })
  const places = findEvents(source.text)
  for (const event of events) reader.noteException(event)
  for (const [index, event] of events.entries()) {
    if (!reader.read(event, places[index] ?? { start: 0, end: 1 })) break
    if (index % 100 === 99) await setImmediate()
  }
  return file
}

function readText(ical: typeof ICAL, problems: ProblemList): Component[] {
  const { text } = problems.source
  const fail = (message: string, place: Span = { start: 0, end: 1 }) => {
    problems.add(place, message, { help: 'export it again as iCalendar (.ics)' })
    return []
  }
  if (!/^BEGIN:VCALENDAR\s*$/im.test(text))
    return fail('expected an iCalendar file, which has BEGIN:VCALENDAR')
  try {
    const parsed = ical.parse(text) as unknown as unknown[]
    const roots = (typeof parsed[0] === 'string' ? [parsed] : parsed) as ConstructorParameters<
      typeof ICAL.Component
    >[0][]
    return roots.map(root => new ical.Component(root)).filter(root => root.name === 'vcalendar')
  } catch (error) {
    const message = reasonOf(error)
    const quoted = /"([^"]+)"[^"]*$/.exec(message)?.[1]
    const start = quoted === undefined ? -1 : text.indexOf(quoted)
    const place = start < 0 ? { start: 0, end: 1 } : { start, end: start + quoted!.length }
    return fail(`iCalendar syntax: ${message}`, place)
  }
}

/** Where the events of a text begin. */
function findEvents(text: string): Span[] {
  return [...text.matchAll(/^BEGIN:VEVENT/gim)].map(({ index, 0: found }) => ({
    start: index,
    end: index + found.length,
  }))
}

class IcsReader {
  readonly days: IcsDays[] = []
  readonly times: IcsTimes[] = []
  readonly #ical: typeof ICAL
  readonly #problems: ProblemList
  readonly #budget = new StepBudget()
  /** Of recurring events: occurrences that another event stands for, by uid. */
  readonly #replaced = new Map<string, Set<string>>()

  constructor(ical: typeof ICAL, problems: ProblemList) {
    this.#ical = ical
    this.#problems = problems
  }

  noteException(event: Component): void {
    const property = event.getFirstProperty('recurrence-id')
    if (!property) return
    const uid = String(event.getFirstPropertyValue('uid') ?? '')
    const keys = this.#replaced.get(uid) ?? new Set()
    for (const time of timesOf(property)) keys.add(this.#keyOf(time, property))
    this.#replaced.set(uid, keys)
  }

  /** Takes an event; false if there is no use in going on. */
  read(event: Component, place: Span): boolean {
    if (String(event.getFirstPropertyValue('status') ?? '').toUpperCase() === 'CANCELLED') return true
    try {
      this.#take(event)
    } catch (error) {
      const { message, help } = error instanceof EventError ? error : tellUnread(error)
      this.#problems.add(place, message, { help })
      return !(error instanceof RecurrenceError && error.endsFile) && !this.#problems.isFull
    }
    return true
  }

  #take(event: Component): void {
    const property = event.getFirstProperty('dtstart')
    if (!property) throw new EventError('the event has no DTSTART', 'give it one, or remove it')
    const [start] = timesOf(property)
    if (!start) throw new EventError('DTSTART is no date', 'write it as 20261225 or 20261225T180000Z')
    requireReal(property, start)
    this.#requireZone(property, start)
    const name = nameOf(event)
    const add = start.isDate ? this.#dayAdder(event, start, name) : this.#timeAdder(event, property, name)
    if (!add) return
    const uid = String(event.getFirstPropertyValue('uid') ?? '')
    const isException = event.getFirstProperty('recurrence-id') !== null
    const left = new Set(isException ? [] : this.#replaced.get(uid))
    for (const excluded of event.getAllProperties('exdate'))
      for (const time of timesOf(excluded)) left.add(this.#keyOf(time, excluded))
    const seen = new Set<string>()
    const bounds = { firstYear: FIRST_ICS_YEAR, lastYear: LAST_ICS_YEAR }
    for (const time of listOccurrences(this.#ical, event, start, bounds, this.#budget)) {
      const key = this.#keyOf(time, property)
      if (seen.has(key) || left.has(key) || left.has(textOf(time).slice(0, 10))) continue
      seen.add(key)
      if (time.year < FIRST_ICS_YEAR || time.year > LAST_ICS_YEAR) continue
      if (this.days.length + this.times.length >= MAX_ICS_DATES)
        throw new RecurrenceError(
          `the file has more than ${MAX_ICS_DATES} dates from ${FIRST_ICS_YEAR} to ${LAST_ICS_YEAR}`,
          'give recurring events an end (UNTIL), or write a window with cron',
          true,
        )
      add(time)
    }
  }

  #dayAdder(event: Component, start: Time, name: string): (time: Time) => void {
    const end = timesOf(event.getFirstProperty('dtend'))[0]
    const duration = event.getFirstPropertyValue('duration') as ICAL.Duration | null
    const length = end ? dayOfTime(end) - dayOfTime(start) : Math.floor((duration?.toSeconds() ?? 0) / 86_400)
    if (length > 36_525)
      throw new EventError(
        'the event is longer than 100 years',
        'correct DTEND: it is the day after the last',
      )
    return time => {
      const from = dayOfTime(time)
      this.days.push({ from, to: from + Math.max(1, length) - 1, name })
    }
  }

  /** Undefined for an event without length: nothing happens in it. */
  #timeAdder(event: Component, property: ICAL.Property, name: string): ((time: Time) => void) | undefined {
    const [start] = timesOf(property) as [Time]
    const endProperty = event.getFirstProperty('dtend')
    const [end] = timesOf(endProperty)
    const duration = event.getFirstPropertyValue('duration') as ICAL.Duration | null
    if (!end && (duration?.toSeconds() ?? 0) <= 0) return undefined
    if (end) this.#requireZone(endProperty!, end)
    const lengthMs = (zone: string): number =>
      end
        ? this.#instantOf(end, endProperty!, zone, 'second') - this.#instantOf(start, property, zone, 'first')
        : duration!.toSeconds() * 1000
    if (lengthMs('UTC') <= 0) return undefined
    return time => {
      const from = (zone: string) => this.#instantOf(time, property, zone, 'first')
      this.times.push({ name, from, to: zone => from(zone) + lengthMs(zone) })
    }
  }

  #requireZone(property: ICAL.Property, time: Time): void {
    const tzid = tzidOf(property)
    if (time.isDate || tzid === undefined || this.#isUtc(time) || isTimeZone(tzid)) return
    if (time.zone && time.zone.tzid === tzid) return
    throw new EventError(
      `unknown time zone "${tzid}": it is no IANA name, and the file has no VTIMEZONE for it`,
      'export the file with its time zones, or write an IANA name such as Europe/Berlin',
    )
  }

  #instantOf(time: Time, property: ICAL.Property, calendarZone: string, pass: 'first' | 'second'): Instant {
    const tzid = tzidOf(property)
    if (this.#isUtc(time)) return time.toUnixTime() * 1000
    if (tzid !== undefined && !isTimeZone(tzid)) return time.toUnixTime() * 1000
    const minute = time.hour * 60 + time.minute + time.second / 60
    return instantAt(dayOfTime(time), minute, zoneOf(tzid ?? calendarZone), pass)
  }

  #isUtc(time: Time): boolean {
    return time.zone === this.#ical.Timezone.utcTimezone
  }

  /** What an occurrence is told apart by: its day, its instant, or its time on the wall. */
  #keyOf(time: Time, property: ICAL.Property): string {
    if (time.isDate) return textOf(time)
    if (!this.#isUtc(time) && tzidOf(property) === undefined) return `wall ${textOf(time)}`
    return String(this.#instantOf(time, property, 'UTC', 'first'))
  }
}

/** What is wrong with one event. */
class EventError extends Error {
  readonly help: string

  constructor(message: string, help: string) {
    super(message)
    this.help = help
  }
}

function tellUnread(error: unknown): { message: string; help: string } {
  if (error instanceof RecurrenceError) return error
  return { message: `the event cannot be read: ${reasonOf(error)}`, help: 'correct it, or remove it' }
}

/** The library stumbles over some texts: what it says of itself then is no reason. */
function reasonOf(error: unknown): string {
  const isReason = error instanceof Error && !(error instanceof TypeError || error instanceof RangeError)
  if (isReason) return error.message.replaceAll('"undefined"', 'nothing')
  return 'its parts are not in the order that the standard asks for'
}

/** The date-times of a property, of a period its start. */
function timesOf(property: ICAL.Property | null): Time[] {
  if (!property) return []
  return property.getValues().flatMap((value: unknown) => {
    const time = (value as { start?: Time } | null)?.start ?? value
    return typeof (time as Time | null)?.toUnixTime === 'function' ? [time as Time] : []
  })
}

/** The library counts 30 February on to March: what was read must be what was written. */
function requireReal(property: ICAL.Property, time: Time): void {
  const written = String((property.jCal as unknown[])[3]).slice(0, 19)
  if (textOf(time) === written && time.year >= FIRST_YEAR) return
  throw new EventError(`there is no date ${written}`, 'correct DTSTART')
}

function textOf(time: Time): string {
  return time.toString().slice(0, 19)
}

function tzidOf(property: ICAL.Property): string | undefined {
  const tzid = property.getParameter('tzid')
  return typeof tzid === 'string' ? tzid : undefined
}

function nameOf(event: Component): string {
  const summary = event.getFirstPropertyValue('summary')
  const text = typeof summary === 'string' ? summary.replace(/\s+/g, ' ').trim() : ''
  return text === '' ? UNNAMED : text.slice(0, NAME_LENGTH)
}

function dayOfTime({ year, month, day }: Time): Day {
  return dayOf(year, month, day)
}
