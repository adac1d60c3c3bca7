// What is legal in a cron expression and yet rarely meant: said at load and by `lint`, never a refusal.

import type { Token } from './diagnose.ts'
import { DAY_OF_MONTH, DAY_OF_WEEK, type FieldSpec, HOUR, MINUTE, MONTH, readItem, SECOND } from './field.ts'
import { type CronOptions, isOpen, parseCron } from './parse.ts'
import { splitCron } from './tokens.ts'

export type CronWarningCode = 'uneven_step' | 'step_fills_field' | 'either_day' | 'weekday_numbering'

export interface CronWarning {
  readonly code: CronWarningCode
  readonly message: string
  readonly hint: string
  /** 0-based offset of the part in the text, and its length. */
  readonly position: number
  readonly length: number
}

/**
 * The warnings of an expression, in the order of its fields; empty for most.
 * @throws {CronError} as `parseCron` does, if the expression cannot be used at all.
 */
export function listCronWarnings(expression: string, options: CronOptions = {}): CronWarning[] {
  parseCron(expression, options)
  const tokens = splitCron(expression)
  const warnings: CronWarning[] = []
  if (tokens.second !== undefined) warnings.push(...listStepWarnings(SECOND, tokens.second))
  warnings.push(...listStepWarnings(MINUTE, tokens.minute))
  warnings.push(...listStepWarnings(HOUR, tokens.hour))
  warnings.push(...listStepWarnings(DAY_OF_MONTH, tokens.dayOfMonth))
  warnings.push(...listStepWarnings(MONTH, tokens.month))
  warnings.push(...listStepWarnings(DAY_OF_WEEK, tokens.dayOfWeek))
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
  if (tokens.dayOfMonth.text === '?' && /\d/.test(tokens.dayOfWeek.text.replaceAll(/\/\d+/g, ''))) {
    warnings.push({
      code: 'weekday_numbering',
      message: `? is Quartz's, where weekdays count from Sunday = 1; here ${tokens.dayOfWeek.text} counts from Sunday = 0`,
      hint: 'Write weekdays by name: MON-FRI.',
      position: tokens.dayOfWeek.position,
      length: tokens.dayOfWeek.text.length,
    })
  }
  return warnings
}

function listStepWarnings(spec: FieldSpec, field: Token): CronWarning[] {
  const warnings: CronWarning[] = []
  let position = field.position
  for (const text of field.text.split(',')) {
    const place = { position, length: text.length }
    position += text.length + 1
    const item = text.includes('/') ? readItem(spec, text) : undefined
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
    const last = item.first + Math.floor((spec.last - item.first) / item.step) * item.step
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
