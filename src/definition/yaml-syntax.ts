// What the YAML reader's syntax errors mean, in the words and at the place that help to mend them.

import type { YAMLParseError } from 'yaml'
import type { Span } from './source-text.ts'

export interface SyntaxProblem {
  readonly span: Span
  readonly message: string
  readonly help?: string
}

/** An unquoted template where a value begins: `key: {{…`, `- {{…`, `[{{…`. */
const BARE_TEMPLATE = /(?:[:,[-]\s*)(\{\{[^}\n]*\}{0,2}[^\s,\]#]*)/

/** One syntax error of the `yaml` library, explained. */
export function explainSyntaxError(text: string, error: YAMLParseError): SyntaxProblem {
  const start = Math.min(error.pos[0], Math.max(0, text.length - 1))
  const span = { start, end: Math.min(Math.max(error.pos[1], start + 1), text.length) }
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const nextBreak = text.indexOf('\n', start)
  const line = text.slice(lineStart, nextBreak === -1 ? text.length : nextBreak)

  const template = BARE_TEMPLATE.exec(line)
  if (template && error.code !== 'TAB_AS_INDENT') {
    const written = template[1]!
    const at = lineStart + template.index + template[0].length - written.length
    return {
      span: { start: at, end: at + written.length },
      message: `expected a value, got ${written}, which YAML reads as a mapping`,
      help: `quote the template: "${written}"`,
    }
  }
  const message = lowerFirst(error.message.replace(/[.\s]+$/, ''))
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { span, message: 'a tab is used as indentation', help: 'indent with spaces' }
    case 'BAD_ALIAS':
    case 'BAD_SCALAR_START':
      return {
        span,
        message: `YAML syntax: ${message}`,
        help: `quote the text: "${line.trim().replace(/^(?:- )?(?:[\w.-]+: )?/, '')}"`,
      }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        span,
        message: 'YAML syntax: a ": " inside a value looks like another key',
        help: 'quote the value',
      }
    case 'MISSING_CHAR':
      return {
        span,
        message: `YAML syntax: ${message}`,
        help: message.includes('quote')
          ? 'close the quote on the line it begins'
          : 'compare the indentation with the lines above',
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

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
