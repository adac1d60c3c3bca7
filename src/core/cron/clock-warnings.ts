// The warning about fixed times that a change of the clock leaves out or repeats this year: which dates, and what is due.

import type { Instant } from '../time/instant.ts'
import { zoneOf } from '../time/zone.ts'
import { type ClockChange, listClockChanges } from './clock-changes.ts'
import { compileCron, compileOnWall } from './compile.ts'
import type { CronOptions } from './parse.ts'
import type { CronTokens } from './tokens.ts'
import type { CronWarning } from './warnings.ts'

/** Named times that are listed for one change. */
const SHOWN = 3

/**
 * The changes of the year of `now` that touch times which the text names; at most one warning. An expression whose hour
 * begins with `*` has other slots before and after, and none of them is missed.
 */
export function listClockWarnings(
  expression: string,
  tokens: CronTokens,
  {
    timezone,
    now,
    ...options
  }: CronOptions & { readonly timezone: string | undefined; readonly now: Instant },
): CronWarning[] {
  const { minute, hour } = tokens
  const wall = compileOnWall(expression, options)
  if (wall === undefined || hour.text.startsWith('*')) return []
  const slots = compileCron(expression, timezone, options)
  const year = new Date(now).getUTCFullYear()
  const changes = listClockChanges(
    slots,
    wall,
    zoneOf(slots.timezone),
    Date.UTC(year, 0, 1),
    Date.UTC(year + 1, 0, 1),
  )
  const sayings = changes.filter(({ effect }) => effect !== 'untouched').map(sayChange)
  if (sayings.length === 0) return []
  return [
    {
      code: 'clock_change',
      message: `${slots.timezone} changes its clock: ${sayings.join('; ')}`,
      hint: 'Choose a time that is neither left out nor repeated, another rule by dst, or a zone without changes, such as UTC.',
      position: minute.position,
      length: hour.position + hour.text.length - minute.position,
    },
  ]
}

/** `on 2026-03-29 02:30 is left out and is due at 03:00 instead` */
function sayChange(change: ClockChange): string {
  const { at, offsetBeforeMs, offsetAfterMs, kind, named, effect, slots } = change
  const day = new Date(at + Math.min(offsetBeforeMs, offsetAfterMs)).toISOString().slice(0, 10)
  const isOne = named.length === 1
  const what = `on ${day} ${sayTimes(named)} ${kind === 'gap' ? (isOne ? 'is' : 'are') : isOne ? 'comes' : 'come'} ${kind === 'gap' ? 'left out' : 'twice'}`
  const end = clockOf((slots[0] ?? at) + offsetAfterMs)
  switch (effect) {
    case 'moved':
      return `${what} and ${isOne ? 'is' : 'are'} due${isOne ? '' : ' once,'} at ${end} instead`
    case 'merged':
      return `${what}, and the slot at ${end} stands for ${isOne ? 'it' : 'them'} as well`
    case 'dropped':
      return kind === 'gap'
        ? `${what} and not due that day`
        : `${what} and ${isOne ? 'is' : 'are'} due neither time`
    case 'first_pass':
      return `${what} and ${isOne ? 'is' : 'are'} due the first time only`
    case 'second_pass':
      return `${what} and ${isOne ? 'is' : 'are'} due the second time only`
    case 'both_passes':
      return `${what} and ${isOne ? 'is' : 'are'} due both times`
    default:
      return `${what}, of which ${slots.length} are due`
  }
}

function sayTimes(named: readonly Instant[]): string {
  const shown = named.slice(0, SHOWN).map(clockOf)
  if (named.length > SHOWN) return `${shown.join(', ')} and others`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

/** The time of day on a wall clock, which is an instant of a clock at UTC. */
function clockOf(wall: Instant): string {
  return new Date(wall).toISOString().slice(11, wall % 60_000 === 0 ? 16 : 19)
}
