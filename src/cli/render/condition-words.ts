// Why conditions refused a slot, in one sentence, from the terms that the decision recorded.

import { isJsonObject, type JsonObject } from '../../core/json.ts'

/** The terms of `schedule_skipped` that did not hold; undefined where the inputs have another form. */
export function conditionsInWords({ conditions }: JsonObject): string | undefined {
  if (!Array.isArray(conditions)) return undefined
  const failed = conditions.filter(isJsonObject).filter(({ holds }) => holds !== true)
  return failed.length === 0 ? undefined : failed.map(sayUnmet).join('; ')
}

function sayUnmet(term: JsonObject): string {
  const { any, all, not, left_out: leftOut } = term
  if (typeof leftOut === 'number') return `${leftOut} conditions in one, too long to be recorded`
  if (isJsonObject(not)) return `${sayFact(not)}, which must not be`
  if (Array.isArray(any)) return `none of these holds: ${any.filter(isJsonObject).map(sayUnmet).join('; ')}`
  if (Array.isArray(all)) {
    const failed = all.filter(isJsonObject).filter(({ holds }) => holds !== true)
    return failed.map(sayUnmet).join('; ')
  }
  const asked = typeof term['calendar'] === 'string' ? `, and it must be ${sayAsked(term)}` : ''
  return `${sayFact(term)}${asked}`
}

function sayFact(term: JsonObject): string {
  const { blackout, calendar, date, because, name, window, from, to } = term
  if (typeof blackout === 'string') {
    return window === undefined
      ? `no window of the calendar ${blackout} is open`
      : `the window "${text(window)}" of the calendar ${blackout} is open from ${text(from)} to ${text(to)}`
  }
  if (typeof calendar === 'string') {
    const kind = because === 'holiday' ? `a holiday (${text(name)})` : KINDS[text(because)]
    return `${text(date)} is ${kind ?? text(because)} in the calendar ${calendar}`
  }
  return sayAnswer(term)
}

/** What was asked, and what came of it. */
function sayAnswer(term: JsonObject): string {
  const kind = QUESTIONS.find(name => typeof term[name] === 'string')
  if (kind === undefined) return JSON.stringify(term)
  const { [kind]: subject, error, holds: _, left_out: __, ...saw } = term
  const asked = `${kind} ${text(subject)}`
  if (typeof error === 'string') return `nobody knows about ${asked}: ${error}`
  const facts = Object.entries(saw)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => (value === true ? name : `${name} ${text(value)}`))
  return facts.length === 0 ? asked : `${asked} (${facts.join(', ')})`
}

const QUESTIONS = ['file', 'command', 'http', 'sql', 'signal', 'cel'] as const

const KINDS: Readonly<Record<string, string>> = {
  weekday: 'a business day',
  workday: 'a workday by exception',
  weekend: 'on a weekend',
}

function sayAsked({ day, nth_business_day: nth }: JsonObject): string {
  if (typeof nth === 'number') return `business day ${nth} of its month`
  const words = text(day).replaceAll('_', ' ')
  if (day === 'weekend') return 'on a weekend'
  return `${/^(?:first|last)/.test(words) ? 'the' : 'a'} ${words}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '')
}
