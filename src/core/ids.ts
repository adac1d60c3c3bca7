// Ids: what a schedule, a DAG, a task, a tenant and a workflow may be called, and how any id becomes a path.
//
//   I1. One function checks every id on every way in (files, command line, HTTP): `checkId`. An id that passes can
//       stand in a path, a URL, a shell word and an SQL value without quoting.
//   I2. `decodePathSegment(encodePathSegment(text)) === text` for every text, and no two texts share a segment.
//   I3. A segment is one path segment on every file system: no separator, never `.` or `..`, never hidden, never empty.

import { DagbokError, EXIT } from './error.ts'

/** Letters, digits, `.`, `_` and `-`; begins with a letter or a digit; at most 100 characters; no `..`. */
export const ID_PATTERN = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** What an id is, in words that go after "expected". */
export const ID_WORDS =
  'an id (letters, digits, ".", "_", "-"; at most 100; a letter or digit first; no "..")'

/** Undefined if `text` is an id; else what is wrong with it, in words. */
export function checkId(text: string): string | undefined {
  if (ID_PATTERN.test(text)) return undefined
  if (text === '') return 'it is empty'
  if (text.length > 100) return `it has ${text.length} characters, at most 100 are allowed`
  if (text.includes('..')) return 'it contains ".."'
  const stranger = /[^A-Za-z0-9._-]/u.exec(text)
  if (stranger) return `${JSON.stringify(stranger[0])} is not allowed in it`
  return `it begins with ${JSON.stringify(text[0])} instead of a letter or a digit`
}

/** File systems take names of 255 bytes; what is left is for suffixes such as `.tmp`. */
const MAX_SEGMENT = 240

/** Names that Windows keeps for devices, with any extension. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0)
  const hex = code.toString(16).toUpperCase()
  return code < 0x80 ? `%${hex.padStart(2, '0')}` : `%u${hex.padStart(4, '0')}`
}

/**
 * One path segment that stands for `text` and for nothing else; readable where `text` is plain:
 * `weekly@2026-01-05T06:00Z` becomes `weekly@2026-01-05T06%3A00Z`.
 * @throws DagbokError ID_TOO_LONG  the segment would pass 240 characters
 */
export function encodePathSegment(text: string): string {
  if (text === '') return '%'
  let segment = text.replace(/[^A-Za-z0-9._@-]/g, escapeUnit)
  if (segment.startsWith('.') || segment.startsWith('-') || DEVICE_NAME.test(segment))
    segment = escapeUnit(segment[0]!) + segment.slice(1)
  if (segment.length > MAX_SEGMENT)
    throw new DagbokError(
      'ID_TOO_LONG',
      `the id ${JSON.stringify(`${text.slice(0, 40)}…`)} needs ${segment.length} characters as a file name, at most ${MAX_SEGMENT} fit`,
      { hint: 'choose shorter names for the schedule, the DAG or the task', exitCode: EXIT.usage },
    )
  return segment
}

/** The text that a segment stands for; undefined if `encodePathSegment` never writes such a segment. */
export function decodePathSegment(segment: string): string | undefined {
  if (segment === '%') return ''
  const text = segment.replace(/%(?:u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_, wide?: string, narrow?: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
  )
  if (segment.length > MAX_SEGMENT || text === '') return undefined
  // A text of 240 plain characters may need more once it is escaped, and then it has no segment.
  try {
    return encodePathSegment(text) === segment ? text : undefined
  } catch {
    return undefined
  }
}
