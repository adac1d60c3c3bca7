// `scheduler skip <schedule> [slot]`: one slot to come is left out; with `--undo` it is not.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import type { SkipFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { reach } from '../reach.ts'

export async function run(
  context: CommandContext,
  id: string,
  slot: string | undefined,
  { reason = 'asked for on the command line', undo = false }: SkipFlags,
): Promise<number> {
  const which = slot === undefined ? {} : { slot }
  const request = { schedule_id: id, ...which, reason }
  const { answer } = await reach(context, control => (undo ? control.unskip(request) : control.skip(request)))
  const { out, json } = context
  if (json) writeJson(out.data, undo ? 'Unskipped' : 'Skipped', answer)
  else {
    const becomes = undo ? 'is not to be skipped any more' : 'will be skipped'
    out.data.line(`schedule ${answer.schedule_id}: the slot ${answer.slot} ${becomes}`)
  }
  return EXIT.ok
}
