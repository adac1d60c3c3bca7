// Cron text → packed fields: five fields, or six with leading seconds, or a macro (`@daily`).
//
//   1. Every text is either read or refused with a CronError that marks the wrong part; nothing is guessed or padded.
//   2. What can never match (30 February) and what fires every second by a slip is refused here, not found out later.
//   3. Whether an expression follows the clock through a repeated hour is decided by its raw text, once, here:
//      its minute or hour begins with `*` (Debian's rule).

import { findNearest } from '../nearest.ts'
import { CronError, clip } from './cron-error.ts'
import { explainField, type Token } from './diagnose.ts'
import { type CronFields, EITHER_DAY, FOLLOWS_CLOCK, HAS_SECONDS } from './expression.ts'
import {
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  type FieldMask,
  type FieldSpec,
  HOUR,
  MINUTE,
  MONTH,
  readField,
  SECOND,
} from './field.ts'

/** The longest text that is read. The longest useful one has about 200 characters. */
export const LONGEST_EXPRESSION = 256

export interface CronOptions {
  /** Accept a seconds field that matches all 60 seconds (`* * * * * *`), which is nearly always a slip. */
  readonly allowEverySecond?: boolean
}

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** The fields of an expression as they stand in it. A macro's are those of its expansion, all at its own place. */
export interface CronTokens {
  readonly second: Token | undefined
  readonly minute: Token
  readonly hour: Token
  readonly dayOfMonth: Token
  readonly month: Token
  readonly dayOfWeek: Token
}

/**
 * Splits an expression into its fields, without reading them.
 * @throws {CronError} if it is too long or has not five or six fields, or if its macro is unknown.
 */
export function splitCron(expression: string): CronTokens {
  if (expression.length > LONGEST_EXPRESSION) {
    throw new CronError(expression, {
      what: `the expression has ${expression.length} characters`,
      position: LONGEST_EXPRESSION,
      length: expression.length - LONGEST_EXPRESSION,
      expected: `at most ${LONGEST_EXPRESSION}`,
      remedy: 'Use ranges and steps instead of long lists.',
    })
  }
  const tokens: Token[] = []
  for (const match of expression.matchAll(/\S+/g)) tokens.push({ text: match[0], position: match.index })
  if (tokens[0]?.text.startsWith('@')) return expandMacro(expression, tokens[0])
  if (tokens.length !== 5 && tokens.length !== 6) throw explainCount(expression, tokens)
  const second = tokens.length === 6 ? tokens.shift() : undefined
  const [minute, hour, dayOfMonth, month, dayOfWeek] = tokens as [Token, Token, Token, Token, Token]
  return { second, minute, hour, dayOfMonth, month, dayOfWeek }
}

/**
 * Reads a cron expression.
 * @throws {CronError} code CRON_INVALID, with the place, what was expected and what to write instead.
 */
export function parseCron(expression: string, { allowEverySecond = false }: CronOptions = {}): CronFields {
  const tokens = splitCron(expression)
  const read = (spec: FieldSpec, token: Token): FieldMask => {
    const mask = readField(spec, token.text)
    if (mask === undefined) throw explainField(expression, spec, token)
    return mask
  }
  const second = tokens.second === undefined ? { low: 1, high: 0 } : read(SECOND, tokens.second)
  const minute = read(MINUTE, tokens.minute)
  const hour = read(HOUR, tokens.hour)
  const dayOfMonth = read(DAY_OF_MONTH, tokens.dayOfMonth)
  const month = read(MONTH, tokens.month)
  const dayOfWeek = read(DAY_OF_WEEK, tokens.dayOfWeek)
  const daysOfMonth = dayOfMonth.low | (dayOfMonth.high << 30)
  const eitherDay = !isOpen(tokens.dayOfMonth) && !isOpen(tokens.dayOfWeek)

  if (tokens.second !== undefined && second.low === HALF && second.high === HALF && !allowEverySecond) {
    throw explainEverySecond(expression, tokens.second)
  }
  if (!eitherDay && !hasDate(month.low, daysOfMonth)) {
    throw explainNever(expression, tokens, month.low)
  }
  return {
    secondsLow: second.low,
    secondsHigh: second.high,
    minutesLow: minute.low,
    minutesHigh: minute.high,
    hours: hour.low,
    daysOfMonth,
    calendar:
      month.low |
      (dayOfWeek.low << 12) |
      (tokens.minute.text.startsWith('*') || tokens.hour.text.startsWith('*') ? FOLLOWS_CLOCK : 0) |
      (eitherDay ? EITHER_DAY : 0) |
      (tokens.second === undefined ? 0 : HAS_SECONDS),
  }
}

/** Half a minute, or half an hour, with every value set. */
const HALF = 2 ** 30 - 1

/** Whether a day field leaves the choice to the other one: it begins with `*` (a step may follow), or is `?`. */
export function isOpen(field: Token): boolean {
  return field.text.startsWith('*') || field.text === '?'
}

const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function hasDate(months: number, daysOfMonth: number): boolean {
  return MONTH_LENGTHS.some((length, index) => (months >> index) & 1 && daysOfMonth & (2 ** length - 1))
}

function expandMacro(expression: string, macro: Token): CronTokens {
  const name = macro.text.toLowerCase()
  const fail = (what: string, length: number, remedy: string): CronError =>
    new CronError(expression, {
      what,
      position: macro.position,
      length,
      expected: Object.keys(MACROS).join(' '),
      remedy,
    })
  const text = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined
  if (text === undefined) {
    const shown = clip(macro.text, 20)
    if (name === '@reboot') {
      const remedy = 'A slot is a moment in time, and a start is none: let the service manager run it.'
      throw fail('@reboot names no time', macro.text.length, remedy)
    }
    if (name === '@every') {
      throw fail(
        '@every is not cron',
        macro.text.length,
        'Write the period as a step: */15 * * * * is every 15 minutes.',
      )
    }
    const nearest = findNearest(name, Object.keys(MACROS))
    const remedy =
      nearest === undefined ? 'Write one of the known macros, or five fields.' : `Did you mean ${nearest}?`
    throw fail(`macro ${shown} is unknown`, macro.text.length, remedy)
  }
  const end = expression.trimEnd().length
  if (end !== macro.position + macro.text.length) {
    throw fail(`${macro.text} stands alone`, end - macro.position, `Remove what follows ${macro.text}.`)
  }
  const at = (field: string): Token => ({ text: field, position: macro.position })
  const [minute, hour, dayOfMonth, month, dayOfWeek] = text.split(' ').map(at) as [
    Token,
    Token,
    Token,
    Token,
    Token,
  ]
  return { second: undefined, minute, hour, dayOfMonth, month, dayOfWeek }
}

function explainCount(expression: string, tokens: readonly Token[]): CronError {
  const expected = '5 fields (minute hour day-of-month month weekday), or 6 with leading seconds'
  const first = tokens[0]
  if (first === undefined) {
    return new CronError(expression, {
      what: 'the expression is empty',
      position: 0,
      length: expression.length,
      expected,
      remedy: 'Write five fields, such as 0 6 * * MON-FRI, or a macro, such as @daily.',
    })
  }
  const beyond = tokens[6]
  const from = beyond?.position ?? first.position
  const end = expression.trimEnd().length
  let remedy = 'Write * for a field that does not matter: 0 6 * * * is every day at 06:00.'
  if (beyond !== undefined) remedy = 'Remove what follows the weekday; a list has no spaces (1,15,30).'
  if (/^(?:CRON_)?TZ=/i.test(first.text)) remedy = 'Move the zone out of the text: timezone: Europe/Berlin.'
  return new CronError(expression, {
    what: `${tokens.length} field${tokens.length === 1 ? '' : 's'} where 5 are needed`,
    position: from,
    length: end - from,
    expected,
    remedy,
  })
}

function explainEverySecond(expression: string, second: Token): CronError {
  const rest = expression.slice(second.position + second.text.length).trim()
  return new CronError(expression, {
    what: 'the seconds field matches all 60 seconds of every minute that matches',
    position: second.position,
    length: second.text.length,
    expected: 'certain seconds, such as 0 or */10',
    remedy: `With six fields the first is seconds: write ${rest} for once a minute, or allow every second explicitly.`,
  })
}

function explainNever(expression: string, tokens: CronTokens, months: number): CronError {
  const names = 'January February March April May June July August September October November December'.split(
    ' ',
  )
  const allowed = names.filter((_, index) => (months >> index) & 1)
  const longest = Math.max(...MONTH_LENGTHS.filter((_, index) => (months >> index) & 1))
  return new CronError(expression, {
    what: `day ${tokens.dayOfMonth.text} never comes in ${allowed.join(', ')}`,
    position: tokens.dayOfMonth.position,
    length: tokens.dayOfMonth.text.length,
    expected: `a day from 1 to ${longest}`,
    remedy: `Choose a day that ${allowed.length === 1 ? 'this month has' : 'one of these months has'}, or another month.`,
  })
}
