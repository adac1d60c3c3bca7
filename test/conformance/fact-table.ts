// Reads the tables of facts: what other cron implementations, and the manual of Debian's, answer.
//
// A table is text, one fact a line, columns apart by ` | `. Its first lines begin with # and say where the facts are from;
// further down, a # is part of an expression.

import { readFileSync } from 'node:fs'

const FOLDER = new URL('facts/', import.meta.url)

/** What a project says about one expression. */
export interface Fact {
  readonly source: string
  readonly expression: string
  readonly dialect: 'unix' | 'quartz'
  readonly zone: string
  /** The instant asked about; slots lie strictly after it. */
  readonly after: string
  readonly answer: Answer
  /** The test, table or example that says it. */
  readonly where: string
}

/** The next slots in order, or an instant that is not the next one, or that there is never one, or a refusal. */
export type Answer =
  | { readonly kind: 'slots'; readonly slots: readonly string[] }
  | { readonly kind: 'not'; readonly slot: string }
  | { readonly kind: 'never' | 'refused' }

/** A fact that contradicts our rule, with our own answer and the reason, by its name in docs/cron-conformance.md. */
export interface Difference extends Fact {
  readonly ours: Answer
  readonly reason: string
}

export const SOURCES = [
  'cron-parser',
  'cronexpr',
  'croniter',
  'cronos',
  'cronsim',
  'debian',
  'quartz',
  'robfig',
  'spring',
] as const

/** The facts of one source, in the order of its table. */
export function readFacts(source: (typeof SOURCES)[number]): Fact[] {
  const { head, rows } = readTable(source, 5)
  const dialect = head.includes('# dialect: quartz') ? 'quartz' : 'unix'
  return rows.map(([expression = '', zone = '', after = '', answer = '', where = '']) => ({
    source,
    expression,
    dialect,
    zone,
    after,
    answer: readAnswer(answer),
    where,
  }))
}

export function readDifferences(): Difference[] {
  return readTable('differs', 8).rows.map(
    ([
      source = '',
      expression = '',
      zone = '',
      after = '',
      answer = '',
      ours = '',
      reason = '',
      where = '',
    ]) => ({
      source,
      expression,
      dialect: source === 'quartz' ? 'quartz' : 'unix',
      zone,
      after,
      answer: readAnswer(answer),
      ours: readAnswer(ours),
      reason,
      where,
    }),
  )
}

/** The opening lines of a table, which say where its facts are from. */
export function readHead(source: string): readonly string[] {
  return readTable(source, 0).head
}

function readTable(name: string, columns: number): { head: string[]; rows: string[][] } {
  const lines = readFileSync(new URL(`${name}.txt`, FOLDER), 'utf8').split('\n')
  const headLines = lines.findIndex(line => !line.startsWith('#'))
  const rows: string[][] = []
  for (const [index, line] of lines.entries()) {
    if (line === '' || index < headLines) continue
    const cells = line.split(' | ')
    if (columns > 0 && cells.length !== columns) {
      throw new Error(`${name}.txt:${index + 1} has ${cells.length} columns, not ${columns}`)
    }
    rows.push(cells)
  }
  return { head: lines.slice(0, headLines), rows }
}

function readAnswer(text: string): Answer {
  if (text === 'never' || text === 'refused') return { kind: text }
  if (text.startsWith('not ')) return { kind: 'not', slot: text.slice(4) }
  return { kind: 'slots', slots: text.split(', ') }
}
