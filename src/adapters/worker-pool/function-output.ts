// What a function may return: an object that is JSON, nothing, or SKIP.

import type { JsonObject } from '../../core/json.ts'
import { readSkip } from '../../core/run/skip-word.ts'
import { MAX_OUTPUT_BYTES } from './worker-protocol.ts'

export type OutputReading =
  | { ok: true; json: string }
  | { ok: 'skip'; why: string }
  | { ok: false; kind: string; message: string }

/** Checks what a function returned and writes it as JSON. `undefined` is the empty object. */
export function readOutput(value: unknown): OutputReading {
  if (value === undefined) return { ok: true, json: '{}' }
  const skip = typeof value === 'string' ? readSkip(value) : undefined
  if (skip !== undefined) return { ok: 'skip', why: skip }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad(
      `the function returned ${describe(value)}; expected an object such as { count: 3 }, nothing, or 'SKIP'`,
    )
  let json: string | undefined
  try {
    json = JSON.stringify(value satisfies object as JsonObject, refuseStrangers)
  } catch (error) {
    return bad(
      `the function's output is not JSON: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
    )
  }
  if (json === undefined || !json.startsWith('{'))
    return bad(`the function returned ${describe(value)} that is not an object as JSON`)
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_OUTPUT_BYTES) return { ok: true, json }
  const message = `the function's output has ${bytes} bytes as JSON, at most ${MAX_OUTPUT_BYTES} are kept; write large results to a file and return its path`
  return { ok: false, kind: 'output_too_large', message }
}

function refuseStrangers(key: string, value: unknown): unknown {
  const strange =
    typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
      ? `a ${typeof value}`
      : typeof value === 'number' && !Number.isFinite(value)
        ? String(value)
        : value instanceof Map || value instanceof Set
          ? `a ${value.constructor.name}`
          : undefined
  if (strange !== undefined) throw new TypeError(`${JSON.stringify(key)} is ${strange}`)
  return value
}

function bad(message: string): OutputReading {
  return { ok: false, kind: 'bad_output', message }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
