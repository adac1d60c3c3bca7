// `cron(…).next(from, count)`: the engine as a library function, for code that wants the due instants and nothing else.
//
// Its input comes from JavaScript as well, so what the types say is checked here. Pure: `from` is always given.

import { DagbokError, EXIT } from '../error.ts'
import { findNearest } from '../nearest.ts'
import { formatInstant, type Instant, parseInstant } from '../time/instant.ts'
import { compileCron, findZoneInText } from './compile.ts'
import type { CronOptions } from './parse.ts'

export interface UpcomingOptions extends CronOptions {
  /** IANA name. Default: the zone in the text (`USING CRON … <zone>`), or UTC. */
  readonly timezone?: string | undefined
}

export interface Upcoming {
  readonly expression: string
  readonly timezone: string
  /**
   * The next `count` due instants after `from` (exclusive), as ISO 8601 text in UTC, in order. Fewer where there are no
   * more within 40 years.
   * @param from a Date, or ISO 8601 text with an offset
   * @param count 1 to 100,000; default 1
   * @throws {DagbokError} INSTANT_INVALID, CRON_QUERY_INVALID
   */
  next(from: Date | string, count?: number): string[]
}

const MOST_AT_ONCE = 100_000

const CHOICES = { dialect: ['unix', 'quartz'], dst: ['cron', 'skip', 'both'] } as const

/**
 * Compiles a cron expression: `cron('0 6 * * MON-FRI', { timezone: 'Europe/Berlin' }).next('2026-01-05T00:00Z', 3)`.
 * @throws {CronError} CRON_INVALID, with position and remedy
 * @throws {DagbokError} TIMEZONE_INVALID, CRON_QUERY_INVALID
 */
export function cron(expression: string, options: UpcomingOptions = {}): Upcoming {
  checkQuery(expression, options)
  const { timezone } = options
  // Here a zone that is given is one that is meant, UTC too.
  if (timezone !== undefined) findZoneInText(expression, timezone)
  const schedule = compileCron(expression, timezone, options)
  return {
    expression,
    timezone: schedule.timezone,
    next(from, count = 1) {
      if (!Number.isInteger(count) || count < 1 || count > MOST_AT_ONCE) {
        const hint = `Ask for 1 to ${MOST_AT_ONCE}, and go on from the last one.`
        throw refuse(`count ${show(count)} is no whole number from 1 to ${MOST_AT_ONCE}`, hint)
      }
      const slots: string[] = []
      let at: Instant | undefined = readFrom(from)
      while (slots.length < count) {
        at = schedule.next(at)
        if (at === undefined) break
        slots.push(formatInstant(at))
      }
      return slots
    },
  }
}

function readFrom(from: unknown): Instant {
  const instant =
    from instanceof Date ? from.getTime() : typeof from === 'string' ? parseInstant(from) : Number.NaN
  if (Number.isFinite(instant)) return instant
  const shown = from instanceof Date ? 'an invalid Date' : show(from)
  throw new DagbokError('INSTANT_INVALID', `from: ${shown} is no point in time`, {
    hint: 'Pass a Date, or ISO 8601 text with an offset: 2026-01-05T06:00Z.',
    exitCode: EXIT.usage,
  })
}

function checkQuery(expression: unknown, options: UpcomingOptions): void {
  if (typeof expression !== 'string') {
    throw refuse(`the expression is ${show(expression)}, not text`, 'Pass cron text, such as 0 6 * * *.')
  }
  for (const name of ['timezone', 'hashSeed'] as const) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'string') {
      throw refuse(`${name} is ${show(value)}, not text`, `Pass ${name} as text, or leave it out.`)
    }
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value: unknown = options[name as keyof typeof CHOICES]
    if (value === undefined || (choices as readonly unknown[]).includes(value)) continue
    const nearest = typeof value === 'string' ? findNearest(value, choices) : undefined
    const hint = nearest === undefined ? `Write one of: ${choices.join(', ')}.` : `Did you mean ${nearest}?`
    throw refuse(`${name} is ${show(value)}, expected one of ${choices.join(', ')}`, hint)
  }
}

function refuse(message: string, hint: string): DagbokError {
  return new DagbokError('CRON_QUERY_INVALID', message, { hint, exitCode: EXIT.usage })
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value).slice(0, 40)
}
