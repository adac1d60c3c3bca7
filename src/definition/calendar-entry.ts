// What the entries of a calendar file have in common: dates that must exist, zones that must be known, keys that go
// together.

import { FIRST_YEAR, LAST_YEAR, lengthOfMonth, parseDay } from '../core/calendar/day.ts'
import { DagbokError } from '../core/error.ts'
import { zoneOf } from '../core/time/zone.ts'
import { DATE_PATTERN } from './calendar-schema.ts'
import { type ProblemList, sayHint } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** Where what is wrong is written down. */
export interface EntryCheck {
  readonly tree: YamlTree
  readonly problems: ProblemList
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

/** The day of a text that has the form of a date; undefined, and a problem, if there is no such day. */
export function readDay(text: unknown, path: Path, { tree, problems }: EntryCheck): number | undefined {
  if (typeof text !== 'string' || !DATE_PATTERN.test(text)) return undefined
  const [year, month] = text.split('-').map(Number) as [number, number]
  const day = parseDay(text)
  if (day === undefined)
    problems.add(tree.locate(path), `expected a date that exists, got "${text}"`, {
      help: explainDate(year, month),
    })
  else if (year < FIRST_YEAR || year > LAST_YEAR) {
    problems.add(tree.locate(path), `expected a date from ${FIRST_YEAR} to ${LAST_YEAR}, got "${text}"`, {
      help: 'correct the year',
    })
    return undefined
  }
  return day
}

/** A month and day, `12-25`, must exist in some year. */
export function checkMonthDay(text: unknown, path: Path, { tree, problems }: EntryCheck): void {
  if (typeof text !== 'string' || !/^\d{2}-\d{2}$/.test(text)) return
  const [month, day] = text.split('-').map(Number) as [number, number]
  if (month >= 1 && month <= 12 && day >= 1 && day <= lengthOfMonth(2000, month)) return
  const swapped = day >= 1 && day <= 12 && month > 12 ? `: 25 December is 12-25` : ''
  problems.add(tree.locate(path), `expected a day of the year that exists, got "${text}"`, {
    help: `${explainDate(2000, month).replace(' 2000', '')}${swapped}`,
  })
}

/** The zone must be known; a value of a wrong type is the schema's to tell of. */
export function checkZone(timezone: unknown, path: Path, { tree, problems }: EntryCheck): boolean {
  if (typeof timezone !== 'string' || timezone === '') return false
  try {
    zoneOf(timezone)
    return true
  } catch (error) {
    const hint = error instanceof DagbokError ? error.hint : undefined
    problems.add(tree.locate(path), error instanceof Error ? error.message : String(error), sayHint(hint))
    return false
  }
}

/** Keys that say nothing beside `kind`: one problem for each of them that is there. */
export function refuseKeys(
  entry: object,
  keys: readonly string[],
  kind: string,
  remedy: string,
  path: Path,
  { tree, problems }: EntryCheck,
): void {
  for (const key of keys)
    if (Object.hasOwn(entry, key))
      problems.add(tree.locateKey(path, key), `"${key}" says nothing beside "${kind}"`, { help: remedy })
}

function explainDate(year: number, month: number): string {
  const name = MONTHS[month - 1]
  if (name === undefined) return 'months are 01 to 12, and stand before the day'
  return `${name} ${year} has ${lengthOfMonth(year, month)} days`
}
