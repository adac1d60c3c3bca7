// How a run moves through the lines: started, its tasks ready, running, ended, and the run with them. What `evolve` does with
// events about runs and tasks, in steps.
//
//   P1. Cost per step is constant in the number of runs, and of tasks but those that follow directly.
//   P2. Nothing is decided: what follows from an event follows from it every time.

import { judgeTrigger, NONE_ENDED, type UpstreamCounts } from '../dag/trigger-rule.ts'
import { isFinal, type RunState, type TaskState } from '../run/run.ts'
import type { Instant } from '../time/instant.ts'
import { definitionOf, type State, scheduleOf, taskKeyText } from './state.ts'

export function runOf(state: State, runId: string): RunState {
  const run = state.runs.get(runId)
  if (run === undefined) throw new Error(`the journal speaks of run ${runId}, which is not unfinished`)
  return run
}

export function startRun(state: State, run: RunState, startedAt: Instant): void {
  const { tasks } = definitionOf(state, run)
  state.startable.delete(run)
  state.startable.hold(run)
  run.status = 'running'
  run.startedAt = startedAt
  run.remaining = tasks.size
  const taskStates = new Map<string, TaskState>()
  run.tasks = taskStates
  for (const { id, dependsOn, triggerRule } of tasks.values()) {
    const task: TaskState = { status: 'waiting', attempt: 0, losses: 0 }
    taskStates.set(id, task)
    if (dependsOn.length === 0 || triggerRule === 'always') makeReady(state, run, task, id)
  }
  holdSlot(state, run)
}

export function finishRun(state: State, run: RunState, at: Instant): void {
  if (run.holdsSlot) state.slotsHeld -= 1
  state.runs.delete(run.runId)
  if (run.status === 'queued') state.startable.delete(run)
  else state.startable.release(run)
  definitionOf(state, run).uses -= 1
  if (run.scheduleId === undefined) return
  const schedule = scheduleOf(state, run.scheduleId)
  const left = schedule.active?.filter(runId => runId !== run.runId) ?? []
  schedule.active = left.length === 0 ? undefined : left
  const next = left[0] === undefined ? undefined : state.runs.get(left[0])
  if (next?.status !== 'queued') return
  // Its time may have come while another was in its way, and not have come any more: clocks go back.
  if (next.startAfter !== undefined && next.startAfter > at) state.delayed.put(next.startAfter, next.runId)
  else state.startable.add(next)
}

/**
 * A run that has a task ready holds a slot: the last client of a fan-out had given it back, a line before the fan-out's end,
 * and nothing can have taken it in the same commit.
 */
export function makeReady(state: State, run: RunState, task: TaskState, taskId: string): void {
  task.status = 'ready'
  run.ready += 1
  state.ready.set(taskKeyText(run.runId, taskId), { runId: run.runId, taskId })
  holdSlot(state, run)
}

/** A task that was ready or due for a retry leaves its line. */
export function leaveLine(state: State, run: RunState, task: TaskState, key: string): void {
  if (task.status === 'ready') {
    run.ready -= 1
    state.ready.delete(key)
  } else if (task.status === 'retrying') state.due.delete(key)
}

export function takeRoom(state: State, run: RunState, task: TaskState, taskId: string): void {
  const key = taskKeyText(run.runId, taskId)
  leaveLine(state, run, task, key)
  run.live += 1
  state.live.set(key, { runId: run.runId, taskId })
  state.liveVersion += 1
  holdSlot(state, run)
}

export function endAttempt(state: State, run: RunState, taskId: string): void {
  if (!state.live.delete(taskKeyText(run.runId, taskId))) {
    throw new Error(`run ${run.runId}: task ${taskId} ends an attempt that was not running`)
  }
  const task = run.tasks.get(taskId)
  if (task?.handovers !== undefined) delete task.handovers
  run.live -= 1
  state.liveVersion += 1
}

/** A task comes to its end: whoever waits for it is told. */
export function settle(
  state: State,
  run: RunState,
  taskId: string,
  task: TaskState,
  status: TaskState['status'],
  counted: keyof UpstreamCounts,
): void {
  if (isFinal(task.status)) throw new Error(`run ${run.runId}: a task ends twice`)
  task.status = status
  task.process = undefined
  task.retryAt = undefined
  run.remaining -= 1
  if (task.client === undefined) tellDownstream(state, run, taskId, counted)
}

function tellDownstream(state: State, run: RunState, taskId: string, counted: keyof UpstreamCounts): void {
  const { tasks, downstream } = definitionOf(state, run)
  for (const id of downstream.get(taskId) ?? []) {
    const task = run.tasks.get(id)!
    const before = task.upstream ?? NONE_ENDED
    task.upstream = { ...before, [counted]: before[counted] + 1 }
    if (task.status !== 'waiting') continue
    const { dependsOn, triggerRule = 'ALL' } = tasks.get(id)!
    if (judgeTrigger(triggerRule, dependsOn.length, task.upstream) === 'run') makeReady(state, run, task, id)
  }
}

function holdSlot(state: State, run: RunState): void {
  if (run.holdsSlot) return
  run.holdsSlot = true
  state.slotsHeld += 1
}

/** A run whose tasks all wait gives its slot back, or waiting runs would block those they wait for. */
export function releaseSlot(state: State, run: RunState): void {
  if (!run.holdsSlot || run.live > 0 || run.ready > 0) return
  run.holdsSlot = false
  state.slotsHeld -= 1
}
