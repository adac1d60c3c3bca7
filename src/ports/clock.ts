// Time, as the daemon asks for it. The only two clocks, and they are different calls on purpose.

import type { Instant } from '../core/time/instant.ts'

export interface Clock {
  /** Wall-clock time. It may jump either way: never measure a duration with it. */
  now(): Instant
  /** Milliseconds since an arbitrary origin, never decreasing. Measure durations with it. */
  monotonicMs(): number
  /** Calls `wake` once, `delayMs` from now or later, never earlier. Returns a function that calls it off. */
  after(delayMs: number, wake: () => void): () => void
}

/** A clock that can also be punctual, which costs more than `after`: for the one wake-up on which slots depend. */
export interface PunctualClock extends Clock {
  /**
   * Calls `wake` once, as soon as `now()` has reached `instant`, or as soon as it is seen that the wall clock was set back
   * meanwhile. Returns a function that calls it off.
   */
  at(instant: Instant, wake: () => void): () => void
}
