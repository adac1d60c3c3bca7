// An explanation, for people and for machines: the words, the next slots, the clock changes, the warnings, the policies.

import { formatDay } from '../../core/calendar/day.ts'
import type { ClockChange } from '../../core/cron/clock-changes.ts'
import type { CronDst } from '../../core/cron/parse.ts'
import type { CronWarning } from '../../core/cron/warnings.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { rolledFrom, timingFields } from '../../core/schedule/timing.ts'
import { formatSlot, type Instant } from '../../core/time/instant.ts'
import { zoneOf } from '../../core/time/zone.ts'
import { type Channel, plain } from '../output.ts'
import { describeMoments, describePolicies } from './policies.ts'
import { renderTable } from './table.ts'
import { formatSpan, formatWallClock } from './time.ts'

export interface CronExplanation {
  readonly text: string
  readonly words: string
  /** How it takes a change of the clock: it follows the wall clock, names fixed times, or counts elapsed time. */
  readonly rule: 'clock' | 'fixed' | 'elapsed'
  readonly dst: CronDst
  readonly warnings: readonly CronWarning[]
  readonly changes: readonly ClockChange[]
}

export interface Explanation {
  /** Undefined: only a cron text was given. */
  readonly schedule: Schedule | undefined
  readonly timezone: string
  readonly now: Instant
  readonly crons: readonly CronExplanation[]
  readonly slots: readonly Instant[]
  /** Why a slot would get no run: the condition that does not hold. */
  judge(slot: Instant): { verdict: 'met' | 'unmet' | 'open' | 'error'; reason: string }
}

/** Named times that a line about a clock change lists. */
const NAMED_SHOWN = 3

export function renderExplanation(explanation: Explanation, channel: Channel): string[] {
  const { schedule, timezone, crons, slots } = explanation
  const field = (name: string, value: string) => `${name.padEnd(9)} ${value}`
  const lines: string[] = []
  if (schedule !== undefined) {
    const tail = schedule.enabled ? '' : ', disabled: nothing of it is due'
    lines.push(
      field('schedule', `${schedule.id} → dag ${schedule.dagName}, tenant ${schedule.tenantId}${tail}`),
    )
  }
  for (const { text, words } of crons) {
    lines.push(field('cron', plain(text)), field('means', channel.style('bold', words)))
  }
  for (const { key, value, words } of schedule === undefined ? [] : describeMoments(schedule.timing))
    lines.push(field(key, value), field('means', channel.style('bold', words)))
  lines.push(field('zone', timezone))
  for (const cron of crons) {
    for (const warning of cron.warnings) {
      lines.push(
        field(channel.style('yellow', 'warning'.padEnd(9)).trimEnd(), `${warning.message} [${warning.code}]`),
        field('', warning.hint),
      )
    }
  }
  if (schedule !== undefined) {
    for (const { key, value, words } of describePolicies(schedule))
      lines.push(field(key, `${value}: ${words}`))
  }
  const changes = renderChanges(explanation)
  return [...lines, '', ...renderSlots(slots, explanation), ...(changes.length === 0 ? [] : ['', ...changes])]
}

function renderSlots(slots: readonly Instant[], { schedule, timezone, now, judge }: Explanation): string[] {
  if (slots.length === 0) return ['no slot within the next 40 years']
  const zone = zoneOf(timezone)
  const isAsked = schedule?.conditions !== undefined
  const isRolled = schedule?.timing.roll !== undefined
  return renderTable(
    [
      { title: 'SLOT' },
      { title: `LOCAL (${timezone})` },
      { title: 'IN', align: 'right' },
      ...(isRolled ? [{ title: 'ROLLED FROM' }] : []),
      ...(isAsked ? [{ title: 'CONDITIONS' }] : []),
    ],
    slots.map(slot => {
      const { verdict: known, reason } = judge(slot)
      const verdict = known === 'met' ? 'hold' : known === 'open' ? 'asked when due' : `skipped (${reason})`
      const cells = [formatSlot(slot), sayLocal(slot, zone.offsetAt(slot)), formatSpan(slot - now)]
      if (isRolled) cells.push(listRolledFrom(schedule, slot).join(' ') || '-')
      return isAsked ? [...cells, verdict] : cells
    }),
  )
}

/** The days from which times have moved to a slot. */
function listRolledFrom({ timing, id }: Schedule, slot: Instant): string[] {
  return rolledFrom(timing, id, slot).map(formatDay)
}

const RULES = { clock: 'it follows the wall clock', fixed: 'it names fixed times' } as const

function renderChanges({ schedule, crons, timezone }: Explanation): string[] {
  const before = schedule?.timing.roll === undefined ? '' : ', before the roll'
  return crons.flatMap(({ text, changes, rule, dst }) => {
    const which = crons.length > 1 ? `${plain(text)}: ` : ''
    if (rule === 'elapsed') return [`${which}it counts elapsed time: no change of a clock touches it`]
    if (changes.length === 0) return [`${which}${timezone} keeps its clock for the next 12 months`]
    return [
      `${which}clock changes of ${timezone} in the next 12 months (${RULES[rule]}${dst === 'cron' ? '' : `, dst: ${dst}`}${before}):`,
      ...changes.map(change => `  ${sayChange(change)}: ${sayEffect(change)}`),
    ]
  })
}

/** `2026-03-29 02:00 to 03:00 is left out` */
function sayChange({ at, offsetBeforeMs, offsetAfterMs, kind }: ClockChange): string {
  const from = at + Math.min(offsetBeforeMs, offsetAfterMs)
  const to = at + Math.max(offsetBeforeMs, offsetAfterMs)
  return `${dayOf(from)} ${clockOf(from)} to ${clockOf(to)} ${kind === 'gap' ? 'is left out' : 'comes twice'}`
}

export function sayEffect(change: ClockChange): string {
  const { effect, kind, named, slots, at, offsetAfterMs } = change
  const times = sayTimes(change)
  const [are, have] = named.length === 1 ? ['is', 'has'] : ['are', 'have']
  const utc = slots.length <= NAMED_SHOWN ? ` (${slots.map(formatSlot).join(', ')})` : ''
  const end = clockOf((slots[0] ?? at) + offsetAfterMs)
  switch (effect) {
    case 'untouched':
      return 'no time of it lies there'
    case 'moved':
      return `${times} ${are} due ${named.length === 1 ? '' : 'once, '}at ${end} instead${utc}`
    case 'merged':
      return `${times} ${have} no slot of ${named.length === 1 ? 'its' : 'their'} own; ${end} has, and is named as well${utc}`
    case 'dropped':
      return `${times} ${have} no slot ${kind === 'gap' ? 'that day' : 'in either pass'}`
    case 'first_pass':
      return `${times} ${are} due the first time only${utc}`
    case 'second_pass':
      return `${times} ${are} due the second time only${utc}`
    case 'both_passes':
      return `${times} ${are} due both times${utc}`
    case 'mixed':
      return `${slots.length} slots for ${times}${utc}`
  }
}

function sayTimes({ named, isLong }: ClockChange): string {
  const shown = named.slice(0, NAMED_SHOWN).map(clockOf)
  const more = named.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${isLong ? 'more than ' : ''}${more} more`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

/** The date of a wall clock, which is an instant of a clock at UTC. */
function dayOf(wall: Instant): string {
  return new Date(wall).toISOString().slice(0, 10)
}

function clockOf(wall: Instant): string {
  const text = new Date(wall).toISOString()
  return wall % 60_000 === 0 ? text.slice(11, 16) : text.slice(11, 19)
}

function sayLocal(slot: Instant, offsetMs: number): string {
  const weekday = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ')[new Date(slot + offsetMs).getUTCDay()]
  return `${weekday} ${formatWallClock(slot, offsetMs)}`
}

/** The same as `--json` gives it: slots and instants in UTC, wall clocks with their offset. */
export function explanationJson({ schedule, timezone, now, crons, slots, judge }: Explanation): object {
  const zone = zoneOf(timezone)
  return {
    ...(schedule === undefined
      ? {}
      : {
          schedule_id: schedule.id,
          dag_name: schedule.dagName,
          tenant_id: schedule.tenantId,
          enabled: schedule.enabled,
          policies: Object.fromEntries(
            describePolicies(schedule).map(({ key, value, words }) => [key, { value, words }]),
          ),
        }),
    timezone,
    ...(schedule === undefined
      ? {}
      : { timing: timingFields(schedule.timing), moments: describeMoments(schedule.timing) }),
    crons: crons.map(({ text, words, rule, dst, warnings, changes }) => ({
      cron: text,
      words,
      follows_clock: rule === 'clock',
      dst,
      warnings: warnings.map(({ code, message, hint, position, length }) => ({
        code,
        message,
        hint,
        position,
        length,
      })),
      clock_changes: changes.map(change => ({
        at: formatSlot(change.at),
        kind: change.kind,
        offset_before_ms: change.offsetBeforeMs,
        offset_after_ms: change.offsetAfterMs,
        named: change.named.map(wall => `${dayOf(wall)} ${clockOf(wall)}`),
        effect: change.effect,
        slots: change.slots.map(formatSlot),
        words: sayEffect(change),
      })),
    })),
    slots: slots.map(slot => ({
      slot: formatSlot(slot),
      local: formatWallClock(slot, zone.offsetAt(slot)),
      in_ms: slot - now,
      ...(schedule?.timing.roll === undefined ? {} : { rolled_from: listRolledFrom(schedule, slot) }),
      ...(schedule?.conditions === undefined ? {} : judgementJson(judge(slot))),
    })),
  }
}

function judgementJson({ verdict, reason }: ReturnType<Explanation['judge']>): object {
  return { skipped: verdict === 'unmet' ? reason : null, asked: verdict === 'open' }
}
