// `scheduler cancel <run>`.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { reach } from '../reach.ts'

export async function run(
  context: CommandContext,
  runId: string,
  { reason = 'asked for on the command line' }: { reason?: string },
): Promise<number> {
  const { answer } = await reach(context, control => control.cancel({ run_id: runId, reason }))
  const { out, json } = context
  if (json) writeJson(out.data, 'Cancelled', answer)
  else if (answer.state === 'finished') out.data.line(`run ${answer.run_id} is cancelled`)
  else out.data.line(`run ${answer.run_id} is being cancelled: its tasks are asked to end`)
  return EXIT.ok
}
