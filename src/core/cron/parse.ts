// Cron text → packed fields: five fields, six with leading seconds, seven with a trailing year, or a macro (`@daily`);
// in the dialect of Vixie's cron, of Quartz, or of Snowflake's `USING CRON`.
//
//   1. Every text is either read or refused with a CronError that marks the wrong part; nothing is guessed or padded.
//   2. What can never match (30 February) and what fires every second by a slip is refused here, not found out later.
//   3. Whether an expression follows the clock through a repeated hour is decided by its raw text, once, here:
//      its minute or hour begins with `*` (Debian's rule).
//   4. An H becomes a value here, once, by a hash of `hashSeed`: nothing later knows that there was one.

import { CronError } from './cron-error.ts'
import { addDayRule, isDayRule, noRules, type RulesUnderWay } from './day-rule.ts'
import { explainField, type Token } from './diagnose.ts'
import {
  BOTH_PASSES,
  type CronFields,
  EITHER_DAY,
  EVERY_DAY,
  FOLLOWS_CLOCK,
  HAS_RULES,
  HAS_SECONDS,
  SKIPS_GAPS,
} from './expression.ts'
import {
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  type FieldMask,
  type FieldSpec,
  HOUR,
  isHashed,
  MINUTE,
  MONTH,
  QUARTZ_DAY_OF_WEEK,
  readField,
  readYears,
  SECOND,
  YEAR,
} from './field.ts'
import { hashOf } from './hash.ts'
import { hasDate } from './possible.ts'
import { type CronDialect, type CronTokens, splitCron } from './tokens.ts'

/** What becomes of fixed times that a change of the clock leaves out or repeats (docs/guides/cron.md). */
export type CronDst = 'cron' | 'skip' | 'both'

export interface CronOptions {
  /** Default: unix. */
  readonly dialect?: CronDialect | undefined
  /** Default: cron, once each. `skip` drops what a gap left out, `both` takes both passes of what is repeated. */
  readonly dst?: CronDst | undefined
  /** What an H gets its value from: a name that stays, such as the schedule's id. */
  readonly hashSeed?: string | undefined
  /** Accept a seconds field that matches all 60 seconds (`* * * * * *`), which is nearly always a slip. */
  readonly allowEverySecond?: boolean | undefined
}

/**
 * Reads a cron expression.
 * @throws {CronError} code CRON_INVALID, with the place, what was expected and what to write instead.
 */
export function parseCron(expression: string, options: CronOptions = {}): CronFields {
  const { dialect = 'unix', dst = 'cron', hashSeed } = options
  const tokens = splitCron(expression, dialect)
  const isQuartz = dialect === 'quartz' && !tokens.isMacro
  const weekdaySpec = isQuartz ? QUARTZ_DAY_OF_WEEK : DAY_OF_WEEK
  const mayHash = isHashed(expression)
  const mayRule = /[LW#]/i.test(expression)
  let rules: RulesUnderWay | undefined

  const read = (spec: FieldSpec, token: Token, plain = token.text): FieldMask => {
    let hash = 0
    if (mayHash && isHashed(plain)) {
      if (hashSeed === undefined) throw explainSeedless(expression, spec, token)
      hash = hashOf(hashSeed, spec.name)
    }
    const mask = readField(spec, plain, hash)
    if (mask === undefined) throw explainField(expression, spec, token)
    return mask
  }
  const readDay = (spec: FieldSpec, token: Token): FieldMask => {
    if (!mayRule || !/[LW#]/i.test(token.text)) return read(spec, token)
    if (isQuartz) refuseListedRule(expression, spec, token)
    const items = token.text.split(',')
    const plain = items.filter(item => !isDayRule(spec, item))
    if (plain.length === items.length) return read(spec, token)
    if (plain.includes('?')) throw explainField(expression, spec, token)
    rules ??= noRules()
    for (const item of items) addDayRule(spec, item, rules)
    return plain.length === 0 ? { low: 0, high: 0 } : read(spec, token, plain.join(','))
  }

  const second = tokens.second === undefined ? { low: 1, high: 0 } : read(SECOND, tokens.second)
  const minute = read(MINUTE, tokens.minute)
  const hour = read(HOUR, tokens.hour)
  const dayOfMonth = readDay(DAY_OF_MONTH, tokens.dayOfMonth)
  const month = read(MONTH, tokens.month)
  const dayOfWeek = readDay(weekdaySpec, tokens.dayOfWeek)
  if (tokens.year !== undefined && tokens.year.text !== '*') {
    const years = readYears(tokens.year.text)
    if (years === undefined) throw explainField(expression, YEAR, tokens.year)
    rules = { ...(rules ?? noRules()), years }
  }
  checkQuestionMarks(expression, tokens, isQuartz)
  if (second.low === HALF && second.high === HALF && options.allowEverySecond !== true) {
    throw explainEverySecond(expression, tokens.second!, isQuartz)
  }
  const daysOfMonth = dayOfMonth.low | (dayOfMonth.high << 30)
  const flags = flagsOf(tokens, dst) | (rules === undefined ? 0 : HAS_RULES)
  const isEveryDay = rules === undefined && matchesEveryDay(daysOfMonth, month.low, dayOfWeek.low, flags)
  const plain: CronFields = {
    secondsLow: second.low,
    secondsHigh: second.high,
    minutesLow: minute.low,
    minutesHigh: minute.high,
    hours: hour.low,
    daysOfMonth,
    calendar: month.low | (dayOfWeek.low << 12) | flags | (isEveryDay ? EVERY_DAY : 0),
  }
  const fields = rules === undefined ? plain : { ...plain, rules }
  if (!hasDate(fields)) throw explainNever(expression, tokens, month.low)
  return fields
}

/** What follows from how the text is written. */
function flagsOf({ second, minute, hour, dayOfMonth, dayOfWeek }: CronTokens, dst: CronDst): number {
  return (
    (minute.text.startsWith('*') || hour.text.startsWith('*') ? FOLLOWS_CLOCK : 0) |
    (!isOpen(dayOfMonth) && !isOpen(dayOfWeek) ? EITHER_DAY : 0) |
    (second === undefined ? 0 : HAS_SECONDS) |
    (dst === 'skip' ? SKIPS_GAPS : dst === 'both' ? BOTH_PASSES : 0)
  )
}

function matchesEveryDay(daysOfMonth: number, months: number, weekdays: number, flags: number): boolean {
  const isAnyDate = daysOfMonth === 2 ** 31 - 1
  const isAnyWeekday = weekdays === 0x7f
  const isAnyDay = (flags & EITHER_DAY) !== 0 ? isAnyDate || isAnyWeekday : isAnyDate && isAnyWeekday
  return months === 0xfff && isAnyDay
}

/** Half a minute, or half an hour, with every value set. */
const HALF = 2 ** 30 - 1

/** Whether a day field leaves the choice to the other one: it begins with `*` (a step may follow), or is `?`. */
export function isOpen(field: Token): boolean {
  return field.text.startsWith('*') || field.text === '?'
}

/** Quartz knows L, W and # alone in their field only; who writes them in a list there means another dialect. */
function refuseListedRule(expression: string, spec: FieldSpec, token: Token): void {
  const items = token.text.split(',')
  if (items.length === 1) return
  let position = token.position
  for (const text of items) {
    if (isDayRule(spec, text)) {
      throw new CronError(expression, {
        what: `${text} cannot be part of a list in Quartz's ${spec.name} field`,
        position,
        length: text.length,
        expected: `${text} alone`,
        remedy: `Give the schedule one expression for ${text} and one for the rest, or write it without dialect: quartz.`,
      })
    }
    position += text.length + 1
  }
}

function checkQuestionMarks(expression: string, tokens: CronTokens, isQuartz: boolean): void {
  const { dayOfMonth, dayOfWeek } = tokens
  const fail = (what: string, from: Token, remedy: string): CronError =>
    new CronError(expression, {
      what,
      position: from.position,
      length: dayOfWeek.position + dayOfWeek.text.length - from.position,
      expected: `? in ${isQuartz ? 'exactly' : 'at most'} one of the two day fields`,
      remedy,
    })
  if (dayOfMonth.text === '?' && dayOfWeek.text === '?') {
    throw fail(
      '? leaves the day to the other field, and that one is ? too',
      dayOfWeek,
      'Write * in one of them.',
    )
  }
  if (!isQuartz || dayOfMonth.text === '?' || dayOfWeek.text === '?') return
  if (dayOfWeek.text === '*')
    throw fail('Quartz needs ? in one day field', dayOfWeek, 'Write ? for the weekday.')
  if (dayOfMonth.text === '*') {
    throw fail('Quartz needs ? in one day field', dayOfMonth, 'Write ? for the day of month.')
  }
  const remedy =
    'Write one expression for each, with ? in the other; without dialect: quartz either day matches.'
  throw fail('Quartz cannot restrict day of month and weekday at once', dayOfMonth, remedy)
}

function explainSeedless(expression: string, spec: FieldSpec, token: Token): CronError {
  return new CronError(expression, {
    what: `H in ${spec.name} needs a seed to choose its value by, and there is none`,
    position: token.position,
    length: token.text.length,
    expected: 'a hashSeed, or a value',
    remedy: 'Pass a name that stays as hashSeed (a schedule passes its id), or write the value.',
  })
}

function explainEverySecond(expression: string, second: Token, isQuartz: boolean): CronError {
  const rest = expression.slice(second.position + second.text.length).trim()
  const once = isQuartz || rest.split(/\s+/).length > 5 ? `0 ${rest}` : rest
  return new CronError(expression, {
    what: 'the seconds field matches all 60 seconds of every minute that matches',
    position: second.position,
    length: second.text.length,
    expected: 'certain seconds, such as 0 or */10',
    remedy: `With six fields the first is seconds: write ${once} for once a minute, or allow every second explicitly.`,
  })
}

const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function explainNever(expression: string, tokens: CronTokens, months: number): CronError {
  const names = 'January February March April May June July August September October November December'.split(
    ' ',
  )
  const allowed = names.filter((_, index) => (months >> index) & 1)
  const longest = Math.max(...MONTH_LENGTHS.filter((_, index) => (months >> index) & 1))
  const { dayOfMonth, dayOfWeek, year } = tokens
  const day = dayOfMonth.text === '?' ? dayOfWeek : dayOfMonth
  const isAmongBoth = dayOfMonth.text !== '?' && /[#L]/i.test(dayOfWeek.text)
  const when = `${allowed.join(', ')}${year === undefined || year.text === '*' ? '' : ` ${year.text}`}`
  return new CronError(expression, {
    what: `day ${day.text}${isAmongBoth ? ` on a ${dayOfWeek.text}` : ''} never comes in ${when}`,
    position: day.position,
    length: day.text.length,
    expected: `a day from 1 to ${longest}`,
    remedy: `Choose a day that ${allowed.length === 1 ? 'this month has' : 'one of these months has'}, or another month.`,
  })
}
