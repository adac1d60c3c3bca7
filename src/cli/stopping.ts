// How `--serve` and `--once` end: the first signal asks for a clean stop, the second does not wait any longer.

import type { Session } from '../api/session.ts'
import type { CommandContext } from './context.ts'
import { exitCodeOf, type InterruptSignal } from './interrupts.ts'
import { formatSpan } from './render/time.ts'

export interface Stopping {
  /** The signal that asked for it; undefined while none did. */
  readonly signal: InterruptSignal | undefined
  /** Stops if nothing has yet, and waits for it. Gives the exit code of a stop that a signal cut short, else undefined. */
  finish(reason: string): Promise<130 | 143 | undefined>
  /** No signal is listened to any more. */
  release(): void
}

/** Stops the session on a signal. `began` hears of the first one. */
export function stopOnSignal(
  context: CommandContext,
  session: Session,
  began: () => void = () => {},
): Stopping {
  const { interrupts, out, settings } = context
  let signal: InterruptSignal | undefined
  let stopped: Promise<{ drained: boolean }> | undefined
  const release = interrupts.listen((given, count) => {
    if (count === 1) {
      signal = given
      const patience = formatSpan(settings.drainTimeoutMs)
      out.note.line(`${given}: stopping; running tasks have ${patience} to end, once more to stop now`)
      began()
      stopped ??= session.stop({ now: false, reason: given })
    } else {
      // A stop under way is shortened: running commands are left to the next start, which takes them over again.
      stopped = session.stop({ now: true, reason: given })
    }
    // Whoever waits hears of a failure; until somebody does, it must not end the process.
    stopped.catch(() => undefined)
  })
  return {
    get signal() {
      return signal
    },
    async finish(reason) {
      stopped ??= session.stop({ now: false, reason })
      const { drained } = await stopped
      return signal !== undefined && !drained ? exitCodeOf(signal) : undefined
    },
    release,
  }
}
