// What an audit finds wrong, and how much of it is told.

import type { Instant } from '../time/instant.ts'

export type FindingKind =
  /** Slots that were due, and that nothing was decided about. */
  | 'undecided'
  /** A slot with a second decision. */
  | 'doubled'
  /** A decision about an instant that was no slot. */
  | 'never_due'
  /** A span that names another number of slots than lie in it. */
  | 'miscounted'
  /** Slots that were recorded as missed. */
  | 'missed'

export interface Finding {
  readonly kind: FindingKind
  readonly schedule_id: string
  readonly from: Instant
  readonly to: Instant
  readonly count: number
  readonly reason?: string
  /** Where it stands in the journal, if it does. */
  readonly seq?: number
}

/** A journal with a million faults is told by its first thousand. */
export const FINDINGS_MAX = 1_000

/** Keeps the first FINDINGS_MAX; a run of slots that follow each other for the same reason is one. */
export class Findings {
  readonly list: Finding[] = []
  readonly #scheduleId: string | undefined
  #leftOut = 0

  /** Of one schedule, or of all. */
  constructor(scheduleId?: string) {
    this.#scheduleId = scheduleId
  }

  get leftOut(): number {
    return this.#leftOut
  }

  add(finding: Finding): void {
    if (this.#scheduleId !== undefined && finding.schedule_id !== this.#scheduleId) return
    const last = this.list.at(-1)
    const extends_ =
      last !== undefined &&
      finding.kind === 'undecided' &&
      last.kind === 'undecided' &&
      last.schedule_id === finding.schedule_id &&
      last.to < finding.from &&
      last.seq === finding.seq
    if (extends_) {
      this.list[this.list.length - 1] = { ...last, to: finding.to, count: last.count + finding.count }
    } else if (this.list.length < FINDINGS_MAX) this.list.push(finding)
    else this.#leftOut += 1
  }
}
