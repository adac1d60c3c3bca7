// The unfinished runs by their id, in the order in which they got their places.
//
// Boundary: what a `Map` does. A `Map` that grows puts every entry in its place again, at once: with 260,000 runs that is a
// turn of 60 ms in which the daemon hears nobody. So the runs are spread over small maps, by a hash of their id.
//
//   T1. The shares of the maps are a geometric series over one doubling: as the table grows, one map grows after the other.
//   T2. Iteration is by `place`, whatever map a run is in: a checkpoint, and what restores it, see the order of a `Map`.

import type { RunState } from '../run/run.ts'

const MAPS = 32

/** Which map each of so many values of the hash belongs to (T1). */
const HASH_BITS = 12
const MAP_OF_HASH = Uint8Array.from({ length: 2 ** HASH_BITS }, (_, hash) =>
  // The shares up to map m come to 2^(m / MAPS) - 1, of all of them to 1.
  Math.floor(MAPS * Math.log2(1 + hash / 2 ** HASH_BITS)),
)

export class RunTable {
  readonly #maps = Array.from({ length: MAPS }, () => new Map<string, RunState>())
  #size = 0
  /** The one that was found last: events of a run come together. */
  #last: RunState | undefined

  get size(): number {
    return this.#size
  }

  has(runId: string): boolean {
    return this.#mapOf(runId).has(runId)
  }

  get(runId: string): RunState | undefined {
    if (this.#last?.runId !== runId) {
      const run = this.#mapOf(runId).get(runId)
      if (run === undefined) return undefined
      this.#last = run
    }
    return this.#last
  }

  /** The run has its place: one behind those that are there. */
  add(run: RunState): void {
    const map = this.#mapOf(run.runId)
    this.#size -= map.size
    map.set(run.runId, run)
    this.#size += map.size
    this.#last = run
  }

  delete(runId: string): boolean {
    const wasThere = this.#mapOf(runId).delete(runId)
    if (wasThere) this.#size -= 1
    if (this.#last?.runId === runId) this.#last = undefined
    return wasThere
  }

  /** O(1) for each. Runs that are deleted meanwhile are left out; whether those are seen that are added is open. */
  *values(): Generator<RunState, void> {
    const heads = this.#maps.map(map => {
      const rest = map.values()
      return { rest, run: rest.next().value }
    })
    for (;;) {
      let first: (typeof heads)[number] | undefined
      for (const head of heads)
        if (head.run !== undefined && (first?.run === undefined || head.run.place < first.run.place))
          first = head
      if (first?.run === undefined) return
      const { run } = first
      first.run = first.rest.next().value
      if (this.has(run.runId)) yield run
    }
  }

  *keys(): Generator<string, void> {
    for (const { runId } of this.values()) yield runId
  }

  #mapOf(runId: string): Map<string, RunState> {
    return this.#maps[mapIndexOf(runId)]!
  }
}

/** Which of the maps a run is in. */
export function mapIndexOf(runId: string): number {
  let hash = 0
  for (let index = 0; index < runId.length; index++)
    hash = (Math.imul(hash, 31) + runId.charCodeAt(index)) | 0
  // Ids that differ in their last digit alone must not land side by side.
  return MAP_OF_HASH[Math.imul(hash, 0x9e37_79b1) >>> (32 - HASH_BITS)]!
}
