// `scheduler resume <schedule> | --all`: the pause is over.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import type { PauseFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { reach } from '../reach.ts'
import { oneOrAll } from '../usage.ts'

export async function run(
  context: CommandContext,
  id: string | undefined,
  { all, reason = 'asked for on the command line' }: PauseFlags,
): Promise<number> {
  const scope = oneOrAll('resume', id, all)
  const { answer } = await reach(context, control => control.resume({ ...scope, reason }))
  const { out, json } = context
  if (json) writeJson(out.data, 'Resumed', answer)
  else {
    const what = answer.schedule_id === undefined ? 'every schedule' : `schedule ${answer.schedule_id}`
    out.data.line(`${what} is resumed: slots that fell into the pause stay skipped`)
  }
  return EXIT.ok
}
