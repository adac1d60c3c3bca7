// The two clocks of this machine.

import type { Clock } from '../../ports/clock.ts'

/** `setTimeout` holds at most 2^31 − 1 ms and stands still during a suspend: no single wait is longer than this. */
const WAIT_MS_MAX = 30_000

export const systemClock: Clock = {
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
}
