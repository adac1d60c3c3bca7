// Writes lines into the table of events.

import { crc32 } from 'node:zlib'
import type { Event } from '../../core/state-machine/event.ts'
import { indexedEvent, subjectOf } from '../../ports/run-rows.ts'
import { createRowInserter, placeholders } from './row-inserter.ts'
import type { Connection } from './schema.ts'

export interface EventWriter {
  /**
   * Events in order of `seq`, without a hole.
   * @param texts  of each event its line, less `c` and `commit`, if the caller has it: making it anew takes time
   */
  write(events: readonly Event[], texts?: readonly string[]): void
  /** Inserts what is waiting. */
  flush(): void
  /** Forgets what is waiting. */
  forget(): void
}

/**
 * Statements on this connection.
 * @param options.isEmpty  no line is there yet, and none will come from elsewhere
 */
export function createEventWriter(db: Connection, { isEmpty }: { isEmpty: boolean }): EventWriter {
  const numbered = createRowInserter(db, 'INSERT OR FAIL INTO events', placeholders(8))
  /** SQLite gives each row the number after the last one's, without looking whether it is taken. */
  const next = createRowInserter(db, 'INSERT OR FAIL INTO events', `NULL, ${placeholders(7)}`)
  let isNumbering = false
  return {
    write: (events, texts) => {
      for (let i = 0; i < events.length; i++) {
        const event = events[i]!
        const text = texts?.[i]
        const line = text !== undefined && isKeptAs(event, text) ? text : JSON.stringify(indexedEvent(event))
        const into = isNumbering ? next : numbered
        if (!isNumbering) into.add(event.seq)
        into.add(event.event)
        into.add(event.timestamp)
        into.add(subjectOf(event, 'run_id'))
        into.add(subjectOf(event, 'schedule_id'))
        into.add(subjectOf(event, 'task_id'))
        into.add(line)
        into.add(crc32(line))
        if (!isEmpty || isNumbering) continue
        // The first of all is there: the ones that follow are numbered from it on.
        numbered.flush()
        isNumbering = true
      }
    },
    flush: () => {
      numbered.flush()
      next.flush()
    },
    forget: () => {
      numbered.clear()
      next.clear()
    },
  }
}

/**
 * True if the text is what the event is kept as, however it comes here: a checkpoint is kept without its state, and
 * JSON.stringify writes the line separators U+2028 and U+2029 as they are, a journal does not.
 */
function isKeptAs(event: Event, text: string): boolean {
  return event.event !== 'checkpoint' && !text.includes('\\u202')
}
