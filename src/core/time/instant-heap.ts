// A binary heap of things that come due: the earliest is at hand, the rest is not looked at.
//
// There is no removal from the middle. An entry that has become stale is recognised by its owner when it comes up.

import type { Instant } from './instant.ts'

interface Entry<T> {
  readonly at: Instant
  readonly item: T
}

export class InstantHeap<T> {
  #entries: Entry<T>[] = []

  get size(): number {
    return this.#entries.length
  }

  /** The earliest instant in the heap, undefined when it is empty. O(1). */
  get nextAt(): Instant | undefined {
    return this.#entries[0]?.at
  }

  /** What comes first, undefined when it is empty. O(1). */
  get nextItem(): T | undefined {
    return this.#entries[0]?.item
  }

  /** O(log n). */
  put(at: Instant, item: T): void {
    const entries = this.#entries
    let index = entries.length
    const entry = { at, item }
    entries.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (entries[parent]!.at <= at) break
      entries[index] = entries[parent]!
      index = parent
    }
    entries[index] = entry
  }

  /** Takes out the earliest entry if it is due at `now`. O(log n), O(1) when nothing is due. */
  takeDue(now: Instant): Entry<T> | undefined {
    const first = this.#entries[0]
    if (first === undefined || first.at > now) return undefined
    const last = this.#entries.pop()!
    if (this.#entries.length > 0) this.#sink(last)
    return first
  }

  /** The earliest `count` entries, in order. For people, not for the tick: O(n log n). */
  earliest(count: number): { at: Instant; item: T }[] {
    return [...this.#entries].sort((a, b) => a.at - b.at).slice(0, count)
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries
    const half = entries.length >> 1
    let index = 0
    while (index < half) {
      let child = index * 2 + 1
      if (child + 1 < entries.length && entries[child + 1]!.at < entries[child]!.at) child += 1
      if (entries[child]!.at >= entry.at) break
      entries[index] = entries[child]!
      index = child
    }
    entries[index] = entry
  }
}
