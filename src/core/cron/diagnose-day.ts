// Words for an item with L, W or # that a day field refused.

import { findNearest } from '../nearest.ts'
import { FARTHEST_FROM_LAST } from './day-rule.ts'
import { DAY_OF_MONTH, type FieldSpec, readValue } from './field.ts'

export interface DayRuleProblem {
  readonly what: string
  readonly expected: string
  readonly remedy: string
}

/** What is wrong with an item of a day field that looks like a rule; undefined if it does not look like one. */
export function explainDayRule(spec: FieldSpec, text: string): DayRuleProblem | undefined {
  if (!spec.isDay || text.length > 40) return undefined
  return spec === DAY_OF_MONTH ? explainRuleOfMonth(text) : explainRuleOfWeek(spec, text)
}

const OF_MONTH = 'L, L-3, LW or 15W'

function explainRuleOfMonth(text: string): DayRuleProblem | undefined {
  const problem = (what: string, remedy: string, expected = OF_MONTH): DayRuleProblem => ({
    what,
    expected,
    remedy,
  })
  if (/^L-\d+W?$/i.test(text)) {
    return problem(
      `${text} lies before the first day of every month`,
      'Count back from the last day by at most 30.',
      `L-1 to L-${FARTHEST_FROM_LAST}`,
    )
  }
  if (/^\d+W$/i.test(text)) {
    const remedy = 'Write 15W for the weekday nearest to the 15th, or LW for the last one.'
    return problem(`day of month ${text} is out of range 1-31`, remedy, '1W-31W')
  }
  if (/^W\d*$/i.test(text)) {
    const day = text.slice(1)
    return problem('W stands behind its day', `Write ${day === '' ? '15W or LW' : `${day}W`}.`)
  }
  if (/^WL$/i.test(text)) return problem('W stands behind L', 'Write LW.')
  if (/^\w+-\w+$/.test(text) && /\dW|W$/i.test(text)) {
    const [from, to] = text.replaceAll(/w/gi, '').split('-')
    const remedy = `List the days, ${from}W,${to}W, or write the range ${from}-${to}: W is for single days.`
    return problem(`W cannot be part of a range in day of month`, remedy)
  }
  if (/^\d+-L$/i.test(text)) {
    const remedy = `Write ${text.slice(0, -2)}-31: days that a month lacks do not matter.`
    return problem('L cannot end a range', remedy)
  }
  if (/^L(?:W|-\d+W?)?\//i.test(text) || /W\//i.test(text))
    return problem('a step cannot follow L or W', 'Remove the step: L and W name single days of a month.')
  if (/^\w+#\d*$|^(?:\d|[A-Za-z]{3})L$/i.test(text)) {
    const remedy = `Write ${text} in the weekday field, the one behind the month.`
    return problem(`${text} counts weekdays and cannot stand in day of month`, remedy)
  }
  if (/^L[-\dLW]|\dW+$|#/i.test(text)) {
    const remedy =
      'Write L for the last day, L-3 for the third before it, 15W for the weekday nearest to the 15th, LW for the last weekday.'
    return problem(`day of month ${text} cannot be read`, remedy)
  }
  return undefined
}

function explainRuleOfWeek(spec: FieldSpec, text: string): DayRuleProblem | undefined {
  const friday = spec.min + 5
  const expected = `${friday}L (the last Friday) or ${friday}#2 (the second)`
  const problem = (what: string, remedy: string): DayRuleProblem => ({ what, expected, remedy })
  if (/^L$/i.test(text)) {
    return problem(
      'L alone in weekday is ambiguous: the week ends on Saturday or on Sunday',
      `Write SAT or SUN; ${friday}L is the last Friday of the month, and L in day of month its last day.`,
    )
  }
  if (/^(?:L?W|\d+W|L-\d+W?)$/i.test(text)) {
    const remedy = `Write ${text} in the day-of-month field, the one before the month.`
    return problem(`${text} counts days of the month and cannot stand in weekday`, remedy)
  }
  if (/(?:#\d*|\dL)\//i.test(text))
    return problem('a step cannot follow L or #', 'Remove the step: L and # name single days of a month.')
  const [, day, sign, nth] = /^([A-Za-z\d]*)(#|L$)(-?\d*)$/i.exec(text) ?? []
  if (day !== undefined && readValue(spec, day) !== undefined) {
    if (sign !== '#') return undefined
    if (nth === '') return problem(`${text} does not say which one`, `Write ${day}#1 to ${day}#5.`)
    const remedy = `A month has at most five of a weekday: write ${day}#1 to ${day}#5, or ${day}L for the last.`
    return problem(`${text} never comes: the number behind # is not from 1 to 5`, remedy)
  }
  if (/^\d+(?:#\d+|L)$/i.test(text)) {
    const remedy = `Weekdays are ${spec.min}-${spec.max} or SUN-SAT.`
    return problem(`weekday ${day} of ${text} is out of range ${spec.min}-${spec.max}`, remedy)
  }
  if (/^[^/]*-[^/]*[#L]/i.test(text) && /[#]|\dL/i.test(text))
    return problem('L and # cannot be part of a range', 'List the days: 1#2,3#2.')
  const [, name, rule] = /^([A-Za-z]{2,})(#\d+|L)$/i.exec(text) ?? []
  const nearest = name === undefined ? undefined : findNearest(name, spec.names)
  if (nearest !== undefined)
    return problem(`weekday ${name} of ${text} is no name that it knows`, `Did you mean ${nearest}${rule}?`)
  if (/^L\d|#/i.test(text)) {
    const remedy = `A weekday stands before L or #: ${friday}L is the last Friday, ${friday}#2 the second.`
    return problem(`weekday ${text} cannot be read`, remedy)
  }
  return undefined
}
