// A heap of things that come due: the earliest is at hand, the rest is not looked at.
//
// There is no removal from the middle. An entry that has become stale is recognised by its owner when it comes up.
//
// Instants and things stand in two arrays, four children to a parent: a step down the heap then looks at one line of the
// processor's cache. Entries as objects cost four, and of ten thousand schedules few are in the cache when one is due.

import type { Instant } from './instant.ts'

interface Entry<T> {
  readonly at: Instant
  readonly item: T
}

const CHILDREN = 4

/** Entries that `crowd` looks at. The heap has the earliest ones in front. */
const CROWD_LOOKS_AT = 50_000

export class InstantHeap<T> {
  readonly #instants: Instant[] = []
  /** What comes due at the instant of the same index. */
  readonly #items: T[] = []

  get size(): number {
    return this.#instants.length
  }

  /** The earliest instant in the heap, undefined when it is empty. O(1). */
  get nextAt(): Instant | undefined {
    return this.#instants[0]
  }

  /** What comes first, undefined when it is empty. O(1). */
  get nextItem(): T | undefined {
    return this.#items[0]
  }

  /** O(log n). */
  put(at: Instant, item: T): void {
    const instants = this.#instants
    const items = this.#items
    let index = instants.length
    instants.push(at)
    items.push(item)
    while (index > 0) {
      const parent = Math.floor((index - 1) / CHILDREN)
      if (instants[parent]! <= at) break
      instants[index] = instants[parent]!
      items[index] = items[parent]!
      index = parent
    }
    instants[index] = at
    items[index] = item
  }

  /** Takes out the earliest entry if it is due at `now`. O(log n), O(1) when nothing is due. */
  takeDue(now: Instant): Entry<T> | undefined {
    const at = this.#instants[0]
    if (at === undefined || at > now) return undefined
    const item = this.#items[0]!
    const lastAt = this.#instants.pop()!
    const last = this.#items.pop()!
    if (this.#instants.length > 0) this.#sink(lastAt, last)
    return { at, item }
  }

  /** The earliest `count` entries, in order. For people, not for the tick: O(n log n). */
  earliest(count: number): { at: Instant; item: T }[] {
    return this.#instants
      .map((at, index) => ({ at, item: this.#items[index]! }))
      .sort((a, b) => a.at - b.at)
      .slice(0, count)
  }

  /** Shows up to `most` things that are due at `now`, in no order, and takes none out. O(most). */
  visitDue(now: Instant, most: number, visit: (item: T) => void): void {
    const waiting = [0]
    for (let seen = 0; seen < most; ) {
      const index = waiting.pop()
      if (index === undefined) return
      const at = this.#instants[index]
      if (at === undefined || at > now) continue
      visit(this.#items[index]!)
      seen += 1
      for (let child = 1; child <= CHILDREN; child++) waiting.push(index * CHILDREN + child)
    }
  }

  /** Up to `most` things that come due at the same instant: the one that most of the first entries share. */
  crowd(most: number): T[] {
    const instants = this.#instants.slice(0, CROWD_LOOKS_AT)
    const counts = new Map<Instant, number>()
    let busiest = instants[0]
    for (const at of instants) {
      const count = (counts.get(at) ?? 0) + 1
      counts.set(at, count)
      if (count > counts.get(busiest!)!) busiest = at
    }
    const crowd: T[] = []
    for (let index = 0; index < instants.length && crowd.length < most; index++)
      if (instants[index] === busiest) crowd.push(this.#items[index]!)
    return crowd
  }

  #sink(at: Instant, item: T): void {
    const instants = this.#instants
    const items = this.#items
    const { length } = instants
    let index = 0
    for (;;) {
      const first = index * CHILDREN + 1
      if (first >= length) break
      let child = first
      let earliest = instants[first]!
      const end = Math.min(first + CHILDREN, length)
      for (let other = first + 1; other < end; other++) {
        if (instants[other]! >= earliest) continue
        earliest = instants[other]!
        child = other
      }
      if (earliest >= at) break
      instants[index] = earliest
      items[index] = items[child]!
      index = child
    }
    instants[index] = at
    items[index] = item
  }
}
