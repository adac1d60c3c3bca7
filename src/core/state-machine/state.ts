// The state: everything the scheduler knows about what has happened, folded from the journal.
//
//   S1. It changes only in `evolve`, by events; `decide` reads it. Exception: `due`, which is order, not fact.
//   S2. Cost per event is constant in the number of schedules, runs and tasks. So it is changed in place.
//   S3. It holds what is unfinished. Ended runs leave; the run index has them.

import { splitClientTaskId } from '../client/client.ts'
import type { Dag } from '../dag/dag.ts'
import { WRAPPER_WORKFLOWS } from '../dag/manifest.ts'
import type { Task } from '../dag/task.ts'
import { Outbox } from '../notification/outbox.ts'
import type { Pause, SlotByHand } from '../planner/hold.ts'
import { StartLine } from '../planner/start-line.ts'
import type { RunState, TaskState } from '../run/run.ts'
import type { Timing } from '../schedule/timing.ts'
import type { StageFiles } from '../stage/stage-files.ts'
import type { StreamPosition } from '../stream/stream.ts'
import type { Instant } from '../time/instant.ts'
import { InstantHeap } from '../time/instant-heap.ts'
import { RunTable } from './run-table.ts'

export interface ScheduleState {
  /** The last decided slot, or the instant before the first one that counts. */
  cursor: Instant
  /** What its slots up to now were computed from. */
  timing: Timing
  retired: boolean
  /** Unfinished runs of its slots, in the order they were enqueued. Undefined when there are none. */
  active: string[] | undefined
  /** Pauses that slots after the cursor may fall into. Undefined: none, as nearly always. */
  pauses: Pause[] | undefined
  /** Slots after the cursor that somebody has skipped or has run already. Undefined: none. */
  byHand: SlotByHand[] | undefined
  /** Slots up to the cursor whose conditions are still to be answered, in order. Undefined: none, as nearly always. */
  open: OpenSlot[] | undefined
}

/** A slot between being due and its decision. */
export interface OpenSlot {
  readonly slot: Instant
  readonly reason: 'due' | 'catchup'
  /** How often its conditions have been answered. The fence: an answer to an older ask is ignored. */
  asks: number
  /** When they are asked again; undefined: they are being asked. */
  retryAt: Instant | undefined
}

export interface SlotKey {
  readonly scheduleId: string
  readonly slot: Instant
}

/** A DAG definition that runs refer to, with what is computed from it once. It may come in several parts. */
export interface RecordedDefinition {
  readonly name: string
  readonly tenantId: string
  readonly hash: string
  /** By id, in the order they were written. */
  readonly tasks: Map<string, Task>
  readonly downstream: Map<string, string[]>
  /** Of a manifest: its root, and what gives it new files. */
  root: string | undefined
  source: string | undefined
  /** Unfinished runs that keep it. */
  uses: number
}

/** How far a stream has been read. */
export interface StreamState {
  /** Of the last run that succeeded; undefined: the beginning. */
  position: StreamPosition | undefined
  /** The unfinished run that has the records after it. */
  held: { readonly run: string; readonly to: StreamPosition } | undefined
}

/** The clients of a fan-out whose tasks wait for others of it, and how many do not. */
export interface ClientLine {
  readonly waiting: string[]
  next: number
  active: number
}

export interface TaskKey {
  readonly runId: string
  readonly taskId: string
}

export interface State {
  /** `seq` of the last event folded in. */
  seq: number
  epoch: number
  readonly schedules: Map<string, ScheduleState>
  readonly definitions: Map<string, RecordedDefinition>
  readonly runs: RunTable
  /** Files that are consumed or held, by `stageKey`. */
  readonly stages: Map<string, StageFiles>
  /** Streams that were read from or are held, by `streamKey`. */
  readonly streams: Map<string, StreamState>
  /** How often files were consumed or forgotten: tells whether what an attempt saw of a stage is still so. */
  handovers: number
  /** The last of these that forgot files, by `stageKey`. */
  readonly forgotten: Map<string, number>
  /** Pauses of everything at once, the latest ones. */
  freezes: Pause[]
  /** What is to be told and has not been. */
  readonly outbox: Outbox

  // --- computed from the above, for constant cost ---

  /** How many runs were put in their place: the number of the next one's. */
  places: number
  /** Runs that may start now, in order: their schedule has no earlier run in the way. And what their pools gave out. */
  readonly startable: StartLine
  /** Tasks `ready`, in order. */
  readonly ready: Map<string, TaskKey>
  /** Tasks `running`. */
  readonly live: Map<string, TaskKey>
  /** Grows whenever `live` or a cancel request changes: tells the dispatcher whether to look. */
  liveVersion: number
  /** Runs that hold a slot of SCHED_MAX_PARALLEL. */
  slotsHeld: number
  /** Retries to come. Stale entries are recognised by `retryAt` when they come up. */
  readonly retries: InstantHeap<TaskKey>
  /** Retries that have come and wait for room. */
  readonly due: Map<string, TaskKey>
  /** Clients of fan-outs that wait for their turn, by the fan-out's task. */
  readonly clientLines: Map<string, ClientLine>
  /** Queued runs that may not start yet. */
  readonly delayed: InstantHeap<string>
  /** Queued runs that must have started by then. */
  readonly deadlines: InstantHeap<string>
  /** Runs that are late by then. Stale entries are recognised by `lateAt` when they come up. */
  readonly lateness: InstantHeap<string>
  /** Open slots whose conditions are to be asked now, in order. */
  readonly asking: Map<string, SlotKey>
  /** Grows whenever `asking` changes: tells the asker whether to look. */
  askingVersion: number
  /** Open slots to be asked again. Stale entries are recognised by `retryAt` when they come up. */
  readonly reasks: InstantHeap<SlotKey>
}

export function emptyState(): State {
  return {
    seq: 0,
    epoch: 0,
    schedules: new Map(),
    definitions: new Map(),
    runs: new RunTable(),
    stages: new Map(),
    streams: new Map(),
    handovers: 0,
    forgotten: new Map(),
    freezes: [],
    outbox: new Outbox(),
    places: 0,
    startable: new StartLine(),
    ready: new Map(),
    live: new Map(),
    liveVersion: 0,
    slotsHeld: 0,
    retries: new InstantHeap(),
    due: new Map(),
    clientLines: new Map(),
    delayed: new InstantHeap(),
    deadlines: new InstantHeap(),
    lateness: new InstantHeap(),
    asking: new Map(),
    askingVersion: 0,
    reasks: new InstantHeap(),
  }
}

/** One text per (run, task): a task id cannot hold a line feed. */
export function taskKeyText(runId: string, taskId: string): string {
  return `${runId}\n${taskId}`
}

export function taskOf(
  state: State,
  runId: string,
  taskId: string,
): { run: RunState; task: TaskState } | undefined {
  const run = state.runs.get(runId)
  const task = run?.tasks.get(taskId)
  return run === undefined || task === undefined ? undefined : { run, task }
}

/** The definition a run keeps. It is there as long as the run is. */
export function definitionOf(state: State, run: RunState): RecordedDefinition {
  const definition = state.definitions.get(run.definitionHash)
  if (definition === undefined)
    throw new Error(`run ${run.runId}: definition ${run.definitionHash} is not in the state`)
  return definition
}

/** Adds a definition, or further tasks to one whose earlier parts are there. */
export function recordDefinition(state: State, header: Omit<Dag, 'tasks'>, tasks: readonly Task[]): void {
  let definition = state.definitions.get(header.hash)
  if (definition === undefined) {
    const { name, tenantId, hash } = header
    definition = {
      name,
      tenantId,
      hash,
      tasks: new Map(),
      downstream: new Map(),
      root: undefined,
      source: undefined,
      uses: 0,
    }
    state.definitions.set(hash, definition)
  }
  for (const task of tasks) {
    // Recorded again by somebody who had forgotten it: nothing follows twice from a task.
    if (definition.tasks.has(task.id)) continue
    definition.tasks.set(task.id, task)
    noteWrapper(definition, task)
    for (const upstream of task.dependsOn) {
      const list = definition.downstream.get(upstream)
      if (list === undefined) definition.downstream.set(upstream, [task.id])
      else list.push(task.id)
    }
  }
}

function noteWrapper(definition: RecordedDefinition, { id, workflowRef }: Task): void {
  if (workflowRef === WRAPPER_WORKFLOWS.root) definition.root = id
  else if (workflowRef === WRAPPER_WORKFLOWS.poll || workflowRef === WRAPPER_WORKFLOWS.stream)
    definition.source = id
}

/** A task of a run: one that was written, or the task of a client of a fan-out. */
export function taskDefinitionOf({ name, tasks }: RecordedDefinition, taskId: string): Task {
  const written = tasks.get(taskId)
  if (written !== undefined) return written
  const split = splitClientTaskId(taskId)
  const fanOut = split && tasks.get(split.taskId)
  if (split === undefined || fanOut === undefined) throw new Error(`DAG ${name} has no task ${taskId}`)
  const { fanOut: _, ...task } = fanOut
  return { ...task, id: taskId, params: { ...task.params, client_id: split.client } }
}

/** Puts an unfinished run in its place in the lines. */
export function addRun(state: State, run: RunState): void {
  definitionOf(state, run).uses += 1
  state.places += 1
  run.place = state.places
  state.runs.add(run)
  let first = true
  if (run.scheduleId !== undefined) {
    const schedule = scheduleOf(state, run.scheduleId)
    if (schedule.active === undefined) schedule.active = [run.runId]
    else first = schedule.active.push(run.runId) === 1
  }
  if (run.lateAt !== undefined) state.lateness.put(run.lateAt, run.runId)
  if (run.status !== 'queued') return state.startable.hold(run)
  if (run.startBy !== undefined) state.deadlines.put(run.startBy, run.runId)
  if (run.startAfter !== undefined) state.delayed.put(run.startAfter, run.runId)
  else if (first || run.order === 'parallel') state.startable.add(run)
}

export function scheduleOf(state: State, scheduleId: string): ScheduleState {
  const schedule = state.schedules.get(scheduleId)
  if (schedule === undefined) throw new Error(`schedule ${scheduleId} is not registered`)
  return schedule
}
