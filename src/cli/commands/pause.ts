// `scheduler pause <schedule> | --all`: slots are skipped from now on, for a while or until `scheduler resume`.

import { EXIT } from '../../core/error.ts'
import { parseDuration } from '../../core/time/duration.ts'
import type { CommandContext } from '../context.ts'
import type { PauseFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { reach } from '../reach.ts'
import { oneOrAll, UsageError } from '../usage.ts'

export async function run(
  context: CommandContext,
  id: string | undefined,
  { all, until, for: length, reason = 'asked for on the command line' }: PauseFlags,
): Promise<number> {
  const scope = oneOrAll('pause', id, all)
  if (until !== undefined && length !== undefined)
    throw new UsageError('--until and --for say two ends: give one')
  const end = until !== undefined ? { until } : length !== undefined ? { for_ms: readLength(length) } : {}
  const { answer } = await reach(context, control => control.pause({ ...scope, reason, ...end }))
  const { out, json } = context
  if (json) writeJson(out.data, 'Paused', answer)
  else {
    const what = answer.schedule_id === undefined ? 'every schedule' : `schedule ${answer.schedule_id}`
    const end = answer.until === undefined ? 'until it is resumed' : `until ${answer.until}`
    out.data.line(`${what} is paused ${end}: its slots are skipped and recorded`)
    out.note.line(`runs that are under way go on; end it with: scheduler resume ${id ?? '--all'}`)
  }
  return EXIT.ok
}

/** @throws DagbokError DURATION_INVALID, UsageError */
function readLength(text: string): number {
  const ms = parseDuration(text)
  if (ms > 0) return ms
  throw new UsageError('--for: a pause of no length would change nothing')
}
