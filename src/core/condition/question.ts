// Questions: conditions that only the world can answer. What is asked stands in the definitions; the answer comes back as a
// command (DESIGN §5.2), so that the core decides from what was recorded and never asks by itself.
//
//   Q1. A question is data: two that say the same are the same, and it can be written down.
//   Q2. An error is not a "no": nobody knows whether the condition holds.

import { clip, type JsonObject } from '../json.ts'

interface Limited {
  /** Milliseconds; an answer that takes longer is an error. */
  readonly timeoutMs: number
}

/** A file is there: not empty, not too old, as far as it says so. `{{ds}}`-like marks in texts: see `fillMarks`. */
export interface FileQuestion extends Limited {
  readonly kind: 'file'
  readonly path: string
  readonly minBytes?: number
  /** Of its last change, before the moment of asking. */
  readonly maxAgeMs?: number
}
/** A command exits with 0 (yes) or 1 (no); any other end is an error. A text goes to `/bin/sh -c`, a list is an argv. */
export interface CommandQuestion extends Limited {
  readonly kind: 'command'
  readonly command: string | readonly string[]
}
/** A request is answered with one of `status` (yes); any other answer is a no, none at all is an error. */
export interface HttpQuestion extends Limited {
  readonly kind: 'http'
  readonly url: string
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly status: readonly number[]
}
/** The first column of the first row is true: not 0, not empty, not null. No row is a no. */
export interface SqlQuestion extends Limited {
  readonly kind: 'sql'
  /** Path of an SQLite database, relative to the root. Opened read-only. */
  readonly database: string
  readonly query: string
}
/** Somebody has recorded an event of this name (`scheduler record`, `recordEvent`) since so long before the slot. */
export interface SignalQuestion extends Limited {
  readonly kind: 'signal'
  readonly name: string
  readonly withinMs: number
}
/** An expression in CEL over the slot, the schedule, its tenant and the last runs. */
export interface CelQuestion extends Limited {
  readonly kind: 'cel'
  readonly expression: string
}

export type Question =
  | FileQuestion
  | CommandQuestion
  | HttpQuestion
  | SqlQuestion
  | SignalQuestion
  | CelQuestion

export type QuestionKind = Question['kind']

export const QUESTION_KINDS = [
  'file',
  'command',
  'http',
  'sql',
  'signal',
  'cel',
] as const satisfies readonly QuestionKind[]

/** True for conditions that only the world can answer. */
export function isQuestion(condition: { readonly kind: string }): condition is Question {
  return (QUESTION_KINDS as readonly string[]).includes(condition.kind)
}

/** Characters of a question's text that a record shows. */
const TEXT_MAX = 200

/** A question as a record names it: one field, its kind. Headers, which may hold secrets, are not part of it. */
export function describeQuestion(question: Question): JsonObject {
  return { [question.kind]: clip(subjectOf(question), TEXT_MAX) }
}

function subjectOf(question: Question): string {
  switch (question.kind) {
    case 'file':
      return question.path
    case 'command':
      return typeof question.command === 'string' ? question.command : question.command.join(' ')
    case 'http':
      return question.url.replace(/\/\/[^/@]*@/, '//…@')
    case 'sql':
      return question.query
    case 'signal':
      return question.name
    case 'cel':
      return question.expression
  }
}

/** What the world said: yes or no with what was seen, or why nobody knows. Small: it stands in the journal. */
export type Answer = { readonly holds: boolean; readonly saw: JsonObject } | { readonly error: string }

/** What a question is asked about. */
export interface Occasion {
  readonly scheduleId: string
  readonly tenantId: string
  readonly dagName: string
  /** ISO 8601, as in the journal: `2026-01-05T06:00Z`. */
  readonly slot: string
  /** Of the schedule: the zone in which the slot has a date and a weekday. */
  readonly timezone: string
  /** Of a question about one client of a fan-out. */
  readonly clientId?: string
}
