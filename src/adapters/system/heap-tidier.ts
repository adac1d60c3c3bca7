// Collects garbage while nothing is due, so that V8 does not begin to while slots wait for their line on disk: its
// incremental marking takes 5 to 9 ms of that wait (docs/adr/0016-garbage-is-collected-between-slots.md).

import { getHeapStatistics } from 'node:v8'

/** A full collection comes when this much has gathered since the last: less than what makes V8 begin one itself. */
const GROWTH_BYTES = 3_000_000

/** A full collection stops the process for about a millisecond per megabyte: larger heaps are left to V8. */
const HEAP_LIMIT_BYTES = 48_000_000

/** What `--expose-gc` puts into the global object. */
export type Collect = (options?: { type: 'minor' | 'major' }) => void

/**
 * @param collect undefined: Node was started without `--expose-gc`
 * @param usedBytes of the heap
 * @returns what to call when there is time; undefined if this process cannot
 */
export function createHeapTidier(
  collect: Collect | undefined = globalThis.gc as Collect | undefined,
  usedBytes: () => number = () => getHeapStatistics().used_heap_size,
): (() => void) | undefined {
  if (collect === undefined) return undefined
  let usedAfterLast = 0
  return () => {
    collect({ type: 'minor' })
    const used = usedBytes()
    if (used - usedAfterLast < GROWTH_BYTES || used > HEAP_LIMIT_BYTES) return
    collect({ type: 'major' })
    usedAfterLast = usedBytes()
  }
}
