// What is legal in each schedule and yet rarely meant of all of them together: said by `lint`, never a refusal.

import { formatSlot, type Instant, MINUTE_MS, startOfMinute } from '../time/instant.ts'
import type { Schedule } from './schedule.ts'

export type SetWarningCode = 'disabled' | 'never_due' | 'same_schedule' | 'crowded_minute'

export interface SetWarning {
  readonly code: SetWarningCode
  /** The schedule that it is told of. */
  readonly scheduleId: string
  readonly message: string
  readonly hint: string
}

export interface SetWarningOptions {
  readonly now: Instant
  /** More schedules than this in one minute are a crowd. */
  readonly crowd: number
  /** How far ahead crowds are looked for. */
  readonly withinMs: number
}

/** Schedules named in one message; the rest is counted. */
const NAMED_MAX = 5

export function listSetWarnings(
  schedules: Iterable<Schedule>,
  { now, crowd, withinMs }: SetWarningOptions,
): SetWarning[] {
  const warnings: SetWarning[] = []
  const active: Schedule[] = []
  for (const schedule of schedules) {
    if (!schedule.enabled) {
      warnings.push({
        code: 'disabled',
        scheduleId: schedule.id,
        message: `schedule ${schedule.id} is disabled: no slot of it is due`,
        hint: 'Delete it, or set enabled: true.',
      })
    } else if (schedule.slots.next(now) === undefined) {
      warnings.push({
        code: 'never_due',
        scheduleId: schedule.id,
        message: `schedule ${schedule.id} has no slot any more within 40 years of ${formatSlot(startOfMinute(now))}`,
        hint: '`scheduler explain` shows what it matches.',
      })
    } else active.push(schedule)
  }
  return [...warnings, ...listTwins(active, now), ...listCrowd(active, { now, crowd, withinMs })]
}

/** Two schedules that say the same of the same DAG: each of its slots runs twice. */
function listTwins(schedules: readonly Schedule[], now: Instant): SetWarning[] {
  const first = new Map<string, string>()
  const warnings: SetWarning[] = []
  for (const { id, timing, slots, dagName, tenantId, conditions } of schedules) {
    // The same text need not be the same slots: an H is another minute for each schedule.
    const second = slots.next(slots.next(now)!)
    const key = JSON.stringify([timing, dagName, tenantId, conditions, slots.next(now), second])
    const twin = first.get(key)
    if (twin === undefined) {
      first.set(key, id)
      continue
    }
    warnings.push({
      code: 'same_schedule',
      scheduleId: id,
      message: `schedule ${id} says the same as ${twin}: DAG ${dagName} runs twice for every slot`,
      hint: 'Remove one of them.',
    })
  }
  return warnings
}

/** The fullest minute, if more schedules are due in it than there should be. */
function listCrowd(
  schedules: readonly Schedule[],
  { now, crowd, withinMs }: SetWarningOptions,
): SetWarning[] {
  if (schedules.length <= crowd) return []
  // Schedules that say the same share their slots: each set is walked once.
  const groups = new Map<Schedule['slots'], Schedule[]>()
  for (const schedule of schedules) {
    const group = groups.get(schedule.slots)
    if (group === undefined) groups.set(schedule.slots, [schedule])
    else group.push(schedule)
  }
  const perMinute = new Uint32Array(Math.ceil(withinMs / MINUTE_MS) + 1)
  const begin = startOfMinute(now)
  for (const [slots, group] of groups) {
    for (const minute of minutesOf(slots, now, now + withinMs))
      perMinute[(minute - begin) / MINUTE_MS]! += group.length
  }
  let fullest = 0
  let crowded = 0
  for (const [index, count] of perMinute.entries()) {
    if (count > crowd) crowded += 1
    if (count > perMinute[fullest]!) fullest = index
  }
  const count = perMinute[fullest]!
  if (count <= crowd) return []
  const at = begin + fullest * MINUTE_MS
  const there = [...groups]
    .filter(([slots]) => dueIn(slots, at))
    .flatMap(([, group]) => group.map(({ id }) => id))
  const named = there.slice(0, NAMED_MAX).join(', ')
  const more = there.length > NAMED_MAX ? ` and ${there.length - NAMED_MAX} more` : ''
  const others = crowded > 1 ? `; ${crowded - 1} other minutes of that time are over it, too` : ''
  return [
    {
      code: 'crowded_minute',
      scheduleId: there[0]!,
      message: `${count} schedules are due at ${formatSlot(at)}, more than ${crowd}: ${named}${more}${others}`,
      hint: 'Spread them: H in the minute field gives each its own minute.',
    },
  ]
}

/** The minutes with a slot, each once: a schedule of seconds is in its minute once. */
function* minutesOf(slots: Schedule['slots'], after: Instant, until: Instant): Generator<Instant> {
  let slot = slots.next(after)
  while (slot !== undefined && slot <= until) {
    const minute = startOfMinute(slot)
    yield minute
    slot = slots.next(minute + MINUTE_MS - 1)
  }
}

function dueIn(slots: Schedule['slots'], minute: Instant): boolean {
  const slot = slots.next(minute - 1)
  return slot !== undefined && slot < minute + MINUTE_MS
}
