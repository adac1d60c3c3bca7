// Rolls: a time that falls on no business day moves to one, at the same wall-clock time. What a timing keeps of a roll,
// and the slots that follow.
//
//   R1. A slot on a business day stays where it is, to the instant. One on any other day moves to the day that the
//       convention says, as a fixed time does: a time that the clock leaves out there is the first one after the gap.
//   R2. Slots that move to the same instant, or to one that is a slot already, are one slot.
//   R3. `next` is a function of (cron, zone, roll, after): strictly increasing, whatever was asked before. It looks at no
//       more than two closed stretches and two years; a calendar without a business day for longer has no slot any more.
//
// The conventions are ISDA's. They keep order: of two days the later one never moves to an earlier day. So the slots of a
// business day are its own and those of the closed days right before and behind it, and no others.

import {
  isBusinessDay,
  nextBusinessDay,
  previousBusinessDay,
  roll,
  SEARCH_DAYS,
} from '../calendar/business-day.ts'
import type { Calendar } from '../calendar/calendar.ts'
import { civilOf, type Day, dayAt, instantAt } from '../calendar/day.ts'
import { type RecordedDays, readDays } from '../calendar/recorded-days.ts'
import type { CronSchedule } from '../cron/cron.ts'
import type { CronDst } from '../cron/parse.ts'
import { DAY_MS, type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'

export const ROLL_CONVENTIONS = [
  'following',
  'preceding',
  'modified_following',
  'modified_preceding',
] as const
export type RollConvention = (typeof ROLL_CONVENTIONS)[number]

/** A roll as a timing and the journal keep it: with the business days themselves, for the calendar will change. */
export interface TimingRoll {
  readonly convention: RollConvention
  /** Its name, for people. */
  readonly calendar: string
  readonly days: RecordedDays
}

/** The days of a roll may have this many bytes as JSON: they stand in a line of the journal. */
export const ROLL_DAYS_BYTES_MAX = 32 * 1024

const WORDS: Readonly<Record<RollConvention, (calendar: string) => string>> = {
  following: calendar => `rolled to the following business day of ${calendar}`,
  preceding: calendar => `rolled to the preceding business day of ${calendar}`,
  modified_following: calendar =>
    `rolled to the following business day of ${calendar}, or the preceding one at the end of a month`,
  modified_preceding: calendar =>
    `rolled to the preceding business day of ${calendar}, or the following one at the start of a month`,
}

export function describeRoll({ convention, calendar }: Pick<TimingRoll, 'convention' | 'calendar'>): string {
  return WORDS[convention](calendar)
}

/** Texts of rolls that are shared; forgotten all at once, which costs nothing but room. */
const SHARED_MAX = 1_000
const shared = new Map<string, TimingRoll>()
const calendars = new WeakMap<TimingRoll, Calendar>()

/** One object for all rolls that say the same: ten thousand schedules hold one list of holidays. */
export function shareRoll(given: TimingRoll): TimingRoll {
  if (calendars.has(given)) return given
  const { convention, calendar, days } = given
  const text = JSON.stringify([convention, calendar, days])
  const known = shared.get(text)
  if (known !== undefined) return known
  if (shared.size >= SHARED_MAX) shared.clear()
  const kept = Object.freeze({ convention, calendar, days })
  calendars.set(kept, readDays(calendar, days))
  shared.set(text, kept)
  return kept
}

/** The day that a day moves to; itself, if it is a business day. Undefined: there is none within two years. */
export function rollDay(calendar: Calendar, day: Day, convention: RollConvention): Day | undefined {
  if (isBusinessDay(calendar, day)) return day
  return choose(day, convention, previousBusinessDay(calendar, day), nextBusinessDay(calendar, day))
}

/**
 * Of the business days around a closed one, the one that the convention says. Where a month has none at all both lie in
 * other months, and the modified ways turn around all the same, as ISDA has it: no slot is lost.
 */
function choose(
  closed: Day,
  convention: RollConvention,
  before: Day | undefined,
  behind: Day | undefined,
): Day | undefined {
  switch (convention) {
    case 'following':
      return behind
    case 'preceding':
      return before
    case 'modified_following':
      return isSameMonth(closed, behind) ? behind : before
    case 'modified_preceding':
      return isSameMonth(closed, before) ? before : behind
  }
}

function isSameMonth(day: Day, other: Day | undefined): boolean {
  if (other === undefined) return false
  const [a, b] = [civilOf(day), civilOf(other)]
  return a.year === b.year && a.month === b.month
}

/** What is rolled: one cron expression in a zone. */
export interface RollSource {
  /** Its slots. */
  readonly slots: CronSchedule
  /** Its slots on a clock without changes, at UTC. */
  readonly wall: CronSchedule
  readonly zone: Zone
  readonly dst: CronDst
}

export class RolledSlots {
  readonly #source: RollSource
  readonly #convention: RollConvention
  readonly #calendar: Calendar

  constructor(source: RollSource, timingRoll: TimingRoll) {
    const kept = shareRoll(timingRoll)
    this.#source = source
    this.#convention = kept.convention
    this.#calendar = calendars.get(kept)!
  }

  next(after: Instant): Instant | undefined {
    const { wall, zone } = this.#source
    // The day before, since a gap at midnight may put its last slots on this one.
    let day = roll(this.#calendar, dayAt(after, zone) - 1, 'following')
    while (day !== undefined) {
      const slot = this.#firstOf(day, after)
      if (slot !== undefined) return slot
      const following = nextBusinessDay(this.#calendar, day)
      // Nothing is due on the days without a slot: on to where the next one moves.
      const raw = wall.next((day + 1) * DAY_MS - 1)
      if (following === undefined || raw === undefined) return undefined
      const target = rollDay(this.#calendar, Math.floor(raw / DAY_MS), this.#convention)
      day = target === undefined || target < following ? following : target
    }
    return undefined
  }

  /** The closed days from which something moves to this very slot. */
  movedFrom(slot: Instant): Day[] {
    const day = dayAt(slot, this.#source.zone)
    return [day - 1, day]
      .filter(each => isBusinessDay(this.#calendar, each))
      .flatMap(target =>
        this.#closedDaysOf(target).filter(closed => {
          for (const at of this.#moved(closed, target, slot - 1)) if (at === slot) return true
          return false
        }),
      )
  }

  /** Where a time has moved to; undefined for one that stays, or is none of these. */
  movedTo(time: Instant): Instant | undefined {
    const { slots, zone } = this.#source
    const day = dayAt(time, zone)
    if (slots.next(time - 1) !== time || isBusinessDay(this.#calendar, day)) return undefined
    const target = rollDay(this.#calendar, day, this.#convention)
    if (target === undefined) return undefined
    return this.#place(target, time + zone.offsetAt(time) - day * DAY_MS).next().value ?? undefined
  }

  /** The first slot of a business day after an instant. */
  #firstOf(day: Day, after: Instant): Instant | undefined {
    const { slots, zone, dst } = this.#source
    const own = slots.next(Math.max(after, instantAt(day, 0, zone, 'first') - 1))
    let first = own !== undefined && this.#isOf(own, day) ? own : undefined
    for (const closed of this.#closedDaysOf(day))
      for (const slot of this.#moved(closed, day, after))
        if (slot > after) {
          if (first === undefined || slot < first) first = slot
          // Only second passes come out of order.
          if (dst !== 'both') break
        }
    return first
  }

  /** The days that move to a business day. */
  #closedDaysOf(day: Day): Day[] {
    const before = previousBusinessDay(this.#calendar, day)
    const behind = nextBusinessDay(this.#calendar, day)
    const closed: Day[] = []
    for (let other = (before ?? day - SEARCH_DAYS) + 1; other < day; other++)
      if (choose(other, this.#convention, before, day) === day) closed.push(other)
    for (let other = day + 1; other < (behind ?? day + SEARCH_DAYS); other++)
      if (choose(other, this.#convention, day, behind) === day) closed.push(other)
    return closed
  }

  /** The slots of a closed day, moved: all that are after an instant, and perhaps some before it. */
  *#moved(closed: Day, day: Day, after: Instant): Generator<Instant> {
    const { wall, zone } = this.#source
    // No clock shows less than this after `after`.
    const least = after + Math.min(zone.offsetAt(after), zone.offsetAt((day + 2) * DAY_MS)) - day * DAY_MS
    let raw = wall.next(closed * DAY_MS + Math.max(least, -1))
    while (raw !== undefined && raw < (closed + 1) * DAY_MS) {
      yield* this.#place(day, raw - closed * DAY_MS)
      raw = wall.next(raw)
    }
  }

  /** R1: a fixed time on a day. */
  *#place(day: Day, timeMs: number): Generator<Instant> {
    const { zone, dst } = this.#source
    const minute = timeMs / MINUTE_MS
    const first = instantAt(day, minute, zone, 'first')
    const isShown = first + zone.offsetAt(first) === day * DAY_MS + timeMs
    if (isShown || dst !== 'skip') yield first
    if (!isShown || dst !== 'both') return
    const second = instantAt(day, minute, zone, 'second')
    if (second !== first) yield second
  }

  /** Whether a slot is one of a day's own, or of the end of that day, which a gap at midnight has swallowed. */
  #isOf(slot: Instant, day: Day): boolean {
    const { wall, zone, dst } = this.#source
    const shown = dayAt(slot, zone)
    if (shown === day) return true
    if (shown !== day + 1 || dst === 'skip') return false
    const gap = zone.transitions(slot, slot + 1)[0]
    if (gap === undefined || gap.offsetAfterMs < gap.offsetBeforeMs) return false
    const swallowed = wall.next(slot + gap.offsetBeforeMs - 1)
    return swallowed !== undefined && Math.floor(swallowed / DAY_MS) === day
  }
}
