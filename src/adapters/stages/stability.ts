// When a file is at rest (G2): two ways to know, since a file system's time may be wrong.
//
//   1. Its latest time of change lies `stableForMs` back, by the wall clock.
//   2. It has looked the same, at two looks or more, for `stableForMs` by the monotonic clock. So a file with a time in the
//      future waits as long as any other, counted from when it was first seen.
//
// What was seen is in memory only: after a restart the second way begins anew.

interface Look {
  readonly appearance: string
  readonly sinceMs: number
}

export interface Clocks {
  now(): number
  monotonicMs(): number
}

/** One listing's judgement. `finish` makes what it saw the memory for the next one. */
export interface StabilityCheck {
  /**
   * @param changedMs latest time of change, Unix milliseconds
   * @param appearance differs when anything about the file has changed
   */
  isStable(key: string, changedMs: number, appearance: string): boolean
  finish(): void
}

export class StabilityMemory {
  readonly #clocks: Clocks
  /** By stage; only of files that wait. */
  readonly #looks = new Map<string, ReadonlyMap<string, Look>>()

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  begin(stage: string, stableForMs: number): StabilityCheck {
    const before = this.#looks.get(stage)
    const waiting = new Map<string, Look>()
    const nowMs = this.#clocks.now()
    const atMs = this.#clocks.monotonicMs()
    return {
      isStable: (key, changedMs, appearance) => {
        if (stableForMs === 0 || nowMs - changedMs >= stableForMs) return true
        const seen = before?.get(key)
        const look = seen?.appearance === appearance ? seen : { appearance, sinceMs: atMs }
        waiting.set(key, look)
        return atMs - look.sinceMs >= stableForMs
      },
      finish: () => {
        if (waiting.size === 0) this.#looks.delete(stage)
        else this.#looks.set(stage, waiting)
      },
    }
  }
}
