// Which slots to come a pause covers, as the journal's index tells: of one schedule, or of everything.

import { type Event, isUserEvent } from '../core/state-machine/event.ts'
import { type Instant, parseInstant } from '../core/time/instant.ts'
import type { RunIndex } from '../ports/run-index.ts'

/** Lines of each kind that are looked at. */
const LINES_MAX = 10_000

interface Pause {
  readonly since: Instant
  /** Undefined: until somebody resumes. */
  readonly until: Instant | undefined
}

export interface Pauses {
  /** True if the slot would be skipped for a pause that is in force now. */
  covers(scheduleId: string, slot: Instant): boolean
}

export const NO_PAUSES: Pauses = { covers: () => false }

/** Reads the pauses that nobody has ended. */
export function readPauses(index: RunIndex): Pauses {
  const list = (event: string) =>
    index.events({ event, limit: LINES_MAX }).filter(line => !isUserEvent(line)) as (Event & {
      schedule_id?: string
      until?: string
    })[]
  /** By schedule; what is said of everything stands under ''. */
  const open = (paused: string, resumed: string): Map<string, Pause[]> => {
    const ends = new Map<string, number>()
    for (const { schedule_id = '', seq } of list(resumed))
      if (!ends.has(schedule_id)) ends.set(schedule_id, seq)
    const pauses = new Map<string, Pause[]>()
    for (const { schedule_id = '', seq, timestamp, until } of list(paused)) {
      if (seq < (ends.get(schedule_id) ?? 0)) continue
      const pause = {
        since: parseInstant(timestamp),
        until: until === undefined ? undefined : parseInstant(until),
      }
      pauses.set(schedule_id, [...(pauses.get(schedule_id) ?? []), pause])
    }
    return pauses
  }
  const own = open('schedule_paused', 'schedule_resumed')
  const everything = open('scheduling_frozen', 'scheduling_thawed')
  const reaches = (pauses: readonly Pause[] | undefined, slot: Instant) =>
    pauses?.some(({ since, until }) => since < slot && (until === undefined || slot < until)) === true
  return {
    covers: (scheduleId, slot) => reaches(own.get(scheduleId), slot) || reaches(everything.get(''), slot),
  }
}
