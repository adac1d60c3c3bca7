// Which of the given events an index does not have yet, and whether they follow what it has.

import { type Event, isUserEvent } from '../../core/state-machine/event.ts'
import { IndexRebuildNeededError } from '../../ports/run-index.ts'

/**
 * The events after `lastSeq` (0: none yet), checked to follow it without a hole. An empty index may also begin with
 * the `segment_opened` of the oldest segment that retention has left.
 * @throws IndexRebuildNeededError `gap`
 */
export function newEvents(events: readonly Event[], lastSeq: number): readonly Event[] {
  let from = 0
  while (from < events.length && events[from]!.seq <= lastSeq) from++
  const first = events[from]
  if (first === undefined) return []
  const mayBegin = lastSeq === 0 && first.event === 'segment_opened' && !isUserEvent(first)
  let expected = mayBegin ? first.seq : lastSeq + 1
  for (let i = from; i < events.length; i++, expected++) {
    const { seq } = events[i]!
    if (seq !== expected) {
      throw new IndexRebuildNeededError(
        'gap',
        `it ends at line ${expected - 1}, the next one given is ${seq}`,
      )
    }
  }
  return from === 0 ? events : events.slice(from)
}
