// What a soak saw, counted from its events and apart from the audit; and the verdict: whether both agree, whether every
// slot has its one disposition, and whether everything that the soak is about has happened.

import type { AuditReport } from '../../src/core/audit/audit.ts'
import { dispositionOf } from '../../src/core/audit/disposition.ts'
import type { Finding } from '../../src/core/audit/finding.ts'
import { type Event, isUserEvent } from '../../src/core/state-machine/event.ts'
import { formatInstant, HOUR_MS, parseInstant } from '../../src/core/time/instant.ts'
import { hashText } from './chance.ts'

export interface SoakReport {
  /** Of every decision, in order. */
  readonly hash: string
  readonly slots: number
  readonly events: number
  readonly lives: number
  readonly missed: number
  /** `enqueued due`, `skipped paused`, …: how many slots. */
  readonly reasons: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  /** In words; empty if all is well. */
  readonly findings: readonly string[]
  /** The first finding of the audit that is no recorded miss. */
  readonly first: Finding | undefined
  /** What never happened, and had to. */
  readonly missing: readonly string[]
  /** Lines of the schedule that was watched. */
  readonly watched: readonly string[]
}

interface Watch {
  readonly scheduleId: string
  readonly around?: number | undefined
}

/** Every reason of docs/reasons.md. */
export const REASONS = [
  'enqueued due',
  'enqueued catchup',
  'enqueued by_hand',
  'skipped overlap',
  'skipped paused',
  'skipped frozen',
  'skipped skipped_by_hand',
  'skipped calendar',
  'skipped blackout',
  'skipped condition',
  'skipped condition_error',
  'skipped too_many_open',
  'missed catchup_none',
  'missed catchup_latest',
  'missed catchup_window',
  'missed max_catchup',
  'missed deadline',
  'missed definition_changed',
]

export const FAULTS = [
  'reload',
  'pause',
  'pause_until',
  'resume',
  'pause_all',
  'resume_all',
  'skip_slot',
  'unskip_slot',
  'run_slot',
  'trigger',
  'cancel',
  'stall',
  'stop',
  'crash',
  'crash_in_write',
  'crash_in_reload',
  'died_in_write',
  'commits_lost',
  'clock_forward',
  'clock_backward',
  'restored_from_replay',
  'restored_from_checkpoint',
  'changed_while_down',
  'down_for_days',
  'checkpoints',
  'replays_compared',
  'never_ended',
  'answered',
  'answered_before_a_restart',
  'registered first_seen',
  'registered enabled',
  'registered timing_changed',
  'retired disabled',
  'retired removed',
  'task_ok',
  'task_skip',
  'task_fail',
  'task_retry',
  'task_lost',
  'task_readopted',
  'task_cancelled',
  'run_skipped',
  'replaced',
  'given_up_late',
  'refused_SLOT_DECIDED',
  'refused_SLOT_NOT_FOUND',
  'refused_SCHEDULE_NOT_FOUND',
  'refused_NOT_PAUSED',
]

const WATCHED_MAX = 200

export class SoakTally {
  readonly #reasons = new Map<string, number>()
  readonly #faults = new Map<string, number>()
  readonly #watch: Watch | undefined
  readonly #watched: string[] = []
  #asked = 0
  #ended = 0
  #hash = 0

  constructor(watch: Watch | undefined) {
    this.#watch = watch
  }

  count(fault: string, by: number): void {
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + by)
  }

  take(event: Event): void {
    if (isUserEvent(event)) return
    if (this.#watch !== undefined) this.#keep(event as unknown as Record<string, string>, this.#watch)
    switch (event.event) {
      case 'schedule_enqueued':
      case 'schedule_skipped':
      case 'schedule_missed': {
        const { scheduleId, kind, reason, from, count } = dispositionOf(event)!
        const key = `${kind} ${reason}`
        this.#reasons.set(key, (this.#reasons.get(key) ?? 0) + count)
        this.#hash = Math.imul(this.#hash ^ hashText(`${scheduleId} ${from} ${count} ${key}`), 0x01000193)
        if (kind === 'enqueued') this.#asked += 1
        return
      }
      case 'schedule_registered':
        return this.count(`registered ${event.cause}`, 1)
      case 'schedule_retired':
        return this.count(`retired ${event.cause}`, 1)
      case 'run_requested':
        this.#asked += 1
        return
      case 'run_finished':
        this.#ended += 1
        if (event.status === 'skipped') this.count('run_skipped', 1)
        return
      case 'run_cancel_requested':
        if (event.reason.startsWith('replaced')) this.count('replaced', 1)
        else if (event.reason.startsWith('starting_deadline')) this.count('given_up_late', 1)
        return
      case 'task_ok':
      case 'task_skip':
      case 'task_fail':
      case 'task_retry':
      case 'task_lost':
      case 'task_readopted':
      case 'task_cancelled':
        return this.count(event.event, 1)
    }
  }

  #keep(event: Record<string, string>, { scheduleId, around }: Watch): void {
    const isOfAll = /^(?:scheduler_|scheduling_|clock_jumped|definitions_)/.test(event['event']!)
    if (event['schedule_id'] !== scheduleId && !isOfAll) return
    const at = parseInstant(event['slot'] ?? event['from'] ?? event['timestamp']!)
    if (around !== undefined && Math.abs(at - around) > HOUR_MS) return
    this.#watched.push(JSON.stringify(event))
    if (this.#watched.length > WATCHED_MAX) this.#watched.shift()
  }

  conclude(
    audit: AuditReport,
    end: {
      lives: number
      unfinished: number
      events: number
      now: number
      /** Slots of each schedule that wait for their conditions, as the state knows them. */
      waiting: ReadonlyMap<string, number>
    },
  ): SoakReport {
    const findings: string[] = []
    const first = audit.findings.find(({ kind }) => kind !== 'missed')
    if (first !== undefined) findings.push(describeFinding(first))
    const audited = new Map<string, number>()
    let missed = 0
    for (const { schedule_id, open, undecided, doubled, never_due, ...of } of audit.schedules) {
      missed += of.missed
      for (const [reason, count] of Object.entries(of.reasons))
        audited.set(reason, (audited.get(reason) ?? 0) + count)
      // The last tick came when all was due: nothing may be open either, but what the world has not answered.
      if (open - (end.waiting.get(schedule_id) ?? 0) + undecided + doubled + never_due !== 0) {
        findings.push(
          `${schedule_id}: ${open} open, ${undecided} undecided, ${doubled} doubled, ${never_due} never due at ${formatInstant(end.now)}`,
        )
      }
    }
    if (this.#watch === undefined) {
      for (const [reason, count] of this.#reasons) {
        const other = audited.get(reason) ?? 0
        if (other !== count)
          findings.push(`${reason}: ${count} slots in the lines, ${other} slots for the audit`)
      }
    }
    if (this.#asked - this.#ended !== end.unfinished) {
      findings.push(
        `${this.#asked} runs asked for, ${this.#ended} ended, ${end.unfinished} unfinished in the state`,
      )
    }
    const reasons = sorted(this.#reasons)
    const faults = sorted(this.#faults)
    return {
      hash: (this.#hash >>> 0).toString(16).padStart(8, '0'),
      slots: Object.values(reasons).reduce((sum, count) => sum + count, 0),
      events: end.events,
      lives: end.lives,
      missed,
      reasons,
      faults,
      findings,
      first,
      missing: [
        ...REASONS.filter(reason => (reasons[reason] ?? 0) === 0),
        ...FAULTS.filter(fault => (faults[fault] ?? 0) === 0),
      ],
      watched: this.#watched,
    }
  }
}

function describeFinding({ kind, schedule_id, from, to, count, reason, seq }: Finding): string {
  const where = seq === undefined ? '' : ` (seq ${seq}, ${reason})`
  return `${schedule_id}: ${kind}, ${count} from ${formatInstant(from)} to ${formatInstant(to)}${where}`
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
