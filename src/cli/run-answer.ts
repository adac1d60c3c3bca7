// Why a run stands where it stands: what a queued one waits for, what a running one is at, how an ended one ended.

import type { StatusAnswer } from '../api/control.ts'
import type { JsonObject } from '../core/json.ts'
import { isUserEvent } from '../core/state-machine/event.ts'
import { type Instant, parseInstant } from '../core/time/instant.ts'
import type { RunIndex, RunRow, TaskRow } from '../ports/run-index.ts'
import { reasonInWords } from './render/reason-words.ts'
import { quoteWord } from './render/run-summary.ts'

/** One thing that is in the way. */
export interface Wait {
  readonly reason: string
  readonly words: string
  readonly inputs: JsonObject
}

export interface RunAnswer {
  readonly run: RunRow
  readonly tasks: readonly TaskRow[]
  /** Empty for a run that has ended, and for one whose tasks are at work. */
  readonly waits_for: readonly Wait[]
  /** Attempts that failed or were lost and have had no successor yet. */
  readonly failures: readonly TaskRow[]
  /** Why somebody, or a deadline, or a slot that replaces it, asked for its end. */
  readonly cancel_reason: string | null
  /** The next command to type. */
  readonly see: readonly string[]
}

/** What is known of the scheduler itself; undefined: none answers. */
export type Liveness = StatusAnswer | undefined

export function answerRun(index: RunIndex, run: RunRow, status: Liveness, now: Instant): RunAnswer {
  const tasks = index.tasks(run.run_id)
  const failures = tasks.filter(task => task.status === 'failed' || task.status === 'retrying')
  const waits = run.status === 'queued' ? queuedFor(index, run, status, now) : runningFor(run, tasks, status)
  const { reason } = lineOf(index, run, 'run_cancel_requested')
  const cancel_reason = typeof reason === 'string' ? reason : null
  return { run, tasks, waits_for: waits, failures, cancel_reason, see: commands(run, failures) }
}

/** True if it decides slots and starts runs. */
export function isScheduling(status: Liveness): status is StatusAnswer {
  return status?.mode === 'serve' || status?.mode === 'once'
}

function queuedFor(index: RunIndex, run: RunRow, status: Liveness, now: Instant): Wait[] {
  const waits: Wait[] = []
  if (!isScheduling(status)) waits.push(wait('no_scheduler'))
  else if (status.state === 'draining') waits.push(wait('draining'))
  else if (status.state === 'degraded') waits.push(wait('disk_full'))
  const said = enqueuedAs(index, run)
  if (said['order'] === 'serial' && run.schedule_id !== null) {
    const ahead = index
      .runs({ scheduleId: run.schedule_id, status: ['queued', 'running'], limit: Number.POSITIVE_INFINITY })
      .toReversed()
    const before = ahead
      .slice(
        0,
        ahead.findIndex(({ run_id }) => run_id === run.run_id),
      )
      .at(-1)
    if (before !== undefined)
      waits.push(wait('serial_order', { run_id: before.run_id, status: before.status }))
  }
  const startAfter = said['start_after']
  if (typeof startAfter === 'string' && parseInstant(startAfter) > now)
    waits.push(wait('start_after', { at: startAfter }))
  if (waits.every(({ reason }) => reason === 'no_scheduler'))
    waits.push(...waitForRoom(index, run, status, said))
  if (typeof said['start_by'] === 'string') waits.push(wait('start_by', { at: said['start_by'] }))
  return waits
}

/** Nothing but room is in its way: in its pool, or among the runs under way. */
function waitForRoom(index: RunIndex, run: RunRow, status: Liveness, said: Record<string, unknown>): Wait[] {
  const waits: Wait[] = []
  const pool = waitForPool(index, run, status, said)
  if (pool !== undefined) waits.push(pool)
  if (!isScheduling(status)) return waits
  const limit = status.limits.max_parallel
  if (status.running_runs >= limit)
    waits.push(wait('parallel_limit', { running: status.running_runs, limit }))
  return waits.length > 0 ? waits : [wait('about_to_start')]
}

/** Undefined if its pool, or its place in the line, is not in its way as far as is known. */
function waitForPool(
  index: RunIndex,
  run: RunRow,
  status: Liveness,
  { pool, weight = 1, priority = 0 }: Record<string, unknown>,
): Wait | undefined {
  if (typeof pool !== 'string') return undefined
  const terms = { pool, weight, priority } as JsonObject
  if (!isScheduling(status)) {
    const held_by = holdersOf(index, pool)
    return held_by.length === 0 ? undefined : wait('pool', { ...terms, held_by })
  }
  const view = status.pools.find(({ name }) => name === pool)
  if (view?.slots === undefined) return undefined
  const { slots, held, held_by, waiting, next } = view
  const place = next.indexOf(run.run_id) + 1
  if (place === 1 && (held === 0 || held + Number(weight) <= slots)) return undefined
  return wait('pool', { ...terms, slots, held, held_by, waiting, ...(place === 0 ? {} : { place }) })
}

/** Runs under way that were enqueued for the pool, as far as the journal tells. */
function holdersOf(index: RunIndex, pool: string): string[] {
  return index
    .runs({ status: ['running'], limit: Number.POSITIVE_INFINITY })
    .filter(run => enqueuedAs(index, run)['pool'] === pool)
    .map(({ run_id }) => run_id)
}

function runningFor(run: RunRow, tasks: readonly TaskRow[], status: Liveness): Wait[] {
  if (run.status !== 'running') return []
  const waits: Wait[] = []
  if (status === undefined) waits.push(wait('no_scheduler'))
  else if (status.state === 'degraded') waits.push(wait('disk_full'))
  for (const { task_id, status: state, retry_at, attempt, error, reason } of tasks) {
    if (state === 'retrying')
      waits.push(wait('retry', { task_id, at: retry_at, attempt, error: error ?? reason }))
  }
  const seen = status?.runs.find(({ run_id }) => run_id === run.run_id)
  if (status !== undefined && seen !== undefined && seen.tasks.ready > 0 && seen.tasks.running === 0) {
    waits.push(wait('task_limit', { limit: status.limits.max_tasks, ready: seen.tasks.ready }))
  }
  return waits
}

export function wait(reason: string, inputs: JsonObject = {}): Wait {
  return { reason, words: reasonInWords(reason, inputs), inputs }
}

/** The line that made the run: of its slot, or of whoever asked for it. */
function enqueuedAs(index: RunIndex, run: RunRow): Record<string, unknown> {
  const said = lineOf(index, run, 'schedule_enqueued')
  return said['event'] === undefined ? lineOf(index, run, 'run_requested') : said
}

/** The last line of that name about the run; empty if there is none. */
function lineOf(index: RunIndex, { run_id }: RunRow, name: string): Record<string, unknown> {
  const [found] = index.events({ runId: run_id, event: name, limit: 10 }).filter(event => !isUserEvent(event))
  return (found ?? {}) as unknown as Record<string, unknown>
}

function commands(run: RunRow, failures: readonly TaskRow[]): string[] {
  const id = quoteWord(run.run_id)
  if (run.status === 'queued') return [`scheduler status`]
  if (run.status === 'running') return [`scheduler logs -f ${id}`]
  const [failed] = failures
  return [failed === undefined ? `scheduler runs ${id}` : `scheduler logs ${id} ${failed.task_id}`]
}
