// When a schedule is due, as authored: `cron every at timezone dialect dst start_at end_at roll` → a timing, and what is wrong.
//
//   1. Local times become instants here, once; the timing holds UTC.
//   2. The calendar of a roll is another file's: definition/roll-links.ts.
//   3. `cron`, `every` and `at` add up; that there is one of them is the schema's to say.

import type { z } from 'zod'
import { compileCron, compileOnWall, findZoneInText } from '../core/cron/compile.ts'
import { CronError } from '../core/cron/cron-error.ts'
import type { CronOptions } from '../core/cron/parse.ts'
import { listCronWarnings } from '../core/cron/warnings.ts'
import { DagbokError } from '../core/error.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Timing } from '../core/schedule/timing.ts'
import { parseDuration } from '../core/time/duration.ts'
import { DAY_MS, formatSlot, type Instant, SECOND_MS } from '../core/time/instant.ts'
import { readInstant } from '../core/time/read-instant.ts'
import { type Zone, zoneOf } from '../core/time/zone.ts'
import { checkDuration, checkLength, DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import { type ProblemList, sayHint } from './problem.ts'
import { SCHEDULE_DEFAULTS, type ScheduleEntry } from './schedule-schema.ts'
import type { Span } from './source-text.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** Times of a day that are rolled: more become a heap on the next business day, which is rarely meant. */
const ROLLED_A_DAY_MAX = 24

/** The timing of an entry in which nothing is wrong. */
export function timingOf(entry: z.output<typeof ScheduleEntry>): Timing {
  const crons = entry.cron === undefined ? [] : listOf(entry.cron)
  // A text that brings its own zone (Snowflake's) is the zone of the schedule, where it is the only one.
  const timezone =
    crons.length === 1 ? compileCron(crons[0]!, entry.timezone, cronOptions(entry)).timezone : entry.timezone
  const zone = zoneOf(timezone)
  const instant = (text: string) => formatSlot(readInstant(text, zone))
  const at = entry.at === undefined ? undefined : listOf(entry.at).map(text => readInstant(text, zone))
  return {
    crons,
    every: entry.every,
    at: at === undefined ? undefined : [...new Set(at)].sort((a, b) => a - b).map(formatSlot),
    timezone,
    dialect: entry.dialect,
    dst: entry.dst,
    startAt: entry.start_at === undefined ? undefined : instant(entry.start_at),
    endAt: entry.end_at === undefined ? undefined : instant(entry.end_at),
  }
}

function listOf<T>(value: T | readonly T[]): T[] {
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T]
}

/** Adds what is wrong with the meaning of the fields. Those of a wrong form are the schema's to tell of. */
export function checkTiming(entry: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  const zone = checkZone(entry['timezone'], [...path, 'timezone'], tree, problems)
  for (const [text, place] of textsAt(entry['cron'], [...path, 'cron'])) {
    checkCron(text, entry, zone, place, tree, problems)
  }
  checkRoll(entry, path, tree, problems)
  checkEvery(entry['every'], [...path, 'every'], tree, problems)
  for (const [text, place] of textsAt(entry['at'], [...path, 'at'])) {
    checkInstant(text, zone, place, tree, problems)
  }
  const [start, end] = ['start_at', 'end_at'].map(key => {
    const text = entry[key]
    return typeof text === 'string' && text !== ''
      ? checkInstant(text, zone, [...path, key], tree, problems)
      : undefined
  })
  if (start !== undefined && end !== undefined && end < start) {
    problems.add(tree.locate([...path, 'end_at']), 'end_at is before start_at: no slot is ever due', {
      help: 'swap them, or remove one',
    })
  }
}

/** A roll moves times of a day: what has none cannot have one. */
function checkRoll(entry: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (entry['roll'] === undefined) return
  for (const key of ['every', 'at'])
    if (entry[key] !== undefined)
      problems.add(tree.locate([...path, key]), `roll moves times of cron: "${key}" cannot stand beside it`, {
        help: 'make it a schedule of its own',
      })
  for (const [cron, place] of textsAt(entry['cron'], [...path, 'cron'])) {
    const count = countOfDay(cron, cronOptions(entry))
    if (count === 'period')
      problems.add(tree.locate(place), 'roll moves times of a day: a period has none', {
        help: 'write five fields, such as "0 6 * * *"',
      })
    else if (count > ROLLED_A_DAY_MAX)
      problems.add(
        tree.locate(place),
        `more than ${ROLLED_A_DAY_MAX} times a day are rolled to one business day`,
        {
          severity: 'warning',
          code: 'crowded_roll',
          help: 'a condition leaves other days out: conditions: [{ calendar: … }]',
        },
      )
  }
}

/** The times of the first day that has any, counted up to one more than may be. What is wrong is told elsewhere. */
function countOfDay(cron: string, options: CronOptions): number | 'period' {
  let wall: ReturnType<typeof compileOnWall>
  try {
    wall = compileOnWall(cron, options)
  } catch {
    return 0
  }
  if (wall === undefined) return 'period'
  let count = 0
  const first = wall.next(0)
  const end = Math.floor((first ?? 0) / DAY_MS + 1) * DAY_MS
  for (let at = first; at !== undefined && at < end && count <= ROLLED_A_DAY_MAX; at = wall.next(at))
    count += 1
  return count
}

/** The text of a field, or the texts of its list, with their places. */
function* textsAt(value: Json | undefined, path: Path): Generator<[text: string, place: Path]> {
  if (typeof value === 'string' && value !== '') yield [value, path]
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      if (typeof item === 'string' && item !== '') yield [item, [...path, index]]
  }
}

/** The zone, or UTC to go on with where it is wrong. */
function checkZone(value: Json | undefined, path: Path, tree: YamlTree, problems: ProblemList): Zone {
  const name = value ?? SCHEDULE_DEFAULTS.timezone
  if (typeof name === 'string' && name !== '') {
    try {
      return zoneOf(name)
    } catch (error) {
      addThrown(error, tree.locate(path), problems)
    }
  }
  return zoneOf('UTC')
}

function checkCron(
  cron: string,
  entry: JsonObject,
  zone: Zone,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): void {
  const placeOf = ({ position, length }: { position: number; length: number }): Span => {
    const offset = tree.textOffset(path)
    if (offset === undefined) return tree.locate(path)
    return { start: offset + position, end: offset + position + Math.max(1, length) }
  }
  const options = cronOptions(entry)
  try {
    // A zone that is written is one that is meant, UTC too: a text with its own (Snowflake's) may not say another.
    if (entry['timezone'] !== undefined) findZoneInText(cron, zone.name)
    compileCron(cron, zone.name, options)
    for (const warning of listCronWarnings(cron, options))
      problems.add(placeOf(warning), warning.message, {
        ...sayHint(warning.hint),
        severity: 'warning',
        code: warning.code,
      })
  } catch (error) {
    if (!(error instanceof CronError)) {
      addThrown(error, tree.locate(path), problems)
      return
    }
    const what = error.message.split(' (column ')[0]!
    const expected = what.includes(error.expected) ? '' : `: expected ${error.expected}, got "${error.got}"`
    problems.add(placeOf(error), what + expected, sayHint(error.hint))
  }
}

function cronOptions({ id, dialect, dst }: { id?: unknown; dialect?: unknown; dst?: unknown }): CronOptions {
  return {
    dialect: dialect === 'quartz' ? dialect : 'unix',
    dst: dst === 'skip' || dst === 'both' ? dst : 'cron',
    hashSeed: typeof id === 'string' ? id : '',
  }
}

function checkEvery(every: Json | undefined, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (typeof every !== 'string' || !DURATION_PATTERN.test(every)) return
  checkLength(every, path, tree, problems)
  if (checkDuration(every) !== undefined) return
  const ms = parseDuration(every)
  if (ms >= SECOND_MS && ms % SECOND_MS === 0) return
  problems.add(tree.locate(path), `expected ${DURATION_WORDS}, of whole seconds, got "${every}"`, {
    help: 'a slot is exact to the second: write 1s or more',
  })
}

function checkInstant(
  text: string,
  zone: Zone,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): Instant | undefined {
  try {
    return readInstant(text, zone)
  } catch (error) {
    addThrown(error, tree.locate(path), problems)
    return undefined
  }
}

function addThrown(error: unknown, place: Span, problems: ProblemList): void {
  const hint = error instanceof DagbokError ? error.hint : undefined
  problems.add(place, error instanceof Error ? error.message : String(error), sayHint(hint))
}
