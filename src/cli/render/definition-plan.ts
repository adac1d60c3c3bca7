// What changed definitions would do, for people and for machines.

import { describeTiming, type Timing, timingFields } from '../../core/schedule/timing.ts'
import type {
  Backlog,
  ChangeKind,
  MissedSpan,
  ScheduleChange,
  TimingView,
} from '../../core/simulation/preview.ts'
import { formatSlot } from '../../core/time/instant.ts'
import type { Channel } from '../output.ts'

export interface DagChange {
  readonly dagName: string
  readonly lastRun: string
  /** Hashes of the definitions. */
  readonly before: string
  readonly after: string
  /** Ids of tasks; undefined where the old definition is no longer known. */
  readonly tasks:
    | {
        readonly added: readonly string[]
        readonly removed: readonly string[]
        readonly changed: readonly string[]
      }
    | undefined
}

export interface DefinitionPlan {
  /** The journal's position that it is compared with; 0: there is no journal yet. */
  readonly seq: number
  /** Undefined: none is running. */
  readonly scheduler: { readonly pid: number; readonly host: string } | undefined
  readonly changes: readonly ScheduleChange[]
  readonly dags: readonly DagChange[]
  readonly backlog: readonly Backlog[]
}

const SIGNS = {
  added: ['+', 'green'],
  enabled: ['+', 'green'],
  timing_changed: ['~', 'yellow'],
  disabled: ['-', 'red'],
  removed: ['-', 'red'],
} as const satisfies Record<ChangeKind, unknown>

const WORDS: Record<ChangeKind, string> = {
  added: 'added',
  enabled: 'enabled again',
  timing_changed: 'timing changed',
  disabled: 'disabled',
  removed: 'removed',
}

export function renderChanges(plan: DefinitionPlan, channel: Channel): string[] {
  const { seq, scheduler, changes, dags, backlog } = plan
  const lines = [
    seq === 0 ? 'there is no journal yet: everything is new' : `compared with the journal at seq ${seq}`,
    scheduler === undefined
      ? 'no scheduler is running: the next start does this'
      : `a scheduler is running (pid ${scheduler.pid}): it takes changed files into force as soon as they are saved`,
    '',
  ]
  for (const { scheduleId, kind, before, after, missed } of changes) {
    const [sign, colour] = SIGNS[kind]
    lines.push(channel.style(colour, `${sign} schedule ${scheduleId}: ${WORDS[kind]}`))
    if (before !== undefined && kind === 'timing_changed') lines.push(`    before  ${sayTiming(before)}`)
    if (after !== undefined)
      lines.push(`    ${before === undefined ? 'due' : 'now'.padEnd(6)}  ${sayTiming(after)}`)
    const calendar = findChangedDays(before?.timing, after?.timing)
    if (calendar !== undefined) lines.push(`    the business days of ${calendar} are others`)
    for (const span of missed) lines.push(`    given up: ${sayMissed(span)}`)
  }
  for (const { dagName, lastRun, tasks } of dags) {
    lines.push(channel.style('yellow', `~ dag ${dagName}: changed since its last run (${lastRun})`))
    const parts = tasks === undefined ? [] : Object.entries(tasks).filter(([, ids]) => ids.length > 0)
    for (const [what, ids] of parts) lines.push(`    ${what.padEnd(7)} ${ids.join(', ')}`)
  }
  if (changes.length === 0 && dags.length === 0) lines.push('no changes')
  if (backlog.length > 0) lines.push('', 'slots that passed meanwhile:')
  for (const { scheduleId, enqueued, skipped, missed, asked } of backlog) {
    const reasons = [...new Set(skipped.map(({ reason }) => reason))].join(', ')
    const parts = [
      ...(enqueued.length === 0 ? [] : [`${enqueued.length} would run (${shorten(enqueued)})`]),
      ...(asked.length === 0 ? [] : [`${asked.length} would ask their conditions (${shorten(asked)})`]),
      ...(skipped.length === 0 ? [] : [`${skipped.length} skipped (${reasons})`]),
      ...missed.map(span => sayMissed(span)),
    ]
    lines.push(`  ${scheduleId}: ${parts.join('; ')}`)
  }
  return lines
}

/** The calendar of a roll that stays, if its days do not. */
function findChangedDays(before: Timing | undefined, after: Timing | undefined): string | undefined {
  const [old, now] = [before?.roll, after?.roll]
  if (old === undefined || now === undefined || old.calendar !== now.calendar) return undefined
  return JSON.stringify(old.days) === JSON.stringify(now.days) ? undefined : now.calendar
}

function sayTiming({ timing, next }: TimingView): string {
  const slots = next.length === 0 ? 'no slot any more' : `next ${next.map(formatSlot).join(', ')}`
  return `${describeTiming(timing)} ${timing.timezone}: ${slots}`
}

function sayMissed({ from, to, count, reason }: MissedSpan): string {
  const span = count === 1 ? from : `${from} to ${to}`
  return `${count} slot${count === 1 ? '' : 's'} missed (${reason}), ${span}`
}

function shorten(slots: readonly string[]): string {
  return slots.length > 3 ? `${slots.slice(0, 2).join(', ')} … ${slots.at(-1)}` : slots.join(', ')
}

export function planJson({ seq, scheduler, changes, dags, backlog }: DefinitionPlan): object {
  const view = (timing: TimingView | undefined) =>
    timing === undefined ? null : { ...timingFields(timing.timing), next: timing.next.map(formatSlot) }
  return {
    seq,
    scheduler: scheduler ?? null,
    changed: changes.length > 0 || dags.length > 0,
    schedules: changes.map(({ scheduleId, kind, before, after, missed }) => ({
      schedule_id: scheduleId,
      change: kind,
      before: view(before),
      after: view(after),
      missed,
    })),
    dags: dags.map(({ dagName, lastRun, before, after, tasks }) => ({
      dag_name: dagName,
      last_run: lastRun,
      hash_before: before,
      hash_after: after,
      tasks: tasks ?? null,
    })),
    backlog: backlog.map(({ scheduleId, enqueued, skipped, missed, asked }) => ({
      schedule_id: scheduleId,
      enqueued,
      asked,
      skipped,
      missed,
    })),
  }
}
