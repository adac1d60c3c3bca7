// Decisions about runs: asked for, started, gone on with, cancelled, ended.
//
//   R1. A run ends in the same commit as the task that ended it.
//   R2. An outcome of an attempt that is not the running one is ignored: the attempt number is the fence.
//   R3. A finished task is never started again; an interrupted one is, and says so (`task_lost`).

import type { Dag } from '../dag/dag.ts'
import type { Task } from '../dag/task.ts'
import { DagbokError, EXIT } from '../error.ts'
import { type JsonObject, jsonBytes } from '../json.ts'
import { admitNext } from '../planner/admit.ts'
import { runStatus, unreachableAfter } from '../planner/plan-run.ts'
import { LOSSES_MAX, nextRetryAt } from '../run/retry.ts'
import { countTasks, isFinal, type RunState, type TaskState } from '../run/run.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { formatInstant, formatSlot } from '../time/instant.ts'
import type { AttemptResult, Command } from './command.ts'
import type { Decider } from './decision-context.ts'
import type { AttemptError, RunStatus, ScheduleEnqueued, TaskSkip } from './event.ts'
import { definitionOf, type State, type TaskKey, taskKeyText, taskOf } from './state.ts'

/** A line is at most 64 KiB; a definition's tasks are spread over lines of about this size. */
const DEFINITION_PART_BYTES = 40 * 1024

/** Emits the definition unless the state has it. Same commit as the event that refers to it. */
export function emitDefinition(decider: Decider, dag: Dag): void {
  if (decider.state.definitions.has(dag.hash)) return
  const parts: JsonObject[][] = [[]]
  let bytes = 0
  for (const task of dag.tasks as unknown as JsonObject[]) {
    const size = jsonBytes(task)
    if (bytes > 0 && bytes + size > DEFINITION_PART_BYTES) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(task)
    bytes += size
  }
  parts.forEach((tasks, index) => {
    decider.emit({
      event: 'definition_recorded',
      dag_name: dag.name,
      tenant_id: dag.tenantId,
      definition_hash: dag.hash,
      part: index + 1,
      parts: parts.length,
      tasks,
    })
  })
}

export function requestRun(
  decider: Decider,
  { runId, dag, cause, params, slot }: Command & { type: 'trigger' },
): void {
  if (decider.state.runs.has(runId)) {
    throw new DagbokError('RUN_EXISTS', `run "${runId}" is already there`, { exitCode: EXIT.conflict })
  }
  emitDefinition(decider, dag)
  decider.emit({
    event: 'run_requested',
    run_id: runId,
    dag_name: dag.name,
    tenant_id: dag.tenantId,
    definition_hash: dag.hash,
    cause,
    ...(params === undefined ? {} : { params }),
    ...(slot === undefined
      ? {}
      : {
          schedule_id: slot.scheduleId,
          slot: formatSlot(slot.at),
          ...termsOf(decider.context.definitions.schedules.get(slot.scheduleId)),
        }),
  })
}

/** What a run takes with it from its schedule: what it needs to start, and what it goes before. */
export function termsOf(schedule: Schedule | undefined): PoolTerms | undefined {
  if (schedule === undefined) return undefined
  const { pool, weight = 1, priority = 0 } = schedule
  if (pool === undefined && priority === 0) return undefined
  return {
    ...(pool === undefined ? undefined : { pool }),
    ...(pool === undefined || weight === 1 ? undefined : { weight }),
    ...(priority === 0 ? undefined : { priority }),
  }
}

type PoolTerms = Pick<ScheduleEnqueued, 'pool' | 'weight' | 'priority'>

/** Starts whatever the limits allow: retries that have come, ready tasks, queued runs. One commit each. */
export function startWhatMay(decider: Decider): void {
  const { state, context } = decider
  takeDueRetries(state, context.now)
  takeDelayed(state, context.now)
  if (context.driven === 'all' && context.admission !== 'closed') giveUpLate(decider)
  for (;;) {
    const admitted = admitNext(state, context)
    if (admitted === undefined) return
    if (admitted.kind === 'run') startRun(decider, admitted.runId)
    else startTask(decider, admitted.key)
    decider.commit()
  }
}

function takeDueRetries(state: State, now: number): void {
  for (;;) {
    const entry = state.retries.takeDue(now)
    if (entry === undefined) return
    const { runId, taskId } = entry.item
    const task = taskOf(state, runId, taskId)?.task
    if (task?.status === 'retrying' && task.retryAt === entry.at)
      state.due.set(taskKeyText(runId, taskId), entry.item)
  }
}

/** Runs whose time has come join the line, unless one of their schedule is in the way: then its end lets them in. */
function takeDelayed(state: State, now: number): void {
  for (let entry = state.delayed.takeDue(now); entry !== undefined; entry = state.delayed.takeDue(now)) {
    const run = state.runs.get(entry.item)
    if (run?.status !== 'queued') continue
    const isFirst = state.schedules.get(run.scheduleId ?? '')?.active?.[0] === run.runId
    if (isFirst || run.order === 'parallel') state.startable.add(run)
  }
}

/** A run that must have started by now and has not ends without having started. */
function giveUpLate(decider: Decider): void {
  const { state, context } = decider
  for (let late = state.deadlines.takeDue(context.now); late !== undefined; ) {
    if (state.runs.get(late.item)?.status === 'queued') {
      cancelRun(decider, late.item, `starting_deadline: not started by ${formatInstant(late.at)}`)
      decider.commit()
    }
    late = state.deadlines.takeDue(context.now)
  }
}

function startRun(decider: Decider, runId: string): void {
  const run = decider.state.runs.get(runId)!
  decider.emit({
    event: 'run_started',
    run_id: runId,
    dag_name: run.dagName,
    tenant_id: run.tenantId,
    ...(run.scheduleId === undefined ? {} : { schedule_id: run.scheduleId, slot: run.slot }),
  })
}

function startTask(decider: Decider, { runId, taskId }: TaskKey): void {
  const { run, task } = taskOf(decider.state, runId, taskId)!
  const { workflowRef, timeoutMs } = definitionOf(decider.state, run).tasks.get(taskId)!
  decider.emit({
    event: 'task_start',
    ...subject(run, taskId, task.attempt + 1),
    workflow_ref: workflowRef,
    ...(timeoutMs === undefined ? {} : { deadline_at: formatInstant(decider.context.now + timeoutMs) }),
  })
}

function subject(run: RunState, taskId: string, attempt: number) {
  return { run_id: run.runId, dag_name: run.dagName, task_id: taskId, attempt }
}

/** The running attempt of that number, or undefined if it is over: then whatever is said of it comes too late. */
function current(state: State, command: { runId: string; taskId: string; attempt: number }) {
  const found = taskOf(state, command.runId, command.taskId)
  return found?.task.status === 'running' && found.task.attempt === command.attempt ? found : undefined
}

export function noteSpawned(decider: Decider, command: Command & { type: 'spawned' }): void {
  const found = current(decider.state, command)
  if (found === undefined || found.task.process !== undefined) return
  decider.emit({
    event: 'task_spawned',
    ...subject(found.run, command.taskId, command.attempt),
    pid: command.pid,
    start_ticks: command.startTicks,
    boot_id: command.bootId,
  })
}

export function noteReadopted(decider: Decider, command: Command & { type: 'readopted' }): void {
  const found = current(decider.state, command)
  if (found === undefined) return
  decider.emit({
    event: 'task_readopted',
    ...subject(found.run, command.taskId, command.attempt),
    pid: command.pid,
  })
}

export function endAttempt(decider: Decider, command: Command & { type: 'ended' }): void {
  const found = current(decider.state, command)
  if (found === undefined) return
  const { run, task } = found
  const definition = definitionOf(decider.state, run).tasks.get(command.taskId)!
  emitResult(decider, run, task, definition, command.result, command.durationMs)
  if (task.status === 'failed')
    skip(decider, run, unreachable(decider, run, command.taskId), 'upstream_failed')
  // An attempt that was lost while its run was being cancelled is not tried again.
  if (run.cancelReason !== undefined) skip(decider, run, unstarted(run), 'cancelled')
  if (run.remaining === 0) finishRun(decider, run)
}

function emitResult(
  decider: Decider,
  run: RunState,
  task: TaskState,
  definition: Task,
  result: AttemptResult,
  durationMs: number,
): void {
  const line = subject(run, definition.id, task.attempt)
  switch (result.kind) {
    case 'ok':
      return decider.emit({ event: 'task_ok', ...line, duration_ms: durationMs, output: result.output })
    case 'ok_blob':
      return decider.emit({ event: 'task_ok', ...line, duration_ms: durationMs, blob: result.blob })
    case 'cancelled':
      if (run.cancelReason !== undefined) {
        return decider.emit({ event: 'task_cancelled', ...line, reason: result.reason })
      }
      // Ended by a stop of the scheduler, not by anyone's wish for this run.
      return emitLost(decider, run, task, definition, result.reason, durationMs)
    case 'lost':
      return emitLost(decider, run, task, definition, result.reason, durationMs)
    case 'failed': {
      const failures = task.attempt - task.losses
      if (failures > definition.retries || run.cancelReason !== undefined) {
        return emitFail(decider, run, task, definition, result.error, durationMs)
      }
      const { now, random } = decider.context
      return decider.emit({
        event: 'task_retry',
        ...line,
        duration_ms: durationMs,
        error: result.error,
        retry_at: formatInstant(nextRetryAt(definition, failures, now, random)),
      })
    }
  }
}

function emitLost(
  decider: Decider,
  run: RunState,
  task: TaskState,
  definition: Task,
  reason: string,
  durationMs: number,
): void {
  if (task.losses >= LOSSES_MAX) {
    const message = `interrupted ${task.losses + 1} times, the last time: ${reason}`
    return emitFail(decider, run, task, definition, { kind: 'lost', message }, durationMs)
  }
  const retryAt = formatInstant(decider.context.now)
  decider.emit({
    event: 'task_lost',
    ...subject(run, definition.id, task.attempt),
    reason,
    retry_at: retryAt,
  })
}

function emitFail(
  decider: Decider,
  run: RunState,
  task: TaskState,
  definition: Task,
  error: AttemptError,
  durationMs: number,
): void {
  const attempts = `${task.attempt} attempt${task.attempt === 1 ? '' : 's'}`
  decider.emit({
    event: 'task_fail',
    ...subject(run, definition.id, task.attempt),
    duration_ms: durationMs,
    error,
    message: `RunnerError: Task '${definition.id}' failed after ${attempts}`,
  })
}

function unreachable(decider: Decider, run: RunState, taskId: string): string[] {
  return unreachableAfter(run, definitionOf(decider.state, run), taskId)
}

function unstarted(run: RunState): string[] {
  return [...run.tasks].filter(([, { status }]) => !isFinal(status) && status !== 'running').map(([id]) => id)
}

function skip(decider: Decider, run: RunState, taskIds: readonly string[], reason: TaskSkip['reason']): void {
  for (const taskId of taskIds) {
    decider.emit({ event: 'task_skip', run_id: run.runId, dag_name: run.dagName, task_id: taskId, reason })
  }
}

/** @throws DagbokError RUN_NOT_FOUND if no unfinished run has this id */
export function cancelRun(decider: Decider, runId: string, reason: string): void {
  const run = decider.state.runs.get(runId)
  if (run === undefined) {
    throw new DagbokError('RUN_NOT_FOUND', `no unfinished run has the id "${runId}"`, {
      hint: 'scheduler runs --status running,queued',
      exitCode: EXIT.notFound,
    })
  }
  if (run.cancelReason !== undefined) return
  decider.emit({ event: 'run_cancel_requested', run_id: runId, reason })
  skip(decider, run, unstarted(run), 'cancelled')
  if (run.remaining === 0) finishRun(decider, run)
}

function finishRun(decider: Decider, run: RunState): void {
  const counts = countTasks(run)
  const status: RunStatus = runStatus(run)
  const error = status === 'failed' ? failureOf(run) : undefined
  decider.emit({
    event: 'run_finished',
    run_id: run.runId,
    dag_name: run.dagName,
    tenant_id: run.tenantId,
    ...(run.scheduleId === undefined ? {} : { schedule_id: run.scheduleId, slot: run.slot }),
    status,
    tasks_succeeded: counts.ok,
    tasks_failed: counts.failed,
    tasks_skipped: counts.skipped + counts.cancelled,
    duration_ms: Math.max(0, decider.context.now - (run.startedAt ?? decider.context.now)),
    ...(error === undefined ? {} : { error }),
  })
}

/** The first failed task speaks for the run. */
function failureOf(run: RunState): string {
  for (const [taskId, task] of run.tasks) {
    if (task.status !== 'failed') continue
    const attempts = `${task.attempt} attempt${task.attempt === 1 ? '' : 's'}`
    return `RunnerError: Task '${taskId}' failed after ${attempts}: ${task.error?.message ?? 'unknown error'}`
  }
  return 'unknown error'
}
