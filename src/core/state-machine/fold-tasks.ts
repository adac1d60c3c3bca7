// What has happened to a task → what is so: the part of `evolve` that is about tasks, attempts and fan-outs.

import { clientTaskId } from '../client/client.ts'
import type { RunState, TaskState } from '../run/run.ts'
import { parseInstant } from '../time/instant.ts'
import { openClients, tellFanOut } from './client-line.ts'
import type {
  ClientsFound,
  TaskCancelled,
  TaskFail,
  TaskLost,
  TaskOk,
  TaskReadopted,
  TaskRetry,
  TaskSkip,
  TaskSpawned,
  TaskStart,
} from './event.ts'
import { endAttempt, leaveLine, releaseSlot, runOf, settle, takeRoom } from './run-progress.ts'
import { type State, taskKeyText } from './state.ts'

export type TaskEvent =
  | TaskStart
  | TaskSpawned
  | TaskReadopted
  | TaskOk
  | TaskRetry
  | TaskLost
  | TaskFail
  | TaskCancelled
  | TaskSkip
  | ClientsFound

export function foldTask(state: State, event: TaskEvent): void {
  const run = runOf(state, event.run_id)
  const { task_id: taskId } = event
  const task = run.tasks.get(taskId)
  if (task === undefined) throw new Error(`run ${event.run_id} has no task ${taskId}`)
  switch (event.event) {
    case 'task_start':
      takeRoom(state, run, task, taskId)
      task.status = 'running'
      task.attempt = event.attempt
      task.startedAt = parseInstant(event.timestamp)
      task.deadlineAt = event.deadline_at === undefined ? undefined : parseInstant(event.deadline_at)
      if (state.handovers > 0) task.handovers = state.handovers
      task.retryAt = undefined
      task.process = undefined
      return
    case 'task_spawned':
      task.process = { pid: event.pid, startTicks: event.start_ticks, bootId: event.boot_id }
      return
    case 'task_readopted':
      return
    case 'task_ok':
      leaveWork(state, run, task, taskId)
      task.output = event.output
      task.blob = event.blob
      if (event.partial === true) task.partial = true
      settle(state, run, taskId, task, 'ok', isStopped(event) ? 'stopped' : 'ok')
      break
    case 'task_retry':
    case 'task_lost':
      endAttempt(state, run, taskId)
      task.status = 'retrying'
      task.retryAt = parseInstant(event.retry_at)
      if (event.event === 'task_retry') task.error = event.error
      else if (event.overtaken === true) task.overtaken = (task.overtaken ?? 0) + 1
      else task.losses += 1
      state.retries.put(task.retryAt, { runId: event.run_id, taskId })
      break
    case 'task_fail':
      leaveWork(state, run, task, taskId)
      task.error = event.error
      settle(state, run, taskId, task, 'failed', 'failed')
      break
    case 'task_cancelled':
      leaveWork(state, run, task, taskId)
      settle(state, run, taskId, task, 'cancelled', 'skipped')
      break
    case 'task_skip':
      if (task.status === 'running') endAttempt(state, run, taskId)
      else leaveLine(state, run, task, taskKeyText(run.runId, taskId))
      if (event.reason === 'returned_skip') task.saidSkip = true
      settle(state, run, taskId, task, 'skipped', event.reason === 'upstream_failed' ? 'failed' : 'skipped')
      break
    case 'clients_found':
      takeClients(state, run, task, event)
      break
  }
  if (task.client !== undefined) tellFanOut(state, run, taskId, task)
  releaseSlot(state, run)
}

/** Its attempt ends; a fan-out that waited for its clients has none. */
function leaveWork(state: State, run: RunState, task: TaskState, taskId: string): void {
  if (task.status === 'fanned_out') state.clientLines.delete(taskKeyText(run.runId, taskId))
  else endAttempt(state, run, taskId)
}

function isStopped(event: TaskOk): boolean {
  return event.continue === 0 || saysStop(event.output?.['continue'])
}

/** `{"continue": 0}` in an output: nothing downstream goes on under ALL (seed 000). */
export function saysStop(value: unknown): boolean {
  return value === 0 || value === false
}

function takeClients(state: State, run: RunState, task: TaskState, event: ClientsFound): void {
  const { task_id: taskId, clients } = event
  if (task.status === 'running') {
    endAttempt(state, run, taskId)
    task.status = 'fanned_out'
    task.fan = { clients: 0, open: 0, ok: 0, failed: 0, skipped: 0 }
    state.clientLines.set(taskKeyText(run.runId, taskId), { waiting: [], next: 0, active: 0 })
  }
  const tasks = run.tasks as Map<string, TaskState>
  const { waiting } = state.clientLines.get(taskKeyText(run.runId, taskId))!
  for (const client of clients) {
    const id = clientTaskId(taskId, client)
    tasks.set(id, { status: 'waiting', attempt: 0, losses: 0, client })
    waiting.push(id)
  }
  task.fan!.clients += clients.length
  task.fan!.open += clients.length
  run.remaining += clients.length
  openClients(state, run, taskId)
}
