// How long the tasks of DAGs took when they last ran well, from the run index.

import { DagbokError } from '../core/error.ts'
import type { PastDurations } from '../core/simulation/durations.ts'
import type { CommandContext } from './context.ts'
import type { Reader } from './house.ts'

/** Past runs that a median is taken over. */
const RUNS_MAX = 20

export interface History {
  readonly durations: PastDurations
  /** How many past runs of a DAG were looked at. */
  readonly runs: ReadonlyMap<string, number>
}

/** Empty where there is no journal yet. */
export async function readPastDurations(
  { house, settings }: CommandContext,
  dagNames: Iterable<string>,
): Promise<History> {
  const durations = new Map<string, Map<string, number[]>>()
  const runs = new Map<string, number>()
  let reader: Reader
  try {
    reader = await (await house()).openReader(settings)
  } catch (error) {
    if (error instanceof DagbokError && error.code === 'JOURNAL_MISSING') return { durations, runs }
    throw error
  }
  try {
    for (const dagName of dagNames) {
      const past = reader.index.runs({ dagName, status: ['success'], limit: RUNS_MAX })
      if (past.length === 0) continue
      runs.set(dagName, past.length)
      const byTask = new Map<string, number[]>()
      durations.set(dagName, byTask)
      for (const { run_id } of past) {
        for (const { task_id, status, duration_ms } of reader.index.tasks(run_id)) {
          if (status !== 'ok' || duration_ms === null) continue
          const lengths = byTask.get(task_id)
          if (lengths === undefined) byTask.set(task_id, [duration_ms])
          else lengths.push(duration_ms)
        }
      }
    }
  } finally {
    await reader.close()
  }
  return { durations, runs }
}
