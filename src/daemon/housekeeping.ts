// Work that nobody waits for, done now and then while a scheduler holds the state: retention, above all.
//
// One at a time, never two; a failure is told and tried again at the next turn.

import type { Clock } from '../ports/clock.ts'

export interface HousekeepingOptions {
  readonly clock: Clock
  /** From the end of one to the start of the next. */
  readonly everyMs: number
  work(): Promise<void>
  failed(error: unknown): void
}

export interface Housekeeping {
  /** Resolves when what was under way is done. Nothing begins afterwards. */
  stop(): Promise<void>
}

/** Begins at once, behind whatever the caller does next. */
export function startHousekeeping({ clock, everyMs, work, failed }: HousekeepingOptions): Housekeeping {
  let callOff = () => {}
  let isStopped = false
  let running = turn()

  async function turn(): Promise<void> {
    try {
      await work()
    } catch (error) {
      failed(error)
    }
    if (isStopped) return
    callOff = clock.after(everyMs, () => {
      running = turn()
    })
  }

  return {
    stop: async () => {
      isStopped = true
      callOff()
      await running
    },
  }
}
