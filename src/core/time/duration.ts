// Durations as people write them (`100ms`, `90s`, `1h30m`, `1d`) and as we count them: whole milliseconds.
//
//   1. parseDuration(formatDuration(ms)) === ms for every whole number of milliseconds from 0 to LONGEST_DURATION_MS.
//   2. Units stand from large to small, each at most once, with whole numbers: one duration has few spellings, and a
//      slip (`1m30`, `1,5h`, `90`) is an error instead of a guess.

import { DagbokError, EXIT } from '../error.ts'

const UNITS: readonly (readonly [unit: string, sizeMs: number])[] = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

/** 100 years of 365.25 days. Longer ones are slips of the keyboard. */
export const LONGEST_DURATION_MS = 36_525 * 86_400_000

const WORDS: readonly (readonly [word: RegExp, unit: string])[] = [
  [/^(?:milli(?:second)?s?|msecs?)$/i, 'ms'],
  [/^(?:secs?|seconds?)$/i, 's'],
  [/^(?:mins?|minutes?)$/i, 'm'],
  [/^(?:hrs?|hours?)$/i, 'h'],
  [/^days?$/i, 'd'],
  [/^(?:wks?|weeks?)$/i, 'w'],
]

/**
 * Milliseconds of a text such as `100ms`, `90s`, `1h30m`, `1d` or `2w`. Zero (`0s`) is a duration.
 * @throws {DagbokError} DURATION_INVALID with what was expected and, where it can be guessed, the right spelling.
 */
export function parseDuration(text: string): number {
  if (typeof text !== 'string' || !/^(?:\d{1,15}(?:ms|[wdhms]))+$/.test(text)) throw explainDuration(text)
  let totalMs = 0
  let next = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[wdhms])/g)) {
    const index = UNITS.findIndex(([name]) => name === unit)
    if (index < next) {
      const remedy = `Write each unit once, from large to small: ${formatDuration(sumParts(text))}.`
      throw durationError(text, `unit ${unit} comes after a smaller or equal one`, remedy)
    }
    next = index + 1
    totalMs += Number(amount) * UNITS[index]![1]
  }
  if (totalMs > LONGEST_DURATION_MS)
    throw durationError(text, 'it is longer than 100 years (36525d)', 'Shorten it.')
  return totalMs
}

/**
 * The canonical text of a duration: `1m30s`, `1d`, `0s`; days are the largest unit. Fractions of a millisecond are
 * rounded; a negative duration gets a leading minus sign, which `parseDuration` does not take.
 */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`
  let rest = Math.round(ms)
  if (rest === 0) return '0s'
  let text = ''
  for (const [unit, sizeMs] of UNITS) {
    if (unit === 'w') continue
    const amount = Math.floor(rest / sizeMs)
    if (amount > 0) text += `${amount}${unit}`
    rest -= amount * sizeMs
  }
  return text
}

/** Seconds with two decimals, as closing summaries show them: 2340 ms is `2.34s`. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`
}

function explainDuration(text: unknown): DagbokError {
  if (typeof text === 'number') {
    return durationError(text, 'it is a number without a unit', `Write ${text}s or ${text}ms.`)
  }
  if (typeof text !== 'string') return durationError(text, 'it is no text', 'Write it as text: 90s.')
  if (text.trim() === '') return durationError(text, 'it is empty', 'Write an amount and a unit: 90s.')
  if (/^\d+$/.test(text)) {
    return durationError(text, 'it has no unit', `Write ${clip(text)}s or ${clip(text)}ms.`)
  }
  if (/^\s*-/.test(text)) return durationError(text, 'it is negative', 'Write a duration of 0s or more.')
  const spelled = spellOut(text)
  if (spelled !== undefined) return durationError(text, 'it is spelled differently', `Write ${spelled}.`)
  const bare = /^(?:\d{1,15}(?:ms|[wdhms]))+(\d+)$/.exec(text)
  if (bare !== null) {
    const [, tail] = bare
    return durationError(text, `${clip(tail!)} at its end has no unit`, 'Give every number its unit: 1m30s.')
  }
  const unit = /\d\s*([a-zµ]+)/gi
  for (const [, name] of text.matchAll(unit)) {
    if (UNITS.some(([known]) => known === name)) continue
    if (/^(?:mo|mon|months?|y|yrs?|years?)$/i.test(name!)) {
      return durationError(
        text,
        `${name} has no fixed length`,
        'Write months and years in days: 30d or 365d.',
      )
    }
    return durationError(text, `unit ${clip(name!)} is unknown`, 'Use w, d, h, m, s or ms: 1h30m.')
  }
  return durationError(
    text,
    'it cannot be read',
    'Write amounts and units without spaces: 1h30m, 90s, 100ms.',
  )
}

/** The right spelling of `1.5h`, `1h 30m`, `90 sec` or `2H`, or undefined where nothing is certain. */
function spellOut(text: string): string | undefined {
  if (text.length > 64) return undefined
  let totalMs = 0
  const rest = text.replace(/(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)/gi, (_, amount: string, name: string) => {
    const unit =
      WORDS.find(([word]) => word.test(name))?.[1] ?? (name === 'M' ? undefined : name.toLowerCase())
    const sizeMs = UNITS.find(([known]) => known === unit)?.[1]
    totalMs += sizeMs === undefined ? Number.NaN : Number(amount) * sizeMs
    return ''
  })
  if (!/^[\s,]*$/.test(rest) || !Number.isInteger(totalMs) || totalMs > LONGEST_DURATION_MS) return undefined
  return formatDuration(totalMs)
}

function sumParts(text: string): number {
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[wdhms])/g)) {
    totalMs += Number(amount) * (UNITS.find(([name]) => name === unit)?.[1] ?? 0)
  }
  return totalMs
}

function durationError(got: unknown, why: string, remedy: string): DagbokError {
  const shown = clip(JSON.stringify(got) ?? String(got))
  return new DagbokError(
    'DURATION_INVALID',
    `duration ${shown} is not valid: ${why}; expected amounts with units, such as 1h30m, 90s or 100ms`,
    { hint: remedy, exitCode: EXIT.configInvalid },
  )
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
