// A run as a person names it: its id, or a beginning of it that fits only one.

import { DagbokError, EXIT } from '../core/error.ts'
import type { RunRow } from '../ports/run-index.ts'
import type { Reader } from './house.ts'
import { suggest, UsageError } from './usage.ts'

/** How far back a beginning is looked for. A whole id is found however old it is. */
const RECENT = 1_000

/**
 * The run that `name` means.
 * @throws DagbokError RUN_NOT_FOUND (exit 4), UsageError (exit 2) if several begin so
 */
export function findRun({ index }: Reader, name: string): RunRow {
  const exact = index.run(name)
  if (exact) return exact
  const recent = index.runs({ limit: RECENT })
  const fitting = recent.filter(row => row.run_id.startsWith(name))
  const [only] = fitting
  if (only !== undefined && fitting.length === 1) return only
  if (only !== undefined) {
    const some = fitting.slice(0, 5).map(row => row.run_id)
    throw new UsageError(
      `several runs begin with ${JSON.stringify(name)}: ${some.join(', ')}`,
      'give more of its id',
    )
  }
  const known = recent.map(row => row.run_id)
  throw new DagbokError('RUN_NOT_FOUND', `there is no run ${JSON.stringify(name)}`, {
    exitCode: EXIT.notFound,
    hint: suggest(name, known, '`scheduler runs` lists the latest'),
  })
}
