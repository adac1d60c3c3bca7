// A schedule as a person names it: its id.

import { DagbokError, EXIT } from '../core/error.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import { suggest } from './usage.ts'

/** @throws DagbokError SCHEDULE_NOT_FOUND (exit 4), with the id that was probably meant */
export function findSchedule(
  schedules: ReadonlyMap<string, Schedule>,
  id: string,
  remedy = '`scheduler next` lists them all',
): Schedule {
  const found = schedules.get(id)
  if (found !== undefined) return found
  throw new DagbokError('SCHEDULE_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`, {
    exitCode: EXIT.notFound,
    hint: suggest(id, schedules.keys(), remedy),
  })
}
