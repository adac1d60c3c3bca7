// `--assume`: what the world would say to the conditions of a simulation. `yes`, `no` or `error` for all of them, or for one
// kind (`http=no`) or one schedule (`payroll=no`); what names a schedule counts before what names a kind.

import { type Answer, isQuestion, type Question } from '../core/condition/question.ts'
import type { SlotKey } from '../core/state-machine/state.ts'
import { suggest, UsageError } from './usage.ts'

const ANSWERS: Readonly<Record<string, Answer>> = {
  yes: { holds: true, saw: { assumed: true } },
  no: { holds: false, saw: { assumed: true } },
  error: { error: 'assumed' },
}

/** @throws UsageError for an answer that is none, or a name that is neither a kind nor a schedule */
export function readAssumptions(
  words: readonly string[],
  scheduleIds: ReadonlySet<string>,
): (question: Question, key: SlotKey) => Answer {
  const named = new Map<string, Answer>()
  for (const word of words) {
    const at = word.lastIndexOf('=')
    const name = at < 0 ? '' : word.slice(0, at)
    const answer = ANSWERS[word.slice(at + 1)]
    if (answer === undefined)
      throw new UsageError(
        `--assume: ${JSON.stringify(word)} says none of yes, no and error`,
        'for instance: --assume no, --assume http=error, --assume payroll=no',
      )
    if (name !== '' && !isQuestion({ kind: name }) && !scheduleIds.has(name))
      throw new UsageError(
        `--assume: ${JSON.stringify(name)} is neither a kind of condition nor a schedule`,
        suggest(name, [...scheduleIds], 'kinds are file, command, http, sql, signal and cel'),
      )
    named.set(name, answer)
  }
  return ({ kind }, { scheduleId }) =>
    named.get(scheduleId) ?? named.get(kind) ?? named.get('') ?? ANSWERS['yes']!
}
