// YAML text → the library's document: syntax errors explained, one document only, nesting bounded, others given turns.
//
//   The depth is checked on tokens, which are read without recursion: what recurses later (the library's composer, the
//   tree reader, zod) never sees a text that is nested deeper than MAX_DEPTH.

import { setImmediate } from 'node:timers/promises'
import { Composer, type Document, Lexer, Parser, type YAMLParseError } from 'yaml'
import type { ProblemList } from './problem.ts'
import { explainSyntaxError } from './yaml-syntax.ts'

type Token = Parameters<Composer['next']>[0]

const MAX_DEPTH = 100
/** Lexemes read before others get a turn: about 30 ms. */
const LEXEMES_PER_TURN = 10_000
/** From so many characters on, each step of the work is a turn of its own. */
export const LARGE_TEXT = 64 * 1024

/** The only document of a text; undefined if it was refused outright. Problems say what is wrong with it. */
export async function composeDocument(
  text: string,
  problems: ProblemList,
): Promise<Document.Parsed | undefined> {
  const tokens = await parseTokens(text, problems)
  if (!tokens) return undefined
  if (text.length > LARGE_TEXT) await setImmediate()
  const composer = new Composer({
    uniqueKeys: false,
    resolveKnownTags: false,
    merge: false,
    logLevel: 'silent',
    version: '1.2',
  })
  const documents = withoutStacks(() => [...composer.compose(tokens)])
  const [document, second] = documents
  if (second) {
    const start = Math.max(0, text.lastIndexOf('---', second.contents?.range[0] ?? text.length))
    problems.add({ start, end: start + 3 }, 'expected one YAML document in the file, got another one', {
      help: 'remove the "---" line, or move what follows into a file of its own',
    })
  }
  const directive = document?.directives.yaml
  if (directive?.explicit && directive.version !== '1.2')
    problems.add({ start: 0, end: lineEnd(text, 0) }, `expected YAML 1.2, got YAML ${directive.version}`, {
      help: 'remove the %YAML line',
    })
  addSyntaxErrors(
    documents.flatMap(each => each.errors),
    problems,
  )
  return document
}

/** A hostile text has a million syntax errors; their stack traces, which nobody reads, would take ten seconds. */
function withoutStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** One problem a line: what follows on the same line is nearly always the same mistake. */
function addSyntaxErrors(errors: readonly YAMLParseError[], problems: ProblemList): void {
  const { text } = problems.source
  const linesSeen = new Set<number>()
  const linesTold = new Set<number>()
  for (const [index, error] of errors.entries()) {
    if (problems.isFull) {
      problems.count(errors.length - index)
      return
    }
    const seen = problems.source.positionAt(error.pos[0]).line
    if (linesSeen.has(seen)) continue
    linesSeen.add(seen)
    const explained = explainSyntaxError(text, error)
    const { line } = problems.source.positionAt(explained.span.start)
    if (linesTold.has(line)) continue
    linesTold.add(line)
    problems.add(explained.span, explained.message, { help: explained.help })
  }
}

/** Reads the text token by token, giving others a turn, and stops at the first part that is nested too deeply. */
async function parseTokens(text: string, problems: ProblemList): Promise<Token[] | undefined> {
  const parser = new Parser()
  const tokens: Token[] = []
  let lexemes = 0
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > MAX_DEPTH) {
      problems.add(
        { start: parser.offset - 1, end: parser.offset },
        `nested deeper than ${MAX_DEPTH} levels`,
        {
          help: 'a definition needs about six; is a bracket or a quote missing?',
        },
      )
      return undefined
    }
    if (++lexemes % LEXEMES_PER_TURN === 0) await setImmediate()
  }
  for (const token of parser.end()) tokens.push(token)
  return tokens
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}
