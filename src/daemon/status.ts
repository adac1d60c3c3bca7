// What a running scheduler says about itself. Computed when asked, never kept.

import type { PoolView, RunView, StatusAnswer } from '../api/control.ts'
import type { Limits } from '../core/planner/admit.ts'
import type { Agenda } from '../core/planner/agenda.ts'
import { type Pause, pauseAt } from '../core/planner/hold.ts'
import { countTasks, type RunState } from '../core/run/run.ts'
import type { Pools } from '../core/schedule/pool.ts'
import type { SchedulerMode } from '../core/state-machine/event.ts'
import { openSlotOf, slotKeyText } from '../core/state-machine/open-slot.ts'
import type { State } from '../core/state-machine/state.ts'
import { formatInstant, formatSlot, type Instant } from '../core/time/instant.ts'
import type { Loop } from './loop.ts'

/** How many runs and slots are shown; the counts are of all. */
const SHOWN_MAX = 50
const NEXT_SLOTS_MAX = 5
/** How many runs are named beside pools. */
const POOL_RUNS_MAX = 500

export interface StatusSources {
  readonly facts: { mode: SchedulerMode; pid: number; host: string; version: string; startedAt: Instant }
  readonly loop: Loop
  readonly now: Instant
  readonly stopping: boolean
  readonly state: State
  readonly agenda: Agenda
  readonly journal: StatusAnswer['journal']
  readonly limits: Limits
  readonly definitionErrors: readonly string[]
  lagOf(follower: string): number
}

export function describeStatus(sources: StatusSources): StatusAnswer {
  const { facts, loop, state, agenda, now } = sources
  const runs = [...state.runs.values()]
  const wakeAt = loop.nextWakeAt
  return {
    version: facts.version,
    mode: facts.mode,
    pid: facts.pid,
    host: facts.host,
    epoch: state.epoch,
    started_at: formatInstant(facts.startedAt),
    state: loop.diskFullSince !== undefined ? 'degraded' : sources.stopping ? 'draining' : 'running',
    seq: state.seq,
    schedules: loop.definitions.schedules.size,
    dags: loop.definitions.dags.size,
    ...(wakeAt === undefined ? {} : { next_wake_at: formatInstant(wakeAt) }),
    next_slots: agenda
      .earliest(NEXT_SLOTS_MAX)
      .map(({ at, scheduleId }) => ({ schedule_id: scheduleId, slot: formatSlot(at) })),
    paused: listPauses(state, now),
    open_slots: listOpenSlots(state),
    runs: runs.slice(0, SHOWN_MAX).map(viewRun),
    queued_runs: runs.filter(({ status }) => status === 'queued').length,
    running_runs: runs.filter(({ status }) => status === 'running').length,
    running_tasks: state.live.size,
    limits: { max_parallel: sources.limits.maxParallel, max_tasks: sources.limits.maxTasks },
    pools: listPools(state, loop.definitions.pools),
    definition_errors: [...sources.definitionErrors],
    journal: sources.journal,
    lag: { index: sources.lagOf('run index'), feed: sources.lagOf('task feed') },
  }
}

function listPauses(state: State, now: Instant): StatusAnswer['paused'] {
  const paused: StatusAnswer['paused'] = []
  const freeze = pauseAt(state.freezes, now + 1)
  if (freeze !== undefined) paused.push(viewPause(freeze))
  for (const [id, { pauses, retired }] of state.schedules) {
    const pause = pauses === undefined || retired ? undefined : pauseAt(pauses, now + 1)
    if (pause !== undefined) paused.push({ schedule_id: id, ...viewPause(pause) })
    if (paused.length === SHOWN_MAX) break
  }
  return paused
}

/** Slots that wait for the answers to their conditions. */
function listOpenSlots(state: State): StatusAnswer['open_slots'] {
  const waiting = [...state.asking.values(), ...state.reasks.earliest(SHOWN_MAX).map(({ item }) => item)]
  const slots = new Map(waiting.map(key => [slotKeyText(key), key]))
  return [...slots.values()].slice(0, SHOWN_MAX).flatMap(key => {
    const open = openSlotOf(state, key)
    if (open === undefined) return []
    const again = open.retryAt === undefined ? {} : { retry_at: formatInstant(open.retryAt) }
    return [{ schedule_id: key.scheduleId, slot: formatSlot(key.slot), asked: open.asks, ...again }]
  })
}

function listPools({ startable, runs }: State, pools: Pools): PoolView[] {
  let left = POOL_RUNS_MAX
  const take = (runIds: readonly string[]): string[] => {
    const taken = runIds.slice(0, left)
    left -= taken.length
    return taken
  }
  const holders = new Map<string, string[]>()
  for (const { status, pool, runId } of runs.values()) {
    if (status === 'queued' || pool === undefined) continue
    const of = holders.get(pool)
    if (of === undefined) holders.set(pool, [runId])
    else of.push(runId)
  }
  return [...new Set([...pools.keys(), ...startable.names()])].sort().map(name => {
    const slots = pools.get(name)?.slots
    const waiting = startable.waiting(name)
    return {
      name,
      ...(slots === undefined ? {} : { slots }),
      held: startable.held.get(name) ?? 0,
      waiting: waiting.length,
      held_by: take(holders.get(name) ?? []),
      next: take(waiting.map(({ runId }) => runId)),
    }
  })
}

function viewPause({ since, until, reason }: Pause): { since: string; until?: string; reason: string } {
  const end = until === undefined ? {} : { until: formatInstant(until) }
  return { since: formatInstant(since), ...end, reason }
}

function viewRun(run: RunState): RunView {
  return {
    run_id: run.runId,
    dag_name: run.dagName,
    status: run.status,
    enqueued_at: formatInstant(run.enqueuedAt),
    ...(run.startedAt === undefined ? {} : { started_at: formatInstant(run.startedAt) }),
    tasks: countTasks(run),
  }
}
