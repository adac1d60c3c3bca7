// The whole state as the items of a checkpoint, and back. A segment opens with one, so a restart never reads further
// back than the active segment.
//
//   K1. restore(items(state)) has the same facts as state (`describeState`); lines and heaps are computed again.
//   K2. No item is larger than 48 KiB: tasks are items of their own, and large outputs are blobs.

import type { Task } from '../dag/task.ts'
import { type JsonObject, jsonBytes } from '../json.ts'
import type { Pause, SlotByHand } from '../planner/hold.ts'
import type { RunState, TaskState } from '../run/run.ts'
import { readTiming, type TimingFields, timingFields } from '../schedule/timing.ts'
import { type Checkpoint, type Event, isUserEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { addOpenSlot } from './open-slot.ts'
import {
  addRun,
  type OpenSlot,
  recordDefinition,
  type ScheduleState,
  type State,
  taskKeyText,
} from './state.ts'

const PART_BYTES_MAX = 48 * 1024

interface StateItem {
  kind: 'state'
  epoch: number
  freezes?: Pause[]
}
interface ScheduleItem extends TimingFields {
  kind: 'schedule'
  id: string
  cursor: number
  retired?: true
  pauses?: Pause[]
  by_hand?: SlotByHand[]
  open?: OpenSlot[]
}
interface DefinitionItem {
  kind: 'definition'
  name: string
  tenantId: string
  hash: string
  task: Task
}
type ComputedOfRun = 'tasks' | 'holdsSlot' | 'remaining' | 'live' | 'ready' | 'place'

interface RunItem {
  kind: 'run'
  run: Omit<RunState, ComputedOfRun | 'pool' | 'weight' | 'priority'> & {
    pool?: string
    /** Left out: 1. */
    weight?: number
    /** Left out: 0. */
    priority?: number
  }
}
interface TaskItem {
  kind: 'task'
  run_id: string
  task_id: string
  task: TaskState
}
type Item = StateItem | ScheduleItem | DefinitionItem | RunItem | TaskItem

/** The events of a checkpoint commit. `seq` is the journal's to set. */
export function checkpointEvents(state: State, timestamp: string): Checkpoint[] {
  const parts: JsonObject[][] = []
  let part: JsonObject[] = []
  let bytes = 0
  for (const item of items(state)) {
    const size = jsonBytes(item) + 1
    if (bytes + size > PART_BYTES_MAX && part.length > 0) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(item as unknown as JsonObject)
    bytes += size
  }
  parts.push(part)
  return parts.map((of, index) => ({
    timestamp,
    event: 'checkpoint',
    seq: 0,
    part: index + 1,
    parts: parts.length,
    items: of,
  }))
}

function* items(state: State): Generator<Item> {
  const { epoch, freezes } = state
  yield freezes.length === 0 ? { kind: 'state', epoch } : { kind: 'state', epoch, freezes }
  for (const [id, schedule] of state.schedules) yield scheduleItem(id, schedule)
  for (const { name, tenantId, hash, tasks, uses } of state.definitions.values()) {
    if (uses > 0) for (const task of tasks.values()) yield { kind: 'definition', name, tenantId, hash, task }
  }
  for (const run of state.runs.values()) {
    yield runItem(run)
    for (const [taskId, task] of run.tasks) yield { kind: 'task', run_id: run.runId, task_id: taskId, task }
  }
}

function runItem({ weight, priority, ...run }: RunState): RunItem {
  const { tasks: _, holdsSlot: __, remaining: ___, live: ____, ready: _____, place: ______, ...facts } = run
  const item = facts as RunItem['run']
  if (weight !== 1) item.weight = weight
  if (priority !== 0) item.priority = priority
  return { kind: 'run', run: item }
}

function scheduleItem(id: string, schedule: ScheduleState): ScheduleItem {
  const { cursor, timing, retired, pauses, byHand, open } = schedule
  const item: ScheduleItem = { kind: 'schedule', id, cursor, ...timingFields(timing) }
  if (retired) item.retired = true
  if (pauses !== undefined) item.pauses = pauses
  if (byHand !== undefined) item.by_hand = byHand
  if (open !== undefined) item.open = open
  return item
}

/**
 * `evolve` for a start: the checkpoint that opens the active segment *is* the state, so its items are taken in.
 * @throws Error for an item of a kind that this version does not know
 */
export function replay(state: State, event: Event): void {
  if (event.event === 'checkpoint' && !isUserEvent(event)) {
    state.seq = event.seq
    for (const item of event.items) restoreItem(state, item)
  } else evolve(state, event)
}

function restoreItem(state: State, json: JsonObject): void {
  const item = json as unknown as Item
  switch (item.kind) {
    case 'state':
      state.epoch = item.epoch
      state.freezes = item.freezes ?? []
      return
    case 'schedule': {
      state.schedules.set(item.id, {
        cursor: item.cursor,
        timing: readTiming(item),
        retired: item.retired === true,
        active: undefined,
        pauses: item.pauses,
        byHand: item.by_hand,
        open: undefined,
      })
      for (const { slot, reason, asks, retryAt } of item.open ?? [])
        addOpenSlot(state, item.id, { slot, reason, asks, retryAt })
      return
    }
    case 'definition':
      recordDefinition(state, item, [item.task])
      return
    case 'run':
      addRun(state, {
        ...item.run,
        pool: item.run.pool,
        weight: item.run.weight ?? 1,
        priority: item.run.priority ?? 0,
        place: 0,
        holdsSlot: false,
        tasks: new Map(),
        remaining: 0,
        live: 0,
        ready: 0,
      })
      return
    case 'task':
      restoreTask(state, item)
      return
    default:
      throw new Error(`unknown checkpoint item ${JSON.stringify(json).slice(0, 80)}`)
  }
}

function restoreTask(state: State, { run_id: runId, task_id: taskId, task }: TaskItem): void {
  const run = state.runs.get(runId)
  if (run === undefined)
    throw new Error(`checkpoint: task ${taskId} of run ${runId}, which is not there`)
    // Its own map: 'run' has made it, just before.
  ;(run.tasks as Map<string, TaskState>).set(taskId, task)
  const key = taskKeyText(runId, taskId)
  switch (task.status) {
    case 'ready':
      run.ready += 1
      state.ready.set(key, { runId, taskId })
      break
    case 'running':
      run.live += 1
      state.live.set(key, { runId, taskId })
      state.liveVersion += 1
      break
    case 'retrying':
      state.retries.put(task.retryAt!, { runId, taskId })
      break
    case 'waiting':
      break
    default:
      return
  }
  run.remaining += 1
  if (!run.holdsSlot && (run.live > 0 || run.ready > 0)) {
    run.holdsSlot = true
    state.slotsHeld += 1
  }
}

/** The facts of a state as canonical text: equal for live, replayed and restored states. */
export function describeState(state: State): string {
  const sorted = [...items(state)].map(item => JSON.stringify(item, canonical)).sort()
  return [`seq ${state.seq}`, ...sorted].join('\n')
}

function canonical(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
