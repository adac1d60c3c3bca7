// Notices that the wall clock was set, or has run ahead during a suspend.
//
// The wall clock alone cannot tell a suspend from a busy hour: it is compared with the monotonic one.

import type { Clock } from '../ports/clock.ts'

/** The wall clock may drift from the monotonic one by this much before it counts as a jump. */
const CLOCK_JUMP_MS = 5_000

export class ClockWatch {
  readonly #clock: Clock
  #offset: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offset = clock.now() - clock.monotonicMs()
  }

  /** How far it has jumped since the last look, milliseconds; 0 if it has not. */
  jumpMs(): number {
    const offset = this.#clock.now() - this.#clock.monotonicMs()
    const jumpMs = Math.round(offset - this.#offset)
    this.#offset = offset
    return Math.abs(jumpMs) < CLOCK_JUMP_MS ? 0 : jumpMs
  }
}
