// Chance from a seed: the same seed gives the same numbers, on every machine.

import type { Random } from '../../src/ports/random.ts'

/** FNV-1a over UTF-16 units: turns any text into a seed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}

/** sfc32. */
export class Chance implements Random {
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number | string) {
    const base = typeof seed === 'number' ? seed >>> 0 : hashText(seed)
    this.#a = base ^ 0x9e3779b9
    this.#b = Math.imul(base, 0x85ebca6b) ^ 0x243f6a88
    this.#c = Math.imul(base, 0xc2b2ae35) ^ 0xb7e15162
    for (let round = 0; round < 12; round++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!
  }

  /** One of the keys, by weight. */
  weigh<K extends string>(weights: Readonly<Record<K, number>>): K {
    let total = 0
    for (const key in weights) total += weights[key]
    let at = this.next() * total
    let last: K | undefined
    for (const key in weights) {
      last = key
      at -= weights[key]
      if (at < 0) return key
    }
    return last!
  }
}
