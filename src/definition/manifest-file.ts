// One manifest: the value of a file with a mapping under `dag:` → the DAG that it stands for, its own schedule, and what is
// wrong with it.
//
//   M1. Vars are filled in first; everything else sees the values.
//   M2. Its schedule is checked by what checks entries of configs/schedules, its tasks by what checks those of any DAG.
//   M3. The mode follows from what is written: `schedule` (with conditions: CONDITIONAL_CRON), `triggered` or a stream,
//       or nothing, which is on-demand.

import type { z } from 'zod'
import type { Dag } from '../core/dag/dag.ts'
import type { Manifest, TriggerMode, Triggers } from '../core/dag/manifest.ts'
import type { Task } from '../core/dag/task.ts'
import { checkId } from '../core/ids.ts'
import { isJsonObject, type Json, type JsonObject, jsonBytes } from '../core/json.ts'
import type { CheckedDagFile, PlacedName } from './checked-dag-file.ts'
import { checkClients, fanOutOf } from './client-entry.ts'
import { MAX_TASK_BYTES, TaskEntry } from './dag-schema.ts'
import { expandManifest, type Takes, wrapperIdsOf } from './expand-manifest.ts'
import { ManifestFile } from './manifest-schema.ts'
import { checkStages, compileStages, inputStageOf, listStages } from './manifest-stages.ts'
import { checkStream, compileStream } from './manifest-stream.ts'
import {
  checkManifestTasks,
  checkWrappers,
  type ManifestTasks,
  readTasks,
  refuseWrapperNames,
} from './manifest-tasks.ts'
import { MANIFEST_WORDS } from './manifest-words.ts'
import { hashDag } from './normal-form.ts'
import { channelsOf, checkNotification, notificationOf } from './notification-entry.ts'
import type { ProblemList } from './problem.ts'
import { checkScheduleEntry, type LooseSchedule } from './schedule-file.ts'
import { addSchemaProblems } from './schema-problems.ts'
import { checkTasks, compileTask, refuseWrappers, workflowRefsOf } from './task-list.ts'
import { viewTree } from './tree-view.ts'
import { fillVars, type Vars } from './vars.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const HERE: Path = ['dag']

/** Checks a tree whose value has a mapping under `dag`. Never throws for what it says. */
export function checkManifest(written: YamlTree, vars: Vars, problems: ProblemList): CheckedDagFile {
  const { tree, asksVars, isWhole } = fillVars(written, vars, problems)
  const entry = (tree.value as { dag: JsonObject }).dag
  const name = nameOf(entry, tree, problems)
  const known = {
    source: problems.source,
    problems,
    name,
    namePlace: tree.locate(entry['name'] === undefined ? HERE : ['dag', 'name']),
    ...(asksVars && { varsKey: vars.key }),
  }
  // What is missing stands in a file that is wrong: its problems are told there (L2 of load-definitions.ts).
  if (!isWhole && !vars.areKnown)
    return { ...known, dag: undefined, workflowRefs: [], channelRefs: [], afterRuns: [], askedSchedules: [] }
  const formIsRight = addSchemaProblems(ManifestFile, MANIFEST_WORDS, tree, problems)
  const dagName = name ?? problems.source.file
  const stages = listStages(entry['stages'], ['dag', 'stages'])
  const takes: Takes = {
    mode: modeOf(entry),
    hasInputStage: stages.some(stage => stage.name === 'external_input_files'),
    hasStream: entry['stream'] !== undefined,
  }
  checkStages(stages, tree, problems)
  checkStream(entry['stream'], ['dag', 'stream'], tree, problems)
  checkNotification(entry, HERE, tree, problems)
  checkMode(entry, takes, tree, problems)
  const list = Array.isArray(entry['tasks']) ? entry['tasks'] : []
  const askedSchedules = [
    ...checkClients(entry['clients'], ['dag', 'clients'], tree, problems),
    ...checkManifestTasks(list, ['dag', 'tasks'], tree, problems),
  ]
  const tasks = readTasks(list, ['dag', 'tasks'], tree)
  const isExpanded = entry['expanded'] === true
  checkTasks(tasks.tasks, dagName, tasks.tree, problems, isExpanded ? [] : wrapperIdsOf(takes))
  if (isExpanded) checkWrappers(tasks, problems)
  else {
    refuseWrapperNames(tasks, problems)
    refuseWrappers(tasks.tasks, 'remove the task: it is added where it belongs', tasks.tree, problems)
  }
  const schedule = checkSchedule(entry['schedule'], dagName, tree, problems)
  const isRight = formIsRight && problems.errorCount === 0 && name !== undefined
  const dag = isRight ? compileManifest(tree.value, name, tasks, vars) : undefined
  if (dag !== undefined) checkSizes(dag, tasks, problems)
  return {
    ...known,
    dag: problems.errorCount === 0 ? dag : undefined,
    workflowRefs: workflowRefsOf(tasks.tasks, tasks.tree),
    channelRefs: channelsOf(entry, HERE, tree),
    afterRuns: listAfter(entry['triggered'], tree),
    askedSchedules,
    ...(schedule !== undefined && { schedule }),
  }
}

/** The name that is written, else that of the file. */
function nameOf(entry: JsonObject, tree: YamlTree, problems: ProblemList): string | undefined {
  const { name } = entry
  if (name !== undefined) return typeof name === 'string' ? name : undefined
  const ofFile = problems.source.file.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '')
  const wrong = checkId(ofFile)
  if (wrong === undefined) return ofFile
  problems.add(tree.locate(HERE), `the DAG has no name, and that of the file is none: ${wrong}`, {
    help: 'add name: under dag, or rename the file',
  })
  return undefined
}

function modeOf({ schedule, triggered, stream }: JsonObject): TriggerMode {
  if (schedule !== undefined)
    return isJsonObject(schedule) && schedule['conditions'] !== undefined ? 'CONDITIONAL_CRON' : 'schedule'
  return triggered !== undefined || stream !== undefined ? 'triggered' : 'on-demand'
}

/** What cannot stand beside each other. */
function checkMode(entry: JsonObject, takes: Takes, tree: YamlTree, problems: ProblemList): void {
  const add = (key: string, message: string, help: string) =>
    problems.add(tree.locateKey(HERE, key), message, { help })
  const { schedule, triggered } = entry
  if (schedule !== undefined && triggered !== undefined)
    add(
      'triggered',
      'a DAG is scheduled or triggered, not both: "schedule" is said, too',
      'remove one of them; a run by hand can be asked for in every mode',
    )
  if (takes.hasStream && schedule !== undefined)
    add(
      'stream',
      'a stream is read when it has new records, not at set times: "schedule" is said, too',
      'remove the schedule, or read the source in a task',
    )
  if (takes.hasStream && takes.hasInputStage)
    add(
      'stream',
      'a run takes files or records, not both: there is the stage external_input_files, too',
      'make two DAGs of it, the second one triggered by the first: triggered: { after: [first] }',
    )
  const hasArrivals = takes.hasStream || takes.hasInputStage
  if (isJsonObject(triggered) && triggered['on_arrival'] === true && !hasArrivals)
    problems.add(
      tree.locate(['dag', 'triggered', 'on_arrival']),
      'nothing can arrive: there is no stage external_input_files and no stream',
      { help: 'add one of them, or remove on_arrival' },
    )
}

/** Its own schedule, with the id of the DAG; undefined if it has none. */
function checkSchedule(
  schedule: Json | undefined,
  dagName: string,
  tree: YamlTree,
  problems: ProblemList,
): LooseSchedule | undefined {
  const place: Path = ['dag', 'schedule']
  const around = { id: dagName, dag: dagName }
  if (isJsonObject(schedule)) return checkScheduleEntry({ ...schedule, ...around }, place, tree, problems)
  if (typeof schedule !== 'string' || schedule === '') return undefined
  // A text is the cron of an entry that says nothing else.
  const view = viewTree(tree, tree.value, path => (path.length > place.length ? place : path))
  return checkScheduleEntry({ cron: schedule, ...around }, place, view, problems)
}

function listAfter(triggered: Json | undefined, tree: YamlTree): PlacedName[] {
  const after = isJsonObject(triggered) && Array.isArray(triggered['after']) ? triggered['after'] : []
  return after.flatMap((item, index) => {
    const name = isJsonObject(item) ? item['dag'] : item
    const path = ['dag', 'triggered', 'after', index, ...(isJsonObject(item) ? ['dag'] : [])]
    return typeof name === 'string' ? [{ name, place: tree.locate(path) }] : []
  })
}

/** What a fan-out has from `clients` counts for each task that uses it, which is told here alone. */
function checkSizes(dag: Dag, { tasks, tree }: ManifestTasks, problems: ProblemList): void {
  const own = dag.tasks.slice(-tasks.length)
  for (const [index, task] of own.entries()) {
    if (task.fanOut === undefined || tasks.length === 0) continue
    const bytes = jsonBytes(task)
    if (bytes > MAX_TASK_BYTES)
      problems.add(
        tree.locate(['tasks', index]),
        `expected a task of at most ${MAX_TASK_BYTES} bytes as JSON, its clients included, got ${bytes}`,
        { help: 'name fewer clients in exclude: a command or a query can leave them out, too' },
      )
  }
}

/** @throws ZodError  never for a value that passed the schema */
function compileManifest(value: Json, name: string, { tasks, fanOuts }: ManifestTasks, vars: Vars): Dag {
  const { dag: entry } = ManifestFile.parse(value)
  const written = (value as { dag: JsonObject }).dag
  const stages = compileStages(listStages(written['stages'], []), name)
  const stream = isJsonObject(written['stream']) ? compileStream(written['stream']) : undefined
  const mode = modeOf(written)
  const hasArrivals = stream !== undefined || inputStageOf(stages) !== undefined
  const manifest: Manifest = {
    mode,
    stages,
    ...(stream !== undefined && { stream }),
    ...(mode === 'triggered' && { triggers: triggersOf(entry.triggered, hasArrivals) }),
    environment: vars.environment,
  }
  const own = tasks.map((task, index): Task => {
    const compiled = compileTask(TaskEntry.parse(task))
    const asked = entry.tasks[index]?.multi_client_execution ?? false
    if (asked === false || fanOuts[index] === undefined) return compiled
    return { ...compiled, fanOut: fanOutOf(asked === true ? undefined : asked, entry.clients) }
  })
  const dag = {
    name,
    tenantId: entry.tenant_id,
    tasks: entry.expanded ? own : expandManifest(manifest, own),
  }
  const notification = notificationOf(entry)
  return Object.freeze({ ...dag, hash: hashDag(dag), manifest, ...(notification && { notification }) })
}

function triggersOf(
  triggered: z.output<typeof ManifestFile>['dag']['triggered'],
  hasArrivals: boolean,
): Triggers {
  const { on_arrival: onArrival = hasArrivals, after = [] } = triggered === true ? {} : (triggered ?? {})
  return {
    onArrival,
    afterRuns: after.map(each =>
      typeof each === 'string'
        ? { dag: each, status: ['success'] }
        : { dag: each.dag, status: [...new Set(each.status)] },
    ),
  }
}
