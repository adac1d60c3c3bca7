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
import type { Channel, Channels } from '../core/notification/channel.ts'
import type { Pool, Pools } from '../core/schedule/pool.ts'
import type { DefinitionProblem, Definitions, LoadResult } from '../ports/definition-source.ts'
import { type CheckedCalendarFile, checkCalendarFile } from './calendar-file.ts'
import { icsPath, linkCalendars } from './calendar-links.ts'
import { type CheckedChannelFile, checkChannelFile } from './channel-file.ts'
import { type CheckedDagFile, checkDagFile } from './dag-file.ts'
import { type CheckedIcsFile, checkIcsFile } from './ics-file.ts'
import { addWorkflowProblems, type DagTarget, isDagPath, linkDefinitions } from './link.ts'
import { type CheckedPoolFile, checkPoolFile } from './pool-file.ts'
import { makeProblem, ProblemList, sortProblems } from './problem.ts'
import { type CheckedScheduleFile, checkScheduleFile } from './schedule-file.ts'
import { decodeText, SourceText } from './source-text.ts'

/** A file as it was found: its bytes, or why there are none. */
export interface InputFile {
  /** What people see: relative to the root, with `/`. */
  readonly file: string
  /** What it is, whatever path led there: two paths with the same key are one file. */
  readonly key: string
  readonly content: { readonly bytes: Uint8Array } | { readonly problem: DefinitionProblem }
}

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
  /** Names of the workflows that exist: built-ins and files under workflows/. */
  readonly workflows: readonly string[]
  /** Problems that were found on the way to the files. */
  readonly problems: readonly DefinitionProblem[]
  /** Finds the DAG file at a path that a schedule names. */
  findDag(path: string): Promise<DagLookup>
  /** Told the name of each file before it is checked. */
  checking?(file: string): void
}

/** What is kept from one load to the next. */
export class CheckedFiles {
  readonly schedules = new Map<string, CheckedScheduleFile>()
  readonly dags = new Map<string, CheckedDagFile>()
  readonly calendars = new Map<string, CheckedCalendarFile>()
  readonly icsFiles = new Map<string, CheckedIcsFile>()
  readonly pools = new Map<string, CheckedPoolFile>()
  readonly channels = new Map<string, CheckedChannelFile>()
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
    const checked = keptCheck(kept.dags.get(input.key), source) ?? (await checkDagFile(source))
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
  const pools = await loadPools(inputs, kept, problems)
  const channels = await loadChannels(inputs, kept, problems)
  if (pools !== undefined) addUnusedPools(kept, pools, scheduleFiles, problems)
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

/** Checks the pools; undefined if anything is wrong with them. */
async function loadPools(
  inputs: DefinitionInputs,
  kept: CheckedFiles,
  problems: DefinitionProblem[],
): Promise<Pools | undefined> {
  const pools: [string, Pool][] = []
  const seen = new Set<string>()
  let isRight = true
  for (const input of inputs.poolFiles) {
    const source = readSource(input, problems)
    if (!source) {
      isRight = false
      continue
    }
    seen.add(input.key)
    inputs.checking?.(input.file)
    const checked = keptCheck(kept.pools.get(input.key), source) ?? (await checkPoolFile(source))
    kept.pools.set(input.key, checked)
    problems.push(...checked.problems.finish())
    if (checked.pools === undefined) isRight = false
    else pools.push(...checked.pools.map(({ name, pool }): [string, Pool] => [name, pool]))
  }
  forget(kept.pools, seen)
  return isRight ? new Map(pools) : undefined
}

/** Checks the channels; undefined if anything is wrong with them. */
async function loadChannels(
  inputs: DefinitionInputs,
  kept: CheckedFiles,
  problems: DefinitionProblem[],
): Promise<Channels | undefined> {
  const channels = new Map<string, Channel>()
  const seen = new Set<string>()
  let isRight = true
  for (const input of inputs.channelFiles ?? []) {
    const source = readSource(input, problems)
    if (!source) {
      isRight = false
      continue
    }
    seen.add(input.key)
    inputs.checking?.(input.file)
    const checked = keptCheck(kept.channels.get(input.key), source) ?? (await checkChannelFile(source))
    kept.channels.set(input.key, checked)
    problems.push(...checked.problems.finish())
    if (checked.channels === undefined) isRight = false
    for (const { name, channel } of checked.channels ?? []) channels.set(name, channel)
  }
  forget(kept.channels, seen)
  return isRight ? channels : undefined
}

/** Warnings of pools that no schedule names. An entry that is wrong may mean any of them: then none is told of. */
function addUnusedPools(
  kept: CheckedFiles,
  known: Pools,
  scheduleFiles: readonly CheckedScheduleFile[],
  problems: DefinitionProblem[],
): void {
  const schedules = scheduleFiles.flatMap(file => file.schedules)
  const isWrong = ({ schedule }: (typeof schedules)[number]) =>
    schedule === undefined || (schedule.pool !== undefined && !known.has(schedule.pool))
  if (schedules.some(isWrong)) return
  const named = new Set(schedules.map(({ schedule }) => schedule?.pool))
  for (const { source, pools: entries = [] } of kept.pools.values()) {
    const list = new ProblemList(source)
    for (const { name, place } of entries) {
      if (named.has(name)) continue
      list.add(place, `no schedule names the pool "${name}"`, {
        severity: 'warning',
        code: 'unused_pool',
        help: 'remove it, or write `pool:` in the schedules that share it',
      })
    }
    problems.push(...list.finish())
  }
}

/** Checks one DAG file by itself, its workflows included. Never throws for what it says. */
export async function loadOneDag(
  input: InputFile,
  workflows: readonly string[],
): Promise<{ ok: true; dag: Dag } | { ok: false; problems: readonly DefinitionProblem[] }> {
  const problems: DefinitionProblem[] = []
  const source = readSource(input, problems)
  if (!source) return { ok: false, problems }
  const checked = await checkDagFile(source)
  const unknown = new ProblemList(source)
  addWorkflowProblems(checked, workflows, unknown)
  const all = sortProblems([...checked.problems.finish(), ...unknown.finish()])
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

function readSource(input: InputFile, problems: DefinitionProblem[]): SourceText | undefined {
  if ('problem' in input.content) {
    problems.push(input.content.problem)
    return undefined
  }
  const decoded = decodeText(input.content.bytes)
  if ('text' in decoded) return new SourceText(input.file, decoded.text)
  const { readable, offset, message, help } = decoded.notText
  const source = new SourceText(input.file, readable)
  problems.push(makeProblem(source, { start: offset, end: offset + 1 }, message, { help }))
  return undefined
}

function keptCheck<T extends { readonly source: SourceText }>(
  kept: T | undefined,
  source: SourceText,
): T | undefined {
  return kept && kept.source.file === source.file && kept.source.text === source.text ? kept : undefined
}

function forget(kept: Map<string, unknown>, seen: ReadonlySet<string>): void {
  for (const key of kept.keys()) if (!seen.has(key)) kept.delete(key)
}

function uniqueByKey(files: readonly InputFile[]): InputFile[] {
  const byKey = new Map<string, InputFile>()
  for (const file of files) if (!byKey.has(file.key)) byKey.set(file.key, file)
  return [...byKey.values()]
}

function makePause(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < TURN_MS) return
    await setImmediate()
    since = performance.now()
  }
}
