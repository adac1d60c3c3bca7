// A command's way to the state: api/reach.ts with what the command was given.

import type { Control } from '../api/control.ts'
import { type Reached, reach as reachState } from '../api/reach.ts'
import type { CommandContext } from './context.ts'

export { isAbsent, type Reached } from '../api/reach.ts'

/** @throws what `act` throws; LockHeldError (exit 5) if the state is held by someone who does not listen */
export function reach<Answer>(
  context: CommandContext,
  act: (control: Control) => Promise<Answer>,
): Promise<Reached<Answer>> {
  const open = async () => (await context.house()).openSession(context.settings, 'command')
  return reachState({ connect: () => context.connect(), open }, act)
}
