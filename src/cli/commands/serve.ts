// `scheduler --serve`: schedules until it is told to stop, then drains. What happens goes to stderr, line by line.
//
//   Z1. A clean drain is 0. Stopped before the drain was done: 130 or 143.
//   Z2. The service manager's watchdog is fed only while the loop turns.

import type { StatusAnswer } from '../../api/control.ts'
import type { Session } from '../../api/session.ts'
import { EXIT } from '../../core/error.ts'
import { parseInstant } from '../../core/time/instant.ts'
import type { ServiceManager } from '../../ports/service-manager.ts'
import type { CommandContext } from '../context.ts'
import { logTo } from '../log-lines.ts'
import { formatSpan } from '../render/time.ts'
import { stopOnSignal } from '../stopping.ts'

/** How often `systemctl status` hears what goes on. */
const DESCRIBE_MS = 60_000

export async function run(context: CommandContext): Promise<number> {
  const { settings, out, json } = context
  const house = await context.house()
  const manager = house.openServiceManager(context.env)
  const session = await house.openSession(settings, 'serve')
  session.onEvent(json ? event => out.data.line(JSON.stringify(event)) : logTo(out.note, settings.logLevel))
  const stopping = stopOnSignal(context, session, () => manager.stopping(settings.drainTimeoutMs + 5_000))
  const unlistenReload = context.interrupts.listenForReload(() => {
    session.control.reload().catch(error => out.note.line(`reload failed: ${(error as Error).message}`))
  })
  const unwatch: (() => void)[] = []
  try {
    const served = session.serve()
    // Awaited below; a failure meanwhile must not end the process before it was said.
    served.catch(() => undefined)
    const status = describe(await session.control.status(), context.now())
    if (settings.logLevel !== 'silent') out.note.line(`scheduler is serving: ${status}`)
    manager.ready(status)
    unwatch.push(feedWatchdog(manager, session), keepDescribed(manager, session, context))
    await served
    return (await stopping.finish('the scheduler has stopped')) ?? EXIT.ok
  } catch (error) {
    await session.stop({ now: true, reason: 'it failed' }).catch(() => undefined)
    throw error
  } finally {
    for (const end of unwatch) end()
    unlistenReload()
    stopping.release()
  }
}

function describe(status: StatusAnswer, now: number): string {
  const [next] = status.next_slots
  const due = next
    ? `next slot ${next.slot} ${next.schedule_id} (${describeWait(next.slot, now)})`
    : 'nothing is scheduled'
  return `${status.schedules} schedules, ${status.dags} dags, state ${status.journal.path}, ${due}`
}

/** A slot that passed while nobody was there is decided at once. */
function describeWait(slot: string, now: number): string {
  const waitMs = parseInstant(slot) - now
  return waitMs < 1_000 ? 'due now' : `in ${formatSpan(waitMs)}`
}

/** A third of the limit leaves room for a late one. A loop that stands still stops the feeding, not the timer. */
function feedWatchdog(manager: ServiceManager, session: Session): () => void {
  if (manager.watchdogMs === undefined) return () => {}
  let seen = -1
  const look = () => {
    const turns = session.heartbeat()
    if (turns !== seen) manager.alive()
    seen = turns
  }
  look()
  const timer = setInterval(look, Math.max(10, manager.watchdogMs / 3))
  return () => clearInterval(timer)
}

function keepDescribed(manager: ServiceManager, session: Session, context: CommandContext): () => void {
  const timer = setInterval(() => {
    session.control.status().then(
      status =>
        manager.describe(
          `${status.running_runs} runs and ${status.running_tasks} tasks running, ${describe(status, context.now())}`,
        ),
      () => undefined,
    )
  }, DESCRIBE_MS)
  timer.unref()
  return () => clearInterval(timer)
}
