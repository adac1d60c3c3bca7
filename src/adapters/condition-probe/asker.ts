// How one kind of question is asked, and how what was seen is kept small: it stands in the journal.

import type { Answer, Occasion, Question, QuestionKind } from '../../core/condition/question.ts'
import { clip, isJsonObject, type Json, type JsonObject, jsonBytes } from '../../core/json.ts'

/**
 * Answers questions of one kind. It may reject: that is an error in the answer.
 * @param stop aborted when the time is up or the scheduler stops. What the question started ends then; the promise
 *   settles when it has ended, and nobody waits for its answer any more.
 */
export type Asker<Kind extends QuestionKind> = (
  question: Extract<Question, { kind: Kind }>,
  occasion: Occasion,
  stop: AbortSignal,
) => Promise<Answer>

const SAW_BYTES_MAX = 2_048
const ERROR_CHARACTERS = 500

/** Longest texts to try, until what was seen is small enough. */
const TEXT_STEPS = [500, 200, 60, 20]

/** The answer with its texts cut as far as needed. */
export function boundAnswer(answer: Answer): Answer {
  if ('error' in answer) return { error: clip(answer.error, ERROR_CHARACTERS) }
  for (const longest of TEXT_STEPS) {
    const saw = clipTexts(answer.saw, longest) as JsonObject
    if (jsonBytes(saw) <= SAW_BYTES_MAX) return { holds: answer.holds, saw }
  }
  return { holds: answer.holds, saw: { too_large: true } }
}

function clipTexts(value: Json, longest: number): Json {
  if (typeof value === 'string') return clip(value, longest)
  if (Array.isArray(value)) return value.map(item => clipTexts(item, longest))
  if (!isJsonObject(value)) return value
  const clipped: JsonObject = {}
  for (const [key, item] of Object.entries(value))
    if (item !== undefined) clipped[clip(key, longest)] = clipTexts(item, longest)
  return clipped
}

/** What went wrong, in one line. */
export function describeFailure(error: unknown): string {
  const { code, message = '' } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    message?: string
  }
  const words = message === '' ? String(code ?? error) : message
  const line = words.split('\n')[0]!.trim()
  return typeof code === 'string' && !line.includes(code) ? `${code}: ${line}` : line
}
