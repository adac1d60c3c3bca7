// One file of schedules: text → schedules whose DAG is still a name or a path, and what is wrong with the file.
// Looks at nothing but this file; definition/link.ts puts files together.
//
//   S1. Every problem of the file is found in one go: an entry with a wrong field still has its other fields checked.
//   S2. An entry becomes a schedule only if nothing about it is wrong.

import { setImmediate } from 'node:timers/promises'
import type { z } from 'zod'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { TimingRoll } from '../core/schedule/roll.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import { compileTiming } from '../core/schedule/timing.ts'
import { parseDuration } from '../core/time/duration.ts'
import { type AskedSchedule, checkConditions, conditionPolicyOf } from './condition-check.ts'
import { conditionOf } from './condition-schema.ts'
import { checkLength } from './duration-text.ts'
import { ProblemList } from './problem.ts'
import { SCHEDULE_WORDS, ScheduleEntry, ScheduleFile } from './schedule-schema.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText, Span } from './source-text.ts'
import { checkTiming, timingOf } from './timing-entry.ts'
import { type Path, readYaml, type YamlTree } from './yaml-tree.ts'

export type AuthoredRoll = Pick<TimingRoll, 'convention' | 'calendar'>

/** An entry whose DAG and calendars have not been looked up. */
export interface LooseSchedule {
  /** Undefined if anything else about the entry is wrong: its id counts as taken, its DAG is looked up all the same. */
  readonly schedule: Omit<Schedule, 'dagName' | 'tenantId'> | undefined
  readonly id: string | undefined
  readonly idPlace: Span
  /** As written: a path or a name. */
  readonly dag: string | undefined
  readonly dagPlace: Span
  readonly tenantId: string | undefined
  readonly conditionsPlace: Span
  /** Schedules whose last run a condition asks for. */
  readonly askedSchedules: readonly AskedSchedule[]
  readonly poolPlace: Span
  readonly weightPlace: Span
  /** As written: link.ts looks the calendar up. */
  readonly roll: AuthoredRoll | undefined
  readonly rollPlace: Span
}

export interface CheckedScheduleFile {
  readonly source: SourceText
  readonly schedules: readonly LooseSchedule[]
  readonly problems: ProblemList
}

/** Entries checked before others get a turn: about 10 ms. */
const ENTRIES_PER_TURN = 250

const EMPTY = 'the file is empty: expected a list of schedules'
const KEEP_EMPTY =
  'delete the file, or leave a comment or [] in it: a file that is being saved can look empty for a moment'

/** Checks one file. Never throws for what the text says. */
export async function checkScheduleFile(source: SourceText): Promise<CheckedScheduleFile> {
  const problems = new ProblemList(source)
  const schedules: LooseSchedule[] = []
  const file = { source, schedules, problems }
  if (refuseNothing(source, problems)) return file
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0) problems.add({ start: 0, end: 0 }, EMPTY, { help: KEEP_EMPTY })
    return file
  }
  const { value } = tree
  if (!Array.isArray(value)) {
    addSchemaProblems(ScheduleFile, SCHEDULE_WORDS, tree, problems)
    return file
  }
  addSchemaProblems(ScheduleFile, SCHEDULE_WORDS, tree, problems)
  for (const [index, entry] of value.entries()) {
    if (index % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await setImmediate()
    if (isJsonObject(entry)) schedules.push(checkScheduleEntry(entry, [index], tree, problems))
  }
  return file
}

/** Checks one entry, whichever file it stands in. What the schema sees is not looked at here. */
export function checkScheduleEntry(
  entry: JsonObject,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): LooseSchedule {
  const before = problems.errorCount
  // Once a hundred problems are listed nothing of the file can be used, and looking for more only takes time.
  const isHopeless = problems.isFull && before > 0
  const askedSchedules = isHopeless ? [] : checkMeaning(entry, path, tree, problems)
  const isRight = !isHopeless && problems.errorCount === before
  const parsed = isRight ? ScheduleEntry.safeParse(entry) : undefined
  return {
    schedule: parsed?.success ? compileSchedule(parsed.data) : undefined,
    id: typeof entry['id'] === 'string' ? entry['id'] : undefined,
    idPlace: tree.locate([...path, 'id']),
    dag: typeof entry['dag'] === 'string' && entry['dag'] !== '' ? entry['dag'] : undefined,
    dagPlace: tree.locate([...path, 'dag']),
    tenantId: parsed?.data?.tenant,
    conditionsPlace: tree.locate([...path, 'conditions']),
    askedSchedules,
    poolPlace: tree.locate([...path, 'pool', ...(isJsonObject(entry['pool']) ? ['name'] : [])]),
    weightPlace: tree.locate([...path, 'pool', 'weight']),
    roll: parsed?.data?.roll,
    rollPlace: tree.locate([...path, 'roll', 'calendar']),
  }
}

/** True if there is nothing in the file: an error without a byte of meaning, a warning where a comment says so. */
function refuseNothing(source: SourceText, problems: ProblemList): boolean {
  if (source.text.trim() === '') {
    problems.add({ start: 0, end: 0 }, EMPTY, { help: KEEP_EMPTY })
    return true
  }
  if (source.text.split('\n').some(line => !/^[ \t\r]*(?:#|$)/.test(line))) return false
  problems.add({ start: 0, end: 0 }, 'the file holds only comments: no schedules', {
    severity: 'warning',
    help: 'delete the file if it is no longer needed',
  })
  return true
}

/** What the schema cannot see. Fields of a wrong type are skipped. */
function checkMeaning(entry: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): AskedSchedule[] {
  checkTiming(entry, path, tree, problems)
  for (const key of ['catchup_window', 'starting_deadline', 'jitter']) {
    checkLength(entry[key], [...path, key], tree, problems)
  }
  return checkConditions(entry, path, tree, problems)
}

function compileSchedule(entry: z.output<typeof ScheduleEntry>): NonNullable<LooseSchedule['schedule']> {
  const timing = timingOf(entry)
  const conditions = entry.conditions?.map(conditionOf)
  return {
    id: entry.id,
    timing,
    slots: compileTiming(timing, entry.id),
    enabled: entry.enabled,
    catchup: entry.catchup,
    catchupWindowMs: parseDuration(entry.catchup_window),
    maxCatchup: entry.max_catchup,
    overlap: entry.overlap,
    startingDeadlineMs: optionalDuration(entry.starting_deadline),
    jitterMs: optionalDuration(entry.jitter),
    ...poolOf(entry),
    priority: entry.priority,
    conditions,
    conditionPolicy: conditionPolicyOf(conditions, entry),
  }
}

function poolOf({ pool }: z.output<typeof ScheduleEntry>): { pool: string | undefined; weight: number } {
  return typeof pool === 'object' ? { pool: pool.name, weight: pool.weight } : { pool, weight: 1 }
}

function optionalDuration(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text)
}
