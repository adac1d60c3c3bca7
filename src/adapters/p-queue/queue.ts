// The queue on p-queue: so many at once, in the order put, and no memory of its own.

import PQueue from 'p-queue'
import type { Queue } from '../../ports/queue.ts'

/** @param concurrency  how many pieces of work run at once, at least 1 */
export function createQueue({ concurrency }: { concurrency: number }): Queue {
  const queue = new PQueue({ concurrency })
  return {
    put(work) {
      // Who puts work in handles its rejection; the queue only has to go on.
      queue.add(() => work().catch(() => {})).catch(() => {})
    },
    get size() {
      return queue.size + queue.pending
    },
    idle: () => queue.onIdle(),
    async close() {
      queue.pause()
      queue.clear()
      if (queue.pending > 0) await queue.onPendingZero()
    },
  }
}
