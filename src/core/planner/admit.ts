// What may start now: the only place where the limits are.
//
//   A1. At most `maxTasks` attempts at once; at most `maxParallel` runs that have work under way.
//   A2. Order: retries that have come, then tasks of runs under way, then new runs. Work begun is finished first.
//       Among these the line decides (planner/start-line.ts): priority, who was first, room in the run's pool.
//   A3. The cost of one answer does not grow with what waits.

import type { Pools } from '../schedule/pool.ts'
import type { State, TaskKey } from '../state-machine/state.ts'
import { taskOf } from '../state-machine/state.ts'

export interface Limits {
  /** SCHED_MAX_PARALLEL: runs with work under way. */
  readonly maxParallel: number
  /** SCHED_MAX_TASKS: attempts at once. */
  readonly maxTasks: number
}

/**
 * - `open`    anything may start
 * - `drain`   runs that have started go on, no other starts
 * - `closed`  nothing starts
 */
export type Admission = 'open' | 'drain' | 'closed'

/** Which runs this process drives: a scheduler all of them, `scheduler run` only its own, a command none. */
export type Driven = 'all' | 'none' | { readonly runId: string }

export interface AdmitContext {
  readonly limits: Limits
  readonly admission: Admission
  readonly driven: Driven
  readonly definitions: { readonly pools: Pools }
}

export type Admitted = { kind: 'task'; key: TaskKey } | { kind: 'run'; runId: string }

export function isDriven(driven: Driven, runId: string): boolean {
  return driven === 'all' || (driven !== 'none' && driven.runId === runId)
}

/** The next thing to start, or undefined. The caller journals it, which changes `state`, and asks again. */
export function admitNext(
  state: State,
  { limits, admission, driven, definitions: { pools } }: AdmitContext,
): Admitted | undefined {
  if (admission === 'closed' || driven === 'none') return undefined
  if (driven !== 'all') return admitOnly(state, limits, driven.runId)
  if (state.live.size >= limits.maxTasks) return undefined
  const hasSlot = state.slotsHeld < limits.maxParallel

  const due = first(state.due.values())
  if (due !== undefined && (hasSlot || taskOf(state, due.runId, due.taskId)?.run.holdsSlot)) {
    return { kind: 'task', key: due }
  }
  const ready = first(state.ready.values())
  if (ready !== undefined) return { kind: 'task', key: ready }

  if (admission !== 'open' || !hasSlot) return undefined
  const run = state.startable.first(pools)
  return run === undefined ? undefined : { kind: 'run', runId: run.runId }
}

/** For a process that drives one run: the others may hold what they held when their scheduler went; it is not asked. */
function admitOnly(state: State, limits: Limits, runId: string): Admitted | undefined {
  const run = state.runs.get(runId)
  if (run === undefined || run.live >= limits.maxTasks) return undefined
  if (run.status === 'queued') return { kind: 'run', runId }
  for (const line of [state.due, state.ready]) {
    for (const key of line.values()) if (key.runId === runId) return { kind: 'task', key }
  }
  return undefined
}

function first<T>(values: Iterator<T>): T | undefined {
  return values.next().value
}
