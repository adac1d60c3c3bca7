// The normal form of a definition as bytes: what its hash is taken over.

import { createHash } from 'node:crypto'
import type { Dag } from '../core/dag/dag.ts'
import type { Json } from '../core/json.ts'

/** JSON with sorted keys and without `undefined`: equal values have equal texts. */
export function formatCanonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(formatCanonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const members = Object.keys(value)
    .sort()
    .filter(key => value[key] !== undefined)
    .map(key => `${JSON.stringify(key)}:${formatCanonicalJson(value[key])}`)
  return `{${members.join(',')}}`
}

/** SHA-256 of the canonical JSON of everything but the hash itself; hex, first 16 characters. */
export function hashDag(dag: Omit<Dag, 'hash'>): string {
  return hashOf(dag as unknown as Json)
}

/** SHA-256 of a value's canonical JSON; hex, first 16 characters. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(formatCanonicalJson(value)).digest('hex').slice(0, 16)
}
