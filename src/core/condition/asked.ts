// The questions that conditions come down to.

import type { Condition } from './condition.ts'
import { isQuestion, type Question } from './question.ts'

/** Every question of a condition, in the order in which they stand. */
export function questionsOf(condition: Condition): Question[] {
  if (isQuestion(condition)) return [condition]
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(questionsOf)
    case 'not':
      return questionsOf(condition.of)
    default:
      return []
  }
}
