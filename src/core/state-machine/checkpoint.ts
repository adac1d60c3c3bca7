// The whole state as the items of a checkpoint, and back. A segment opens with one, so a restart never reads further
// back than the active segment.
//
//   K1. restore(items(state)) has the same facts as state (`describeState`); lines and heaps are computed again.
//   K2. No item is larger than 48 KiB: tasks are items of their own, and large outputs are blobs.

import type { Task } from '../dag/task.ts'
import { type JsonObject, jsonBytes } from '../json.ts'
import { type Notification, toldKey } from '../notification/outbox.ts'
import type { Pause, SlotByHand } from '../planner/hold.ts'
import type { RunState, TaskState } from '../run/run.ts'
import { readTiming, type TimingFields, timingFields } from '../schedule/timing.ts'
import type { StageFiles } from '../stage/stage-files.ts'
import type { StreamPosition } from '../stream/stream.ts'
import { rejoinLine } from './client-line.ts'
import { inParts } from './decide-sources.ts'
import { type Checkpoint, type Event, isUserEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { heldKeys, holdStream } from './fold-sources.ts'
import { addOpenSlot } from './open-slot.ts'
import { runOf } from './run-progress.ts'
import {
  addRun,
  definitionOf,
  type OpenSlot,
  recordDefinition,
  type ScheduleState,
  type State,
  taskDefinitionOf,
  taskKeyText,
} from './state.ts'

const PART_BYTES_MAX = 48 * 1024

interface StateItem {
  kind: 'state'
  epoch: number
  freezes?: Pause[]
  handovers?: number
  /** How many there ever were. Left out: none. */
  notifications?: number
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
type ComputedOfRun = 'tasks' | 'holdsSlot' | 'remaining' | 'live' | 'ready' | 'place' | 'holds'

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
/** Some of the files of a stage: key, consumed version and by which handover, and the version and run that hold it. */
interface StageItem {
  kind: 'stage'
  key: string
  files: [key: string, consumed: string | null, consumedIn: number, held?: string, run?: string][]
  forgotten?: number
}
interface StreamItem {
  kind: 'stream'
  key: string
  position?: StreamPosition
  held?: { run: string; to: StreamPosition }
}
interface NotificationItem {
  kind: 'notification'
  notification: Notification
}
/** A line that waits after a failure; behind its notifications. */
interface ChannelItem {
  kind: 'channel'
  channel: string
  failures: number
  retry_at?: number
}
interface StreakItem {
  kind: 'streak'
  dag: string
  failures: number
}
interface ToldItem {
  kind: 'told'
  channel: string
  subject: string
  until: number
  id: string
}
type NotificationItems = NotificationItem | ChannelItem | StreakItem | ToldItem
type Item =
  | StateItem
  | ScheduleItem
  | DefinitionItem
  | RunItem
  | TaskItem
  | StageItem
  | StreamItem
  | NotificationItems

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
  const { epoch, freezes, outbox, handovers } = state
  const head: StateItem = { kind: 'state', epoch }
  if (freezes.length > 0) head.freezes = freezes
  if (handovers > 0) head.handovers = handovers
  if (outbox.count > 0) head.notifications = outbox.count
  yield head
  for (const [id, schedule] of state.schedules) yield scheduleItem(id, schedule)
  for (const { name, tenantId, hash, tasks, uses } of state.definitions.values()) {
    if (uses > 0) for (const task of tasks.values()) yield { kind: 'definition', name, tenantId, hash, task }
  }
  for (const run of state.runs.values()) {
    yield runItem(run)
    for (const [taskId, task] of run.tasks) yield { kind: 'task', run_id: run.runId, task_id: taskId, task }
  }
  for (const [key, files] of state.stages) yield* stageItems(key, files)
  for (const [key, forgotten] of state.forgotten) yield { kind: 'stage', key, files: [], forgotten }
  for (const [key, { position, held }] of state.streams)
    yield {
      kind: 'stream',
      key,
      ...(position === undefined ? {} : { position }),
      ...(held === undefined ? {} : { held }),
    }
  yield* outboxItems(outbox)
}

/** Sorted, so that the items of two equal states are equal. */
function* stageItems(key: string, files: StageFiles): Generator<StageItem> {
  const rows = [...files].map(([name, { consumed, consumedIn, held }]): StageItem['files'][number] =>
    held === undefined
      ? [name, consumed ?? null, consumedIn]
      : [name, consumed ?? null, consumedIn, held.version, held.run],
  )
  rows.sort(([a], [b]) => (a < b ? -1 : 1))
  for (const part of inParts(rows)) yield { kind: 'stage', key, files: part }
}

function* outboxItems({ lines, streaks, told }: State['outbox']): Generator<NotificationItems> {
  for (const [channel, { waiting, failures, retryAt }] of lines) {
    for (const notification of waiting.values()) yield { kind: 'notification', notification }
    const again = retryAt === undefined ? undefined : { retry_at: retryAt }
    if (failures > 0) yield { kind: 'channel', channel, failures, ...again }
  }
  for (const [dag, failures] of streaks) yield { kind: 'streak', dag, failures }
  for (const [key, { until, id }] of told) {
    const [channel = '', subject = ''] = key.split('\n')
    yield { kind: 'told', channel, subject, until, id }
  }
}

function runItem({ weight, priority, ...run }: RunState): RunItem {
  const {
    tasks: _,
    holdsSlot: __,
    remaining: ___,
    live: ____,
    ready: _____,
    place: ______,
    holds: _______,
    ...facts
  } = run
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
      state.handovers = item.handovers ?? 0
      state.outbox.count = item.notifications ?? 0
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
        lateAt: item.run.lateAt,
        pool: item.run.pool,
        weight: item.run.weight ?? 1,
        priority: item.run.priority ?? 0,
        holds: undefined,
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
    case 'stage':
      restoreFiles(state, item)
      return
    case 'stream':
      restoreStream(state, item)
      return
    case 'notification':
      return state.outbox.add(item.notification)
    case 'channel':
      return state.outbox.setRetry(item.channel, item.failures, item.retry_at)
    case 'streak':
      state.outbox.streaks.set(item.dag, item.failures)
      return
    case 'told':
      return state.outbox.remember(toldKey(item.channel, item.subject), { until: item.until, id: item.id })
    default:
      throw new Error(`unknown checkpoint item ${JSON.stringify(json).slice(0, 80)}`)
  }
}

function restoreFiles(state: State, { key, files, forgotten }: StageItem): void {
  if (forgotten !== undefined) state.forgotten.set(key, forgotten)
  if (files.length === 0) return
  const tracked: StageFiles = state.stages.get(key) ?? new Map()
  state.stages.set(key, tracked)
  for (const [name, consumed, consumedIn, version, run] of files) {
    const isHeld = version !== undefined && run !== undefined
    const held = isHeld ? { version, run } : undefined
    tracked.set(name, { consumed: consumed ?? undefined, consumedIn, held })
    if (isHeld) heldKeys(runOf(state, run), partOf(key)).push(name)
  }
}

function restoreStream(state: State, { key, position, held }: StreamItem): void {
  state.streams.set(key, { position, held })
  if (held !== undefined) holdStream(runOf(state, held.run), partOf(key))
}

/** The stage or stream of its key: no name of a DAG holds a slash. */
function partOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

function restoreTask(state: State, { run_id: runId, task_id: taskId, task }: TaskItem): void {
  const run = state.runs.get(runId)
  if (run === undefined)
    throw new Error(`checkpoint: task ${taskId} of run ${runId}, which is not there`)
    // Its own map: 'run' has made it, just before.
  ;(run.tasks as Map<string, TaskState>).set(taskId, task)
  const key = taskKeyText(runId, taskId)
  if (task.client !== undefined) rejoinLine(state, runId, taskId, task)
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
    case 'fanned_out':
      state.clientLines.set(key, { waiting: [], next: 0, active: 0 })
      break
    case 'waiting':
      countUpstream(state, run, taskId, task)
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

/** Checkpoints of before trigger rules counted only those that had not succeeded. */
function countUpstream(
  state: State,
  run: RunState,
  taskId: string,
  task: TaskState & { blockers?: number },
): void {
  if (task.blockers === undefined) return
  const ok = taskDefinitionOf(definitionOf(state, run), taskId).dependsOn.length - task.blockers
  if (ok > 0) task.upstream = { ok, stopped: 0, failed: 0, skipped: 0 }
  delete task.blockers
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
