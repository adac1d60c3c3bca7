// `scheduler events`: the journal's events, as JSON lines or, for a terminal, in words. `-f` goes on with each new one.

import { EXIT } from '../../core/error.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { CommandContext } from '../context.ts'
import type { EventFlags } from '../flags.ts'
import { describeEvent } from '../render/event-line.ts'
import { formatStamp } from '../render/time.ts'
import { readCount, UsageError } from '../usage.ts'

export async function run(context: CommandContext, flags: EventFlags): Promise<number> {
  const { settings, out, json, interrupts } = context
  const after = flags.after === undefined ? undefined : readSeq(flags.after)
  const count = flags.count === undefined ? undefined : readCount('--count', flags.count)
  const query = {
    ...(flags.run === undefined ? {} : { runId: flags.run }),
    ...(flags.event === undefined ? {} : { event: flags.event }),
  }
  const wanted = (event: Event) =>
    (flags.run === undefined || (event as { run_id?: unknown }).run_id === flags.run) &&
    (flags.event === undefined || event.event === flags.event)
  const show = (event: Event) => {
    if (json || !out.data.isTTY) return out.data.line(JSON.stringify(event))
    const { level, text } = describeEvent(event)
    const colour =
      level === 'error' ? 'red' : level === 'warn' ? 'yellow' : level === 'debug' ? 'dim' : 'reset'
    const time = out.data.style('dim', formatStamp(event.timestamp))
    out.data.line(`${time} ${String(event.seq).padStart(6)} ${out.data.style(colour, text)}`)
  }

  const reader = await (await context.house()).openReader(settings)
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  const unlisten = interrupts.listen(leave)
  out.data.closed.addEventListener('abort', leave)
  try {
    let from = after ?? 0
    // With `-f` and no place to begin: the last few for context, then what comes.
    const tail = count ?? (flags.follow && after === undefined ? 10 : undefined)
    if (tail !== undefined) {
      const seen = reader.index.checkpoint()?.seq ?? 0
      const latest = reader.index.events({
        ...query,
        ...(after === undefined ? {} : { afterSeq: after }),
        limit: tail,
      })
      for (const event of latest.reverse()) show(event)
      from = seen
      if (!flags.follow) return EXIT.ok
    }
    const events = flags.follow ? reader.follow(from, leaving.signal) : reader.events(from)
    for await (const event of events) {
      if (leaving.signal.aborted) break
      if (wanted(event)) show(event)
    }
  } catch (error) {
    // Following ends by being told to: that is no failure.
    if (!leaving.signal.aborted) throw error
  } finally {
    unlisten()
    await reader.close()
  }
  return EXIT.ok
}

function readSeq(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UsageError(
    `--after: expected a position in the journal (a whole number), got ${JSON.stringify(text)}`,
  )
}
