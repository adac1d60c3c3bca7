// The queue on p-queue: a hand-off in the order put, so many at once, nothing kept.

import PQueue from 'p-queue'
import type { Queue } from '../../ports/queue.ts'

/** @param concurrency attempts at once: SCHED_MAX_TASKS. Admission has counted them already; this is the second wall. */
export function createQueue({ concurrency }: { concurrency: number }): Queue {
  const queue = new PQueue({ concurrency })
  return {
    put: work => {
      void queue.add(work)
    },
    get size() {
      return queue.size + queue.pending
    },
    idle: () => queue.onIdle(),
    close: async () => {
      queue.clear()
      await queue.onIdle()
    },
  }
}
