// Every zone of the tz database, every change of its clock from 2000 to 2037: what is due around it, from whatever second one asks.
//
// The changes and the offsets come from Temporal, not from our own tables. What must be due is worked out from them day by
// day: a fixed time once on each local date, a wildcard at each minute whose wall clock matches.

import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { compileCron } from '../../src/core/cron/compile.ts'
import type { CronSchedule } from '../../src/core/cron/cron.ts'
import type { CronDst } from '../../src/core/cron/parse.ts'
import { DAY_MS, formatSlot, HOUR_MS, type Instant, MINUTE_MS } from '../../src/core/time/instant.ts'
import { Chance } from '../simulation/chance.ts'

/** Old names that people still write, beside the names that Intl lists. */
const LINKS = [
  'UTC',
  'GMT',
  'US/Eastern',
  'US/Central',
  'US/Mountain',
  'US/Pacific',
  'CET',
  'EET',
  'Asia/Calcutta',
  'Asia/Kolkata',
  'Asia/Saigon',
  'Asia/Ho_Chi_Minh',
  'Europe/Kiev',
  'Europe/Kyiv',
  'America/Buenos_Aires',
  'America/Godthab',
  'America/Nuuk',
  'Pacific/Enderbury',
  'Pacific/Kanton',
  'Atlantic/Faeroe',
  'Australia/ACT',
  'Australia/LHI',
  'NZ',
  'NZ-CHAT',
  'Etc/GMT-14',
  'Etc/GMT+12',
]

const FROM = Date.UTC(2000, 0)
const UNTIL = Date.UTC(2038, 0)
/** The largest shift that counts as summer time. */
const SHIFT_MAX_MS = 3 * HOUR_MS
const RESTARTS = 8

interface Change {
  readonly at: Instant
  readonly before: number
  readonly after: number
}

/** A stretch of constant offset from UTC. */
interface Period {
  readonly from: Instant
  readonly until: Instant
  readonly offset: number
}

function listChanges(zone: string): Change[] {
  const changes: Change[] = []
  let at = Temporal.Instant.fromEpochMilliseconds(FROM).toZonedDateTimeISO(zone)
  for (;;) {
    const next = at.getTimeZoneTransition('next')
    if (next === null || next.epochMilliseconds >= UNTIL) return changes
    const before = Temporal.Instant.fromEpochMilliseconds(next.epochMilliseconds - 1).toZonedDateTimeISO(zone)
    const change = {
      at: next.epochMilliseconds,
      before: before.offsetNanoseconds / 1e6,
      after: next.offsetNanoseconds / 1e6,
    }
    // tzdata also changes names; only the clock counts here.
    if (change.before !== change.after) changes.push(change)
    at = next
  }
}

/** The stretches of [from, until) between the changes of a zone, of which there is at least one. */
function listPeriods(changes: readonly Change[], from: Instant, until: Instant): Period[] {
  const inside = changes.filter(({ at }) => at > from && at < until)
  const starts = [from, ...inside.map(({ at }) => at)]
  return starts.map((start, index) => ({
    from: start,
    until: inside[index]?.at ?? until,
    offset: index === 0 ? inside[0]!.before : inside[index - 1]!.after,
  }))
}

/**
 * When a time of the day is due: once on each local date, by Debian's rule. `days` counts the dates that the rule serves.
 * `skip` leaves out what a gap swallowed, `both` takes both passes of what is repeated.
 */
function listFixed(
  periods: readonly Period[],
  [hour, minute]: readonly [number, number],
  dst: CronDst = 'cron',
): { due: Instant[]; days: number } {
  const due = new Set<Instant>()
  let days = 0
  const first = periods[0]!
  const last = periods.at(-1)!
  const firstDay = Math.floor((first.from + first.offset) / DAY_MS) + 1
  const lastDay = Math.floor((last.until + last.offset) / DAY_MS) - 1
  for (let day = firstDay; day <= lastDay; day++) {
    const wall = day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS
    const passes = periods.filter(({ from, until, offset }) => wall - offset >= from && wall - offset < until)
    if (passes.length === 0) {
      const index = periods.findIndex(
        ({ from, offset }, at) => at > 0 && wall - offset < from && wall - periods[at - 1]!.offset >= from,
      )
      const gap = periods[index]!
      if (dst === 'skip' || gap.offset - periods[index - 1]!.offset > SHIFT_MAX_MS) continue
      due.add(Math.ceil(gap.from / MINUTE_MS) * MINUTE_MS)
      days++
      continue
    }
    days++
    passes.forEach((pass, index) => {
      const before = index === 0 ? undefined : passes[index - 1]!
      const isRepeat = before !== undefined && before.offset - pass.offset <= SHIFT_MAX_MS
      if (!isRepeat || dst === 'both') due.add(wall - pass.offset)
    })
  }
  return { due: [...due].sort((a, b) => a - b), days }
}

/** When a minute of every hour is due: wherever the wall clock shows it. */
function listWildcard(periods: readonly Period[], minutes: readonly number[]): Instant[] {
  const due: Instant[] = []
  for (const { from, until, offset } of periods) {
    const start = Math.ceil(from / MINUTE_MS) * MINUTE_MS
    for (let at = start; at < until; at += MINUTE_MS) {
      if (minutes.includes((((at + offset) / MINUTE_MS) % 60) % 60)) due.push(at)
    }
  }
  return due
}

/** The chain that starts after `after` and ends before `until`. */
function listSlots(schedule: CronSchedule, after: Instant, until: Instant): Instant[] {
  const slots: Instant[] = []
  for (let at = schedule.next(after); at !== undefined && at < until; at = schedule.next(at)) slots.push(at)
  return slots
}

function compare(schedule: CronSchedule, after: Instant, until: Instant, due: readonly Instant[]): void {
  const expected = due.filter(at => at > after && at < until)
  const slots = listSlots(schedule, after, until)
  if (slots.length === expected.length && slots.every((slot, index) => slot === expected[index])) return
  const text = (instants: readonly Instant[]): string => instants.map(formatSlot).join(' ')
  throw new Error(
    `${schedule.expression} in ${schedule.timezone} after ${formatSlot(after)}: got ${text(slots)}, expected ${text(expected)}`,
  )
}

/** Asked anew at any second around the change, the answer is the next of the same chain. */
function restart(schedule: CronSchedule, change: Change, due: readonly Instant[], chance: Chance): void {
  for (let count = 0; count < RESTARTS; count++) {
    const seconds = count === 0 ? 0 : chance.between(-4 * 3600, 4 * 3600)
    const after = change.at + seconds * 1000
    const expected = due.find(at => at > after)
    if (schedule.next(after) === expected) continue
    const next = schedule.next(after)
    throw new Error(
      `${schedule.expression} in ${schedule.timezone}, asked anew after ${new Date(after).toISOString()}: ` +
        `${next === undefined ? 'never' : formatSlot(next)}, not ${formatSlot(expected!)}`,
    )
  }
}

/** Hour and minute of the wall clock at an instant, under an offset. */
function timeAt(instant: Instant, offset: number): [hour: number, minute: number] {
  const time = (((instant + offset) % DAY_MS) + DAY_MS) % DAY_MS
  return [Math.floor(time / HOUR_MS), Math.floor((time % HOUR_MS) / MINUTE_MS)]
}

/** 02:30, midnight, what the clock shows at the change before and after it, and the middle of what it skips or repeats. */
function listTimes({ at, before, after }: Change): [hour: number, minute: number][] {
  return [[2, 30], [0, 0], timeAt(at, before), timeAt(at, after), timeAt(at, (before + after) / 2)]
}

const zones = [...new Set([...Intl.supportedValuesOf('timeZone'), ...LINKS])]
const changesOf = new Map(zones.map(zone => [zone, listChanges(zone)]))

describe('every zone, every change of its clock from 2000 to 2037', () => {
  it('is there to be looked at', () => {
    expect(zones.length).toBeGreaterThan(420)
    const all = [...changesOf.values()].flat()
    expect(all.length).toBeGreaterThan(10_000)
    const shifts = new Set(all.map(({ before, after }) => (after - before) / MINUTE_MS))
    for (const shift of [60, -60, 30, -30, 120, -120, 1440]) expect(shifts).toContain(shift)
  })

  it('a fixed time is due once on each local date, also when asked anew at any second', () => {
    const chance = new Chance('fixed times')
    let changes = 0
    let servedDays = 0
    let dueSlots = 0
    const skipped = new Set<string>()
    for (const [zone, list] of changesOf) {
      for (const change of list) {
        const from = change.at - 3 * DAY_MS
        const until = change.at + 3 * DAY_MS
        const periods = listPeriods(list, from, until)
        changes++
        for (const time of listTimes(change)) {
          const { due, days } = listFixed(periods, time)
          const schedule = compileCron(`${time[1]} ${time[0]} * * *`, zone)
          compare(schedule, change.at - 36 * HOUR_MS, change.at + 36 * HOUR_MS, due)
          restart(schedule, change, due, chance)
          servedDays += days
          dueSlots += due.length
          if (due.length !== days) skipped.add(zone)
        }
      }
    }
    expect(changes).toBeGreaterThan(10_000)
    // Once a day, but for days that were skipped or repeated whole.
    expect([...skipped]).toEqual([])
    expect(dueSlots).toBe(servedDays)
  }, 120_000)

  it.each(['skip', 'both'] as const)(
    'under dst: %s a fixed time is due as that says',
    dst => {
      const chance = new Chance(dst)
      let otherwise = 0
      for (const [zone, list] of changesOf) {
        for (const change of list) {
          const periods = listPeriods(list, change.at - 3 * DAY_MS, change.at + 3 * DAY_MS)
          for (const time of listTimes(change)) {
            const { due } = listFixed(periods, time, dst)
            const schedule = compileCron(`${time[1]} ${time[0]} * * *`, zone, { dst })
            compare(schedule, change.at - 36 * HOUR_MS, change.at + 36 * HOUR_MS, due)
            restart(schedule, change, due, chance)
            if (due.length !== listFixed(periods, time).due.length) otherwise++
          }
        }
      }
      expect(otherwise).toBeGreaterThan(5_000)
    },
    120_000,
  )

  it('a wildcard keeps its rhythm, also when asked anew at any second', () => {
    const chance = new Chance('wildcards')
    let uneven = 0
    for (const [zone, list] of changesOf) {
      for (const change of list) {
        const periods = listPeriods(list, change.at - 8 * HOUR_MS, change.at + 8 * HOUR_MS)
        const quarters = listWildcard(periods, [0, 15, 30, 45])
        const halves = listWildcard(periods, [30])
        for (const [cron, due] of [
          ['*/15 * * * *', quarters],
          ['30 * * * *', halves],
        ] as const) {
          const schedule = compileCron(cron, zone)
          compare(schedule, change.at - 6 * HOUR_MS, change.at + 6 * HOUR_MS, due)
          restart(schedule, change, due, chance)
        }
        // Offsets are whole quarters of an hour since 2000, so a quarter is a quarter through every change.
        for (let index = 1; index < quarters.length; index++) {
          if (quarters[index]! - quarters[index - 1]! !== 15 * MINUTE_MS) uneven++
        }
      }
    }
    expect(uneven).toBe(0)
  }, 120_000)
})
