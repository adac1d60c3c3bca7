// `scheduler trigger <dag>`, or `<schedule> --slot <slot>`: asks for a run and does not wait for it.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import type { TriggerFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { readParams } from '../params.ts'
import { reach } from '../reach.ts'
import { quoteWord } from '../render/run-summary.ts'
import { nameTarget } from '../target.ts'
import { UsageError } from '../usage.ts'

export async function run(context: CommandContext, dag: string, flags: TriggerFlags): Promise<number> {
  const params = await readParams(context.cwd, flags)
  const { slot } = flags
  if (slot !== undefined && params !== undefined) {
    throw new UsageError(
      '--slot runs a slot as its schedule would: it takes no params',
      `for params ask for a run of the DAG: scheduler trigger <dag> --param …`,
    )
  }
  const target = nameTarget(context.cwd, dag)
  const request = { ...target, ...(params === undefined ? {} : { params }), cause: 'cli' }
  const { answer, live } = await reach(context, async control => {
    const triggered = await (slot === undefined
      ? control.trigger(request)
      : control.runSlot({ schedule_id: dag, slot, cause: 'cli' }))
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
