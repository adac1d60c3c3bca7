// A set of days, given as spans in any order: overlapping ones are joined, and a question takes a binary search.

import type { Day } from './day.ts'

/** Days from `from` to `to`, both included. */
export interface DaySpan {
  readonly from: Day
  readonly to: Day
}

export class DaySet {
  /** First and last days, by turns, ascending. */
  readonly #edges: Day[] = []

  constructor(spans: readonly DaySpan[]) {
    for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
      const last = this.#edges.at(-1)
      if (last === undefined || from > last + 1) this.#edges.push(from, to)
      else if (to > last) this.#edges[this.#edges.length - 1] = to
    }
  }

  has(day: Day): boolean {
    let low = 0
    let high = this.#edges.length >> 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#edges[2 * middle + 1]! < day) low = middle + 1
      else high = middle
    }
    return 2 * low < this.#edges.length && this.#edges[2 * low]! <= day
  }

  /** Joined, ascending. */
  spans(): DaySpan[] {
    const spans: DaySpan[] = []
    for (let index = 0; index < this.#edges.length; index += 2)
      spans.push({ from: this.#edges[index]!, to: this.#edges[index + 1]! })
    return spans
  }
}
