// Decisions about runs: asked for, started, cancelled; and about what of their tasks may start. How tasks and with them runs
// end: decide-tasks.ts.

import { DagbokError, EXIT } from '../error.ts'
import { admitNext } from '../planner/admit.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { formatInstant, formatSlot } from '../time/instant.ts'
import type { Command } from './command.ts'
import { callOff, subjectOf } from './decide-tasks.ts'
import type { Decider } from './decision-context.ts'
import { emitDefinition } from './emit-definition.ts'
import type { ScheduleEnqueued } from './event.ts'
import { definitionOf, type State, type TaskKey, taskDefinitionOf, taskKeyText, taskOf } from './state.ts'

/** What finds the clients of a fan-out, as `workflow_ref` of that attempt. */
const FIND_CLIENTS = 'find_clients'

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
  const { workflowRef, timeoutMs, fanOut } = taskDefinitionOf(definitionOf(decider.state, run), taskId)
  decider.emit({
    event: 'task_start',
    ...subjectOf(run, taskId, task, task.attempt + 1),
    workflow_ref: fanOut === undefined ? workflowRef : FIND_CLIENTS,
    ...(timeoutMs === undefined ? {} : { deadline_at: formatInstant(decider.context.now + timeoutMs) }),
  })
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
  callOff(decider, run)
}
