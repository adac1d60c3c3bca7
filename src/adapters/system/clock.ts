// The two clocks of this machine.

import type { PunctualClock } from '../../ports/clock.ts'

/** `setTimeout` holds at most 2^31 − 1 ms and stands still during a suspend: no single wait is longer than this. */
const WAIT_MS_MAX = 30_000

/** A timer comes up to so much late. `at` sets its timer earlier by this and spends the rest turning the event loop. */
const TIMER_LATENESS_MS = 2

/** The turn that was waited for last, by anybody: while one is alive V8 keeps the code that it compiled for them. */
const kept: { turn?: NodeJS.Immediate } = {}

export const systemClock: PunctualClock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, wake) {
    const endMs = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const arm = () => {
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) wake()
      else timer = setTimeout(arm, Math.min(Math.ceil(leftMs), WAIT_MS_MAX))
    }
    timer = setTimeout(arm, Math.min(Math.max(1, Math.ceil(delayMs)), WAIT_MS_MAX))
    return () => clearTimeout(timer)
  },
  at(instant, wake) {
    let turn: NodeJS.Immediate | undefined
    const look = () => {
      const leftMs = instant - Date.now()
      if (leftMs <= 0 || leftMs > 2 * TIMER_LATENESS_MS) return wake()
      // Not a loop on the spot: whatever else arrives in these milliseconds gets its turn.
      turn = setImmediate(look)
      kept.turn = turn
    }
    const callOff = systemClock.after(instant - Date.now() - TIMER_LATENESS_MS, look)
    return () => {
      callOff()
      clearImmediate(turn)
    }
  },
}
