// The number from which an `H` in a cron text gets its value: the same for ever, on every machine.
//
//   1. It is FNV-1a (32 bits) over the seed, `/` and the field's name, stirred by the last step of MurmurHash3, because
//      what is used of it is a remainder, and FNV's low bits alone are not spread well.
//   2. A change of it would move the slots of every schedule with an H. The golden values in hash.test.ts stand for that.

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** A number from 0 to 2³²-1 for one field (`minute`, `day of month`) of the schedule that `seed` names. */
export function hashOf(seed: string, field: string): number {
  let hash = FNV_OFFSET
  const text = `${seed}/${field}`
  for (let index = 0; index < text.length; index++) {
    // Characters beyond Latin-1 give two bytes, the lower first.
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME)
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >> 8), FNV_PRIME)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
