// A schedule's life as its registrations tell it: which timing was in force for a slot, and when there was none.
//
//   T1. A stretch owns the slots after its cursor, up to the moment when the schedule was retired or registered again.
//   T2. Pure over the schedule's own `schedule_registered` and `schedule_retired`, in the order of `seq`.

import { compileTiming, readTiming, type Slots, type Timing, type TimingFields } from '../schedule/timing.ts'
import type { Event, ScheduleRegistered, ScheduleRetired } from '../state-machine/event.ts'
import { isUserEvent } from '../state-machine/event.ts'
import { type Instant, parseInstant } from '../time/instant.ts'

export interface Stretch {
  readonly timing: Timing
  readonly slots: Slots
  /** Slots after it … */
  readonly cursor: Instant
  /** … up to it are this stretch's. Infinity while it is in force. */
  readonly endsAt: Instant
  readonly registeredAt: string
  /** `kept`: its registration is older than what is kept of the journal; a checkpoint tells of it. */
  readonly cause: ScheduleRegistered['cause'] | 'kept'
  /** How it ended, if it has. */
  readonly end?: { readonly at: string; readonly cause: 'timing_changed' | 'disabled' | 'removed' }
}

/** What the checkpoint that opens the oldest kept segment says of a schedule. */
export interface KeptSchedule extends TimingFields {
  readonly cursor: Instant
  readonly retired?: boolean
  readonly keptSince: string
}

/** The stretches, oldest first. `events` may hold other events too. */
export function timelineOf(scheduleId: string, events: readonly Event[], kept?: KeptSchedule): Stretch[] {
  const stretches: Stretch[] = []
  if (kept !== undefined && kept.retired !== true) {
    const { cursor, keptSince } = kept
    const timing = readTiming(kept)
    const slots = compileTiming(timing, scheduleId)
    const endsAt = Number.POSITIVE_INFINITY
    stretches.push({ timing, slots, cursor, endsAt, registeredAt: keptSince, cause: 'kept' })
  }
  for (const event of events.toSorted((a, b) => a.seq - b.seq)) {
    if (isUserEvent(event)) continue
    if (event.event === 'schedule_registered' && event.schedule_id === scheduleId) {
      if (stretches.at(-1)?.end === undefined) endLast(stretches, event, 'timing_changed')
      const timing = readTiming(event)
      stretches.push({
        timing,
        slots: compileTiming(timing, scheduleId),
        cursor: parseInstant(event.cursor),
        endsAt: Number.POSITIVE_INFINITY,
        registeredAt: event.timestamp,
        cause: event.cause,
      })
    } else if (event.event === 'schedule_retired' && event.schedule_id === scheduleId) {
      endLast(stretches, event, event.cause)
    }
  }
  return stretches
}

function endLast(
  stretches: Stretch[],
  { timestamp }: ScheduleRegistered | ScheduleRetired,
  cause: NonNullable<Stretch['end']>['cause'],
): void {
  const last = stretches.pop()
  if (last === undefined) return
  stretches.push({ ...last, endsAt: parseInstant(timestamp), end: { at: timestamp, cause } })
}

/** The stretch that owns an instant, were it a slot. */
export function stretchAt(stretches: readonly Stretch[], instant: Instant): Stretch | undefined {
  return stretches.findLast(({ cursor, endsAt }) => cursor < instant && instant <= endsAt)
}
