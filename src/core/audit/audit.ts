// The audit: was every slot decided exactly once? Expected slots are computed again from the registrations in the
// journal, then compared with its decisions.
//
//   U1. Give it the events in order, from the first line or from a segment's; ask at the end.
//   U2. It shares the engine that computes slots with the planner, and nothing else: no cursor, no state.
//   U3. Memory grows with the number of schedules, not of events.

import { compileTiming, readTiming, type TimingFields } from '../schedule/timing.ts'
import { type Event, isUserEvent } from '../state-machine/event.ts'
import { type Instant, parseInstant } from '../time/instant.ts'
import { type Disposition, type DispositionKind, dispositionOf } from './disposition.ts'
import { type Finding, Findings } from './finding.ts'
import { Proof } from './proof.ts'
import { ScheduleAccount, type Window } from './schedule-account.ts'

export interface AuditScope {
  /** Slots from it on. Default: all. */
  readonly from?: Instant
  /** Slots before it. Default: all. */
  readonly to?: Instant
  readonly scheduleId?: string | undefined
}

export interface ScheduleAudit extends Record<DispositionKind, number> {
  readonly schedule_id: string
  /** Slots that were due. */
  readonly expected: number
  /** Due, not decided, and nobody was there yet to do it. */
  readonly open: number
  /** Due, not decided, and somebody should have. */
  readonly undecided: number
  /** Decisions too many. */
  readonly doubled: number
  /** Decisions about what was no slot. */
  readonly never_due: number
  /** `missed catchup_latest` → how many. */
  readonly reasons: Readonly<Record<string, number>>
}

export interface AuditReport {
  readonly schedules: readonly ScheduleAudit[]
  /** In the order in which they were found. */
  readonly findings: readonly Finding[]
  /** Findings beyond the number that is kept. */
  readonly findings_left_out: number
}

export class Audit {
  readonly #window: Window
  readonly #scheduleId: string | undefined
  readonly #accounts = new Map<string, ScheduleAccount>()
  readonly #findings: Findings
  readonly #proof = new Proof()
  #isFirstSegment = true

  constructor({ from, to, scheduleId }: AuditScope = {}) {
    this.#window = { from: from ?? Number.NEGATIVE_INFINITY, to: to ?? Number.POSITIVE_INFINITY }
    this.#scheduleId = scheduleId
    this.#findings = new Findings(scheduleId)
  }

  take(event: Event): void {
    if (isUserEvent(event)) return
    switch (event.event) {
      case 'checkpoint':
        if (this.#isFirstSegment) for (const item of event.items) this.#restore(item)
        return
      case 'schedule_registered': {
        const slots = compileTiming(readTiming(event), event.schedule_id)
        this.#accountOf(event.schedule_id).register(
          slots,
          parseInstant(event.cursor),
          parseInstant(event.timestamp),
          event.seq,
        )
        break
      }
      case 'schedule_retired':
        this.#accountOf(event.schedule_id).retire(parseInstant(event.timestamp))
        break
      case 'slot_opened': {
        const account = this.#accountOf(event.schedule_id)
        const slot = parseInstant(event.slot)
        const openedAt = parseInstant(event.timestamp)
        this.#proof.takeTurn(slot, openedAt, event.seq, account)
        account.openSlot(slot, openedAt)
        break
      }
      case 'schedule_enqueued':
      case 'schedule_skipped':
      case 'schedule_missed':
        this.#decide(dispositionOf(event)!)
        break
      case 'segment_opened':
        return
      case 'segment_sealed':
        this.#isFirstSegment = false
        return
    }
    this.#proof.take(event)
  }

  #decide(disposition: Disposition): void {
    const account = this.#accountOf(disposition.scheduleId)
    this.#proof.takeDecision(disposition, account)
    account.take(disposition)
  }

  /** The checkpoint that opens the oldest segment is where the accounts begin. */
  #restore(item: Record<string, unknown>): void {
    if (item['kind'] !== 'schedule') return
    const kept = item as unknown as TimingFields & {
      id: string
      cursor: Instant
      retired?: boolean
      by_hand?: readonly { slot: Instant; did: string }[]
      open?: readonly { slot: Instant }[]
    }
    const ahead = (kept.by_hand ?? []).filter(({ did }) => did === 'run').map(({ slot }) => slot)
    const slots = compileTiming(readTiming(kept), kept.id)
    const asked = (kept.open ?? []).map(({ slot }) => slot)
    this.#accountOf(kept.id).restore(slots, kept.cursor, kept.retired === true, { ahead, asked })
  }

  /** Every schedule that a line has named. */
  scheduleIds(): Iterable<string> {
    return this.#accounts.keys()
  }

  #accountOf(scheduleId: string): ScheduleAccount {
    let account = this.#accounts.get(scheduleId)
    if (account === undefined) {
      account = new ScheduleAccount(scheduleId, this.#window, this.#findings)
      this.#accounts.set(scheduleId, account)
    }
    return account
  }

  /**
   * Closes the accounts: what is still without a decision is called undecided where somebody was there to decide it, else
   * open.
   * @param runningAt now, if a scheduler is known to be serving
   */
  finish(now: Instant, runningAt?: Instant): AuditReport {
    const schedules: ScheduleAudit[] = []
    for (const account of this.#accounts.values()) {
      account.close(now, this.#proof.provenUntil(account, runningAt))
      if (this.#scheduleId === undefined || account.scheduleId === this.#scheduleId) {
        schedules.push(summarise(account))
      }
    }
    return { schedules, findings: this.#findings.list, findings_left_out: this.#findings.leftOut }
  }
}

function summarise({
  scheduleId,
  counts,
  reasons,
  open,
  undecided,
  doubled,
  neverDue,
}: ScheduleAccount): ScheduleAudit {
  const { enqueued, skipped, missed } = counts
  return {
    schedule_id: scheduleId,
    expected: enqueued + skipped + missed + open + undecided,
    enqueued,
    skipped,
    missed,
    open,
    undecided,
    doubled,
    never_due: neverDue,
    reasons: Object.fromEntries(reasons),
  }
}
