// What a set of definitions would do to a state if it were taken into force now: by deciding it, on a state that nobody
// else has, and reading what came of it.

import { Agenda } from '../planner/agenda.ts'
import type { Definitions } from '../schedule/definitions.ts'
import { compileTiming, type Timing, takeSlots } from '../schedule/timing.ts'
import type { Command } from '../state-machine/command.ts'
import { decide } from '../state-machine/decide.ts'
import type {
  Event,
  ScheduleEnqueued,
  ScheduleMissed,
  ScheduleRegistered,
  ScheduleRetired,
  ScheduleSkipped,
  SlotOpened,
} from '../state-machine/event.ts'
import type { State } from '../state-machine/state.ts'
import type { Instant } from '../time/instant.ts'

export type ChangeKind = 'added' | 'enabled' | 'timing_changed' | 'disabled' | 'removed'

/** A span of slots that becomes missed. */
export type MissedSpan = Pick<ScheduleMissed, 'from' | 'to' | 'count' | 'reason'>

export interface TimingView {
  readonly timing: Timing
  /** The next slots after now. */
  readonly next: readonly Instant[]
}

export interface ScheduleChange {
  readonly scheduleId: string
  readonly kind: ChangeKind
  readonly before: TimingView | undefined
  readonly after: TimingView | undefined
  /** Slots up to now that were not decided, and are given up with the old timing. */
  readonly missed: readonly MissedSpan[]
}

/** What would become of the slots that passed while no scheduler ran. */
export interface Backlog {
  readonly scheduleId: string
  /** Slots that would run now, late or not. */
  readonly enqueued: readonly string[]
  /** Slots that would be skipped, each with its reason: of a schedule that is paused. */
  readonly skipped: readonly { readonly slot: string; readonly reason: string }[]
  readonly missed: readonly MissedSpan[]
  /** Slots whose conditions would be asked. */
  readonly asked: readonly string[]
}

export interface Preview {
  readonly changes: readonly ScheduleChange[]
  readonly backlog: readonly Backlog[]
}

const CHANGES = {
  first_seen: 'added',
  enabled: 'enabled',
  timing_changed: 'timing_changed',
  disabled: 'disabled',
  removed: 'removed',
} as const satisfies Record<ScheduleRegistered['cause'] | ScheduleRetired['cause'], ChangeKind>

/**
 * @param state the state as the journal tells it; it is used up
 * @param slotsShown how many next slots of an old and a new timing are listed
 */
export function previewDefinitions(
  state: State,
  definitions: Definitions,
  now: Instant,
  slotsShown = 3,
): Preview {
  const agenda = new Agenda()
  const timings = new Map([...state.schedules].map(([id, { timing }]) => [id, timing]))
  const apply = (command: Command): Event[] =>
    decide(state, command, {
      now,
      definitions,
      agenda,
      // Nothing starts: only slots are decided.
      limits: { maxParallel: 0, maxTasks: 0 },
      admission: 'closed',
      driven: 'all',
      random: () => 0.5,
    }).flat()

  const view = (id: string, timing: Timing | undefined): TimingView | undefined =>
    timing === undefined ? undefined : { timing, next: takeSlots(compileTiming(timing, id), now, slotsShown) }
  const changes: ScheduleChange[] = []
  const given = new Map<string, MissedSpan[]>()
  for (const event of apply({ type: 'use_definitions', definitions, cause: 'reload' })) {
    if (event.event === 'schedule_missed') {
      const { schedule_id, from, to, count, reason } = event as ScheduleMissed
      given.set(schedule_id, [...(given.get(schedule_id) ?? []), { from, to, count, reason }])
    }
    if (event.event !== 'schedule_registered' && event.event !== 'schedule_retired') continue
    const { schedule_id: scheduleId, cause } = event as ScheduleRegistered | ScheduleRetired
    const kind = CHANGES[cause]
    changes.push({
      scheduleId,
      kind,
      before: view(scheduleId, kind === 'added' ? undefined : timings.get(scheduleId)),
      after:
        event.event === 'schedule_retired'
          ? undefined
          : view(scheduleId, definitions.schedules.get(scheduleId)?.timing),
      missed: given.get(scheduleId) ?? [],
    })
  }

  const backlog = new Map<
    string,
    { enqueued: string[]; skipped: Backlog['skipped'][number][]; missed: MissedSpan[]; asked: string[] }
  >()
  const backlogOf = (scheduleId: string) => {
    const known = backlog.get(scheduleId) ?? { enqueued: [], skipped: [], missed: [], asked: [] }
    backlog.set(scheduleId, known)
    return known
  }
  while ((agenda.nextAt ?? Number.POSITIVE_INFINITY) <= now) {
    for (const event of apply({ type: 'tick' })) {
      if (event.event === 'schedule_missed') {
        const { schedule_id, from, to, count, reason } = event as ScheduleMissed
        backlogOf(schedule_id).missed.push({ from, to, count, reason })
      } else if (event.event === 'schedule_skipped') {
        const { schedule_id, slot, reason } = event as ScheduleSkipped
        backlogOf(schedule_id).skipped.push({ slot, reason })
      } else if (event.event === 'slot_opened') {
        const { schedule_id, slot } = event as SlotOpened
        backlogOf(schedule_id).asked.push(slot)
      } else if (event.event === 'schedule_enqueued') {
        const { schedule_id, slot } = event as ScheduleEnqueued
        backlogOf(schedule_id).enqueued.push(slot)
      }
    }
  }
  return { changes, backlog: [...backlog].map(([scheduleId, found]) => ({ scheduleId, ...found })) }
}
