// A manifest's parts → the tasks of its DAG: those it brings itself, in front of the user's (seed 000).
//
//   E1. What a task of its own does stands in its params, so that a run keeps it in its recorded definition.
//   E2. Where files or records are taken that task comes first, then ROOT_TASK_WRAPPER, then everything that follows
//       nothing else.
//   E3. A manifest that is written out (`expanded: true`) is taken as it stands.

import { type Manifest, type TriggerMode, WRAPPER_WORKFLOWS, WRAPPERS } from '../core/dag/manifest.ts'
import type { Task } from '../core/dag/task.ts'
import type { JsonObject } from '../core/json.ts'
import { parseDuration } from '../core/time/duration.ts'
import { DAG_DEFAULTS } from './dag-schema.ts'
import { inputStageOf, placeOfStage } from './manifest-stages.ts'

/** Where records go that are none: a folder beside the run's own. */
const DEAD_LETTERS = 'dead-letters'

/** What the runs of a manifest may take in. */
export interface Takes {
  readonly mode: TriggerMode
  readonly hasInputStage: boolean
  readonly hasStream: boolean
}

/** The task that takes it. */
function sourceOf({ mode, hasInputStage, hasStream }: Takes): 'poll' | 'stream' | undefined {
  if (mode === 'on-demand') return undefined
  if (hasStream) return 'stream'
  return hasInputStage ? 'poll' : undefined
}

/** The ids of the tasks that a manifest brings. */
export function wrapperIdsOf(takes: Takes): string[] {
  const source = sourceOf(takes)
  return source === undefined ? [WRAPPERS.root] : [WRAPPERS[source], WRAPPERS.root]
}

/** @param tasks the user's, in their normal form */
export function expandManifest(manifest: Manifest, tasks: readonly Task[]): Task[] {
  const { mode, environment, stages, stream } = manifest
  const input = inputStageOf(stages)
  const source = sourceOf({ mode, hasInputStage: input !== undefined, hasStream: stream !== undefined })
  const places = Object.fromEntries(stages.map(stage => [stage.name, placeOfStage(stage)]))
  const root = wrapper('root', { mode, environment, stages: places })
  if (source === undefined) return [root, ...tasks.map(followRoot)]
  const params: JsonObject =
    source === 'poll' ? { stage: plainOf(input) } : { stream: plainOf(stream), dead_letters: DEAD_LETTERS }
  const id = WRAPPERS[source]
  return [
    wrapper(source, params),
    { ...root, params: { ...root.params, source: id }, dependsOn: [id] },
    ...tasks.map(followRoot),
  ]
}

function followRoot(task: Task): Task {
  return task.dependsOn.length === 0 ? { ...task, dependsOn: [WRAPPERS.root] } : task
}

function plainOf(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}

function wrapper(role: keyof typeof WRAPPERS, params: JsonObject): Task {
  return {
    id: WRAPPERS[role],
    workflowRef: WRAPPER_WORKFLOWS[role],
    params,
    retries: DAG_DEFAULTS.retries,
    retryDelayMs: parseDuration(DAG_DEFAULTS.retryDelay),
    backoff: DAG_DEFAULTS.backoff,
    dependsOn: [],
  }
}
