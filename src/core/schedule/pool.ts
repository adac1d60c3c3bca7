// A pool: a number of slots that runs of several schedules share. A run holds its weight of them from start to end.

export interface Pool {
  readonly slots: number
  readonly description?: string | undefined
}

/** By name. */
export type Pools = ReadonlyMap<string, Pool>

export const POOL_LIMITS = { slots: 10_000, weight: 10_000, priority: 100 } as const

/** True if two sets of pools say the same. */
export function samePools(a: Pools, b: Pools): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [name, { slots, description }] of a) {
    const other = b.get(name)
    if (other?.slots !== slots || other.description !== description) return false
  }
  return true
}
