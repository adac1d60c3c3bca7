// A small table: columns as wide as what stands in them, two spaces between, nothing drawn.

import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Code points that take two cells: East Asian wide and full-width forms, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const NO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200f\ufeff]/u

/** Cells that a text takes in a terminal; escape sequences take none. */
export function measureWidth(text: string): number {
  const bare = stripVTControlCharacters(text)
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length
  let width = 0
  for (const character of bare) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** At most `width` cells, the middle left out: both ends of an id tell more than its middle. */
export function shorten(text: string, width: number): string {
  if (measureWidth(text) <= width || width < 3) return text
  const characters = [...text]
  const head = Math.ceil((width - 1) / 2)
  const tail = Math.floor((width - 1) / 2)
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`
}

/** Lines of a table, without trailing blanks. Rows may be shorter than the header. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  headers = true,
): string[] {
  const all = headers ? [columns.map(column => column.title), ...rows] : rows
  const widths = columns.map((_, index) => Math.max(0, ...all.map(row => measureWidth(row[index] ?? ''))))
  return all.map(row =>
    columns
      .map((column, index) => {
        const cell = row[index] ?? ''
        const padding = ' '.repeat(Math.max(0, widths[index]! - measureWidth(cell)))
        return column.align === 'right' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd(),
  )
}
