// The line of the runs that may start as far as their schedule is concerned, and what its pools have given out.
//
//   N1. Higher priority first, then first enqueued. That is a fact of each run, not of when it joined the line, so a line
//       that was computed again after a restart is the same line.
//   N2. Within a pool strictly in that order: the first in line waits until its weight fits, and lighter ones behind it
//       do not pass, or it might wait forever. Other pools, and runs without a pool, go on.
//   N3. A pool gives out at most its slots. But what nobody else holds is given to whoever is first: a pool that was made
//       smaller than a weight blocks nobody forever. A pool that is not defined any more limits nothing.
//   N4. Joining and leaving cost the same however many wait. To ask who is first costs as much as there are pools whose
//       first may start; those that are found blocked are not asked again until something about them changes.

import type { RunState } from '../run/run.ts'
import type { Pools } from '../schedule/pool.ts'
import { InstantHeap } from '../time/instant-heap.ts'

export class StartLine {
  /** By name of the pool; `undefined` is the line of the runs without one. */
  readonly #lines = new Map<string | undefined, PoolLine>()
  readonly #held = new Map<string, number>()
  /** Lines whose first may be able to start. */
  readonly #open = new Set<PoolLine>()
  /** What the blocked ones were found blocked under. */
  #pools: Pools | undefined

  /** How many wait. */
  get size(): number {
    let size = 0
    for (const line of this.#lines.values()) size += line.size
    return size
  }

  /** Weights that runs under way hold, by name of the pool. Pools of which nothing is held are not in it. */
  get held(): ReadonlyMap<string, number> {
    return this.#held
  }

  /** A run that is in the line already stays where it is. */
  add(run: RunState): void {
    let line = this.#lines.get(run.pool)
    if (line === undefined) {
      line = new PoolLine(run.pool)
      this.#lines.set(run.pool, line)
    }
    line.add(run)
    this.#open.add(line)
  }

  /** A run that is not in the line is ignored. */
  delete(run: RunState): void {
    const line = this.#lines.get(run.pool)
    if (line === undefined) return
    line.delete(run)
    if (line.size > 0) this.#open.add(line)
    else {
      this.#open.delete(line)
      if (run.pool !== undefined) this.#lines.delete(run.pool)
    }
  }

  /** The run is under way: it holds its weight until `release`. */
  hold({ pool, weight }: RunState): void {
    if (pool !== undefined) this.#held.set(pool, (this.#held.get(pool) ?? 0) + weight)
  }

  release({ pool, weight }: RunState): void {
    if (pool === undefined) return
    const left = (this.#held.get(pool) ?? 0) - weight
    if (left > 0) this.#held.set(pool, left)
    else this.#held.delete(pool)
    const line = this.#lines.get(pool)
    if (line !== undefined) this.#open.add(line)
  }

  /** Who starts next under these pools, or undefined. */
  first(pools: Pools): RunState | undefined {
    if (pools !== this.#pools) {
      this.#pools = pools
      for (const line of this.#lines.values()) this.#open.add(line)
    }
    let best: RunState | undefined
    for (const line of this.#open) {
      const run = line.first
      if (run === undefined || !this.#fits(run, pools)) this.#open.delete(line)
      else if (best === undefined || compareRank(run, best) < 0) best = run
    }
    return best
  }

  /** Those who wait for a pool, or without one, in order. For people, not for the tick: O(n log n). */
  waiting(pool: string | undefined): RunState[] {
    return this.#lines.get(pool)?.all() ?? []
  }

  /** The names of the pools that somebody waits for or holds. */
  names(): Set<string> {
    const names = new Set(this.#held.keys())
    for (const name of this.#lines.keys()) if (name !== undefined) names.add(name)
    return names
  }

  #fits({ pool, weight }: RunState, pools: Pools): boolean {
    if (pool === undefined) return true
    const slots = pools.get(pool)?.slots
    const held = this.#held.get(pool) ?? 0
    return slots === undefined || held === 0 || held + weight <= slots
  }
}

/** Negative if `a` goes first. */
export function compareRank(a: RunState, b: RunState): number {
  return b.priority - a.priority || a.place - b.place
}

/** Those who wait for one pool. */
class PoolLine {
  readonly pool: string | undefined
  size = 0
  /** Highest priority first; nearly always there is one. */
  readonly #buckets: Bucket[] = []

  constructor(pool: string | undefined) {
    this.pool = pool
  }

  get first(): RunState | undefined {
    for (const bucket of this.#buckets) {
      const { first } = bucket
      if (first !== undefined) return first
    }
    return undefined
  }

  add(run: RunState): void {
    let index = this.#buckets.findIndex(({ priority }) => priority <= run.priority)
    if (index === -1) index = this.#buckets.length
    if (this.#buckets[index]?.priority !== run.priority)
      this.#buckets.splice(index, 0, new Bucket(run.priority))
    if (this.#buckets[index]!.add(run)) this.size += 1
  }

  delete(run: RunState): void {
    if (this.#buckets.find(({ priority }) => priority === run.priority)?.delete(run)) this.size -= 1
  }

  all(): RunState[] {
    return this.#buckets.flatMap(bucket => bucket.all()).sort(compareRank)
  }
}

/**
 * Those of one priority. Nearly all join in the order of their places, and are held in a set, which keeps it; those who
 * join late (held back by jitter, or behind an earlier run of their schedule) go into a heap.
 */
class Bucket {
  readonly priority: number
  readonly #inOrder = new Set<RunState>()
  #lastPlace = 0
  /** By place. The heap may hold places that have left; this map says which are there. */
  readonly #late = new Map<number, RunState>()
  readonly #latePlaces = new InstantHeap<undefined>()

  constructor(priority: number) {
    this.priority = priority
  }

  /** False if it was there. */
  add(run: RunState): boolean {
    const { place } = run
    if (this.#inOrder.has(run) || this.#late.has(place)) return false
    if (this.#inOrder.size === 0 || place > this.#lastPlace) {
      this.#inOrder.add(run)
      this.#lastPlace = place
    } else {
      this.#late.set(place, run)
      this.#latePlaces.put(place, undefined)
    }
    return true
  }

  delete(run: RunState): boolean {
    return this.#inOrder.delete(run) || this.#late.delete(run.place)
  }

  get first(): RunState | undefined {
    const inOrder = this.#inOrder.values().next().value
    const late = this.#firstLate()
    if (inOrder === undefined || late === undefined) return inOrder ?? late
    return late.place < inOrder.place ? late : inOrder
  }

  all(): RunState[] {
    return [...this.#inOrder, ...this.#late.values()]
  }

  #firstLate(): RunState | undefined {
    for (;;) {
      const place = this.#latePlaces.nextAt
      if (place === undefined) return undefined
      const run = this.#late.get(place)
      if (run !== undefined) return run
      this.#latePlaces.takeDue(place)
    }
  }
}
