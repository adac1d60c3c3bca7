// One calendar file: text → what the calendar says by itself, and what is wrong with the file. Which calendars and
// iCalendar files it names is only collected; definition/calendar-links.ts puts files together.
//
//   C1. Every problem of the file is found in one go; a calendar with any of them has no plan.
//   C2. What a date, a rule or a window is follows from its keys; keys of two kinds in one entry are a problem.

import type { z } from 'zod'
import type { CalendarPlan, NamedSpan } from '../core/calendar/calendar.ts'
import { parseDay, WEEKDAY_NAMES, type Weekday, type WeekdayName } from '../core/calendar/day.ts'
import type { DaySpan } from '../core/calendar/day-set.ts'
import {
  type HolidayRule,
  NEAREST_WEEKDAY,
  NEXT_MONDAY,
  type Observed,
  type RuleDay,
} from '../core/calendar/rule.ts'
import { isJsonObject } from '../core/json.ts'
import { checkZone, type EntryCheck, readDay } from './calendar-entry.ts'
import { checkRule } from './calendar-rule.ts'
import { CALENDAR_DEFAULTS, CalendarFile, type SpanEntry } from './calendar-schema.ts'
import { checkWindow, compileWindow } from './calendar-window.ts'
import { CALENDAR_WORDS } from './calendar-words.ts'
import { ProblemList } from './problem.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText, Span } from './source-text.ts'
import { type Path, readYaml, type YamlTree } from './yaml-tree.ts'

/** A calendar as its file alone tells it. */
export type LoosePlan = Omit<CalendarPlan, 'hash'>

export interface Reference {
  readonly name: string
  readonly place: Span
}

export interface CheckedCalendarFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. */
  readonly plan: LoosePlan | undefined
  /** The name, if it can be read, also of a calendar that has other problems. */
  readonly name: string | undefined
  readonly namePlace: Span
  readonly includes: readonly Reference[]
  /** iCalendar files, as paths relative to this file. */
  readonly icsFiles: readonly Reference[]
}

/** What a holiday without a name is called. */
const UNNAMED = 'holiday'

const LONGEST_SPAN_DAYS = 36_525

/** Checks one file. Never throws for what the text says. */
export async function checkCalendarFile(source: SourceText): Promise<CheckedCalendarFile> {
  const problems = new ProblemList(source)
  const start = { start: 0, end: 0 }
  const nothing = { source, problems, plan: undefined, name: undefined, namePlace: start }
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0)
      problems.add(start, 'the file is empty: expected a calendar (a mapping with name)', {
        help: 'write name: and what else there is to say, or delete the file',
      })
    return { ...nothing, includes: [], icsFiles: [] }
  }
  addSchemaProblems(CalendarFile, CALENDAR_WORDS, tree, problems)
  const { value } = tree
  if (!isJsonObject(value)) return { ...nothing, includes: [], icsFiles: [] }
  checkMeaning(value, tree, problems)
  const parsed = problems.errorCount === 0 ? CalendarFile.safeParse(value) : undefined
  const references = (key: string): Reference[] => {
    const list = value[key]
    if (!Array.isArray(list)) return []
    return list.flatMap((name, index) =>
      typeof name === 'string' && name !== '' ? [{ name, place: tree.locate([key, index]) }] : [],
    )
  }
  return {
    source,
    problems,
    plan: parsed?.success ? compileFile(parsed.data) : undefined,
    name: typeof value['name'] === 'string' ? value['name'] : undefined,
    namePlace: tree.locate(['name']),
    includes: references('include'),
    icsFiles: references('ics'),
  }
}

/** What the schema cannot see: which dates exist, what goes together. Parts of a wrong type are skipped. */
function checkMeaning(value: Record<string, unknown>, tree: YamlTree, problems: ProblemList): void {
  const check: EntryCheck = { tree, problems }
  checkZone(value['timezone'], ['timezone'], check)
  const each = (key: string, look: (entry: unknown, path: Path) => void) => {
    const list = value[key]
    if (!Array.isArray(list)) return
    // Once a hundred problems are listed nothing of the file can be used, and looking for more only takes time.
    for (const [index, entry] of list.entries()) if (!problems.isFull) look(entry, [key, index])
  }
  for (const key of ['dates', 'exclude', 'workdays'])
    each(key, (entry, path) => checkSpan(entry, path, check))
  each('rules', (entry, path) => checkRule(entry, path, check))
  const timezone = typeof value['timezone'] === 'string' ? value['timezone'] : CALENDAR_DEFAULTS.timezone
  each('windows', (entry, path) => checkWindow(entry, path, timezone, check))
}

function checkSpan(entry: unknown, path: Path, check: EntryCheck): void {
  const { tree, problems } = check
  if (typeof entry === 'string') {
    readDay(entry, path, check)
    return
  }
  if (!isJsonObject(entry)) return
  const has = (key: string) => Object.hasOwn(entry, key)
  if (has('date') && (has('from') || has('to')))
    problems.add(tree.locate(path), 'expected either date, or from and to, got both', {
      help: 'keep date for one day, from and to for several',
    })
  else if (!has('date') && !(has('from') && has('to')))
    problems.add(
      tree.locate(path),
      has('from') || has('to')
        ? `missing key "${has('from') ? 'to' : 'from'}": a range has a first and a last day`
        : 'missing key "date"',
      { help: has('from') || has('to') ? 'for one day write date' : 'add date: 2026-12-24' },
    )
  readDay(entry['date'], [...path, 'date'], check)
  const from = readDay(entry['from'], [...path, 'from'], check)
  const to = readDay(entry['to'], [...path, 'to'], check)
  if (from === undefined || to === undefined) return
  if (from > to)
    problems.add(
      tree.locate([...path, 'to']),
      `the range is empty: ${entry['to']} is before ${entry['from']}`,
      {
        help: 'swap from and to',
      },
    )
  else if (to - from + 1 > LONGEST_SPAN_DAYS)
    problems.add(
      tree.locate([...path, 'to']),
      `expected a range of at most 100 years (${LONGEST_SPAN_DAYS} days), got ${to - from + 1} days`,
      { help: 'a day that is never a business day belongs into weekend' },
    )
}

function compileFile(file: z.output<typeof CalendarFile>): LoosePlan {
  const named = (entry: SpanEntry): NamedSpan => ({
    ...compileSpan(entry),
    name: (typeof entry === 'string' ? undefined : entry.name) ?? UNNAMED,
  })
  return {
    name: file.name,
    ...(file.description === undefined ? {} : { description: file.description }),
    timezone: file.timezone,
    weekend: [...new Set(file.weekend.map(weekdayNamed))],
    include: [...new Set(file.include)],
    dates: file.dates.map(named),
    rules: file.rules.map(rule => compileRule(rule, file.observed)),
    exclude: file.exclude.map(compileSpan),
    workdays: file.workdays.map(compileSpan),
    windows: file.windows.map(window => compileWindow(window, file.timezone)),
  }
}

function compileSpan(entry: SpanEntry): DaySpan {
  if (typeof entry === 'string') return { from: parseDay(entry)!, to: parseDay(entry)! }
  const { date, from, to } = entry
  return { from: parseDay(date ?? from!)!, to: parseDay(date ?? to!)! }
}

type FileOutput = z.output<typeof CalendarFile>
type RuleEntry = FileOutput['rules'][number]

function compileRule(rule: RuleEntry, observed: FileOutput['observed']): HolidayRule {
  return {
    name: rule.name ?? UNNAMED,
    on: compileRuleDay(rule),
    observed: compileObserved(rule.observed ?? observed),
    fromYear: rule.from_year ?? Number.NEGATIVE_INFINITY,
    untilYear: rule.until_year ?? Number.POSITIVE_INFINITY,
  }
}

function compileRuleDay(rule: RuleEntry): RuleDay {
  if (rule.easter !== undefined)
    return { kind: 'easter', offset: rule.easter, orthodox: rule.orthodox === true }
  const weekday = rule.weekday === undefined ? 0 : weekdayNamed(rule.weekday)
  if (rule.nth !== undefined) return { kind: 'nth', nth: rule.nth, weekday, month: rule.month! }
  const [month, day] = (rule.day ?? rule.on_or_after ?? rule.on_or_before!).split('-').map(Number)
  if (rule.day !== undefined) return { kind: 'date', month: month!, day: day! }
  const direction = rule.on_or_after === undefined ? 'on_or_before' : 'on_or_after'
  return { kind: 'near', weekday, month: month!, day: day!, direction }
}

function compileObserved(observed: FileOutput['observed']): Observed | undefined {
  if (observed === 'none') return undefined
  if (observed === 'nearest_weekday') return NEAREST_WEEKDAY
  if (observed === 'next_monday') return NEXT_MONDAY
  return WEEKDAY_NAMES.map(name => {
    const target = observed[name]
    return target === undefined ? undefined : weekdayNamed(target)
  })
}

function weekdayNamed(name: WeekdayName): Weekday {
  return WEEKDAY_NAMES.indexOf(name) as Weekday
}
