// The references between calendars: names that must be unique, calendars that others include, iCalendar files. Pure in
// what it is given; definition/load-definitions.ts gathers that.

import { posix } from 'node:path'
import {
  type Calendar,
  type CalendarPlan,
  compileCalendars,
  type NamedSpan,
} from '../core/calendar/calendar.ts'
import type { WindowPlan } from '../core/calendar/window.ts'
import type { Json } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import type { CheckedCalendarFile, LoosePlan } from './calendar-file.ts'
import type { CheckedIcsFile } from './ics-file.ts'
import { FirstPlaces } from './link.ts'
import { hashOf } from './normal-form.ts'
import { ProblemList } from './problem.ts'
import { listNames, shortenPath } from './task-list.ts'

/** Includes of includes: more is a slip, and each takes a step of the stack. */
const MAX_DEPTH = 20
/** Calendars in whose includes circles are looked for at once. */
const MAX_SUSPECTS = 100

export interface CalendarInputs {
  readonly calendarFiles: readonly CheckedCalendarFile[]
  /** True if a calendar file could not be read: then nothing is called unknown. */
  readonly someIsUnreadable: boolean
  /** Every iCalendar file that there is, as people see it; `undefined`: it cannot be read, which is told elsewhere. */
  readonly icsFiles: ReadonlyMap<string, CheckedIcsFile | undefined>
}

/** The path of an iCalendar file, as people see it, from that of the calendar that names it. */
export function icsPath(calendarFile: string, named: string): string {
  return posix.join(posix.dirname(calendarFile), named)
}

/** The calendars that the files make, and what is wrong between them. Without errors every calendar is there. */
export function linkCalendars({ calendarFiles, someIsUnreadable, icsFiles }: CalendarInputs): {
  calendars: ReadonlyMap<string, Calendar>
  problems: DefinitionProblem[]
} {
  const byName = new Map<string, CheckedCalendarFile>()
  const names = new FirstPlaces('calendar name')
  const lists = calendarFiles.map(file => {
    const problems = new ProblemList(file.source)
    if (file.name !== undefined) {
      names.take(file.name, file.namePlace, problems)
      if (!byName.has(file.name)) byName.set(file.name, file)
    }
    return { file, problems }
  })
  const namesAreKnown = !someIsUnreadable && calendarFiles.every(file => file.name !== undefined)
  for (const { file, problems } of lists) {
    for (const { name, place } of file.includes)
      if (!byName.has(name) && namesAreKnown)
        problems.add(place, `unknown calendar "${name}"`, {
          help: () => suggest(name, [...byName.keys()], 'calendars'),
        })
    for (const { name, place } of file.icsFiles)
      if (!icsFiles.has(icsPath(file.source.file, name)))
        problems.add(place, `unknown iCalendar file "${name}": it is not in the folder of calendars`, {
          help: () => suggestPath(file.source.file, name, [...icsFiles.keys()]),
        })
  }
  const { behindCircles, tooDeep } = walkIncludes(byName)
  // Each circle is told in one file, and the first ones mended show the next.
  const suspects = lists.filter(({ file }) => file.name !== undefined && behindCircles.has(file.name))
  for (const { file, problems } of suspects.slice(0, MAX_SUSPECTS))
    for (const circle of findCircles(file, byName)) problems.add(circle.place, circle.message, circle)
  for (const { file, problems } of lists)
    if (file.name !== undefined && tooDeep.has(file.name))
      problems.add(file.includes[0]!.place, `calendars include each other more than ${MAX_DEPTH} deep`, {
        help: 'include the ones at the end of the chain directly',
      })
  const problems = lists.flatMap(list => list.problems.finish())
  const isSound =
    !someIsUnreadable && problems.length === 0 && calendarFiles.every(file => file.plan !== undefined)
  return { calendars: isSound ? compile([...byName.values()], icsFiles) : new Map(), problems }
}

/** Goes from calendars without includes upwards, as far as circles let it. */
function walkIncludes(byName: ReadonlyMap<string, CheckedCalendarFile>): {
  behindCircles: ReadonlySet<string>
  tooDeep: ReadonlySet<string>
} {
  const includedBy = new Map<string, string[]>()
  const waitsFor = new Map<string, number>()
  for (const [name, { includes }] of byName) {
    const known = new Set(includes.map(each => each.name).filter(each => byName.has(each)))
    waitsFor.set(name, known.size)
    for (const each of known) {
      const above = includedBy.get(each)
      if (above === undefined) includedBy.set(each, [name])
      else above.push(name)
    }
  }
  const depths = new Map<string, number>()
  const ready = [...waitsFor].flatMap(([name, count]) => (count === 0 ? [name] : []))
  for (const name of ready) {
    const depth = depths.get(name) ?? 0
    for (const above of includedBy.get(name) ?? []) {
      depths.set(above, Math.max(depths.get(above) ?? 0, depth + 1))
      waitsFor.set(above, waitsFor.get(above)! - 1)
      if (waitsFor.get(above) === 0) ready.push(above)
    }
  }
  const done = new Set(ready)
  return {
    behindCircles: new Set([...byName.keys()].filter(name => !done.has(name))),
    tooDeep: new Set(ready.filter(name => depths.get(name) === MAX_DEPTH + 1)),
  }
}

/** The circles that begin with an include of this file; each is told once, in the file with the smallest name. */
function findCircles(file: CheckedCalendarFile, byName: ReadonlyMap<string, CheckedCalendarFile>) {
  const { name: start } = file
  if (start === undefined || byName.get(start) !== file) return []
  return file.includes.flatMap(({ name, place }) => {
    const way = findWay(name, start, byName)
    if (way === undefined || way.some(step => step < start)) return []
    const path = shortenPath([start, ...way]).join(' → ')
    const help =
      way.length === 1 ? 'remove it: a calendar holds itself anyway' : 'remove one of these from include'
    return [{ place, message: `calendars include each other in a circle: ${path}`, help }]
  })
}

/** The shortest way along includes from one calendar to another, both named. */
function findWay(
  from: string,
  to: string,
  byName: ReadonlyMap<string, CheckedCalendarFile>,
): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const name of cameFrom.keys()) {
    if (name === to) {
      const way = [name]
      for (let step = cameFrom.get(name); step !== undefined; step = cameFrom.get(step)) way.unshift(step)
      return way
    }
    for (const next of byName.get(name)?.includes ?? [])
      if (!cameFrom.has(next.name)) cameFrom.set(next.name, name)
  }
  return undefined
}

function compile(
  files: readonly CheckedCalendarFile[],
  icsFiles: ReadonlyMap<string, CheckedIcsFile | undefined>,
): ReadonlyMap<string, Calendar> {
  const loose = new Map(files.map(file => [file.name!, withIcs(file, icsFiles)]))
  const plans = new Map<string, CalendarPlan>()
  const finish = (plan: LoosePlan): CalendarPlan => {
    let finished = plans.get(plan.name)
    if (finished === undefined) {
      const { description: _, ...meaning } = plan
      const included = plan.include.map(name => finish(loose.get(name)!).hash)
      finished = { ...plan, hash: hashOf({ ...meaning, included } as unknown as Json) }
      plans.set(plan.name, finished)
    }
    return finished
  }
  return compileCalendars([...loose.values()].map(finish))
}

/** The plan with what its iCalendar files say: days are holidays, times are windows. */
function withIcs(
  { plan, source, icsFiles: named }: CheckedCalendarFile,
  icsFiles: ReadonlyMap<string, CheckedIcsFile | undefined>,
): LoosePlan {
  if (named.length === 0) return plan!
  const dates: NamedSpan[] = [...plan!.dates]
  const windows: WindowPlan[] = [...plan!.windows]
  for (const { name: path } of named) {
    const file = icsPath(source.file, path)
    const { days = [], times = [] } = icsFiles.get(file) ?? {}
    for (const { from, to, name } of days) dates.push({ from, to, name, file: path })
    for (const { name, from, to } of times)
      windows.push({
        kind: 'once',
        name,
        from: from(plan!.timezone),
        to: to(plan!.timezone),
        file: path,
      })
  }
  return { ...plan!, dates, windows }
}

function suggest(name: string, known: readonly string[], noun: string): string {
  const near = findNearest(name, known.slice(0, 2_000))
  if (near !== undefined) return `did you mean "${near}"?`
  return `known ${noun}: ${listNames(known)}`
}

function suggestPath(calendarFile: string, named: string, known: readonly string[]): string {
  const folder = posix.dirname(calendarFile)
  const paths = known.map(file => posix.relative(folder, file))
  const near = findNearest(named, paths.slice(0, 2_000))
  if (near !== undefined) return `did you mean "${near}"?`
  return paths.length === 0
    ? `put ${posix.basename(named)} beside this file`
    : `there are: ${listNames(paths)}`
}
