// What the YAML reader's syntax errors mean, in the words and at the place that help to mend them.

import type { YAMLParseError } from 'yaml'
import type { Span } from './source-text.ts'

export interface SyntaxProblem {
  readonly span: Span
  readonly message: string
  readonly help?: string
}

/** An unquoted template where a value begins: `key: {{…`, `- {{…`, `[{{…`. */
const BARE_TEMPLATE = /(?:[:,[-]\s*)(\{\{[^}\n]*\}{0,2}[^\s,\]}#]*)/

/** A value that begins with a mark that means something else in YAML: `*` an alias, `@` nothing yet. */
const BARE_MARK = /^(?:\s*(?:- +)*(?:[\w.-]+:[ \t]+|- +))([*&%@`].*?)\s*(?: #.*)?$/

/** One syntax error of the `yaml` library, explained. */
export function explainSyntaxError(text: string, error: YAMLParseError): SyntaxProblem {
  const start = Math.min(error.pos[0], Math.max(0, text.length - 1))
  const span = { start, end: Math.min(Math.max(error.pos[1], start + 1), text.length) }
  const lineStart = start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1
  const nextBreak = text.indexOf('\n', start)
  const lineEnd = nextBreak === -1 ? text.length : nextBreak
  // What is looked for stands near the place; a line of a megabyte must not cost a megabyte squared.
  const lineFrom = Math.max(lineStart, start - 1_000)
  const line = text.slice(lineFrom, Math.min(lineEnd, start + 1_000))

  const template = BARE_TEMPLATE.exec(line)
  if (template) {
    const written = template[1]!
    const at = lineFrom + template.index + template[0].length - written.length
    return {
      span: { start: at, end: at + written.length },
      message: `expected a value, got ${written}, which YAML reads as a mapping`,
      help: `quote the template: "${written}"`,
    }
  }
  const tab = findIndentTab(text, lineStart, nextBreak, error.code)
  if (tab !== undefined || error.code === 'TAB_AS_INDENT') {
    const at = tab ?? start
    return {
      span: { start: at, end: at + 1 },
      message: 'a tab is used as indentation',
      help: 'indent with spaces',
    }
  }
  const mark = BARE_MARK.exec(line)
  if (mark) {
    const written = mark[1]!
    const at = lineFrom + line.indexOf(written)
    return {
      span: { start: at, end: at + written.length },
      message: `expected a value, got ${written}, which begins with a "${written[0]}" that means something else in YAML`,
      help: `quote the text: "${written}"`,
    }
  }
  const message = lowerFirst(error.message.replace(/[.\s]+$/, ''))
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
      return /:(?:\s|$)/.test(line.slice(start - lineFrom))
        ? {
            span,
            message: 'YAML syntax: a ": " inside a value looks like another key',
            help: 'quote the value',
          }
        : {
            span,
            message: 'YAML syntax: the next line is indented further, as if it went on with this value',
            help: 'indent the next line like the keys beside it',
          }
    case 'MISSING_CHAR': {
      if (!message.includes('quote')) {
        return {
          span,
          message: `YAML syntax: ${message}`,
          help: 'compare the indentation with the lines above',
        }
      }
      const at = Math.max(0, text.lastIndexOf(message.includes('"') ? '"' : "'", start))
      return {
        span: { start: at, end: at + 1 },
        message: 'YAML syntax: a quote is not closed',
        help: 'close it on the line that it begins on',
      }
    }
    case 'BAD_INDENT':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BAD_COLLECTION_TYPE':
      return {
        span,
        message: `YAML syntax: ${message}`,
        help: 'compare the indentation with the lines above',
      }
    default:
      return { span, message: `YAML syntax: ${message}` }
  }
}

/** A tab that indents the line; or the next one, where that was read as a part of the value above it. */
function findIndentTab(text: string, lineStart: number, nextBreak: number, code: string): number | undefined {
  for (const start of code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY'
    ? [lineStart, nextBreak + 1]
    : [lineStart]) {
    const indent = /^[ ]*\t/.exec(text.slice(start, start + 200))
    if (indent && start >= lineStart) return start + indent[0].length - 1
  }
  return undefined
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
