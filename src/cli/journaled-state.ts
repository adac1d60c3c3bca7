// The state as the journal tells it, read beside whoever holds it: the last segment, which opens with a checkpoint.

import { DagbokError } from '../core/error.ts'
import { replay } from '../core/state-machine/checkpoint.ts'
import { isUserEvent } from '../core/state-machine/event.ts'
import { emptyState, type State } from '../core/state-machine/state.ts'
import type { CommandContext } from './context.ts'
import type { Reader } from './house.ts'

export interface Journaled {
  readonly state: State
  /** Undefined: there is no journal yet. The caller closes it. */
  readonly reader: Reader | undefined
}

/** @throws the journal's errors (exit 74, 78) */
export async function readJournaledState({ house, settings }: CommandContext): Promise<Journaled> {
  const state = emptyState()
  let reader: Reader
  try {
    reader = await (await house()).openReader(settings)
  } catch (error) {
    if (error instanceof DagbokError && error.code === 'JOURNAL_MISSING') return { state, reader: undefined }
    throw error
  }
  try {
    // A user may record a line of that name; theirs are passed over.
    const openings = reader.index.events({ event: 'segment_opened', limit: 100 })
    const seq = openings.find(event => !isUserEvent(event))?.seq ?? 1
    for await (const event of reader.events(seq - 1)) {
      replay(state, event)
      state.seq = event.seq
    }
    return { state, reader }
  } catch (error) {
    await reader.close()
    throw error
  }
}
