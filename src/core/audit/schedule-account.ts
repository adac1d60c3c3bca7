// One schedule's account: the slots that its recorded timing names, one by one, against the decisions of the journal.
//
//   A1. What is expected comes from the registrations and the engine alone. Where the planner stood is not asked.
//   A2. Every slot after a registration's cursor and up to its end needs one decision, in whatever order they come.
//   A3. Memory does not grow with the slots: what is open is kept as intervals, what is done only as counts.

import type { Slots } from '../schedule/timing.ts'
import type { Instant } from '../time/instant.ts'
import type { Disposition, DispositionKind } from './disposition.ts'
import type { Findings } from './finding.ts'
import { isSlot } from './slot-search.ts'

/** Slots from `from` up to `to` count, `to` not included. */
export interface Window {
  readonly from: Instant
  readonly to: Instant
}

/** Intervals of open slots, and timings of the past, that are kept at most. */
const GAPS_MAX = 1_000
const PAST_MAX = 100

/** The slots strictly between two instants, none of which has a decision. */
interface Gap {
  readonly slots: Slots
  readonly after: Instant
  readonly before: Instant
}

/** A timing, and the slots after `cursor` that were its to name. */
interface Past {
  readonly slots: Slots
  readonly cursor: Instant
  readonly until: Instant
}

export class ScheduleAccount {
  readonly scheduleId: string
  readonly counts: Record<DispositionKind, number> = { enqueued: 0, skipped: 0, missed: 0 }
  /** `skipped overlap` → how many. */
  readonly reasons = new Map<string, number>()
  undecided = 0
  open = 0
  /** Extra decisions, beyond the one that a slot has. */
  doubled = 0
  neverDue = 0
  /** When its timing came into force, and when it last had a decision. */
  registeredAt: Instant = Number.NEGATIVE_INFINITY
  registeredSeq = 0
  lastDecidedAt: Instant = Number.NEGATIVE_INFINITY
  /** The last decision was about slots of a backlog, of which more may be to come. */
  mayHaveBacklog = false
  readonly #window: Window
  readonly #findings: Findings
  /** Undefined while it is retired. */
  #slots: Slots | undefined
  /** Everything up to here is decided or in a gap. */
  #reached: Instant = Number.NEGATIVE_INFINITY
  #cursor: Instant = Number.NEGATIVE_INFINITY
  #past: Past[] = []
  #gaps: Gap[] = []
  /** Slots that had their decision before they came: somebody ran them by hand. */
  #ahead = new Set<Instant>()
  /** Slots that came and wait for the answers to their conditions. */
  #asked = new Set<Instant>()

  constructor(scheduleId: string, window: Window, findings: Findings) {
    this.scheduleId = scheduleId
    this.#window = window
    this.#findings = findings
  }

  /** True once it is known which slots it has. */
  get isKnown(): boolean {
    return this.#cursor !== Number.NEGATIVE_INFINITY
  }

  /** True if a decision about the slot passes over one that had its decision before it came. */
  passesOver(slot: Instant): boolean {
    for (const done of this.#ahead) if (done > this.#reached && done < slot) return true
    return false
  }

  /**
   * From here on the slots after `cursor` are expected.
   * @param at when that was decided, and `seq` where it stands
   */
  register(slots: Slots, cursor: Instant, at: Instant, seq: number): void {
    this.#endTiming(at)
    // What lies between now and a cursor ahead of it would be nobody's.
    const begin = this.isKnown ? Math.max(this.#reached, Math.min(cursor, at)) : Math.min(cursor, at)
    this.#slots = slots
    this.#cursor = begin
    this.#reached = begin
    if (cursor > begin) this.#passTo(cursor + 1)
    this.registeredAt = at
    this.registeredSeq = seq
  }

  /** A schedule as a checkpoint has it: what was before is not known. */
  restore(
    slots: Slots,
    cursor: Instant,
    isRetired: boolean,
    { ahead, asked }: { readonly ahead: readonly Instant[]; readonly asked: readonly Instant[] },
  ): void {
    this.#cursor = cursor
    this.#reached = cursor
    if (!isRetired) this.#slots = slots
    for (const slot of ahead) this.#ahead.add(slot)
    for (const slot of asked) this.#asked.add(slot)
  }

  /** No slot after `at` is expected until it is registered again. */
  retire(at: Instant): void {
    this.#endTiming(at)
    this.#slots = undefined
  }

  #endTiming(at: Instant): void {
    if (this.#slots === undefined) return
    // Whoever changed the timing had to decide them.
    for (const slot of this.#asked) if (this.#isShown(slot)) this.#leaveUndecided(slot, slot, 1)
    this.#asked.clear()
    this.#passTo(at + 1)
    this.#past.push({ slots: this.#slots, cursor: this.#cursor, until: Math.max(at, this.#reached) })
    if (this.#past.length > PAST_MAX) this.#past.shift()
  }

  /** Everything before `end` that has no decision yet is a gap. */
  #passTo(end: Instant): void {
    const slots = this.#slots!
    let after = this.#reached
    for (let slot = slots.next(after); slot !== undefined && slot < end; slot = slots.next(slot)) {
      if (this.#ahead.delete(slot)) {
        this.#leaveGap(after, slot)
        after = slot
      }
      this.#reached = slot
    }
    this.#leaveGap(after, Math.min(end, this.#reached + 1))
  }

  #leaveGap(after: Instant, before: Instant): void {
    const slots = this.#slots!
    const first = slots.next(after)
    if (first === undefined || first >= before) return
    this.#gaps.push({ slots, after, before })
    if (this.#gaps.length > GAPS_MAX) this.#closeGap(this.#gaps.shift()!)
  }

  /** True for a slot whose decision does not come in the order of slots. */
  isAsked(slot: Instant): boolean {
    return this.#asked.has(slot)
  }

  /** The slot's turn has come; its decision follows. */
  openSlot(slot: Instant, at: Instant): void {
    this.lastDecidedAt = at
    this.mayHaveBacklog = false
    const slots = this.#slots
    if (slots === undefined || !(slot > this.#reached) || !isSlot(slots, slot)) return
    if (slots.next(this.#reached) !== slot) this.#passTo(slot)
    this.#reached = slot
    if (!this.#ahead.has(slot)) this.#asked.add(slot)
  }

  /** One decision of the journal. */
  take(disposition: Disposition): void {
    const { kind, reason, from, to, count, seq, decidedAt } = disposition
    if (this.#asked.delete(to)) this.#count(to, disposition)
    else this.#takeInOrder(disposition, decidedAt)
    if (kind === 'missed' && this.#isShown(to)) {
      this.#findings.add({ kind: 'missed', schedule_id: this.scheduleId, from, to, count, reason, seq })
    }
  }

  #takeInOrder(disposition: Disposition, decidedAt: Instant): void {
    const { kind, from, to } = disposition
    this.lastDecidedAt = decidedAt
    this.mayHaveBacklog = kind === 'missed'
    if (from === to) this.#decide(from, disposition)
    else this.#decideSpan(disposition)
  }

  #decideSpan(disposition: Disposition): void {
    const { from, to, count, reason, seq } = disposition
    const slots = this.#slotsOf(from)
    if (!(from < to) || slots === undefined) return this.#report('never_due', from, disposition)
    let found = 0
    if (!isSlot(slots, from)) this.#decide(from, disposition)
    for (let slot = slots.next(from - 1); slot !== undefined && slot <= to; slot = slots.next(slot)) {
      // A span reaches over what somebody has run by hand.
      if (slot > this.#reached && this.#ahead.has(slot)) continue
      this.#decide(slot, disposition)
      found += 1
    }
    if (!isSlot(slots, to)) this.#decide(to, disposition)
    if (found === count || !this.#isShown(to)) return
    this.#findings.add({ kind: 'miscounted', schedule_id: this.scheduleId, from, to, count, reason, seq })
  }

  /** The timing that an instant belongs to, be it of the past. */
  #slotsOf(instant: Instant): Slots | undefined {
    if (this.#slots !== undefined && instant > this.#cursor) return this.#slots
    return (
      this.#past.findLast(({ cursor, until }) => cursor < instant && instant <= until)?.slots ?? this.#slots
    )
  }

  #decide(slot: Instant, disposition: Disposition): void {
    const slots = this.#slots
    if (!(slot > this.#reached) || slots === undefined) return this.#decideLate(slot, disposition)
    if (disposition.reason === 'by_hand') {
      if (!isSlot(slots, slot)) return this.#report('never_due', slot, disposition)
      if (this.#ahead.has(slot)) return this.#report('doubled', slot, disposition)
      this.#ahead.add(slot)
      return this.#count(slot, disposition)
    }
    let expected = slots.next(this.#reached)
    if (expected !== slot) {
      if (!isSlot(slots, slot)) return this.#report('never_due', slot, disposition)
      this.#passTo(slot)
      expected = slot
    }
    this.#reached = slot
    if (this.#ahead.delete(slot)) return this.#report('doubled', slot, disposition)
    this.#count(slot, disposition)
  }

  /** A slot that was passed already: it fills a gap, or it is one too many. */
  #decideLate(slot: Instant, disposition: Disposition): void {
    const index = this.#gaps.findIndex(
      ({ slots, after, before }) => after < slot && slot < before && isSlot(slots, slot),
    )
    const gap = this.#gaps[index]
    if (gap !== undefined) {
      const { slots, after, before } = gap
      const halves = [
        { slots, after, before: slot },
        { slots, after: slot, before },
      ].filter(half => (slots.next(half.after) ?? half.before) < half.before)
      this.#gaps.splice(index, 1, ...halves)
      return this.#count(slot, disposition)
    }
    const isOfNow = this.#slots !== undefined && slot > this.#cursor && isSlot(this.#slots, slot)
    const wasSlot = this.#past.some(
      ({ slots, cursor, until }) => cursor < slot && slot <= until && isSlot(slots, slot),
    )
    this.#report(isOfNow || wasSlot ? 'doubled' : 'never_due', slot, disposition)
  }

  #count(slot: Instant, { kind, reason }: Disposition): void {
    if (!this.#isShown(slot)) return
    this.counts[kind] += 1
    const key = `${kind} ${reason}`
    this.reasons.set(key, (this.reasons.get(key) ?? 0) + 1)
  }

  #report(kind: 'doubled' | 'never_due', slot: Instant, { reason, seq }: Disposition): void {
    if (!Number.isNaN(slot) && !this.#isShown(slot)) return
    if (kind === 'doubled') this.doubled += 1
    else this.neverDue += 1
    this.#findings.add({ kind, schedule_id: this.scheduleId, from: slot, to: slot, count: 1, reason, seq })
  }

  /**
   * Closes the account.
   * @param provenUntil slots up to it were decided, or there is a fault
   */
  close(now: Instant, provenUntil: Instant): void {
    for (const gap of this.#gaps.splice(0)) this.#closeGap(gap)
    for (const slot of this.#asked) if (this.#isShown(slot)) this.open += 1
    const slots = this.#slots
    if (slots === undefined) return
    const end = Math.min(now + 1, this.#window.to)
    const begin = Math.max(this.#reached, this.#window.from - 1)
    for (let slot = slots.next(begin); slot !== undefined && slot < end; slot = slots.next(slot)) {
      if (this.#ahead.has(slot)) continue
      if (slot <= provenUntil) this.#leaveUndecided(slot, slot, 1)
      else this.open += 1
    }
  }

  #closeGap({ slots, after, before }: Gap): void {
    const end = Math.min(before, this.#window.to)
    const begin = Math.max(after, this.#window.from - 1)
    const first = slots.next(begin)
    let last = first
    let count = 0
    for (let slot = first; slot !== undefined && slot < end; slot = slots.next(slot)) {
      last = slot
      count += 1
    }
    if (count > 0) this.#leaveUndecided(first!, last!, count)
  }

  #leaveUndecided(from: Instant, to: Instant, count: number): void {
    this.undecided += count
    this.#findings.add({ kind: 'undecided', schedule_id: this.scheduleId, from, to, count })
  }

  #isShown(slot: Instant): boolean {
    return slot >= this.#window.from && slot < this.#window.to
  }
}
