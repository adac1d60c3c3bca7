// What a value of PostgreSQL, as the server writes it, is in JSON: nothing is rounded, times are ISO 8601, bytes base64.

import type { Json } from '../../core/json.ts'

/** Numbers of types in pg_type, the same in every database. */
const BOOL = 16
const BYTEA = 17
const INTEGERS: ReadonlySet<number> = new Set([20, 21, 23, 26])
const FLOATS: ReadonlySet<number> = new Set([700, 701])
const NUMERIC = 1700
const JSONS: ReadonlySet<number> = new Set([114, 3802])
const TIMESTAMP = 1114
const TIMESTAMP_WITH_ZONE = 1184

/** Decimal digits that a double keeps, whatever they are. */
const EXACT_DIGITS = 15

export function postgresJson(text: string | null, typeId: number): Json {
  if (text === null) return null
  if (typeId === BOOL) return text === 't'
  if (typeId === BYTEA) return Buffer.from(text.slice(2), 'hex').toString('base64')
  if (INTEGERS.has(typeId)) return Number.isSafeInteger(Number(text)) ? Number(text) : text
  if (FLOATS.has(typeId)) return Number.isFinite(Number(text)) ? Number(text) : text
  if (typeId === NUMERIC) return isExact(text) ? Number(text) : text
  if (JSONS.has(typeId)) return JSON.parse(text) as Json
  if (typeId === TIMESTAMP) return isPlainTime(text) ? text.replace(' ', 'T') : text
  if (typeId === TIMESTAMP_WITH_ZONE)
    return isPlainTime(text) ? text.replace(' ', 'T').replace(/\+00$/, 'Z') : text
  return text
}

function isExact(text: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text) && text.replace(/^-?0*\.?0*|\./g, '').length <= EXACT_DIGITS
}

/** Not `infinity`, nor before Christ. */
function isPlainTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:\+00)?$/.test(text)
}
