// Words for what is wrong in a cron text that was refused: the exact place, what was expected and what to write.
//
// Runs only after readField said no, so it may be slow and thorough; it decides nothing about what is legal.

import { findNearest } from '../nearest.ts'
import { CronError, clip } from './cron-error.ts'
import { isDayRule } from './day-rule.ts'
import { explainDayRule } from './diagnose-day.ts'
import { type FieldSpec, QUARTZ_DAY_OF_WEEK, readItem, readValue, YEAR } from './field.ts'

/** A part of the text: what it says and where it stands. */
export interface Token {
  readonly text: string
  readonly position: number
}

/** Characters that look right and are not: they come from documents, chats and web pages. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '∗': '*',
  '＊': '*',
  '×': '*',
  '⁄': '/',
  '∕': '/',
  '，': ',',
  '、': ',',
  '；': ',',
  ';': ',',
  '？': '?',
  '＃': '#',
}

/** The error of a field that `readField` refused. */
export function explainField(expression: string, spec: FieldSpec, field: Token): CronError {
  const fail = (what: string, part: Token, expected: string, remedy: string): CronError =>
    new CronError(expression, {
      what,
      position: part.position,
      length: part.text.length,
      expected,
      remedy,
    })

  for (const [offset, character] of [...field.text].entries()) {
    const meant = LOOKALIKES[character]
    if (meant === undefined) continue
    const part = { text: character, position: field.position + offset }
    return fail(
      `${spec.name} contains ${character}, which only looks like ${meant}`,
      part,
      `${meant}`,
      `Replace it by ${meant}.`,
    )
  }

  let position = field.position
  for (const text of field.text.split(',')) {
    const item = { text, position }
    position += text.length + 1
    if (readItem(spec, text) === undefined && !isDayRule(spec, text))
      return explainItem(spec, item, field, fail)
  }
  return fail(`${spec.name} cannot be read`, field, describeField(spec), EXAMPLE)
}

const EXAMPLE = 'A field is *, a value, a range a-b, a step */n or a list of these without spaces.'

type Fail = (what: string, part: Token, expected: string, remedy: string) => CronError

function explainItem(spec: FieldSpec, item: Token, field: Token, fail: Fail): CronError {
  if (item.text === '') {
    const remedy = 'A list has a value on both sides of each comma and no spaces: 1,15,30.'
    return fail(`${spec.name} has an empty place in its list`, field, describeField(spec), remedy)
  }
  const rule = explainDayRule(spec, item.text)
  if (rule !== undefined) return fail(rule.what, item, rule.expected, rule.remedy)
  if (/^H(?:$|[(/\d-])/i.test(item.text)) return explainHashed(spec, item, fail)
  const [base = '', step, ...more] = item.text.split('/')
  if (more.length > 0) {
    return fail(`${spec.name} has two steps in one item`, item, 'one /n', 'Keep one step: 0-30/5.')
  }
  const baseError = explainBase(spec, { text: base, position: item.position }, fail)
  if (baseError !== undefined) return baseError
  if (step === undefined) return fail(`${spec.name} cannot be read`, item, describeField(spec), EXAMPLE)
  return explainStep(spec, { text: step, position: item.position + base.length + 1 }, item, fail)
}

function explainHashed(spec: FieldSpec, item: Token, fail: Fail): CronError {
  const expected = 'H, H/n, H(a-b) or H(a-b)/n'
  if (spec === YEAR)
    return fail('H cannot choose a year', item, describeField(spec), 'Write the years, or *.')
  const [, from, to, step] = /^H(?:\(([^()-]+)-([^()-]+)\))?(?:\/(\d+))?$/i.exec(item.text) ?? []
  for (const bound of [from, to]) {
    if (bound === undefined || readValue(spec, bound) !== undefined) continue
    const position = item.position + item.text.indexOf(bound, 1)
    return explainValue(spec, { text: bound, position }, fail)
  }
  if (step === undefined) {
    const remedy = 'Write H alone, or with a range in brackets and then a step: H(0-29)/5.'
    return fail(`${spec.name} ${clip(item.text, 20)} cannot be read`, item, expected, remedy)
  }
  if (Number(step) === 0)
    return fail(`${spec.name} step is 0, which never moves on`, item, expected, 'Write 1 or more.')
  const count = from === undefined ? spec.lastHashed - spec.min + 1 : undefined
  const what = `${spec.name} step ${clip(step, 20)} is longer than ${count === undefined ? 'its range' : `the ${count} values that H has`}`
  return fail(what, item, expected, 'Choose a step that fits into the range.')
}

function explainStep(spec: FieldSpec, step: Token, item: Token, fail: Fail): CronError {
  const expected = `a step from 1 to ${spec.size}`
  if (step.text === '')
    return fail(`${spec.name} has an empty step`, item, expected, 'Write */5 or remove the /.')
  if (!/^\d+$/.test(step.text)) {
    return fail(
      `${spec.name} step ${clip(step.text, 20)} is not a whole number`,
      step,
      expected,
      'Write the start left of the / and the step right of it: */5 or 10-40/5.',
    )
  }
  if (Number(step.text) === 0) {
    return fail(
      `${spec.name} step is 0, which never moves on`,
      step,
      expected,
      'Write 1 or more, or remove the /0.',
    )
  }
  const remedy = 'A cron step starts anew in every cycle of its field: choose a step that fits into it.'
  const what = `${spec.name} step ${clip(step.text, 20)} is longer than the field, which has ${spec.size} values`
  return fail(what, step, expected, remedy)
}

function explainBase(spec: FieldSpec, base: Token, fail: Fail): CronError | undefined {
  if (base.text === '*') return undefined
  if (base.text === '') {
    return fail(`${spec.name} has nothing before its step`, base, describeField(spec), 'Write */n.')
  }
  if (base.text.includes('?')) {
    const remedy = spec.isDay
      ? 'Write ? alone, or *.'
      : 'Write *: ? is only for the two day fields. (Six fields begin with the seconds; those of EventBridge end with the year.)'
    return fail(`? cannot stand here in the ${spec.name} field`, base, describeField(spec), remedy)
  }
  if (base.text.includes('*')) {
    return fail(`* cannot be joined to other characters in ${spec.name}`, base, '* or */n', EXAMPLE)
  }
  let position = base.position
  const bounds = base.text.split('-')
  for (const text of bounds) {
    const bound = { text, position }
    position += text.length + 1
    if (text === '') {
      const what = base.text.startsWith('-')
        ? `${spec.name} ${clip(base.text, 20)} is negative or lacks the start of its range`
        : `${spec.name} has an incomplete range`
      return fail(what, base, describeField(spec), 'Write both ends of a range: 1-5.')
    }
    if (readValue(spec, text) === undefined) return explainValue(spec, bound, fail)
  }
  if (bounds.length > 2) {
    return fail(
      `${spec.name} has a range with three ends`,
      base,
      'a-b',
      'Write two ranges with a comma: 1-3,5-7.',
    )
  }
  const [first, last] = bounds
  if (spec === YEAR && last !== undefined) {
    return fail(`year ${first}-${last} runs backwards`, base, 'a-b', `Write ${last}-${first}.`)
  }
  return undefined
}

function explainValue(spec: FieldSpec, value: Token, fail: Fail): CronError {
  const shown = clip(value.text, 20)
  if (/^\d+$/.test(value.text)) {
    return fail(
      `${spec.name} ${shown} is out of range ${spec.min}-${spec.max}`,
      value,
      `${spec.min}-${spec.max}`,
      rangeRemedy(spec, Number(value.text)),
    )
  }
  const digits = /^(\d+)[.]/.exec(value.text)
  if (digits !== null) {
    return fail(
      `${spec.name} ${shown} is not a whole number`,
      value,
      describeField(spec),
      `Write ${digits[1]}.`,
    )
  }
  if (/^[A-Za-z]+$/.test(value.text) && spec.names.length > 0) {
    const byPrefix = spec.names.find(name => value.text.toUpperCase().startsWith(name))
    const nearest = byPrefix ?? findNearest(value.text, spec.names)
    const remedy = nearest === undefined ? `Use ${spec.names.join(' ')}.` : `Did you mean ${nearest}?`
    return fail(`${spec.name} ${shown} is no name that it knows`, value, describeField(spec), remedy)
  }
  return fail(`${spec.name} does not understand ${shown}`, value, describeField(spec), EXAMPLE)
}

function rangeRemedy(spec: FieldSpec, value: number): string {
  if (spec.name === 'hour' && value === 24) return 'Midnight is hour 0.'
  if ((spec.name === 'minute' || spec.name === 'second') && value === 60) return 'The full hour is minute 0.'
  if (spec === QUARTZ_DAY_OF_WEEK && value === 0) return 'Write SUN: Quartz counts from Sunday = 1.'
  if (spec.name === 'weekday' && value >= YEAR.min && value <= YEAR.max)
    return 'The year is the seventh field: the six before it begin with the seconds.'
  if (value === 0) return `The ${spec.name} field counts from ${spec.min}.`
  return `Write a value from ${spec.min} to ${spec.max}.`
}

function describeField(spec: FieldSpec): string {
  const names = spec.names.length > 0 ? ` or ${spec.names[0]}-${spec.names.at(-1)}` : ''
  return `${spec.min}-${spec.max}${names}, *, a-b, */n or a list`
}
