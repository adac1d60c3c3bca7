// What is legal in a cron expression and yet rarely meant: said at load and by `lint`, never a refusal.

import type { Instant } from '../time/instant.ts'
import { listPastYears, listSkippedMonths } from './calendar-warnings.ts'
import { listClockWarnings } from './clock-warnings.ts'
import type { Token } from './diagnose.ts'
import {
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  type FieldSpec,
  HOUR,
  isHashed,
  MINUTE,
  MONTH,
  QUARTZ_DAY_OF_WEEK,
  readItem,
  SECOND,
} from './field.ts'
import { hashOf } from './hash.ts'
import { type CronOptions, isOpen, parseCron } from './parse.ts'
import { readPeriod } from './period.ts'
import { splitCron } from './tokens.ts'

export type CronWarningCode =
  | 'uneven_step'
  | 'step_fills_field'
  | 'either_day'
  | 'weekday_numbering'
  | 'skipped_months'
  | 'past_years'
  | 'clock_change'

/** With `now` the year's changes of the clock and past years are looked at, with `timezone` in that zone. */
export interface CronWarningOptions extends CronOptions {
  readonly timezone?: string | undefined
  readonly now?: Instant | undefined
}

export interface CronWarning {
  readonly code: CronWarningCode
  readonly message: string
  readonly hint: string
  /** 0-based offset of the part in the text, and its length. */
  readonly position: number
  readonly length: number
}

/**
 * The warnings of an expression, in the order of its fields, those about dates and clocks last; empty for most.
 * @throws {CronError} as `parseCron` does, if the expression cannot be used at all.
 */
export function listCronWarnings(expression: string, options: CronWarningOptions = {}): CronWarning[] {
  const { timezone, now, ...cronOptions } = options
  if (readPeriod(expression, cronOptions) !== undefined) return []
  const fields = parseCron(expression, cronOptions)
  const tokens = splitCron(expression, options.dialect)
  const isQuartz = options.dialect === 'quartz' && !tokens.isMacro
  const warnings: CronWarning[] = []
  const listSteps = (spec: FieldSpec, token: Token | undefined): void => {
    if (token === undefined) return
    const hash = isHashed(token.text) ? hashOf(options.hashSeed!, spec.name) : 0
    warnings.push(...listStepWarnings(spec, token, hash))
  }
  listSteps(SECOND, tokens.second)
  listSteps(MINUTE, tokens.minute)
  listSteps(HOUR, tokens.hour)
  listSteps(DAY_OF_MONTH, tokens.dayOfMonth)
  listSteps(MONTH, tokens.month)
  listSteps(isQuartz ? QUARTZ_DAY_OF_WEEK : DAY_OF_WEEK, tokens.dayOfWeek)
  if (!isOpen(tokens.dayOfMonth) && !isOpen(tokens.dayOfWeek)) {
    const { position } = tokens.dayOfMonth
    warnings.push({
      code: 'either_day',
      message:
        `day of month ${tokens.dayOfMonth.text} and weekday ${tokens.dayOfWeek.text} are both restricted: ` +
        'it fires on a day that matches either of them',
      hint: 'Leave one of them *, and put the other into a condition, if both must hold.',
      position,
      length: tokens.dayOfWeek.position + tokens.dayOfWeek.text.length - position,
    })
  }
  if (
    !isQuartz &&
    tokens.dayOfMonth.text === '?' &&
    /\d/.test(tokens.dayOfWeek.text.replaceAll(/[/#]\d+/g, ''))
  ) {
    warnings.push({
      code: 'weekday_numbering',
      message: `? is Quartz's, where weekdays count from Sunday = 1; here ${tokens.dayOfWeek.text} counts from Sunday = 0`,
      hint: 'Write weekdays by name, MON-FRI, or say dialect: quartz.',
      position: tokens.dayOfWeek.position,
      length: tokens.dayOfWeek.text.length,
    })
  }
  warnings.push(...listSkippedMonths(fields, tokens))
  if (now === undefined) return warnings
  warnings.push(...listPastYears(fields, tokens, now))
  warnings.push(...listClockWarnings(expression, tokens, { ...cronOptions, timezone, now }))
  return warnings
}

function listStepWarnings(spec: FieldSpec, field: Token, hash: number): CronWarning[] {
  const warnings: CronWarning[] = []
  let position = field.position
  for (const text of field.text.split(',')) {
    const place = { position, length: text.length }
    position += text.length + 1
    const item = text.includes('/') ? readItem(spec, text, hash) : undefined
    if (item === undefined || item.step === 1 || item.endWritten) continue
    if (item.step === spec.size) {
      warnings.push({
        ...place,
        code: 'step_fills_field',
        message: `${spec.name} step ${item.step} is as long as the field: it only ever matches ${item.first}`,
        hint: `Write ${item.first} instead of ${text}.`,
      })
      continue
    }
    const last = item.first + Math.floor((item.end - item.first) / item.step) * item.step
    const gap = item.first + spec.size - last
    if (gap === item.step && spec !== DAY_OF_MONTH) continue
    const message =
      spec === DAY_OF_MONTH
        ? `day of month ${text} starts anew on day ${item.first} of every month, however long the one before was`
        : `${spec.name} ${text} is uneven: from ${last} to the next ${item.first} it is ${gap}, not ${item.step}`
    warnings.push({
      ...place,
      code: 'uneven_step',
      message,
      hint: `Use a step that divides ${spec.size} evenly.`,
    })
  }
  return warnings
}
