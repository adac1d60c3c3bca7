// Questions in words: what goes after "a slot gets a run only if".

import { formatDuration } from '../time/duration.ts'
import type { Question } from './question.ts'

/** Longer texts of commands, queries and expressions are cut: the definition has them. */
const LONGEST = 100

export function questionInWords(question: Question): string {
  switch (question.kind) {
    case 'file': {
      const { path, minBytes = 0, maxAgeMs } = question
      const size = minBytes > 0 ? ` with at least ${minBytes} bytes` : ''
      const age = maxAgeMs === undefined ? '' : `, not older than ${formatDuration(maxAgeMs)}`
      return `the file ${cut(path)} is there${size}${age}`
    }
    case 'command': {
      const { command } = question
      return `the command ${cut(typeof command === 'string' ? command : command.join(' '))} exits with 0`
    }
    case 'http':
      return `${question.method} ${cut(question.url)} is answered with ${sayStatus(question.status)}`
    case 'sql':
      return `the query ${cut(question.query)} in ${cut(question.database)} says so`
    case 'signal':
      return `${cut(question.name)} was signalled since ${formatDuration(question.withinMs)} before its slot`
    case 'cel':
      return cut(question.expression)
  }
}

function sayStatus(status: readonly number[]): string {
  return status.length > 3 ? `${status[0]} to ${status.at(-1)}` : status.join(' or ')
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}
