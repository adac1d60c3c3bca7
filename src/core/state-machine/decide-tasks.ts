// Decisions about tasks: how an attempt ended, whether it is tried again, what follows downstream.
//
//   T1. An outcome of an attempt that is not the running one is ignored: the attempt number is the fence.
//   T2. A finished task is never started again; an interrupted one is, and says so (`task_lost`).
//   T3. Everything that follows from a task's end stands in the same commit, the run's end included.

import { clientTaskId } from '../client/client.ts'
import type { Task } from '../dag/task.ts'
import { DEFAULT_TRIGGER_RULE, judgeTrigger, NONE_ENDED } from '../dag/trigger-rule.ts'
import { clip } from '../json.ts'
import { LOSSES_MAX, nextRetryAt } from '../run/retry.ts'
import { type FanCounts, isFinal, type RunState, type TaskState } from '../run/run.ts'
import { formatInstant } from '../time/instant.ts'
import type { AttemptResult, Command } from './command.ts'
import { emitTaken, inParts, refuseTaken } from './decide-sources.ts'
import type { Decider } from './decision-context.ts'
import type { AttemptError, TaskOk, TaskSkip } from './event.ts'
import { emitFinished } from './finish-run.ts'
import { definitionOf, type State, taskDefinitionOf, taskOf } from './state.ts'

/** Clients that failed which the end of their fan-out names. */
const FAILED_CLIENTS_NAMED = 100

/** What the line of an attempt begins with. */
export function subjectOf(run: RunState, taskId: string, { client }: TaskState, attempt: number) {
  const line = { run_id: run.runId, dag_name: run.dagName, task_id: taskId, attempt }
  return client === undefined ? line : { ...line, client_id: client }
}

interface Ending {
  readonly decider: Decider
  readonly run: RunState
  readonly task: TaskState
  readonly definition: Task
  readonly durationMs: number
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
    ...subjectOf(found.run, command.taskId, found.task, command.attempt),
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
    ...subjectOf(found.run, command.taskId, found.task, command.attempt),
    pid: command.pid,
  })
}

export function endAttempt(decider: Decider, command: Command & { type: 'ended' }): void {
  const found = current(decider.state, command)
  if (found === undefined) return
  const { run, task } = found
  const definition = taskDefinitionOf(definitionOf(decider.state, run), command.taskId)
  emitResult({ decider, run, task, definition, durationMs: command.durationMs }, command.result)
  if (isFinal(task.status) || task.status === 'fanned_out') concludeTask(decider, run, command.taskId, task)
  // An attempt that was lost while its run was being cancelled is not tried again.
  if (run.cancelReason !== undefined) return callOff(decider, run)
  if (run.remaining === 0) emitFinished(decider, run)
}

/** What follows from the end of a task: for its fan-out if it was done for a client, else downstream. */
function concludeTask(decider: Decider, run: RunState, taskId: string, task: TaskState): void {
  const fanOutId = task.client === undefined ? taskId : taskId.slice(0, taskId.indexOf('['))
  const fanOut = task.client === undefined ? task : run.tasks.get(fanOutId)!
  if (fanOut.status === 'fanned_out') {
    if (fanOut.fan!.open > 0) return
    endFanOut(decider, run, fanOutId, fanOut, fanOut.fan!)
  } else if (task.client !== undefined) return
  skipDownstream(decider, run, fanOutId)
}

/** Tasks that cannot run any more, nearest first; those that can have been made ready by the events themselves. */
function skipDownstream(decider: Decider, run: RunState, taskId: string): void {
  const { tasks, downstream } = definitionOf(decider.state, run)
  const ended = [taskId]
  for (const id of ended) {
    for (const next of downstream.get(id) ?? []) {
      const { status, upstream = NONE_ENDED } = run.tasks.get(next)!
      if (status !== 'waiting') continue
      const { triggerRule = DEFAULT_TRIGGER_RULE, dependsOn } = tasks.get(next)!
      const verdict = judgeTrigger(triggerRule, dependsOn.length, upstream)
      if (verdict === 'run' || verdict === 'wait') continue
      skip(decider, run, next, verdict)
      ended.push(next)
    }
  }
}

function skip(decider: Decider, run: RunState, taskId: string, reason: TaskSkip['reason']): void {
  const { client } = run.tasks.get(taskId)!
  decider.emit({
    event: 'task_skip',
    run_id: run.runId,
    dag_name: run.dagName,
    task_id: taskId,
    reason,
    ...(client === undefined ? {} : { client_id: client }),
  })
}

/** The run is cancelled: what has not begun never will; its end follows with the last attempt that still runs. */
export function callOff(decider: Decider, run: RunState): void {
  for (const [taskId, { status }] of [...run.tasks])
    if (!isFinal(status) && status !== 'running' && status !== 'fanned_out')
      skip(decider, run, taskId, 'cancelled')
  for (const [taskId, task] of run.tasks)
    if (task.status === 'fanned_out' && task.fan!.open === 0) endFanOut(decider, run, taskId, task, task.fan!)
  if (run.remaining === 0) emitFinished(decider, run)
}

function emitResult(ending: Ending, result: AttemptResult): void {
  const { decider, run, task, definition, durationMs } = ending
  const line = subjectOf(run, definition.id, task, task.attempt)
  switch (result.kind) {
    case 'ok':
      return emitOk(ending, result, { output: result.output })
    case 'ok_blob':
      return emitOk(ending, result, { blob: result.blob, ...(result.stops ? { continue: 0 } : {}) })
    case 'skip': {
      const { kind: _, ...why } = result
      return decider.emit({ event: 'task_skip', ...line, duration_ms: durationMs, ...why })
    }
    case 'clients': {
      const parts = inParts(result.clients)
      return parts.forEach((clients, index) => {
        decider.emit({ event: 'clients_found', ...line, part: index + 1, parts: parts.length, clients })
      })
    }
    case 'cancelled':
      if (run.cancelReason !== undefined) {
        return decider.emit({ event: 'task_cancelled', ...line, reason: result.reason })
      }
      // Ended by a stop of the scheduler, not by anyone's wish for this run.
      return emitLost(ending, result.reason)
    case 'lost':
      return emitLost(ending, result.reason)
    case 'failed': {
      const failures = task.attempt - task.losses - (task.overtaken ?? 0)
      if (failures > definition.retries || run.cancelReason !== undefined)
        return emitFail(ending, result.error)
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

function emitOk(
  ending: Ending,
  { taken }: AttemptResult & { kind: 'ok' | 'ok_blob' },
  result: Pick<TaskOk, 'output' | 'blob' | 'continue'>,
): void {
  const { decider, run, task, definition, durationMs } = ending
  const line = subjectOf(run, definition.id, task, task.attempt)
  const refused = taken && refuseTaken(decider, run, task, taken)
  if (refused?.kind === 'again') return emitOvertaken(ending, refused.reason)
  if (refused !== undefined) {
    const why = { reason: 'returned_skip', detail: refused.reason } as const
    return decider.emit({ event: 'task_skip', ...line, duration_ms: durationMs, ...why })
  }
  if (taken !== undefined) emitTaken(decider, run, definition.id, taken)
  decider.emit({ event: 'task_ok', ...line, duration_ms: durationMs, ...result })
}

/** All clients of a fan-out have ended: one that failed makes it partial, only all of them make it fail. */
function endFanOut(
  decider: Decider,
  run: RunState,
  taskId: string,
  task: TaskState,
  { clients, ok, failed, skipped }: FanCounts,
): void {
  const line = subjectOf(run, taskId, task, task.attempt)
  const { now } = decider.context
  const durationMs = Math.max(0, now - (task.startedAt ?? now))
  if (run.cancelReason !== undefined)
    return decider.emit({ event: 'task_cancelled', ...line, reason: run.cancelReason })
  if (failed > 0 && ok === 0) {
    const message = `${failed} of ${clients} clients failed and none succeeded, the first: ${firstFailure(run, taskId)}`
    const definition = definitionOf(decider.state, run).tasks.get(taskId)!
    return emitFail({ decider, run, task, definition, durationMs }, { kind: 'clients_failed', message })
  }
  const named = failed === 0 ? {} : { failed_clients: failedClients(run, taskId) }
  decider.emit({
    event: 'task_ok',
    ...line,
    duration_ms: durationMs,
    output: { clients, succeeded: ok, failed, skipped, ...named },
    ...(failed === 0 ? {} : { partial: true }),
  })
}

function failedClients(run: RunState, fanOutId: string): string[] {
  const names: string[] = []
  for (const [taskId, { client, status }] of run.tasks) {
    if (status !== 'failed' || client === undefined || clientTaskId(fanOutId, client) !== taskId) continue
    if (names.push(client) === FAILED_CLIENTS_NAMED) break
  }
  return names
}

function firstFailure(run: RunState, fanOutId: string): string {
  const [client = ''] = failedClients(run, fanOutId)
  const { error } = run.tasks.get(clientTaskId(fanOutId, client)) ?? {}
  return `${client}: ${clip(error?.message ?? 'unknown error', 500)}`
}

/** Looks again at once: each time another run has got on, so it cannot go on for ever. */
function emitOvertaken({ decider, run, task, definition }: Ending, reason: string): void {
  decider.emit({
    event: 'task_lost',
    ...subjectOf(run, definition.id, task, task.attempt),
    reason,
    overtaken: true,
    retry_at: formatInstant(decider.context.now),
  })
}

function emitLost(ending: Ending, reason: string): void {
  const { decider, run, task, definition } = ending
  if (task.losses >= LOSSES_MAX) {
    const message = `interrupted ${task.losses + 1} times, the last time: ${reason}`
    return emitFail(ending, { kind: 'lost', message })
  }
  decider.emit({
    event: 'task_lost',
    ...subjectOf(run, definition.id, task, task.attempt),
    reason,
    retry_at: formatInstant(decider.context.now),
  })
}

function emitFail({ decider, run, task, definition, durationMs }: Ending, error: AttemptError): void {
  const attempts = `${task.attempt} attempt${task.attempt === 1 ? '' : 's'}`
  decider.emit({
    event: 'task_fail',
    ...subjectOf(run, definition.id, task, task.attempt),
    duration_ms: durationMs,
    error,
    message: `RunnerError: Task '${definition.id}' failed after ${attempts}`,
  })
}
