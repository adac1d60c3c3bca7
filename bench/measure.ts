// Measuring: medians, percentiles, rounds that take turns, a folder to do it in. Knows nothing of what is measured.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @throws Error if there is nothing to take a median of */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The smallest value that at least `percent` of them do not pass. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  if (values.length === 0) throw new Error('nothing was measured')
  const sorted = Array.from(values).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
}

/**
 * Runs every candidate once per round, in turns, so that a busy neighbour slows all of them down alike. The first
 * round warms up and does not count.
 * @returns what each gave, round by round
 */
export async function takeTurns<Name extends string>(
  rounds: number,
  candidates: Record<Name, () => number | Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(candidates) as Name[]
  const results = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await candidates[name]()
      if (round > 0) results[name].push(value)
    }
  }
  return results
}

/** Milliseconds that `work` took. */
export async function timeMs(work: () => unknown): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

/** A new folder, gone when `work` is done. On the disk of `DAGBOK_BENCH_DIR`, else of the system's temporary files. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const parent = process.env['DAGBOK_BENCH_DIR'] ?? tmpdir()
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'dagbok-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What `bin/scheduler.js` starts Node with. */
export const SCHEDULER_FLAGS = [
  '--expose-gc',
  '--max-semi-space-size=4',
  '--no-allocation-site-pretenuring',
] as const

/** `DAGBOK_BENCH_QUICK=1`: fewer rounds, for trying a bench out. Its numbers are not for RESULTS.md. */
export const QUICK = process.env['DAGBOK_BENCH_QUICK'] === '1'
