// A line as a record, or as what is none, with the reason.

import { isJsonObject, type JsonObject, jsonBytes } from '../../core/json.ts'
import { LINE_BYTES_MAX, type Line } from './lines.ts'

/** As JSON again a number such as 1e20 is longer than it was. */
const RECORD_BYTES_MAX = 2 * LINE_BYTES_MAX

/** Of what is no record. */
const TEXT_CHARACTERS_MAX = 64 * 1024

export type Reading =
  | { readonly kind: 'blank' }
  | { readonly kind: 'record'; readonly record: JsonObject; readonly bytes: number }
  | { readonly kind: 'dead'; readonly error: string; readonly text: string }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BYTE_ORDER_MARK = '\uFEFF'

/** @param isFirst of its file: a byte order mark may stand before it */
export function readRecord({ bytes, isTooLong, isWhole }: Line, isFirst: boolean): Reading {
  const dead = (error: string): Reading => {
    const text = bytes.toString('utf8').slice(0, TEXT_CHARACTERS_MAX)
    return { kind: 'dead', error: isWhole ? error : `${error}; the file ends in the middle of it`, text }
  }
  if (isTooLong) return dead(`the line has more than ${LINE_BYTES_MAX / 1024} KiB`)
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return dead('the line is not UTF-8')
  }
  if (isFirst && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1)
  if (text.trim() === '') return { kind: 'blank' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return dead(`the line is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (!isJsonObject(value)) return dead(`expected a JSON object, got ${describeKind(value)}`)
  const size = jsonBytes(value)
  if (size > RECORD_BYTES_MAX) return dead(`the record has more than ${RECORD_BYTES_MAX / 1024} KiB as JSON`)
  return { kind: 'record', record: value, bytes: size }
}

function describeKind(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value === 'string' ? 'text' : typeof value}`
}
