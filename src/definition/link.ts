// The references between files: ids that must be unique, DAGs that schedules name, workflows that tasks name.
// Pure in what it is given; definition/load-definitions.ts gathers that.

import type { Calendar } from '../core/calendar/calendar.ts'
import { calendarsOf } from '../core/condition/condition.ts'
import type { Dag } from '../core/dag/dag.ts'
import { findCycles } from '../core/dag/graph.ts'
import { findNearest } from '../core/nearest.ts'
import type { Channels } from '../core/notification/channel.ts'
import type { Pools } from '../core/schedule/pool.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import type { DefinitionProblem, Definitions } from '../ports/definition-source.ts'
import type { CheckedDagFile } from './checked-dag-file.ts'
import type { AskedSchedule } from './condition-check.ts'
import { ProblemList } from './problem.ts'
import { RollLinks } from './roll-links.ts'
import type { CheckedScheduleFile, LooseSchedule } from './schedule-file.ts'
import type { SourceText, Span } from './source-text.ts'
import { listNames, shortenPath } from './task-list.ts'

/** More circles than this are not worth reading before the first ones are mended. */
const CYCLES_MAX = 20

/** What a path in `dag:` leads to; `file` is undefined where the file exists but cannot be read. */
export type DagTarget = { file: CheckedDagFile | undefined } | { refused: string; help: string }

export interface LinkInputs {
  readonly scheduleFiles: readonly CheckedScheduleFile[]
  readonly dagFiles: readonly CheckedDagFile[]
  readonly workflows: readonly string[]
  readonly someDagIsUnreadable: boolean
  /** Undefined while something is wrong with one of them. */
  readonly calendars: ReadonlyMap<string, Calendar> | undefined
  /** Undefined while something is wrong with one of them. */
  readonly pools: Pools | undefined
  /** Undefined while something is wrong with one of them. */
  readonly channels: Channels | undefined
  resolveTarget(path: string): DagTarget
}

/** The set that the files make, and what is wrong between them. Without errors the set is consistent. */
export function linkDefinitions(inputs: LinkInputs): {
  definitions: Pick<Definitions, 'schedules' | 'dags'>
  problems: DefinitionProblem[]
} {
  const lists = [...inputs.scheduleFiles, ...inputs.dagFiles].map(file => new ProblemList(file.source))
  const listBySource = new Map(lists.map(list => [list.source, list]))
  const listOf = (source: SourceText): ProblemList => listBySource.get(source)!

  const dagFileByName = new Map<string, CheckedDagFile>()
  const dags = new Map<string, Dag>()
  const dagNames = new FirstPlaces('DAG name')
  for (const file of inputs.dagFiles) {
    addWorkflowProblems(file, inputs.workflows, listOf(file.source))
    addChannelProblems(file, inputs.channels, listOf(file.source))
    if (file.name === undefined) continue
    dagNames.take(file.name, file.namePlace, listOf(file.source))
    if (!dagFileByName.has(file.name)) dagFileByName.set(file.name, file)
    if (file.dag && !dags.has(file.name)) dags.set(file.name, file.dag)
  }

  const namesAreKnown = !inputs.someDagIsUnreadable && inputs.dagFiles.every(file => file.name !== undefined)
  const dagNamesInOrder = [...dagFileByName.keys()]
  const lookUp = ({ dag, dagPlace }: LooseSchedule, problems: ProblemList): Dag | undefined => {
    if (dag === undefined) return undefined
    if (isDagPath(dag)) {
      const target = inputs.resolveTarget(dag)
      if (!('refused' in target)) return target.file?.dag
      problems.add(dagPlace, `unknown DAG file "${dag}": ${target.refused}`, { help: target.help })
      return undefined
    }
    const file = dagFileByName.get(dag)
    if (!file && namesAreKnown)
      problems.add(dagPlace, `unknown DAG "${dag}"`, {
        help: () => suggestName(dag, dagNamesInOrder, 'DAGs'),
      })
    return file?.dag
  }

  for (const file of inputs.dagFiles)
    addAfterProblems(file, dagFileByName, namesAreKnown, listOf(file.source))
  addTriggerCycles([...dagFileByName.values()], listOf)

  const schedules = new Map<string, Schedule>()
  const scheduleIds = new FirstPlaces('schedule id')
  const rolls = new RollLinks(inputs.calendars, name =>
    suggestName(name, [...(inputs.calendars?.keys() ?? [])], 'calendars'),
  )
  const takeSchedule = (
    loose: LooseSchedule,
    problems: ProblemList,
    findDag: () => Dag | undefined,
  ): void => {
    if (loose.id !== undefined) scheduleIds.take(loose.id, loose.idPlace, problems)
    const dag = findDag()
    addCalendarProblems(loose, inputs.calendars, problems)
    addPoolProblems(loose, inputs.pools, problems)
    const schedule = rolls.link(loose, problems)
    if (!schedule || !dag || schedules.has(schedule.id)) return
    const tenantId = loose.tenantId ?? dag.tenantId
    schedules.set(schedule.id, Object.freeze({ ...schedule, dagName: dag.name, tenantId }))
  }
  for (const file of inputs.scheduleFiles) {
    const problems = listOf(file.source)
    for (const loose of file.schedules) takeSchedule(loose, problems, () => lookUp(loose, problems))
  }
  // A manifest's own schedule has the id of its DAG. Of two DAGs of one name it is said already that they are two.
  for (const file of dagFileByName.values()) {
    const { schedule, dag } = file
    if (schedule !== undefined) takeSchedule(schedule, listOf(file.source), () => dag)
  }
  // Where a file could not be read its schedules are not known: nothing is said of them.
  const ids = new Set([
    ...inputs.scheduleFiles.flatMap(file => file.schedules.map(({ id }) => id)),
    ...inputs.dagFiles.flatMap(file => file.schedule?.id ?? []),
  ])
  if ([...inputs.scheduleFiles, ...inputs.dagFiles].every(file => file.problems.errorCount === 0)) {
    for (const { schedules: entries, source } of inputs.scheduleFiles)
      for (const { askedSchedules } of entries) addAskedProblems(askedSchedules, ids, listOf(source))
    for (const { schedule, askedSchedules, source } of inputs.dagFiles)
      addAskedProblems([...(schedule?.askedSchedules ?? []), ...askedSchedules], ids, listOf(source))
  }
  return { definitions: { schedules, dags }, problems: lists.flatMap(list => list.finish()) }
}

/** Conditions that ask a calendar that does not exist. */
function addCalendarProblems(
  { schedule, conditionsPlace }: LooseSchedule,
  calendars: LinkInputs['calendars'],
  problems: ProblemList,
): void {
  if (calendars === undefined) return
  const asked = new Set(schedule?.conditions?.flatMap(calendarsOf))
  for (const name of asked) {
    if (calendars.has(name)) continue
    problems.add(conditionsPlace, `unknown calendar "${name}"`, {
      help: () => suggestName(name, [...calendars.keys()], 'calendars'),
    })
  }
}

/** Conditions that ask for the last run of a schedule that does not exist. */
function addAskedProblems(
  asked: readonly AskedSchedule[],
  known: ReadonlySet<string | undefined>,
  problems: ProblemList,
): void {
  for (const { id, place } of asked) {
    if (known.has(id)) continue
    problems.add(place, `unknown schedule "${id}"`, {
      help: () =>
        suggestName(
          id,
          [...known].filter(name => name !== undefined),
          'schedules',
        ),
    })
  }
}

/** DAGs whose runs trigger a manifest, and are not there. */
function addAfterProblems(
  { afterRuns }: CheckedDagFile,
  dags: ReadonlyMap<string, CheckedDagFile>,
  namesAreKnown: boolean,
  problems: ProblemList,
): void {
  if (!namesAreKnown) return
  for (const { name, place } of afterRuns) {
    if (dags.has(name)) continue
    problems.add(place, `unknown DAG "${name}"`, { help: () => suggestName(name, [...dags.keys()], 'DAGs') })
  }
}

/** DAGs that trigger each other in a circle would run for ever. */
function addTriggerCycles(
  files: readonly CheckedDagFile[],
  listOf: (source: SourceText) => ProblemList,
): void {
  const nodes = files.map(({ name = '', afterRuns }) => ({
    id: name,
    dependsOn: afterRuns.map(each => each.name),
  }))
  for (const path of findCycles(nodes, CYCLES_MAX)) {
    const file = files.find(({ name }) => name === path[0])!
    const { place } = file.afterRuns.find(({ name }) => name === path[1])!
    listOf(file.source).add(place, `DAGs trigger each other without end: ${shortenPath(path).join(' → ')}`, {
      help: 'remove one of them from triggered.after',
    })
  }
}

/** A pool that does not exist, or that could never hold one run. */
function addPoolProblems(
  { schedule, poolPlace, weightPlace }: LooseSchedule,
  pools: Pools | undefined,
  problems: ProblemList,
): void {
  const name = schedule?.pool
  if (pools === undefined || name === undefined) return
  const pool = pools.get(name)
  const weight = schedule?.weight ?? 1
  if (pool === undefined)
    problems.add(poolPlace, `unknown pool "${name}"`, {
      help: () =>
        pools.size === 0
          ? `there are no pools: add "${name}: 4" to configs/pools.yaml`
          : suggestName(name, [...pools.keys()], 'pools'),
    })
  else if (weight > pool.slots)
    problems.add(
      weightPlace,
      `expected a weight of at most ${pool.slots}, the slots of "${name}", got ${weight}`,
      {
        help: 'give the pool more slots, or the schedule a smaller weight',
      },
    )
}

/** True if a schedule's `dag` is a path, not a name. */
export function isDagPath(dag: string): boolean {
  return /[/\\]/.test(dag) || /\.ya?ml$/i.test(dag)
}

/** Tasks that ask for a workflow that does not exist. */
export function addWorkflowProblems(
  { workflowRefs }: CheckedDagFile,
  workflows: readonly string[],
  problems: ProblemList,
): void {
  const known = new Set(workflows)
  for (const { name, place } of workflowRefs) {
    if (!known.has(name))
      problems.add(place, `RunnerError: Unknown workflow: ${name}`, {
        help: () => suggestName(name, workflows, 'workflows'),
      })
  }
}

/** DAGs that notify a channel that does not exist. */
function addChannelProblems(
  { channelRefs }: CheckedDagFile,
  channels: Channels | undefined,
  problems: ProblemList,
): void {
  if (channels === undefined) return
  for (const { name, place } of channelRefs) {
    if (channels.has(name)) continue
    problems.add(place, `unknown channel "${name}"`, {
      help: () =>
        channels.size === 0
          ? `there are no channels: write configs/notifications.yaml with channels: { ${name}: { command: [...] } }`
          : suggestName(name, [...channels.keys()], 'channels'),
    })
  }
}

function suggestName(name: string, known: readonly string[], noun: string): string {
  const near = findNearest(name, known.slice(0, 2_000))
  if (near !== undefined) return `did you mean "${near}"?`
  return known.length === 0 ? `there are no ${noun}` : `known ${noun}: ${listNames(known)}`
}

/** Names that must be unique, and where each stood first. */
export class FirstPlaces {
  readonly #noun: string
  readonly #first = new Map<string, { source: SourceText; place: Span }>()

  constructor(noun: string) {
    this.#noun = noun
  }

  take(name: string, place: Span, problems: ProblemList): void {
    const { source } = problems
    const first = this.#first.get(name)
    if (!first) {
      this.#first.set(name, { source, place })
      return
    }
    const { line } = first.source.positionAt(first.place.start)
    const where = first.source === source ? `on line ${line}` : `in ${first.source.file}:${line}`
    problems.add(place, `duplicate ${this.#noun} "${name}", first ${where}`, { help: 'rename one of them' })
  }
}
