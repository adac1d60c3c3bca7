// What a question may know of the slot it is asked about, and the marks `{{ds}}` by which its texts say it.
//
//   O1. A function of the occasion alone. The date is that of the schedule's wall clock (C1 of condition.ts).
//   O2. Marks stand only where a text is one value: a path, a URL, a header, a word of a command. Shell text and SQL get
//       the same facts as variables and parameters, so that no value is ever read as a program.

import { civilOf, dayAt, formatDay, weekdayOf } from '../calendar/day.ts'
import { HOUR_MS, type Instant, parseInstant } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import type { Occasion } from './question.ts'

export const MARKS = ['ds', 'ds_nodash', 'slot', 'tenant', 'schedule'] as const
export type Mark = (typeof MARKS)[number]

/** Stands for the client, in the conditions of one. */
export const CLIENT_MARK = 'client_id'

/** A mark as it stands in a text: its name, whether or not there is such a mark, and its place. */
export interface PlacedMark {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** `{{…}}` in a text, in order. A `{{` without an end is a mark without a name, up to the end of the text. */
export function findMarks(text: string): PlacedMark[] {
  const marks: PlacedMark[] = []
  for (let start = text.indexOf('{{'); start >= 0; ) {
    const close = text.indexOf('}}', start + 2)
    const end = close < 0 ? text.length : close + 2
    marks.push({ name: close < 0 ? '' : text.slice(start + 2, close).trim(), start, end })
    start = text.indexOf('{{', end)
  }
  return marks
}

export function isMark(name: string): name is Mark {
  return (MARKS as readonly string[]).includes(name)
}

/**
 * The text with every mark replaced; what is no mark stays as it is: the loader has refused it.
 * @param encode of each value, where the text is of a kind that gives characters a meaning (URLs)
 */
export function fillMarks(text: string, occasion: Occasion, encode = (value: string) => value): string {
  const marks = findMarks(text)
  if (marks.length === 0) return text
  const facts = factsOf(occasion)
  const values: Record<Mark, string> & { [CLIENT_MARK]?: string } = {
    ds: facts.date,
    ds_nodash: facts.date.replaceAll('-', ''),
    slot: occasion.slot,
    tenant: occasion.tenantId,
    schedule: occasion.scheduleId,
    ...(occasion.clientId === undefined ? {} : { [CLIENT_MARK]: occasion.clientId }),
  }
  let filled = ''
  let from = 0
  for (const { name, start, end } of marks) {
    const value = isMark(name) || name === CLIENT_MARK ? values[name] : undefined
    filled += text.slice(from, start) + (value === undefined ? text.slice(start, end) : encode(value))
    from = end
  }
  return filled + text.slice(from)
}

/** What the wall clock of the schedule shows at its slot. */
export interface SlotFacts {
  readonly instant: Instant
  /** `2026-01-05` */
  readonly date: string
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  /** 0 is Sunday. */
  readonly weekday: number
}

export function factsOf({ slot, timezone }: Pick<Occasion, 'slot' | 'timezone'>): SlotFacts {
  const instant = parseInstant(slot)
  const zone = zoneOf(timezone)
  const dayNumber = dayAt(instant, zone)
  const { year, month, day } = civilOf(dayNumber)
  const sinceMidnight = instant + zone.offsetAt(instant) - dayNumber * 24 * HOUR_MS
  return {
    instant,
    date: formatDay(dayNumber),
    year,
    month,
    day,
    hour: Math.floor(sinceMidnight / HOUR_MS),
    weekday: weekdayOf(dayNumber),
  }
}
