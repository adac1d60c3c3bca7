// The authored form of conditions: `conditions:` of a schedule. One key of a mapping says what it is.

import { z } from 'zod'
import { type Condition, DAY_KINDS, type DayKind } from '../core/condition/condition.ts'
import { QUESTION_KINDS } from '../core/condition/question.ts'
import type { FieldWords } from './expected-words.ts'
import { type AuthoredQuestion, QUESTION_FIELDS, QUESTION_WORDS, questionOf } from './question-schema.ts'

/** Conditions of one list. More are a program, which wants to be a task. */
const LIST_MAX = 20

const KIND_KEYS = ['calendar', 'blackout', 'all', 'any', 'not', ...QUESTION_KINDS] as const

export interface AuthoredCondition extends AuthoredQuestion {
  calendar?: string | undefined
  day?: DayKind | undefined
  nth?: number | undefined
  blackout?: string | undefined
  all?: AuthoredCondition[] | undefined
  any?: AuthoredCondition[] | undefined
  not?: AuthoredCondition | undefined
}

const ConditionEntry: z.ZodType<AuthoredCondition, AuthoredCondition> = z
  .strictObject({
    calendar: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({
        description: 'A calendar of configs/calendars: the day of the slot must be as `day` or `nth` says.',
        examples: ['office'],
      }),
    day: z
      .enum(DAY_KINDS)
      .optional()
      .meta({ description: 'What the day must be. Default: business_day.', examples: ['last_business_day'] }),
    nth: z
      .int()
      .min(-23)
      .max(23)
      .refine(nth => nth !== 0)
      .optional()
      .meta({
        description: 'Instead of `day`: the nth business day of the month, from its end if negative.',
        examples: [3, -2],
      }),
    blackout: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'A calendar: the slot must lie in none of its windows.', examples: ['office'] }),
    ...QUESTION_FIELDS,
    get all(): z.ZodOptional<z.ZodArray<typeof ConditionEntry>> {
      return z.array(ConditionEntry).min(1).max(LIST_MAX).optional()
    },
    get any(): z.ZodOptional<z.ZodArray<typeof ConditionEntry>> {
      return z.array(ConditionEntry).min(1).max(LIST_MAX).optional()
    },
    get not(): z.ZodOptional<typeof ConditionEntry> {
      return ConditionEntry.optional()
    },
  })
  .refine(entry => KIND_KEYS.filter(key => entry[key] !== undefined).length === 1)
  .refine(
    ({ calendar, day, nth }) =>
      (calendar !== undefined || (day === undefined && nth === undefined)) &&
      (day === undefined || nth === undefined),
  )
  .meta({ id: 'Condition', description: 'One thing that must hold for a slot to get a run.' })

export const ConditionList = z
  .array(ConditionEntry)
  .min(1)
  .max(LIST_MAX)
  .meta({
    description:
      'What must hold for a slot to get a run: all of these. One that does not is recorded with what it saw.',
    examples: [[{ calendar: 'office' }, { blackout: 'office' }]],
  })

/** A checked entry in its normal form. */
export function conditionOf(entry: AuthoredCondition): Condition {
  const { calendar, day, nth, blackout, all, any, not } = entry
  const question = questionOf(entry)
  if (question !== undefined) return question
  if (blackout !== undefined) return { kind: 'blackout', calendar: blackout }
  if (all !== undefined) return { kind: 'all', of: all.map(conditionOf) }
  if (any !== undefined) return { kind: 'any', of: any.map(conditionOf) }
  if (not !== undefined) return { kind: 'not', of: conditionOf(not) }
  if (nth !== undefined) return { kind: 'nth_business_day', calendar: calendar!, nth }
  return { kind: 'calendar', calendar: calendar!, day: day ?? 'business_day' }
}

const EXPECTED =
  'a mapping with one of calendar, blackout, all, any, not, file, command, http, sql, signal and cel ("day" and "nth" only beside calendar, one of them)'

export const CONDITION_WORDS: FieldWords = {
  '[].conditions': {
    expected: `a list of conditions (1 to ${LIST_MAX})`,
    example: 'conditions: [{ calendar: office }]',
    aliases: ['condition', 'when', 'only_if', 'if'],
  },
  '[].conditions[]': { expected: EXPECTED, example: '- calendar: office' },
  '[].conditions[].calendar': {
    expected: 'the name of a calendar',
    example: 'calendar: office',
    aliases: ['business_day', 'calendar_name'],
  },
  '[].conditions[].day': {
    expected: DAY_KINDS.join(', ').replace(/, ([^,]*)$/, ' or $1'),
    example: 'day: holiday',
  },
  '[].conditions[].nth': { expected: 'a whole number from -23 to 23, not 0', example: 'nth: -1' },
  '[].conditions[].blackout': {
    expected: 'the name of a calendar',
    example: 'blackout: office',
    aliases: ['window', 'maintenance'],
  },
  '[].conditions[].all': {
    expected: 'a list of conditions',
    example: 'all: [{ calendar: office }]',
    aliases: ['and'],
  },
  '[].conditions[].any': {
    expected: 'a list of conditions',
    example: 'any: [{ calendar: office }]',
    aliases: ['or'],
  },
  '[].conditions[].not': { expected: 'a condition', example: 'not: { calendar: office }' },
  ...QUESTION_WORDS,
}
