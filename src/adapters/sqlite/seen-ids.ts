// Remembers which ids have been seen, in a fixed amount of memory: a filter with one bit for each (Bloom).
//
// Boundary: "not seen" is certain, "seen" may be wrong. Of a million ids, about one in thirty is taken for another.

const BITS = 2 ** 25

export interface SeenIds {
  /** False: `add` was never called with this id. */
  mayHave(id: string): boolean
  add(id: string): void
}

/** 4 MiB, given by the kernel page by page as ids come. */
export function createSeenIds(): SeenIds {
  const words = new Uint32Array(BITS / 32)
  return {
    mayHave: id => {
      const bit = hash(id)
      return (words[bit >>> 5]! & (1 << (bit & 31))) !== 0
    },
    add: id => {
      const bit = hash(id)
      words[bit >>> 5]! |= 1 << (bit & 31)
    },
  }
}

/** FNV-1a, its high bits mixed into the low ones that are used. */
function hash(id: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193)
  return (h ^ (h >>> 15)) & (BITS - 1)
}
