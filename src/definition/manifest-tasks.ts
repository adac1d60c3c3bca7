// The tasks of a manifest in the keys of a plain DAG file: `name` is `id`, `target_sp` is `workflow_ref`, `args` is
// `params`. So the checks and the normal form are those of any task.

import { WRAPPER_WORKFLOWS, WRAPPERS } from '../core/dag/manifest.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { checkClients } from './client-entry.ts'
import type { AskedSchedule } from './condition-check.ts'
import type { ProblemList } from './problem.ts'
import { viewTree } from './tree-view.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** Key of a plain file → the manifest's own word for it. */
const OTHER_KEYS = { id: 'name', workflow_ref: 'target_sp', params: 'args' } as const
type PlainKey = keyof typeof OTHER_KEYS

const WRAPPER_NAMES: readonly string[] = Object.values(WRAPPERS)

export interface ManifestTasks {
  /** In the keys of a plain file. What is none of a task's there (`multi_client_execution`) is left out. */
  readonly tasks: readonly Json[]
  /** Looks like a plain file's. */
  readonly tree: YamlTree
  /** `multi_client_execution` of each, by its index. */
  readonly fanOuts: readonly (Json | undefined)[]
}

/** @param tree of the whole manifest, whose tasks stand at `path` */
export function readTasks(written: readonly Json[], path: Path, tree: YamlTree): ManifestTasks {
  const used = written.map(task => new Set(isJsonObject(task) ? Object.keys(task) : []))
  const tasks = written.map(task => (isJsonObject(task) ? rename(task) : task))
  const move = ([list, index, key, ...rest]: Path): Path => {
    if (list !== 'tasks' || typeof index !== 'number') return path.slice(0, -1)
    if (key === undefined) return [...path, index]
    const other = OTHER_KEYS[key as PlainKey]
    return [...path, index, other !== undefined && used[index]?.has(other) ? other : key, ...rest]
  }
  return {
    tasks,
    tree: viewTree(tree, { tasks: [...tasks] }, move),
    fanOuts: written.map(task => (isJsonObject(task) ? task['multi_client_execution'] : undefined)),
  }
}

function rename(task: JsonObject): JsonObject {
  const { multi_client_execution: _, ...plain } = task
  for (const [key, other] of Object.entries(OTHER_KEYS)) {
    if (plain[other] === undefined) continue
    plain[key] ??= plain[other]
    delete plain[other]
  }
  return plain
}

/** Adds what is wrong with the keys that only a manifest's tasks have. */
export function checkManifestTasks(
  written: readonly Json[],
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): AskedSchedule[] {
  const asked: AskedSchedule[] = []
  for (const [index, task] of written.entries()) {
    if (!isJsonObject(task)) continue
    const at = [...path, index]
    for (const [key, other] of Object.entries(OTHER_KEYS))
      if (task[key] !== undefined && task[other] !== undefined)
        problems.add(tree.locateKey(at, key), `"${key}" and "${other}" mean the same`, {
          help: 'keep one of them',
        })
    asked.push(
      ...checkClients(task['multi_client_execution'], [...at, 'multi_client_execution'], tree, problems),
    )
  }
  return asked
}

/** In a manifest that is not written out the names of its own tasks are taken. */
export function refuseWrapperNames({ tasks, tree }: ManifestTasks, problems: ProblemList): void {
  for (const [index, task] of tasks.entries()) {
    const id = isJsonObject(task) ? task['id'] : undefined
    if (typeof id === 'string' && WRAPPER_NAMES.includes(id))
      problems.add(tree.locate(['tasks', index, 'id']), `${id} is a task that the manifest brings itself`, {
        help: 'choose another name; or write expanded: true, and all its tasks',
      })
  }
}

/** In one that is, each of its own tasks runs what it must, and no other does. */
export function checkWrappers({ tasks, tree }: ManifestTasks, problems: ProblemList): void {
  for (const [index, task] of tasks.entries()) {
    if (!isJsonObject(task)) continue
    const { id, workflow_ref: workflow } = task
    for (const [role, name] of Object.entries(WRAPPERS)) {
      const wanted = WRAPPER_WORKFLOWS[role as keyof typeof WRAPPERS]
      if (id === name && workflow !== wanted)
        problems.add(
          tree.locate(['tasks', index, 'workflow_ref']),
          `the task ${name} runs the workflow ${wanted}`,
          { help: `write workflow_ref: ${wanted}, or choose another name` },
        )
      if (workflow === wanted && id !== name)
        problems.add(tree.locate(['tasks', index, 'id']), `the workflow ${wanted} is run by ${name} alone`, {
          help: `write name: ${name}, or another workflow`,
        })
    }
  }
  const names = tasks.map(task => (isJsonObject(task) ? task['id'] : undefined))
  if (!names.includes(WRAPPERS.root))
    problems.add(tree.locate(['tasks']), `missing task ${WRAPPERS.root} in a manifest that is written out`, {
      help: 'remove expanded: true, and it is added',
    })
}
