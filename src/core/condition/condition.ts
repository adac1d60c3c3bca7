// Conditions: what must hold for a slot to get a run (CONDITIONAL_CRON). Decided per slot, before any run exists.
//
//   C1. What a condition says is a function of (condition, slot, zone, calendars, answers): no clock, nothing from outside.
//       The zone is the schedule's: a slot lies on the day that its schedule's wall clock shows. Windows have zones of
//       their own. What only the world knows comes in as answers (question.ts).
//   C2. Every term says what it saw, also those that did not decide: the record answers "why" without a second look.
//   C3. Not known is neither yes nor no: `all` with a no is a no whatever is not known, `any` with a yes a yes.

import { explainDay, isBusinessDay, isNthBusinessDayOfMonth } from '../calendar/business-day.ts'
import { type Calendar, isHoliday } from '../calendar/calendar.ts'
import { dayAt } from '../calendar/day.ts'
import { windowAt } from '../calendar/window.ts'
import type { JsonObject } from '../json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'
import { type Answer, describeQuestion, isQuestion, type Question } from './question.ts'

/** What the day of a slot must be. */
export const DAY_KINDS = [
  'business_day',
  'holiday',
  'weekend',
  'first_business_day',
  'last_business_day',
] as const
export type DayKind = (typeof DAY_KINDS)[number]

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'calendar'; readonly calendar: string; readonly day: DayKind }
  /** The nth business day of its month, counted from the end if negative. */
  | { readonly kind: 'nth_business_day'; readonly calendar: string; readonly nth: number }
  /** The slot lies in no window of the calendar. */
  | { readonly kind: 'blackout'; readonly calendar: string }
  | Question

/** A condition that was looked at: itself, what it came to (null: nobody knows), and what it saw. */
export interface Term extends JsonObject {
  holds: boolean | null
}

/** Why a slot gets no run. */
export type ConditionReason = 'calendar' | 'blackout' | 'condition' | 'condition_error'

/** Answers to the questions of a list of conditions, in the order of `questionsOf`. Undefined: not asked yet. */
export type Answers = readonly (Answer | undefined)[]

/** What the conditions of a slot are looked up in. */
export interface Surroundings {
  readonly zone: Zone
  readonly calendars: ReadonlyMap<string, Calendar>
}

/**
 * @param answer gives the answer to the next question, undefined if it has not been asked
 * @throws Error if a calendar is not there: the loader has checked that it is
 */
export function evaluate(
  condition: Condition,
  slot: Instant,
  around: Surroundings,
  answer: () => Answer | undefined = () => undefined,
): Term {
  if (isQuestion(condition)) return answerTerm(condition, answer())
  const { zone, calendars } = around
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const terms = condition.of.map(each => evaluate(each, slot, around, answer))
      return { [condition.kind]: terms, holds: combine(condition.kind, terms) }
    }
    case 'not': {
      const term = evaluate(condition.of, slot, around, answer)
      return { not: term, holds: term.holds === null ? null : !term.holds }
    }
    case 'blackout': {
      const open = windowAt(calendarOf(calendars, condition.calendar), slot)
      const saw =
        open === undefined
          ? {}
          : { window: open.name, from: formatInstant(open.from), to: formatInstant(open.to) }
      return { blackout: condition.calendar, ...saw, holds: open === undefined }
    }
    case 'calendar':
    case 'nth_business_day': {
      const calendar = calendarOf(calendars, condition.calendar)
      const day = dayAt(slot, zone)
      const asked =
        condition.kind === 'calendar' ? { day: condition.day } : { nth_business_day: condition.nth }
      const holds =
        condition.kind === 'nth_business_day'
          ? isNthBusinessDayOfMonth(calendar, day, condition.nth)
          : DAY_TESTS[condition.day](calendar, day)
      const { date, because, name } = explainDay(calendar, day)
      const saw = { date, because, ...(name === undefined ? {} : { name }) }
      return { calendar: condition.calendar, ...asked, ...saw, holds }
    }
  }
}

/** C3. */
function combine(kind: 'all' | 'any', terms: readonly Term[]): boolean | null {
  const decides = kind === 'any'
  if (terms.some(({ holds }) => holds === decides)) return decides
  return terms.some(({ holds }) => holds === null) ? null : !decides
}

function answerTerm(question: Question, answer: Answer | undefined): Term {
  const asked = describeQuestion(question)
  if (answer === undefined) return { ...asked, holds: null }
  if ('error' in answer) return { ...asked, error: answer.error, holds: null }
  return { ...asked, ...answer.saw, holds: answer.holds }
}

const DAY_TESTS: Readonly<Record<DayKind, (calendar: Calendar, day: number) => boolean>> = {
  business_day: isBusinessDay,
  holiday: (calendar, day) => isHoliday(calendar, day) !== undefined,
  weekend: (calendar, day) => calendar.isWeekend(day),
  first_business_day: (calendar, day) => isNthBusinessDayOfMonth(calendar, day, 1),
  last_business_day: (calendar, day) => isNthBusinessDayOfMonth(calendar, day, -1),
}

function calendarOf(calendars: ReadonlyMap<string, Calendar>, name: string): Calendar {
  const calendar = calendars.get(name)
  if (calendar === undefined) throw new Error(`a condition names the calendar ${name}, which is not there`)
  return calendar
}

/**
 * - `met`    all hold: the slot goes its way
 * - `unmet`  one does not, whatever else is not known
 * - `open`   it depends on what has not been asked
 * - `error`  it depends on what was asked and nobody knows
 */
export interface Judgement {
  readonly verdict: 'met' | 'unmet' | 'open' | 'error'
  /** Of `unmet` and `error`. */
  readonly reason: ConditionReason
  readonly terms: Term[]
}

/** What the conditions of a schedule come to at one of its slots: all of them must hold. */
export function judgeSlot(
  conditions: readonly Condition[],
  slot: Instant,
  around: Surroundings,
  answers: Answers = [],
): Judgement {
  let next = 0
  const answer = () => answers[next++]
  const terms = conditions.map(condition => evaluate(condition, slot, around, answer))
  const holds = combine('all', terms)
  if (holds === true) return { verdict: 'met', reason: 'condition', terms }
  if (holds === null)
    return { verdict: answers.length === 0 ? 'open' : 'error', reason: 'condition_error', terms }
  const failed = terms.findIndex(term => term.holds === false)
  return { verdict: 'unmet', reason: reasonOf(conditions[failed]!), terms }
}

/** Why a slot gets no run whatever the world says; undefined where it may get one. */
export function refuseSlot(
  conditions: readonly Condition[],
  slot: Instant,
  around: Surroundings,
): { reason: ConditionReason; terms: Term[] } | undefined {
  const { verdict, reason, terms } = judgeSlot(conditions, slot, around)
  return verdict === 'unmet' ? { reason, terms } : undefined
}

function reasonOf(condition: Condition): ConditionReason {
  switch (condition.kind) {
    case 'calendar':
    case 'nth_business_day':
      return 'calendar'
    case 'blackout':
      return 'blackout'
    case 'not':
      return reasonOf(condition.of)
    default:
      return 'condition'
  }
}

/** The questions of conditions, from left to right. */
export function questionsOf(conditions: readonly Condition[]): Question[] {
  return conditions.flatMap(condition => {
    if (isQuestion(condition)) return [condition]
    if (condition.kind === 'all' || condition.kind === 'any') return questionsOf(condition.of)
    return condition.kind === 'not' ? questionsOf([condition.of]) : []
  })
}

/** The calendars that a condition names. */
export function calendarsOf(condition: Condition): string[] {
  if (isQuestion(condition)) return []
  if ('calendar' in condition) return [condition.calendar]
  return condition.kind === 'not' ? calendarsOf(condition.of) : condition.of.flatMap(calendarsOf)
}
