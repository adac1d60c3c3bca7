// The queue: a hand-off, not a memory. What may start was decided (core/planner/admit.ts) and journaled before it
// comes here; lose the queue and `pendingWork(state)` fills it again.

export interface Queue {
  /** Runs `work` as soon as a place is free, in the order put. A rejection is the caller's to have handled. */
  put(work: () => Promise<void>): void
  /** Waiting and running. */
  readonly size: number
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>
  /** Drops what has not begun; resolves when what has begun is done. */
  close(): Promise<void>
}
