// Runs in the order of their places: they join at the end and are looked at from the head.
//
// In blocks: an array that grows is copied, and the collector then looks at all of it. With 170,000 runs in line that is a
// turn of 15 ms. (A set would keep the order, too, but to find its first costs as much as there are who left before it.)

import type { RunState } from '../run/run.ts'

const BLOCK_RUNS = 1_024

export class PlaceQueue {
  /** None is empty, unless it is the only one. */
  readonly #blocks: RunState[][] = [[]]
  /** Where the queue begins in the first block. */
  #head = 0

  get first(): RunState | undefined {
    return this.#blocks[0]![this.#head]
  }

  get last(): RunState | undefined {
    return this.#blocks.at(-1)!.at(-1)
  }

  /** @param run its place is behind that of `last` */
  push(run: RunState): void {
    const block = this.#blocks.at(-1)!
    if (block.length < BLOCK_RUNS) block.push(run)
    else this.#blocks.push([run])
  }

  /** Lets go of the first. */
  shift(): void {
    const block = this.#blocks[0]!
    this.#head += 1
    if (this.#head < block.length) return
    if (this.#blocks.length > 1) this.#blocks.shift()
    else block.length = 0
    this.#head = 0
  }

  /** O(log n). */
  has(run: RunState): boolean {
    const { place } = run
    const block = this.#blocks[lowerBound(this.#blocks, 0, block => (block.at(-1)?.place ?? place) >= place)]
    if (block === undefined) return false
    const from = block === this.#blocks[0] ? this.#head : 0
    return block[lowerBound(block, from, other => other.place >= place)] === run
  }

  *values(): Generator<RunState, void> {
    for (const [index, block] of this.#blocks.entries()) yield* index === 0 ? block.slice(this.#head) : block
  }
}

/** The first index from `low` on whose item is far enough, or the length. */
function lowerBound<T>(items: readonly T[], low: number, isFar: (item: T) => boolean): number {
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isFar(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
