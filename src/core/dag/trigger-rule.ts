// Trigger rules: what of its upstream must have happened for a task to run. Airflow's words with Airflow's meaning, and the
// seed's ALL and ANY, which look at whether upstream tasks said to continue.
//
//   T1. The answer is a function of (rule, how many upstream tasks there are, how they ended): no order, no clock.
//   T2. Once it is "run" or "skip" it stays so, whatever else ends. When all have ended it is never "wait".
//   T3. A task that was skipped because something above it failed counts as failed, as Airflow's `upstream_failed` does.

export const TRIGGER_RULES = [
  'ALL',
  'ANY',
  'all_success',
  'all_failed',
  'all_done',
  'all_done_min_one_success',
  'all_skipped',
  'one_success',
  'one_failed',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
] as const

export type TriggerRule = (typeof TRIGGER_RULES)[number]

/** All predecessors must continue (seed 000). */
export const DEFAULT_TRIGGER_RULE: TriggerRule = 'ALL'

/** How the upstream tasks that have ended did so. */
export interface UpstreamCounts {
  /** Succeeded and said nothing against going on. */
  readonly ok: number
  /** Succeeded with `continue: 0`. */
  readonly stopped: number
  /** Failed, or were skipped because of a failure above. */
  readonly failed: number
  /** Skipped for another reason, or cancelled. */
  readonly skipped: number
}

export const NONE_ENDED: UpstreamCounts = Object.freeze({ ok: 0, stopped: 0, failed: 0, skipped: 0 })

/** Why a task is skipped because of its upstream. */
export type UpstreamReason = 'upstream_failed' | 'upstream_skipped' | 'not_continued' | 'trigger_rule'

export type TriggerVerdict = 'run' | 'wait' | UpstreamReason

/** @param total how many upstream tasks there are; with none every rule says "run" */
export function judgeTrigger(rule: TriggerRule, total: number, counts: UpstreamCounts): TriggerVerdict {
  const { ok, stopped, failed, skipped } = counts
  const succeeded = ok + stopped
  const done = succeeded + failed + skipped
  const isDone = done === total
  if (total === 0) return 'run'
  switch (rule) {
    case 'ALL':
      if (failed > 0) return 'upstream_failed'
      if (skipped > 0) return 'upstream_skipped'
      if (stopped > 0) return 'not_continued'
      return isDone ? 'run' : 'wait'
    case 'ANY':
      if (!isDone) return 'wait'
      if (ok > 0) return 'run'
      if (failed > 0) return 'upstream_failed'
      return stopped > 0 ? 'not_continued' : 'upstream_skipped'
    case 'all_success':
      if (failed > 0) return 'upstream_failed'
      if (skipped > 0) return 'upstream_skipped'
      return isDone ? 'run' : 'wait'
    case 'all_failed':
      if (succeeded + skipped > 0) return 'trigger_rule'
      return isDone ? 'run' : 'wait'
    case 'all_done':
      return isDone ? 'run' : 'wait'
    case 'all_done_min_one_success':
      if (!isDone) return 'wait'
      return succeeded > 0 ? 'run' : noneSucceeded(counts)
    case 'all_skipped':
      if (succeeded + failed > 0) return 'trigger_rule'
      return isDone ? 'run' : 'wait'
    case 'one_success':
      if (succeeded > 0) return 'run'
      return isDone ? noneSucceeded(counts) : 'wait'
    case 'one_failed':
      if (failed > 0) return 'run'
      return isDone ? 'trigger_rule' : 'wait'
    case 'one_done':
      if (succeeded + failed > 0) return 'run'
      return isDone ? 'upstream_skipped' : 'wait'
    case 'none_failed':
      if (failed > 0) return 'upstream_failed'
      return isDone ? 'run' : 'wait'
    case 'none_failed_min_one_success':
      if (failed > 0) return 'upstream_failed'
      if (!isDone) return 'wait'
      return succeeded > 0 ? 'run' : 'upstream_skipped'
    case 'none_skipped':
      if (skipped > 0) return 'trigger_rule'
      return isDone ? 'run' : 'wait'
    case 'always':
      return 'run'
  }
}

function noneSucceeded({ failed }: UpstreamCounts): UpstreamReason {
  return failed > 0 ? 'upstream_failed' : 'upstream_skipped'
}
