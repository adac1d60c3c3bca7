// Up to which slot everything must have been decided, as far as the journal proves it: an audit may only call a slot
// undecided that somebody was there to decide.
//
//   R1. A tick takes schedules in the order of their next slot. So when the first slot of one is decided, nothing before
//       it is left of any other that was there.
//   R2. A scheduler that serves ticks at least once a minute. Its lines prove what is older than a minute, if they go back
//       for a minute without a gap of one: behind a gap it may have stood still, and crashed before it ticked again.
//       A stop in order proves it without, unless the disk was full when it was asked for.
//   R3. Only lines behind a schedule's registration prove anything about it. By `seq`: clocks step.
//   R4. Less is proven rather than more: what is left out is called open, and the next start decides it.

import { type Event, isUserEvent } from '../state-machine/event.ts'
import { type Instant, MINUTE_MS, parseInstant } from '../time/instant.ts'
import type { Disposition } from './disposition.ts'
import type { ScheduleAccount } from './schedule-account.ts'

export const GRACE_MS = MINUTE_MS

export class Proof {
  /** R1: the latest first slot of a batch, and when and where it was decided. */
  #slot: Instant = Number.NEGATIVE_INFINITY
  #slotAt: Instant = Number.NEGATIVE_INFINITY
  #slotSeq = 0
  /** R2: the first of the lines without a gap; undefined while nobody ticks. */
  #tickingSince: Instant | undefined
  #startedAt: Instant = Number.POSITIVE_INFINITY
  #stoppingAt: Instant | undefined
  #lastLineAt: Instant = Number.NEGATIVE_INFINITY
  #served: Instant = Number.NEGATIVE_INFINITY
  #servedSeq = 0

  /** Each event that the system wrote, in order. */
  take(event: Event): void {
    if (isUserEvent(event)) return
    const at = parseInstant(event.timestamp)
    switch (event.event) {
      case 'scheduler_started':
        this.#tickingSince = event.mode === 'serve' ? at : undefined
        this.#startedAt = at
        this.#stoppingAt = undefined
        break
      case 'clock_jumped':
      case 'journal_resumed':
        this.#startedAt = at
        this.#stoppingAt = undefined
        if (this.#tickingSince !== undefined) this.#tickingSince = at
        break
      case 'scheduler_stopping':
        if (this.#tickingSince !== undefined) this.#stoppingAt = at
        this.#tickingSince = undefined
        break
      case 'scheduler_stopped':
        if (this.#stoppingAt !== undefined) this.#serve(this.#stoppingAt, this.#startedAt, event.seq)
        this.#stoppingAt = undefined
        break
      default:
        if (this.#tickingSince === undefined) return
        if (Math.abs(at - this.#lastLineAt) >= GRACE_MS) this.#tickingSince = at
        this.#serve(at, this.#tickingSince, event.seq)
    }
    this.#lastLineAt = at
  }

  #serve(at: Instant, since: Instant, seq: number): void {
    if (at - since < GRACE_MS || at - GRACE_MS < this.#served) return
    this.#served = at - GRACE_MS
    this.#servedSeq = seq
  }

  /** A decision, before its account has taken it. */
  takeDecision({ reason, from, decidedAt, seq }: Disposition, account: ScheduleAccount): void {
    // Neither comes by a tick.
    if (reason === 'definition_changed' || reason === 'by_hand' || account.isAsked(from)) return
    this.takeTurn(from, decidedAt, seq, account)
  }

  /** A tick came to the slot, be it to decide or to open it. Before its account knows. */
  takeTurn(from: Instant, decidedAt: Instant, seq: number, account: ScheduleAccount): void {
    if (decidedAt === account.lastDecidedAt || from < this.#slot) return
    // Then it is not the slot by which the schedule stood in line.
    if (account.passesOver(from)) return
    this.#slot = from
    this.#slotAt = decidedAt
    this.#slotSeq = seq
  }

  /** Slots of the account up to it had to be decided. @param runningAt a scheduler serves now, in order */
  provenUntil(account: ScheduleAccount, runningAt: Instant | undefined): Instant {
    const { registeredSeq, registeredAt, lastDecidedAt, mayHaveBacklog } = account
    const never = Number.NEGATIVE_INFINITY
    const settledAt = GRACE_MS + (mayHaveBacklog ? lastDecidedAt : never)
    const byOrder = this.#slotSeq > registeredSeq && this.#slotAt > settledAt ? this.#slot - 1 : never
    const served = this.#servedSeq > registeredSeq ? this.#served : never
    const byTime = runningAt === undefined ? served : Math.max(served, runningAt - GRACE_MS)
    return Math.max(byOrder, byTime > Math.max(settledAt, registeredAt + GRACE_MS) ? byTime : never)
  }
}
