// Maintenance and blackout windows: stretches of time with a name, that come back or not.
//
//   1. A window holds its start and not its end.
//   2. Wall-clock times that a zone skips or repeats make a window longer, never shorter: it opens at the first of the
//      two passes and closes at the second.
//   3. A question costs what the windows around its instant cost, not how long they have been recurring.

import { compileCron } from '../cron/compile.ts'
import type { CronSchedule } from '../cron/cron.ts'
import type { Instant } from '../time/instant.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import { dayAt, instantAt, type Weekday, weekdayOf } from './day.ts'

/** The longest window that recurs. */
export const LONGEST_WINDOW_MS = 31 * 86_400_000

/** Windows of one kind that may follow each other before one asks when they end. */
const CHAIN_MAX = 1_000

export type WindowPlan =
  /** Opens at each slot of a cron expression, for a while. */
  | {
      readonly kind: 'cron'
      readonly name: string
      readonly cron: string
      readonly timezone: string
      readonly durationMs: number
    }
  /** Minutes of the day; where `untilMinute` is not after `fromMinute`, it closes on the next day. */
  | {
      readonly kind: 'weekly'
      readonly name: string
      readonly weekdays: readonly Weekday[]
      readonly fromMinute: number
      readonly untilMinute: number
      readonly timezone: string
    }
  | {
      readonly kind: 'once'
      readonly name: string
      readonly from: Instant
      readonly to: Instant
      /** The iCalendar file that it comes from. */
      readonly file?: string
    }

/** A window that is open at an instant. */
export interface OpenWindow {
  readonly name: string
  readonly from: Instant
  /** The first instant at which it is closed again. */
  readonly to: Instant
}

export interface CompiledWindow {
  at(instant: Instant): OpenWindow | undefined
}

/** The window that is open at an instant; of several, the one that closes last. */
export function windowAt(
  calendar: { readonly windows: readonly CompiledWindow[] },
  instant: Instant,
): OpenWindow | undefined {
  let found: OpenWindow | undefined
  for (const window of calendar.windows) {
    const open = window.at(instant)
    if (open !== undefined && (found === undefined || open.to > found.to)) found = open
  }
  return found
}

/** The first instant, `from` or later, that is in no window; undefined if windows follow each other without end. */
export function firstClearInstant(
  calendar: { readonly windows: readonly CompiledWindow[] },
  from: Instant,
): Instant | undefined {
  let instant = from
  for (let links = 0; links < CHAIN_MAX; links++) {
    const open = windowAt(calendar, instant)
    if (open === undefined) return instant
    instant = open.to
  }
  return undefined
}

/** Makes windows of plans; those that happen once are looked up together. */
export function compileWindows(plans: readonly WindowPlan[]): CompiledWindow[] {
  const windows: CompiledWindow[] = []
  const once: OpenWindow[] = []
  for (const plan of plans) {
    if (plan.kind === 'cron') windows.push(new CronWindow(plan))
    else if (plan.kind === 'weekly') windows.push(new WeeklyWindow(plan))
    else once.push(plan)
  }
  if (once.length > 0) windows.push(new OnceWindows(once))
  return windows
}

class CronWindow implements CompiledWindow {
  readonly #name: string
  readonly #slots: CronSchedule
  readonly #durationMs: number

  constructor({ name, cron, timezone, durationMs }: Extract<WindowPlan, { kind: 'cron' }>) {
    this.#name = name
    this.#slots = compileCron(cron, timezone)
    this.#durationMs = durationMs
  }

  at(instant: Instant): OpenWindow | undefined {
    // The first slot that is still open: those of one expression all last equally long.
    const from = this.#slots.next(instant - this.#durationMs)
    if (from === undefined || from > instant) return undefined
    return { name: this.#name, from, to: from + this.#durationMs }
  }
}

class WeeklyWindow implements CompiledWindow {
  readonly #name: string
  readonly #mask: number
  readonly #fromMinute: number
  readonly #untilMinute: number
  readonly #zone: Zone

  constructor({
    name,
    weekdays,
    fromMinute,
    untilMinute,
    timezone,
  }: Extract<WindowPlan, { kind: 'weekly' }>) {
    this.#name = name
    this.#mask = weekdays.reduce<number>((mask, weekday) => mask | (1 << weekday), 0)
    this.#fromMinute = fromMinute
    this.#untilMinute = untilMinute
    this.#zone = zoneOf(timezone)
  }

  at(instant: Instant): OpenWindow | undefined {
    const zone = this.#zone
    const today = dayAt(instant, zone)
    // Where midnight is repeated, the wall clock can go back to the day before.
    for (const day of [today + 1, today, today - 1]) {
      if (((this.#mask >> weekdayOf(day)) & 1) === 0) continue
      const lastDay = this.#untilMinute > this.#fromMinute ? day : day + 1
      const from = instantAt(day, this.#fromMinute, zone, 'first')
      const to = instantAt(lastDay, this.#untilMinute, zone, 'second')
      if (from <= instant && instant < to) return { name: this.#name, from, to }
    }
    return undefined
  }
}

class OnceWindows implements CompiledWindow {
  /** By start. */
  readonly #spans: readonly OpenWindow[]
  /** The last end of the spans up to each: before it, a search backwards may stop. */
  readonly #lastEnds: readonly Instant[]

  constructor(spans: readonly OpenWindow[]) {
    this.#spans = spans.toSorted((a, b) => a.from - b.from)
    let last = Number.NEGATIVE_INFINITY
    this.#lastEnds = this.#spans.map(({ to }) => {
      last = Math.max(last, to)
      return last
    })
  }

  at(instant: Instant): OpenWindow | undefined {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#spans[middle]!.from <= instant) low = middle + 1
      else high = middle
    }
    let found: OpenWindow | undefined
    for (let index = low - 1; index >= 0 && this.#lastEnds[index]! > instant; index--) {
      const { name, from, to } = this.#spans[index]!
      if (to > instant && (found === undefined || to > found.to)) found = { name, from, to }
    }
    return found
  }
}
