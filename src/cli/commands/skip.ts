// `scheduler skip <schedule> [slot]`: one slot to come is left out.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { reach } from '../reach.ts'

export async function run(
  context: CommandContext,
  id: string,
  slot: string | undefined,
  { reason = 'asked for on the command line' }: { reason?: string },
): Promise<number> {
  const which = slot === undefined ? {} : { slot }
  const { answer } = await reach(context, control => control.skip({ schedule_id: id, ...which, reason }))
  const { out, json } = context
  if (json) writeJson(out.data, 'Skipped', answer)
  else out.data.line(`schedule ${answer.schedule_id}: the slot ${answer.slot} will be skipped`)
  return EXIT.ok
}
