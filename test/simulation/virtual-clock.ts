// Time that moves only when it is told to. The wall clock may be set either way; the monotonic clock never goes back,
// and stands still while the machine sleeps.
//
//   - A timer belongs to somebody (a daemon, the machine); when that one dies its timers are gone.
//   - Timers fire in the order they are due, never early; how late is the caller's business (`fireDue`).

import type { Instant } from '../../src/core/time/instant.ts'
import type { PunctualClock } from '../../src/ports/clock.ts'

interface Timer {
  readonly at: number
  readonly owner: object
  readonly wake: () => void
}

export class VirtualTime {
  #monotonicMs = 0
  #offsetMs: number
  #timers: Timer[] = []

  constructor(start: Instant) {
    this.#offsetMs = start
  }

  get wallMs(): Instant {
    return Math.floor(this.#monotonicMs + this.#offsetMs)
  }

  get monotonicMs(): number {
    return this.#monotonicMs
  }

  /** The monotonic instant of the earliest timer. */
  get nextTimerMs(): number | undefined {
    let next: number | undefined
    for (const { at } of this.#timers) if (next === undefined || at < next) next = at
    return next
  }

  clockFor(owner: object): PunctualClock {
    return {
      now: () => this.wallMs,
      monotonicMs: () => this.#monotonicMs,
      after: (delayMs, wake) => this.after(owner, delayMs, wake),
      at: (instant, wake) => this.after(owner, instant - this.wallMs, wake),
    }
  }

  after(owner: object, delayMs: number, wake: () => void): () => void {
    const timer: Timer = { at: this.#monotonicMs + Math.max(0, delayMs), owner, wake }
    this.#timers.push(timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  forget(owner: object): void {
    this.#timers = this.#timers.filter(timer => timer.owner !== owner)
  }

  /** Both clocks go on; nothing fires yet. */
  pass(ms: number): void {
    this.#monotonicMs += Math.max(0, ms)
  }

  /** Somebody sets the wall clock. */
  stepWall(ms: number): void {
    this.#offsetMs += ms
  }

  /** Fires every timer that is due, in order, those that it makes due included. */
  fireDue(): void {
    for (let fired = 0; fired < 10_000; fired++) {
      let first: Timer | undefined
      for (const timer of this.#timers) {
        if (timer.at <= this.#monotonicMs && (first === undefined || timer.at < first.at)) first = timer
      }
      if (first === undefined) return
      this.#timers.splice(this.#timers.indexOf(first), 1)
      first.wake()
    }
    throw new Error('timers without end: something waits for no time at all, again and again')
  }
}
