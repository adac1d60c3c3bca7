// Problems: from a place in a source text to what a person reads, and the order and shape they are printed in.

import { DagbokError, EXIT } from '../core/error.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import { renderFrame, renderHelp, visible } from './frame.ts'
import type { SourceText, Span } from './source-text.ts'

/** More than this of one file is not worth reading before the first ones are mended. */
const MAX_PROBLEMS_PER_FILE = 100

export interface ProblemDetails {
  /** A function is asked only if the problem is listed: looking for what was meant takes time. */
  readonly help?: string | (() => string | undefined) | undefined
  readonly severity?: DefinitionProblem['severity']
  /** Of a warning. */
  readonly code?: string
}

/** Gathers what is wrong with one file. */
export class ProblemList {
  readonly source: SourceText
  readonly items: DefinitionProblem[] = []
  #errors = 0
  #left = 0
  readonly #starts = new Set<number>()
  readonly #settled = new Set<number>()
  readonly #notes = new Map<number, string>()

  constructor(source: SourceText) {
    this.source = source
  }

  /** How many errors, not warnings, were added. */
  get errorCount(): number {
    return this.#errors
  }

  /** True once further problems are only counted: then their places need not be looked for. */
  get isFull(): boolean {
    return this.items.length >= MAX_PROBLEMS_PER_FILE
  }

  /** Counts errors that are not worth listing. */
  count(errors: number): void {
    this.#errors += errors
    this.#left += errors
  }

  /**
   * What was said so far is all there is to say about its places, and about `more`: what is read there is only a
   * stand-in, and what later checks find wrong with a stand-in would be noise.
   */
  settle(more: Iterable<number> = []): void {
    for (const start of this.#starts) this.#settled.add(start)
    for (const start of more) this.#settled.add(start)
  }

  /** What is to be said with every problem at this place: that something else stands there than one sees. */
  note(start: number, words: string): void {
    this.#notes.set(start, words)
  }

  add(span: Span, message: string, { help, severity = 'error', code }: ProblemDetails = {}): void {
    if (severity === 'error') this.#errors++
    if (this.#settled.has(span.start)) return
    if (severity === 'error') this.#starts.add(span.start)
    if (this.isFull) {
      this.#left++
      return
    }
    const coded = code === undefined ? {} : { code }
    const note = this.#notes.get(span.start)
    const words = typeof help === 'function' ? help() : help
    const all = [words, note].filter(each => each !== undefined)
    const said = all.length === 0 ? undefined : all.join('; ')
    this.items.push(makeProblem(this.source, span, message, { help: said, severity, ...coded }))
  }

  /** The problems, with a last one that says how many were left out. */
  finish(): readonly DefinitionProblem[] {
    if (this.#left === 0) return this.items
    const end = this.source.text.length
    const more = `${this.#left} more problem${this.#left === 1 ? '' : 's'} in this file`
    return [
      ...this.items,
      makeProblem(this.source, { start: end, end }, more, { help: 'mend the ones above, then look again' }),
    ]
  }
}

/** One problem at one place of a text. */
export function makeProblem(
  source: SourceText,
  span: Span,
  message: string,
  details: ProblemDetails = {},
): DefinitionProblem {
  const { severity = 'error', code } = details
  const help = typeof details.help === 'function' ? details.help() : details.help
  return {
    file: source.file,
    ...source.positionAt(span.start),
    severity,
    ...(code !== undefined && { code }),
    message: visible(message),
    frame: renderFrame(source, span, help),
    ...(help !== undefined && { help }),
  }
}

/** One problem of a file or folder whose text cannot be shown. */
export function makeFileProblem(
  file: string,
  message: string,
  { help, severity = 'error' }: { help?: string; severity?: DefinitionProblem['severity'] } = {},
): DefinitionProblem {
  return {
    file,
    line: 1,
    column: 1,
    severity,
    message: visible(message),
    frame: help === undefined ? '' : renderHelp(help),
    ...(help !== undefined && { help }),
  }
}

/** The hint of an error as a help line: begins small and has no full stop, like all of them. */
export function sayHint(hint: string | undefined): { help?: string } {
  return hint === undefined ? {} : { help: hint.slice(0, 1).toLowerCase() + hint.slice(1).replace(/\.$/, '') }
}

/** By file, then by place; errors before warnings at the same place. */
export function sortProblems(problems: readonly DefinitionProblem[]): DefinitionProblem[] {
  const rank = (problem: DefinitionProblem) => (problem.severity === 'error' ? 0 : 1)
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      a.column - b.column ||
      rank(a) - rank(b),
  )
}

/** `nightly.yaml:9:9 error: unknown key "runn"`, then its frame. No newline at the end. */
export function renderProblem(problem: DefinitionProblem): string {
  const head = `${visible(problem.file)}:${problem.line}:${problem.column} ${problem.severity}: ${problem.message}`
  return problem.frame === '' ? head : `${head}\n${problem.frame}`
}

/** Every problem, then `2 errors, 1 warning in 2 files`. Empty for none. */
export function renderProblems(problems: readonly DefinitionProblem[]): string {
  if (problems.length === 0) return ''
  return `${problems.map(renderProblem).join('\n\n')}\n\n${summarizeProblems(problems)}`
}

/** `2 errors, 1 warning in 2 files` */
export function summarizeProblems(problems: readonly DefinitionProblem[]): string {
  const errors = problems.filter(problem => problem.severity === 'error').length
  const warnings = problems.length - errors
  const counts = [
    errors > 0 || warnings === 0 ? count(errors, 'error') : '',
    warnings > 0 ? count(warnings, 'warning') : '',
  ]
  const files = new Set(problems.map(problem => problem.file)).size
  return `${counts.filter(text => text !== '').join(', ')} in ${count(files, 'file')}`
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}

/** For callers that need an exception: the definitions cannot be used; exit code 3. */
export class DefinitionsInvalidError extends DagbokError {
  readonly problems: readonly DefinitionProblem[]

  constructor(problems: readonly DefinitionProblem[]) {
    super('DEFINITIONS_INVALID', renderProblems(problems), {
      hint: 'mend the places named above; nothing was changed meanwhile',
      exitCode: EXIT.configInvalid,
    })
    this.problems = problems
  }
}
