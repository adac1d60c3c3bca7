// Code frames: the lines around a place with a marker, in plain text.
//
//   F1. Two lines before and two after, as far as there are any; the place's line is marked with `>`.
//   F2. Whatever the file holds, the frame holds no control character, no escape sequence and no line over 160 columns.
//   F3. The carets stand under the place, also behind wide characters; a place over several lines is underlined to the
//       end of its first one.

import type { SourceText, Span } from './source-text.ts'

const CONTEXT_LINES = 2
const MAX_COLUMNS = 160

/** The frame of a place and, below it, its help. No newline at the end. */
export function renderFrame(source: SourceText, span: Span, help: string | undefined): string {
  const { line, column } = source.positionAt(span.start)
  const lineCount = source.lineCount
  const first = Math.max(1, line - CONTEXT_LINES)
  const last = Math.max(line, Math.min(lineCount, line + CONTEXT_LINES))
  const width = Math.max(2, String(last).length)
  const window = chooseWindow(source.lineText(line), column - 1)
  const rows: string[] = []
  for (let at = first; at <= last; at++) {
    const shown = cut(source.lineText(at), window)
    rows.push(
      `${at === line ? ' > ' : '   '}${String(at).padStart(width)} |${shown === '' ? '' : ` ${shown}`}`,
    )
    if (at === line)
      rows.push(`${' '.repeat(width + 4)}| ${underline(source, line, column - 1, span, window)}`)
  }
  if (help !== undefined) rows.push(renderHelp(help))
  return rows.join('\n')
}

/** The help line alone, for places that no text can be shown of. */
export function renderHelp(help: string): string {
  return `   help: ${visible(help)}`
}

interface Window {
  readonly from: number
  readonly to: number
}

/** The part of long lines that is shown: the place with what is around it. */
function chooseWindow(text: string, place: number): Window {
  if (text.length <= MAX_COLUMNS) return { from: 0, to: MAX_COLUMNS }
  const from = Math.max(0, Math.min(place - 60, text.length - MAX_COLUMNS + 2))
  return { from, to: from + MAX_COLUMNS - 2 }
}

function cut(text: string, { from, to }: Window): string {
  if (from >= text.length) return text === '' ? '' : '…'
  return `${from > 0 ? '…' : ''}${visible(text.slice(from, to))}${to < text.length ? '…' : ''}`
}

function underline(source: SourceText, line: number, place: number, span: Span, window: Window): string {
  const text = source.lineText(line)
  const length = Math.max(1, Math.min(span.end - span.start, text.length - place, window.to - place))
  const before = displayWidth(visible(text.slice(window.from, place))) + (window.from > 0 ? 1 : 0)
  return (
    ' '.repeat(before) + '^'.repeat(Math.max(1, displayWidth(visible(text.slice(place, place + length)))))
  )
}

/** Shows what would move the cursor or hide: tabs as `→`, control and direction marks as `·`. */
export function visible(text: string): string {
  return text
    .replaceAll('\t', '→')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '·')
}

/** Columns that a terminal needs: two for East Asian wide characters and emoji, none for marks that combine. */
function displayWidth(text: string): number {
  let columns = 0
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1
  }
  return columns
}
