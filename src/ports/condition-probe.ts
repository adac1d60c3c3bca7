// The probe: answers the questions of conditions.
//
//   A1. `ask` never rejects, and takes no longer than the question's time limit by more than a moment, from when it is its
//       turn: too late, unreachable and cannot be known are answers with an `error`.
//   A2. Asking changes nothing in the world that the question itself does not change; asked twice, it is answered twice.
//   A3. One that hangs delays no other. So many that there is no room for more delay those of their kind until their own
//       limits are over; nobody gets an error for having waited.

import type { Answer, Occasion, Question } from '../core/condition/question.ts'

export interface ConditionProbe {
  /** @param signal aborted when the scheduler stops: the answer is not wanted any more */
  ask(question: Question, occasion: Occasion, signal: AbortSignal): Promise<Answer>
}
