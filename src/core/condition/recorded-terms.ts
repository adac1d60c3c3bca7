// What a record keeps of terms: all of them while a journal line has room, less where it has not.
//
//   T1. What is kept takes at most RECORDED_TERMS_MAX_BYTES, whatever was asked and answered.
//   T2. The terms of the list itself stay, each with what it came to; what is left out is marked.

import { clip, jsonBytes } from '../json.ts'
import type { Term } from './condition.ts'

/** A line has 64 KiB; the rest is for what else stands in it. */
export const RECORDED_TERMS_MAX_BYTES = 32 * 1024
const TEXT_MAX = 200

/** The terms as they are; or without what lies in `all`, `any` and `not`; or without what was seen. */
export function recordedTerms(terms: Term[]): Term[] {
  if (jsonBytes(terms) <= RECORDED_TERMS_MAX_BYTES) return terms
  const outer = terms.map(withoutParts)
  return jsonBytes(outer) <= RECORDED_TERMS_MAX_BYTES ? outer : outer.map(withoutSights)
}

function withoutParts(term: Term): Term {
  const { all, any, not, holds } = term
  if (Array.isArray(all)) return { all: [], holds, left_out: all.length }
  if (Array.isArray(any)) return { any: [], holds, left_out: any.length }
  return not === undefined ? term : { not: {}, holds, left_out: 1 }
}

/** The first entry of a term is its kind with what it asks about. */
function withoutSights(term: Term): Term {
  if ('left_out' in term) return term
  const [kind = '', subject] = Object.entries(term)[0] ?? []
  const { error, holds } = term
  return {
    [kind]: typeof subject === 'string' ? clip(subject, TEXT_MAX) : subject,
    ...(typeof error === 'string' ? { error: clip(error, TEXT_MAX) } : {}),
    holds,
    left_out: true,
  }
}
