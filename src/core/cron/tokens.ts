// Cron text → its fields as they stand, without reading them: counts, macros and Snowflake's `USING CRON … <zone>`.
//
// Nothing is padded: a text with the wrong number of fields is refused, with the place of the first that is too many.

import { findNearest } from '../nearest.ts'
import { isTimeZone } from '../time/zone.ts'
import { CronError, clip } from './cron-error.ts'
import type { Token } from './diagnose.ts'

/** How a text is read. Quartz: six or seven fields, weekdays from Sunday = 1, one of the day fields `?`. */
export type CronDialect = 'unix' | 'quartz'

/** The longest text that is read. The longest useful one has about 200 characters. */
export const LONGEST_EXPRESSION = 256

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

type FiveTokens = [minute: Token, hour: Token, dayOfMonth: Token, month: Token, dayOfWeek: Token]

/** The fields of an expression as they stand in it. A macro's are those of its expansion, all at its own place. */
export interface CronTokens {
  readonly second: Token | undefined
  readonly minute: Token
  readonly hour: Token
  readonly dayOfMonth: Token
  readonly month: Token
  readonly dayOfWeek: Token
  readonly year: Token | undefined
  /** The zone at the end of `USING CRON`. */
  readonly zone: Token | undefined
  /** Macros are always read as unix. */
  readonly isMacro: boolean
}

/**
 * Splits an expression into its fields, without reading them.
 * @throws {CronError} if it is too long, has not the right number of fields, or if its macro is unknown.
 */
export function splitCron(expression: string, dialect: CronDialect = 'unix'): CronTokens {
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
  const zone = isUsingCron(tokens) ? takeZone(expression, dialect, tokens) : undefined
  if (zone === undefined && /[a-z]\/|[=(]|(?:UTC|GMT)\s*$/i.test(expression))
    refuseOtherForms(expression, tokens)
  const counts = zone !== undefined ? [5] : dialect === 'quartz' ? [6, 7] : [5, 6, 7]
  if (!counts.includes(tokens.length)) throw explainCount(expression, tokens, counts)
  const second = tokens.length >= 6 ? tokens.shift() : undefined
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = tokens as [...FiveTokens, year?: Token]
  return { second, minute, hour, dayOfMonth, month, dayOfWeek, year, zone, isMacro: false }
}

function isUsingCron(tokens: readonly Token[]): boolean {
  return /^USING$/i.test(tokens[0]?.text ?? '') && /^CRON$/i.test(tokens[1]?.text ?? '')
}

/** Takes the zone and the two words off `USING CRON <five fields> <zone>`. */
function takeZone(expression: string, dialect: CronDialect, tokens: Token[]): Token {
  const [using] = tokens.splice(0, 2) as [Token, Token]
  if (dialect === 'quartz') {
    throw new CronError(expression, {
      what: 'USING CRON is Snowflake, whose five fields are not those of Quartz',
      position: using.position,
      length: expression.trimEnd().length - using.position,
      expected: 'six or seven fields',
      remedy: 'Remove dialect: quartz, or USING CRON and the zone.',
    })
  }
  const last = tokens.at(-1)
  if (tokens.length < 6 && (last === undefined || !(last.text.includes('/') || isTimeZone(last.text)))) {
    const end = expression.trimEnd().length
    throw new CronError(expression, {
      what: 'USING CRON lacks its time zone',
      position: last?.position ?? using.position,
      length: end - (last?.position ?? using.position),
      expected: 'five fields and an IANA zone',
      remedy: 'Write the zone last: USING CRON 0 9 * * * America/Los_Angeles.',
    })
  }
  return tokens.pop()!
}

/** Forms that others have and this one does not: a zone beside the fields, EventBridge's `cron(…)` and `rate(…)`. */
function refuseOtherForms(expression: string, tokens: readonly Token[]): void {
  const first = tokens[0]
  const last = tokens.at(-1)
  if (first === undefined || last === undefined) return
  const bridge = /^(cron|rate)\((.*)\)?$/i.exec(first.text)
  if (bridge !== null) {
    const remedy =
      bridge[1]?.toLowerCase() === 'rate'
        ? 'Write the period alone: 5 MINUTE.'
        : 'Write its first five fields alone: 0 12 * * ?. Its sixth is a year.'
    throw new CronError(expression, {
      what: `${bridge[1]}(…) is EventBridge's form`,
      position: first.position,
      length: first.text.length,
      expected: 'fields without brackets',
      remedy,
    })
  }
  const isAhead = tokens.length >= 6 && /^(?:CRON_)?TZ=/i.test(first.text)
  const isBehind = /^(?:[A-Z][a-z]\w+\/[A-Za-z].*|UTC|GMT)$/.test(last.text)
  if (!isAhead && !isBehind) return
  const stray = isAhead ? first : last
  const name = clip(stray.text.replace(/^.*=/, ''), 40)
  throw new CronError(expression, {
    what: `the fields and a time zone, ${name}, in one text`,
    position: stray.position,
    length: stray.text.length,
    expected: 'fields alone',
    remedy: `Move the zone out of the text: timezone: ${name}.`,
  })
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
  const [minute, hour, dayOfMonth, month, dayOfWeek] = text.split(' ').map(at) as FiveTokens
  return {
    second: undefined,
    minute,
    hour,
    dayOfMonth,
    month,
    dayOfWeek,
    year: undefined,
    zone: undefined,
    isMacro: true,
  }
}

const FIELDS = 'minute hour day-of-month month weekday'

function explainCount(expression: string, tokens: readonly Token[], counts: readonly number[]): CronError {
  const isQuartz = counts[0] === 6
  const expected = isQuartz
    ? `6 fields (second ${FIELDS}), or 7 with the year last`
    : `5 fields (${FIELDS})${counts.length === 1 ? ' and a zone' : ', or 6 with leading seconds, or 7 with the year last'}`
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
  const beyond = tokens[counts.at(-1)!]
  const from = beyond?.position ?? first.position
  const last = tokens.at(-1)!
  let remedy = 'Write * for a field that does not matter: 0 6 * * * is every day at 06:00.'
  if (beyond !== undefined) remedy = 'Remove what follows the last field; a list has no spaces (1,15,30).'
  else if (isQuartz) remedy = explainQuartzCount(tokens)
  else if (tokens.length <= 3 && /\d\s*[smh]|(?:second|minute|hour)/i.test(expression))
    remedy = 'A period is a number and a unit: 5 MINUTE, 2 HOURS, 90 SECONDS.'
  if (/^(?:CRON_)?TZ=/i.test(first.text)) remedy = 'Move the zone out of the text: timezone: Europe/Berlin.'
  return new CronError(expression, {
    what: `${tokens.length} field${tokens.length === 1 ? '' : 's'} where ${counts[0]} are needed`,
    position: from,
    length: last.position + last.text.length - from,
    expected,
    remedy,
  })
}

function explainQuartzCount(tokens: readonly Token[]): string {
  if (tokens.length !== 5) return 'Begin with the seconds, as Quartz does: 0 0 6 * * ? is every day at 06:00.'
  const [minute, hour, dayOfMonth, month, dayOfWeek] = tokens.map(({ text }) => text) as [
    string,
    string,
    string,
    string,
    string,
  ]
  if (dayOfWeek === '*')
    return `Begin with the seconds, as Quartz does: 0 ${minute} ${hour} ${dayOfMonth} ${month} ?.`
  return 'Begin with the seconds and write ? in one day field, or remove dialect: quartz.'
}
