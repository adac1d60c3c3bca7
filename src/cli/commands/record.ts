// `scheduler record <event> [key=value…]`: a fact of the user's own, for readers of the journal.

import { RESERVED_FIELDS } from '../../api/control.ts'
import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { readPairs } from '../params.ts'
import { reach } from '../reach.ts'
import { UsageError } from '../usage.ts'

/** The event is the word before the pairs. */
const RESERVED = new Set(['event', ...RESERVED_FIELDS])

export async function run(context: CommandContext, event: string, words: readonly string[]): Promise<number> {
  const fields = readPairs('record', words)
  const taken = Object.keys(fields).find(key => RESERVED.has(key))
  if (taken !== undefined) {
    throw new UsageError(
      `record: the field ${JSON.stringify(taken)} is written by the scheduler itself`,
      `give it another name; reserved are ${[...RESERVED].join(', ')}`,
    )
  }
  const { answer } = await reach(context, control => control.record({ fields: { event, ...fields } }))
  if (context.json) writeJson(context.out.data, 'Recorded', answer)
  else context.out.data.line(`recorded as ${answer.seq}`)
  return EXIT.ok
}
