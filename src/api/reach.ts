// The way to the state for whoever wants it changed: through the scheduler that runs, else by holding the state for a
// moment (DESIGN §2). The command line and the library go the same way.

import { DagbokError } from '../core/error.ts'
import type { Control } from './control.ts'
import type { Session } from './session.ts'

/** True if an error proves that no scheduler listens, so that the verb was not even asked for. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof DagbokError &&
    error.code === 'DAEMON_UNREACHABLE' &&
    (error as { absent?: boolean }).absent === true
  )
}

export interface Ways {
  /** Control of a scheduler that may or may not be there: asking it something tells. */
  connect(): Control | Promise<Control>
  /** Takes the state. */
  open(): Promise<Session>
}

export interface Reached<Answer> {
  readonly answer: Answer
  /** True: a running scheduler did it. False: this process did, and nobody runs what it left. */
  readonly live: boolean
}

/**
 * Does `act` with whoever holds the state, or by holding it.
 * @throws what `act` throws; LockHeldError (exit 5) if the state is held by someone who does not listen
 */
export async function reach<Answer>(
  ways: Ways,
  act: (control: Control) => Promise<Answer>,
): Promise<Reached<Answer>> {
  try {
    return { answer: await act(await ways.connect()), live: true }
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
  const session = await ways.open()
  let answer: Answer
  try {
    answer = await act(session.control)
  } catch (error) {
    await session.stop({ now: true, reason: 'the command failed' }).catch(() => undefined)
    throw error
  }
  await session.stop({ now: false, reason: 'the command is done' })
  return { answer, live: false }
}
