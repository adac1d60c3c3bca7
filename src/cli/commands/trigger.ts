// `scheduler trigger <dag>`: asks for a run and does not wait for it.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import type { RunFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { readParams } from '../params.ts'
import { reach } from '../reach.ts'
import { quoteWord } from '../render/run-summary.ts'
import { nameTarget } from '../target.ts'

export async function run(context: CommandContext, dag: string, flags: RunFlags): Promise<number> {
  const params = await readParams(context.cwd, flags)
  const target = nameTarget(context.cwd, dag)
  const request = { ...target, ...(params === undefined ? {} : { params }), cause: 'cli' }
  const { answer, live } = await reach(context, async control => {
    const triggered = await control.trigger(request)
    // A foreground run takes the request, but drives nothing but itself.
    const { mode } = await control.status()
    return { ...triggered, driven: mode === 'serve' || mode === 'once' }
  })
  const { driven, ...triggered } = answer
  const waits = !live || !driven
  const { out, json } = context
  if (json) writeJson(out.data, 'Triggered', { ...triggered, waits_for_start: waits })
  else {
    out.data.line(answer.run_id)
    out.note.line(
      !waits
        ? `follow it with: scheduler logs -f ${quoteWord(answer.run_id)}`
        : 'no scheduler is running: the run waits for the next start (scheduler --serve or --once)',
    )
  }
  return EXIT.ok
}
