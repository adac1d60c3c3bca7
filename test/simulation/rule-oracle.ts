// Trigger rules as docs/glossary.md and Airflow's manual say them, for the judge: what each demands of its upstream, and by trying
// every way that those which are open could still end, whether it can come true at all. Slow, and nothing of src/.

/** How an upstream task ended; undefined: it has not. `failed` also counts what was skipped because of a failure above. */
export type End = 'ok' | 'stopped' | 'failed' | 'skipped' | undefined

const ENDS = ['ok', 'stopped', 'failed', 'skipped'] as const

const succeeded = (end: End) => end === 'ok' || end === 'stopped'
const failed = (end: End) => end === 'failed'
const skipped = (end: End) => end === 'skipped'

interface Rule {
  /** It does not wait for all of its upstream. */
  readonly eager?: true
  readonly holds: (ends: readonly End[]) => boolean
  /** Why a task whose rule cannot come true is skipped. Undefined: what is above says so. */
  readonly reason?: string
}

const RULES: Readonly<Record<string, Rule>> = {
  ALL: { holds: ends => ends.every(end => end === 'ok') },
  ANY: { holds: ends => ends.some(end => end === 'ok') },
  all_success: { holds: ends => ends.every(succeeded) },
  all_failed: { holds: ends => ends.every(failed), reason: 'trigger_rule' },
  all_done: { holds: () => true },
  all_done_min_one_success: { holds: ends => ends.some(succeeded) },
  all_skipped: { holds: ends => ends.every(skipped), reason: 'trigger_rule' },
  one_success: { eager: true, holds: ends => ends.some(succeeded) },
  one_failed: { eager: true, holds: ends => ends.some(failed), reason: 'trigger_rule' },
  one_done: { eager: true, holds: ends => ends.some(end => succeeded(end) || failed(end)) },
  none_failed: { holds: ends => !ends.some(failed) },
  none_failed_min_one_success: { holds: ends => !ends.some(failed) && ends.some(succeeded) },
  none_skipped: { holds: ends => !ends.some(skipped), reason: 'trigger_rule' },
  always: { eager: true, holds: () => true },
}

/** True if a task with this rule may start now. */
export function mayStart(name: string, ends: readonly End[]): boolean {
  const { eager, holds } = RULES[name]!
  if (ends.length === 0) return true
  return (eager === true || !ends.includes(undefined)) && holds(ends)
}

/** True if it will never start, whatever comes. */
export function neverStarts(name: string, ends: readonly End[]): boolean {
  const open = ends.indexOf(undefined)
  if (open < 0) return !mayStart(name, ends)
  if (mayStart(name, ends)) return false
  return ENDS.every(end => neverStarts(name, ends.with(open, end)))
}

/** The reason that has to stand in its `task_skip`. */
export function reasonToSkip(name: string, ends: readonly End[]): string {
  const { reason } = RULES[name]!
  if (reason !== undefined) return reason
  if (ends.includes('failed')) return 'upstream_failed'
  // Under ALL a task that was skipped speaks before one that stopped; under ANY there was none that went on.
  if (name === 'ALL') return ends.includes('skipped') ? 'upstream_skipped' : 'not_continued'
  if (name === 'ANY' && ends.includes('stopped')) return 'not_continued'
  return 'upstream_skipped'
}
