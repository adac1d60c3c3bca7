// Conditions in the form in which they are written: the way back from the normal form, which says every default.

import type { Condition } from '../core/condition/condition.ts'
import type { Question } from '../core/condition/question.ts'
import { isQuestion } from '../core/condition/question.ts'
import type { JsonObject } from '../core/json.ts'
import { formatDuration } from '../core/time/duration.ts'

/** `conditionOf` makes the same condition of it. */
export function authorCondition(condition: Condition): JsonObject {
  if (isQuestion(condition))
    return { ...authorQuestion(condition), timeout: formatDuration(condition.timeoutMs) }
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { [condition.kind]: condition.of.map(authorCondition) }
    case 'not':
      return { not: authorCondition(condition.of) }
    case 'blackout':
      return { blackout: condition.calendar }
    case 'nth_business_day':
      return { calendar: condition.calendar, nth: condition.nth }
    case 'calendar':
      return { calendar: condition.calendar, day: condition.day }
  }
}

function authorQuestion(question: Question): JsonObject {
  switch (question.kind) {
    case 'file': {
      const { path, minBytes, maxAgeMs } = question
      return {
        file: path,
        ...(minBytes !== undefined && { min_size: minBytes }),
        ...(maxAgeMs !== undefined && { max_age: formatDuration(maxAgeMs) }),
      }
    }
    case 'command': {
      const { command } = question
      return { command: typeof command === 'string' ? command : [...command] }
    }
    case 'http': {
      const { url, method, headers, status } = question
      return {
        http: url,
        method,
        ...(headers !== undefined && { headers: { ...headers } }),
        status: [...status],
      }
    }
    case 'sql':
      return { sql: question.query, database: question.database }
    case 'signal':
      return { signal: question.name, within: formatDuration(question.withinMs) }
    case 'cel':
      return { cel: question.expression }
  }
}
