// The day rules of Quartz as text: `L`, `L-3`, `LW`, `15W` in the day of month, `5L` and `5#2` in the weekday.
//
// What is legal is decided here; diagnose-day.ts finds the words for what is not. Which days of a month they name is
// month-days.ts's affair.

import type { CronRules } from './expression.ts'
import { DAY_OF_MONTH, type FieldSpec, readValue } from './field.ts'

/** The rules of one expression while it is read. */
export type RulesUnderWay = { -readonly [Name in keyof CronRules]: CronRules[Name] }

export function noRules(): RulesUnderWay {
  return {
    lastDays: 0,
    nearDays: 0,
    nearLastDays: 0,
    nthWeekdays: 0,
    lateWeekdays: 0,
    years: undefined,
  }
}

/** The farthest that `L-n` reaches back: to day 1 of a month of 31 days. */
export const FARTHEST_FROM_LAST = 30

/**
 * Reads one item of a day field and adds what it says to `rules`. False, and nothing added, if it is no rule that the
 * field knows.
 */
export function addDayRule(spec: FieldSpec, text: string, rules: RulesUnderWay): boolean {
  return spec === DAY_OF_MONTH ? addRuleOfMonth(text, rules) : spec.isDay && addRuleOfWeek(spec, text, rules)
}

/** Whether a field knows an item as a rule. */
export function isDayRule(spec: FieldSpec, text: string): boolean {
  return addDayRule(spec, text, noRules())
}

function addRuleOfMonth(text: string, rules: RulesUnderWay): boolean {
  const fromLast = /^L(?:-(\d{1,2}))?(W)?$/i.exec(text)
  if (fromLast !== null) {
    const [, distance = '0', near] = fromLast
    if (Number(distance) > FARTHEST_FROM_LAST) return false
    if (near === undefined) rules.lastDays |= 1 << Number(distance)
    else rules.nearLastDays |= 1 << Number(distance)
    return true
  }
  const [, dayText] = /^(\d{1,2})W$/i.exec(text) ?? []
  const day = dayText === undefined ? undefined : readValue(DAY_OF_MONTH, dayText)
  if (day === undefined) return false
  rules.nearDays |= 1 << (day - 1)
  return true
}

function addRuleOfWeek(spec: FieldSpec, text: string, rules: RulesUnderWay): boolean {
  // In Quartz L alone ends the week, on Saturday. Elsewhere the week may end on Sunday, so nothing is guessed there.
  if (/^L$/i.test(text)) {
    if (spec.min === 0) return false
    for (let nth = 0; nth < 4; nth++) rules.nthWeekdays |= 1 << (7 * nth + 6)
    rules.lateWeekdays |= 1 << 6
    return true
  }
  const [, dayText, nthText] = /^(\d+|[A-Za-z]{3})(?:L|#([1-5]))$/i.exec(text) ?? []
  const day = dayText === undefined ? undefined : readValue(spec, dayText)
  if (day === undefined) return false
  const weekday = (day - spec.min) % 7
  if (nthText === undefined) rules.lateWeekdays |= 1 << (7 + weekday)
  else if (nthText === '5') rules.lateWeekdays |= 1 << weekday
  else rules.nthWeekdays |= 1 << (7 * (Number(nthText) - 1) + weekday)
  return true
}
