// The line of the runs that may start as far as their schedule is concerned, and what its pools have given out.
//
//   N1. Higher priority first, then first enqueued. That is a fact of each run, not of when it joined the line, so a line
//       that was computed again after a restart is the same line.
//   N2. Within a pool strictly in that order: the first in line waits until its weight fits, and lighter ones behind it
//       do not pass, or it might wait forever. Other pools, and runs without a pool, go on.
//   N3. A pool gives out at most its slots. But what nobody else holds is given to whoever is first: a pool that was made
//       smaller than a weight blocks nobody forever. A pool that is not defined any more limits nothing.
//   N4. Joining, leaving and asking cost the same however many wait, and hardly more with a thousand pools: a pool that is
//       found blocked is not looked at again until something about it changes.

import type { RunState } from '../run/run.ts'
import { POOL_LIMITS, type Pools } from '../schedule/pool.ts'
import { InstantHeap } from '../time/instant-heap.ts'
import { PlaceQueue } from './place-queue.ts'

/** Offers beyond two for each line before those are looked for that are of no use. */
const STALE_MAX = 64

export class StartLine {
  /** By name of the pool; `undefined` is the line of the runs without one. */
  readonly #lines = new Map<string | undefined, PoolLine>()
  readonly #held = new Map<string, number>()
  /** The firsts of lines, by rank, that may be able to start. Some have left, or are not first any more. */
  #offers = new InstantHeap<RunState>()
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
      line = new PoolLine()
      this.#lines.set(run.pool, line)
    }
    line.add(run)
    this.#offer(line)
  }

  /** A run that is not in the line is ignored. */
  delete(run: RunState): void {
    const line = this.#lines.get(run.pool)
    if (line === undefined) return
    line.delete(run)
    if (line.size > 0) this.#offer(line)
    else if (run.pool !== undefined) this.#lines.delete(run.pool)
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
    if (line !== undefined) this.#offer(line)
  }

  /** Who starts next under these pools, or undefined. */
  first(pools: Pools): RunState | undefined {
    if (pools !== this.#pools) {
      this.#pools = pools
      for (const line of this.#lines.values()) this.#offer(line)
    }
    for (;;) {
      const run = this.#offers.nextItem
      if (run === undefined) return undefined
      const line = this.#lines.get(run.pool)
      if (line?.first === run && this.#fits(run, pools)) return run
      this.#offers.takeDue(Number.POSITIVE_INFINITY)
      if (line?.offered === run) line.offered = undefined
    }
  }

  /** Whenever a line has another first, or its first may have room now. */
  #offer(line: PoolLine): void {
    const { first } = line
    if (first === undefined || first === line.offered) return
    line.offered = first
    this.#offers.put(rankOf(first), first)
    if (this.#offers.size > STALE_MAX + 2 * this.#lines.size) this.#forgetStale()
  }

  /** Those who left are found when they come up; where nobody asks who is first, as in a replay, none ever would. */
  #forgetStale(): void {
    this.#offers = new InstantHeap()
    for (const line of this.#lines.values()) {
      if (line.offered !== line.first) line.offered = undefined
      if (line.offered !== undefined) this.#offers.put(rankOf(line.offered), line.offered)
    }
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

/** One number for N1: the smallest goes first. Places stay below 2^44 for centuries. */
function rankOf({ priority, place }: RunState): number {
  return (POOL_LIMITS.priority - priority) * 2 ** 44 + place
}

/** Negative if `a` goes first. */
export function compareRank(a: RunState, b: RunState): number {
  return b.priority - a.priority || a.place - b.place
}

/** Those who wait for one pool. */
class PoolLine {
  size = 0
  /** The last one that was offered to start and has not been turned down. */
  offered: RunState | undefined
  /** Highest priority first; nearly always there is one. */
  readonly #buckets: Bucket[] = []

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
 * Those of one priority. Nearly all join in the order of their places, and stand in a queue; those who join late (held
 * back by jitter, or behind an earlier run of their schedule) go into a heap.
 */
class Bucket {
  readonly priority: number
  readonly #queue = new PlaceQueue()
  /** Those behind the head of the queue who have left. */
  readonly #gone = new Set<RunState>()
  /** The heap, by place, may hold some who have left; this set says who is there. */
  readonly #late = new Set<RunState>()
  readonly #latePlaces = new InstantHeap<RunState>()

  constructor(priority: number) {
    this.priority = priority
  }

  /** False if it was there. */
  add(run: RunState): boolean {
    const { place } = run
    if (this.#late.has(run)) return false
    const { last } = this.#queue
    if (last === undefined || place > last.place) {
      this.#queue.push(run)
      return true
    }
    if (this.#isQueued(run)) return false
    this.#late.add(run)
    this.#latePlaces.put(place, run)
    return true
  }

  delete(run: RunState): boolean {
    const queue = this.#queue
    if (queue.first === run) {
      queue.shift()
      while (queue.first !== undefined && this.#gone.delete(queue.first)) queue.shift()
      return true
    }
    if (this.#late.delete(run)) return true
    if (!this.#isQueued(run)) return false
    this.#gone.add(run)
    return true
  }

  get first(): RunState | undefined {
    const queued = this.#queue.first
    const late = this.#firstLate()
    if (queued === undefined || late === undefined) return queued ?? late
    return late.place < queued.place ? late : queued
  }

  all(): RunState[] {
    return [...this.#queue.values().filter(run => !this.#gone.has(run)), ...this.#late]
  }

  #isQueued(run: RunState): boolean {
    return this.#queue.has(run) && !this.#gone.has(run)
  }

  #firstLate(): RunState | undefined {
    for (;;) {
      const run = this.#latePlaces.nextItem
      if (run === undefined || this.#late.has(run)) return run
      this.#latePlaces.takeDue(run.place)
    }
  }
}
