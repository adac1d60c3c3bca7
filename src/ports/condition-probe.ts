// The probe: answers the questions of conditions.
//
//   A1. `ask` never rejects and never takes longer than the question's time limit by more than a moment: too late, unreachable
//       and cannot be known are answers with an `error`.
//   A2. Asking changes nothing in the world that the question itself does not change; asked twice, it is answered twice.
//   A3. One that hangs delays no other.

import type { Answer, Occasion, Question } from '../core/condition/question.ts'

export interface ConditionProbe {
  /** @param signal aborted when the scheduler stops: the answer is not wanted any more */
  ask(question: Question, occasion: Occasion, signal: AbortSignal): Promise<Answer>
}
