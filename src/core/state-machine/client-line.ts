// The lines of fan-outs: at most so many clients at a time, the others wait in the order in which they were found. A client
// that waits for a retry keeps its place.

import { splitClientTaskId } from '../client/client.ts'
import { isFinal, type RunState, type TaskState } from '../run/run.ts'
import { makeReady } from './run-progress.ts'
import { definitionOf, type State, taskKeyText } from './state.ts'

/** Lets in as many as there is room for. */
export function openClients(state: State, run: RunState, fanOutId: string): void {
  const line = state.clientLines.get(taskKeyText(run.runId, fanOutId))
  const { fanOut } = definitionOf(state, run).tasks.get(fanOutId) ?? {}
  if (line === undefined || fanOut === undefined || run.cancelReason !== undefined) return
  while (line.active < fanOut.parallel && line.next < line.waiting.length) {
    const id = line.waiting[line.next]!
    line.next += 1
    const task = run.tasks.get(id)!
    if (task.status !== 'waiting') continue
    line.active += 1
    makeReady(state, run, task, id)
  }
}

/** A client's task has moved: when it has ended its fan-out counts it and lets in the next. */
export function tellFanOut(state: State, run: RunState, taskId: string, task: TaskState): void {
  if (!isFinal(task.status)) return
  const { taskId: fanOutId } = splitClientTaskId(taskId)!
  const { fan } = run.tasks.get(fanOutId)!
  fan!.open -= 1
  if (task.status === 'ok') fan!.ok += 1
  else if (task.status === 'failed') fan!.failed += 1
  else fan!.skipped += 1
  const line = state.clientLines.get(taskKeyText(run.runId, fanOutId))
  if (line === undefined) return
  // One that was called off before its turn held no place.
  if (task.attempt > 0) line.active -= 1
  openClients(state, run, fanOutId)
}

/** At a restart: the task of a client takes its place in the line again. */
export function rejoinLine(state: State, runId: string, taskId: string, task: TaskState): void {
  const { taskId: fanOutId } = splitClientTaskId(taskId)!
  const line = state.clientLines.get(taskKeyText(runId, fanOutId))
  if (line === undefined || isFinal(task.status)) return
  if (task.status === 'waiting') line.waiting.push(taskId)
  else line.active += 1
}
