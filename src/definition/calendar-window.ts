// A window of a calendar file: one that a cron expression opens, one between two times of the day, or one that happens
// once. Its check, and its normal form.

import type { z } from 'zod'
import { type Day, instantAt, parseDay, WEEKDAY_NAMES, type Weekday } from '../core/calendar/day.ts'
import { LONGEST_WINDOW_MS, type WindowPlan } from '../core/calendar/window.ts'
import { compileCron } from '../core/cron/compile.ts'
import { CronError } from '../core/cron/cron-error.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { LONGEST_DURATION_MS, parseDuration } from '../core/time/duration.ts'
import type { Instant } from '../core/time/instant.ts'
import { zoneOf } from '../core/time/zone.ts'
import { checkZone, type EntryCheck, readDay, refuseKeys } from './calendar-entry.ts'
import type { CalendarFile } from './calendar-schema.ts'
import { DURATION_PATTERN } from './duration-text.ts'
import { sayHint } from './problem.ts'
import type { Path } from './yaml-tree.ts'

type WindowEntry = z.output<typeof CalendarFile>['windows'][number]

const TIME_PATTERN = /^\d{2}:\d{2}$/
const DAY_MINUTES = 1_440

/** Adds what is wrong with a window beyond its form. `timezone` is that of the calendar. */
export function checkWindow(entry: unknown, path: Path, timezone: string, check: EntryCheck): void {
  if (!isJsonObject(entry)) return
  const { tree, problems } = check
  const zoneIsKnown =
    entry['timezone'] === undefined || checkZone(entry['timezone'], [...path, 'timezone'], check)
  if (Object.hasOwn(entry, 'cron')) {
    checkCronWindow(entry, path, zoneIsKnown, check)
    return
  }
  refuseKeys(entry, ['duration'], 'from', 'it goes with cron; from and to say how long', path, check)
  const { from, to } = entry
  if (from === undefined && to === undefined) {
    if (!Object.hasOwn(entry, 'weekdays'))
      problems.add(
        tree.locate(path),
        'missing key: a window has cron and duration, from and to, or weekdays',
        {
          help: 'for example {name: patches, cron: "0 22 * * SUN", duration: 4h}',
        },
      )
    return
  }
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? 'from' : 'to'
    problems.add(
      tree.locate(path),
      `missing key "${missing}" beside "${from === undefined ? 'to' : 'from'}"`,
      {
        help: `add ${missing}: "${missing === 'to' ? '04:00' : '22:00'}"`,
      },
    )
    return
  }
  if (typeof from !== 'string' || typeof to !== 'string') return
  if (TIME_PATTERN.test(from) && TIME_PATTERN.test(to)) checkTimes(from, to, path, check)
  else if (TIME_PATTERN.test(from) || TIME_PATTERN.test(to))
    problems.add(tree.locate([...path, 'to']), `expected two times or two dates, got "${from}" and "${to}"`, {
      help: 'for example from: "22:00" with to: "04:00"',
    })
  else checkMoments(entry, from, to, path, zoneIsKnown ? timezone : undefined, check)
}

function checkCronWindow(entry: JsonObject, path: Path, zoneIsKnown: boolean, check: EntryCheck): void {
  const { tree, problems } = check
  refuseKeys(entry, ['from', 'to', 'weekdays'], 'cron', 'put it into the cron expression', path, check)
  const { cron, duration } = entry
  if (duration === undefined)
    problems.add(tree.locate(path), 'missing key "duration" beside "cron"', { help: 'add duration: 4h' })
  if (typeof duration === 'string' && DURATION_PATTERN.test(duration)) {
    const durationMs = readDuration(duration)
    if (durationMs === 0 || durationMs > LONGEST_WINDOW_MS)
      problems.add(
        tree.locate([...path, 'duration']),
        `expected a duration of more than nothing and at most 31d, got "${duration}"`,
        { help: 'a longer window is one with from and to, or a range of dates' },
      )
  }
  if (typeof cron !== 'string' || cron === '') return
  const zone = typeof entry['timezone'] === 'string' && zoneIsKnown ? entry['timezone'] : 'UTC'
  try {
    compileCron(cron, zone)
  } catch (error) {
    if (!(error instanceof CronError)) throw error
    const offset = tree.textOffset([...path, 'cron'])
    const start = (offset ?? 0) + error.position
    const place =
      offset === undefined
        ? tree.locate([...path, 'cron'])
        : { start, end: start + Math.max(1, error.length) }
    problems.add(place, error.message.split(' (column ')[0]!, sayHint(error.hint))
  }
}

function checkTimes(from: string, to: string, path: Path, { tree, problems }: EntryCheck): void {
  for (const [key, text] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const minute = minuteOf(text)
    const last = key === 'to' ? DAY_MINUTES : DAY_MINUTES - 1
    if (minute > last || Number(text.slice(3)) > 59)
      problems.add(tree.locate([...path, key]), `expected a time of day, got "${text}"`, {
        help: key === 'to' ? '00:01 to 24:00' : '00:00 to 23:59',
      })
  }
  if (from === to)
    problems.add(tree.locate([...path, 'to']), `the window is empty: it closes at ${to}, when it opens`, {
      help: 'for a whole day write from: "00:00" and to: "24:00"',
    })
}

function checkMoments(
  entry: JsonObject,
  from: string,
  to: string,
  path: Path,
  timezone: string | undefined,
  check: EntryCheck,
): void {
  const { tree, problems } = check
  refuseKeys(entry, ['weekdays'], 'from', 'a window between two dates happens once', path, check)
  let exist = true
  for (const [key, text] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (readDay(text.slice(0, 10), [...path, key], check) === undefined) exist = false
    else if (text.length > 10 && (minuteOf(text.slice(11)) >= DAY_MINUTES || Number(text.slice(14)) > 59)) {
      exist = false
      problems.add(tree.locate([...path, key]), `expected a time of day, got "${text.slice(11)}"`, {
        help: '00:00 to 23:59',
      })
    }
  }
  if (!exist || timezone === undefined) return
  const zone = typeof entry['timezone'] === 'string' ? entry['timezone'] : timezone
  const start = momentOf(from, zone, 'first')
  const end = momentOf(to, zone, 'second')
  if (start === undefined || end === undefined) return
  if (end <= start)
    problems.add(tree.locate([...path, 'to']), `the window is empty: ${to} is not after ${from}`, {
      help: 'a date without a time is its midnight: the end is not included',
    })
  else if (end - start > LONGEST_DURATION_MS)
    problems.add(
      tree.locate([...path, 'to']),
      `expected a window of at most 100 years, got ${from} to ${to}`,
      {
        help: 'correct the year; a schedule that should never run is disabled',
      },
    )
}

/** The normal form of a window in which nothing is wrong. */
export function compileWindow(window: WindowEntry, calendarZone: string): WindowPlan {
  const { name, cron, duration, from, to } = window
  const timezone = window.timezone ?? calendarZone
  if (cron !== undefined) return { kind: 'cron', name, cron, timezone, durationMs: parseDuration(duration!) }
  if (from !== undefined && to !== undefined && !TIME_PATTERN.test(from))
    return {
      kind: 'once',
      name,
      from: momentOf(from, timezone, 'first')!,
      to: momentOf(to, timezone, 'second')!,
    }
  const weekdays = (window.weekdays ?? WEEKDAY_NAMES).map(day => WEEKDAY_NAMES.indexOf(day) as Weekday)
  return {
    kind: 'weekly',
    name,
    weekdays: [...new Set(weekdays)],
    fromMinute: minuteOf(from ?? '00:00'),
    untilMinute: minuteOf(to ?? '24:00'),
    timezone,
  }
}

/** The instant of `2026-12-20T18:00` or `2026-12-20` in a zone; undefined if the zone is unknown. */
function momentOf(text: string, timezone: string, pass: 'first' | 'second'): Instant | undefined {
  const day: Day = parseDay(text.slice(0, 10))!
  const minute = text.length > 10 ? minuteOf(text.slice(11)) : 0
  try {
    return instantAt(day, minute, zoneOf(timezone), pass)
  } catch {
    // The zone of the calendar is told of where it stands.
    return undefined
  }
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}

function readDuration(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
