// All files together → one consistent set, or everything that is wrong with them.
//
//   L1. Every file is checked, whatever is wrong with the others; then the references between them are.
//   L2. A file that cannot be read hides no problem of another one and invents none: a reference into it is not
//       called unknown.
//   L3. The result is new and never changed afterwards: a reload either replaces all of it or nothing.
//   L4. A file whose text is as before is not read as YAML again: a reload costs what changed.
//   L5. Files are checked one by one with turns for others between them.

import { setImmediate } from 'node:timers/promises'
import type { Dag } from '../core/dag/dag.ts'
import type { Channel } from '../core/notification/channel.ts'
import type { Pool } from '../core/schedule/pool.ts'
import type { DefinitionProblem, Definitions, LoadResult } from '../ports/definition-source.ts'
import { type CheckedCalendarFile, checkCalendarFile } from './calendar-file.ts'
import { icsPath, linkCalendars } from './calendar-links.ts'
import { type CheckedChannelFile, checkChannelFile } from './channel-file.ts'
import type { CheckedDagFile } from './checked-dag-file.ts'
import { checkDagFile } from './dag-file.ts'
import { type CheckedIcsFile, checkIcsFile } from './ics-file.ts'
import { forget, type InputFile, keptCheck, readSource, uniqueByKey } from './input-file.ts'
import { addWorkflowProblems, type DagTarget, isDagPath, linkDefinitions } from './link.ts'
import { joinVars } from './load-vars.ts'
import { addUnusedPools, type CheckedPoolFile, checkPoolFile } from './pool-file.ts'
import { ProblemList, sortProblems } from './problem.ts'
import { type CheckedScheduleFile, checkScheduleFile } from './schedule-file.ts'
import type { SourceText } from './source-text.ts'
import { DEFAULT_ENVIRONMENT, type Vars } from './vars.ts'
import { type CheckedVarsFile, checkVarsFile } from './vars-file.ts'

export type { InputFile }

/** What a schedule's `dag: some/path.yaml` leads to. */
export type DagLookup = InputFile | { readonly refused: string; readonly help: string }

export interface DefinitionInputs {
  readonly scheduleFiles: readonly InputFile[]
  readonly dagFiles: readonly InputFile[]
  readonly calendarFiles: readonly InputFile[]
  /** Every iCalendar file that a calendar may name; one that none names is not looked into. */
  readonly icsFiles: readonly InputFile[]
  /** The file of pools; empty if there is none. */
  readonly poolFiles: readonly InputFile[]
  /** The file of channels; empty if there is none. */
  readonly channelFiles?: readonly InputFile[]
  /** Default: there are none. */
  readonly vars?: VarsInputs
  /** Names of the workflows that exist: built-ins and files under workflows/. */
  readonly workflows: readonly string[]
  /** Problems that were found on the way to the files. */
  readonly problems: readonly DefinitionProblem[]
  /** Finds the DAG file at a path that a schedule names. */
  findDag(path: string): Promise<DagLookup>
  /** Told the name of each file before it is checked. */
  checking?(file: string): void
}

export interface VarsInputs {
  /** Whose values are laid over those of `default`. */
  readonly environment: string
  /** Where the files lie, as people see it. */
  readonly folder: string
  readonly files: readonly InputFile[]
}

/** What is kept from one load to the next. */
export class CheckedFiles {
  readonly schedules = new Map<string, CheckedScheduleFile>()
  readonly dags = new Map<string, CheckedDagFile>()
  readonly calendars = new Map<string, CheckedCalendarFile>()
  readonly icsFiles = new Map<string, CheckedIcsFile>()
  readonly pools = new Map<string, CheckedPoolFile>()
  readonly channels = new Map<string, CheckedChannelFile>()
  readonly vars = new Map<string, CheckedVarsFile>()
}

/** Longest stretch without a turn for others, milliseconds, as far as single files allow. */
const TURN_MS = 25

/**
 * Checks everything. Never throws for what files say.
 * @param kept  what an earlier load left; it is brought up to date
 */
export async function loadDefinitions(
  inputs: DefinitionInputs,
  kept = new CheckedFiles(),
): Promise<LoadResult> {
  const problems: DefinitionProblem[] = [...inputs.problems]
  const pause = makePause()

  const scheduleFiles: CheckedScheduleFile[] = []
  const seen = new Set<string>()
  for (const input of uniqueByKey(inputs.scheduleFiles)) {
    const source = readSource(input, problems)
    if (!source) continue
    seen.add(input.key)
    inputs.checking?.(input.file)
    const checked = keptCheck(kept.schedules.get(input.key), source) ?? (await checkScheduleFile(source))
    kept.schedules.set(input.key, checked)
    scheduleFiles.push(checked)
    await pause()
  }
  forget(kept.schedules, seen)

  const vars = await loadVars(inputs, kept, problems)
  const { targets, files } = await findTargets(scheduleFiles, inputs)
  const dagFiles: CheckedDagFile[] = []
  const dagByKey = new Map<string, CheckedDagFile>()
  const unreadable = new Set<string>()
  for (const input of uniqueByKey([...inputs.dagFiles, ...files])) {
    const source = readSource(input, problems)
    if (!source) {
      unreadable.add(input.key)
      continue
    }
    inputs.checking?.(input.file)
    const checked = keptDag(kept.dags.get(input.key), source, vars) ?? (await checkDagFile(source, vars))
    kept.dags.set(input.key, checked)
    dagByKey.set(input.key, checked)
    dagFiles.push(checked)
    await pause()
  }
  forget(kept.dags, new Set(dagByKey.keys()))

  const resolveTarget = (path: string): DagTarget => {
    const target = targets.get(path)
    if (target === undefined || 'refused' in target)
      return target ?? { refused: 'it was not looked for', help: '' }
    return { file: dagByKey.get(target.key) }
  }
  const beforeCalendars = problems.length
  const calendars = await loadCalendars(inputs, kept, problems, pause)
  const calendarsAreRight = problems.slice(beforeCalendars).every(({ severity }) => severity !== 'error')
  const pools = await loadNamed(inputs.poolFiles, inputs, kept.pools, problems, POOL_FILE)
  const channels = await loadNamed(inputs.channelFiles ?? [], inputs, kept.channels, problems, CHANNEL_FILE)
  if (pools !== undefined)
    addUnusedPools(
      kept.pools.values(),
      pools,
      [...scheduleFiles.flatMap(file => file.schedules), ...dagFiles.flatMap(file => file.schedule ?? [])],
      problems,
    )
  const linked = linkDefinitions({
    scheduleFiles,
    dagFiles,
    workflows: inputs.workflows,
    someDagIsUnreadable: unreadable.size > 0,
    calendars: calendarsAreRight ? calendars : undefined,
    pools,
    channels,
    resolveTarget,
  })
  problems.push(
    ...scheduleFiles.flatMap(file => file.problems.finish()),
    ...dagFiles.flatMap(file => file.problems.finish()),
    ...linked.problems,
  )
  const sorted = sortProblems(problems)
  if (sorted.some(problem => problem.severity === 'error')) return { ok: false, problems: sorted }
  return {
    ok: true,
    definitions: {
      ...linked.definitions,
      calendars,
      pools: pools ?? new Map(),
      channels: channels ?? new Map(),
    },
    warnings: sorted,
  }
}

/** Checks the calendars and the iCalendar files that they name. */
async function loadCalendars(
  inputs: DefinitionInputs,
  kept: CheckedFiles,
  problems: DefinitionProblem[],
  pause: () => Promise<void>,
): Promise<Definitions['calendars']> {
  const calendarFiles: CheckedCalendarFile[] = []
  const seen = new Set<string>()
  let someIsUnreadable = false
  for (const input of uniqueByKey(inputs.calendarFiles)) {
    const source = readSource(input, problems)
    if (!source) {
      someIsUnreadable = true
      continue
    }
    seen.add(input.key)
    inputs.checking?.(input.file)
    const checked = keptCheck(kept.calendars.get(input.key), source) ?? (await checkCalendarFile(source))
    kept.calendars.set(input.key, checked)
    calendarFiles.push(checked)
    await pause()
  }
  forget(kept.calendars, seen)

  const named = new Set(
    calendarFiles.flatMap(({ source, icsFiles }) => icsFiles.map(({ name }) => icsPath(source.file, name))),
  )
  const icsFiles = new Map<string, CheckedIcsFile | undefined>()
  const seenIcs = new Set<string>()
  for (const input of inputs.icsFiles) {
    icsFiles.set(input.file, undefined)
    const source = named.has(input.file) ? readSource(input, problems) : undefined
    if (!source) continue
    seenIcs.add(input.key)
    inputs.checking?.(input.file)
    const checked = keptCheck(kept.icsFiles.get(input.key), source) ?? (await checkIcsFile(source))
    kept.icsFiles.set(input.key, checked)
    icsFiles.set(input.file, checked)
    await pause()
  }
  forget(kept.icsFiles, seenIcs)

  for (const file of [...calendarFiles, ...icsFiles.values()])
    problems.push(...(file?.problems.finish() ?? []))
  const linked = linkCalendars({ calendarFiles, someIsUnreadable, icsFiles })
  problems.push(...linked.problems)
  return linked.calendars
}

/** Checks files of named things, one kind in each call; undefined if anything is wrong with them. */
async function loadNamed<
  Checked extends { readonly source: SourceText; readonly problems: ProblemList },
  Thing,
>(
  files: readonly InputFile[],
  { checking }: Pick<DefinitionInputs, 'checking'>,
  kept: Map<string, Checked>,
  problems: DefinitionProblem[],
  { check, list }: Reading<Checked, Thing>,
): Promise<ReadonlyMap<string, Thing> | undefined> {
  const things = new Map<string, Thing>()
  const seen = new Set<string>()
  let isRight = true
  for (const input of files) {
    const source = readSource(input, problems)
    if (!source) {
      isRight = false
      continue
    }
    seen.add(input.key)
    checking?.(input.file)
    const checked = keptCheck(kept.get(input.key), source) ?? (await check(source))
    kept.set(input.key, checked)
    problems.push(...checked.problems.finish())
    const entries = list(checked)
    if (entries === undefined) isRight = false
    for (const [name, thing] of entries ?? []) things.set(name, thing)
  }
  forget(kept, seen)
  return isRight ? things : undefined
}

/** How one file is checked, and what it names, undefined if anything is wrong with it. */
interface Reading<Checked, Thing> {
  check(source: SourceText): Promise<Checked>
  list(checked: Checked): [string, Thing][] | undefined
}

const POOL_FILE: Reading<CheckedPoolFile, Pool> = {
  check: checkPoolFile,
  list: ({ pools }) => pools?.map(({ name, pool }) => [name, pool]),
}
const CHANNEL_FILE: Reading<CheckedChannelFile, Channel> = {
  check: checkChannelFile,
  list: ({ channels }) => channels?.map(({ name, channel }) => [name, channel]),
}

/** Checks the vars: their problems are added, and what is known of them is given. */
async function loadVars(
  { vars: inputs, checking }: Pick<DefinitionInputs, 'vars' | 'checking'>,
  kept: CheckedFiles,
  problems: DefinitionProblem[],
): Promise<Vars> {
  const { environment = DEFAULT_ENVIRONMENT, folder = 'configs/vars', files = [] } = inputs ?? {}
  const checked: CheckedVarsFile[] = []
  let someIsUnreadable = false
  for (const input of uniqueByKey(files)) {
    const source = readSource(input, problems)
    if (!source) {
      someIsUnreadable = true
      continue
    }
    checking?.(input.file)
    const file = keptCheck(kept.vars.get(input.key), source) ?? (await checkVarsFile(source))
    kept.vars.set(input.key, file)
    problems.push(...file.problems.finish())
    checked.push(file)
  }
  forget(kept.vars, new Set(files.map(({ key }) => key)))
  const joined = joinVars(checked, { environment, folder, someIsUnreadable })
  problems.push(...joined.problems)
  return joined.vars
}

/** A manifest is checked again when vars have changed that it may ask for. */
function keptDag(
  kept: CheckedDagFile | undefined,
  source: SourceText,
  vars: Vars,
): CheckedDagFile | undefined {
  const same = keptCheck(kept, source)
  return same?.varsKey === undefined || same.varsKey === vars.key ? same : undefined
}

/** Checks one DAG file by itself, its workflows included. Never throws for what it says. */
export async function loadOneDag(
  input: InputFile,
  workflows: readonly string[],
  varsInputs?: VarsInputs,
): Promise<{ ok: true; dag: Dag } | { ok: false; problems: readonly DefinitionProblem[] }> {
  const problems: DefinitionProblem[] = []
  const source = readSource(input, problems)
  if (!source) return { ok: false, problems }
  const ofVars: DefinitionProblem[] = []
  const vars = await loadVars(
    varsInputs === undefined ? {} : { vars: varsInputs },
    new CheckedFiles(),
    ofVars,
  )
  const checked = await checkDagFile(source, vars)
  // What is wrong with vars that nobody asks for is not this file's.
  if (checked.varsKey !== undefined) problems.push(...ofVars)
  const unknown = new ProblemList(source)
  addWorkflowProblems(checked, workflows, unknown)
  const all = sortProblems([...problems, ...checked.problems.finish(), ...unknown.finish()])
  if (checked.dag && !all.some(problem => problem.severity === 'error')) return { ok: true, dag: checked.dag }
  return { ok: false, problems: all }
}

async function findTargets(scheduleFiles: readonly CheckedScheduleFile[], inputs: DefinitionInputs) {
  const targets = new Map<string, { key: string } | { refused: string; help: string }>()
  const files: InputFile[] = []
  for (const { dag } of scheduleFiles.flatMap(file => file.schedules)) {
    if (dag === undefined || !isDagPath(dag) || targets.has(dag)) continue
    const found = await inputs.findDag(dag)
    targets.set(dag, found)
    if ('key' in found) files.push(found)
  }
  return { targets, files }
}

function makePause(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < TURN_MS) return
    await setImmediate()
    since = performance.now()
  }
}
