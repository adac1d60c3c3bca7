// Says in which blocks the lines about a run or a schedule, or of a name, are (schema.ts, S2).

import type { Event } from '../../core/state-machine/event.ts'
import { subjectOf } from '../../ports/run-rows.ts'
import { createRowInserter, type RowInserter } from './row-inserter.ts'
import { blockOf, type Connection } from './schema.ts'

export interface BlockWriter {
  /** Events in order of `seq`. */
  place(event: Event): void
  /** Inserts what is waiting. */
  flush(): void
  /** Forgets what is waiting and what is known of the present block: the next event says everything again. */
  forget(): void
}

interface Subjects {
  readonly known: Set<string>
  readonly inserter: RowInserter
}

/** Statements on this connection. */
export function createBlockWriter(db: Connection): BlockWriter {
  const subjectsOf = (kind: 'run' | 'schedule' | 'event'): Subjects => ({
    known: new Set(),
    inserter: createRowInserter(db, 'INSERT OR IGNORE INTO blocks', `'${kind}', ?, ?`),
  })
  const runs = subjectsOf('run')
  const schedules = subjectsOf('schedule')
  const names = subjectsOf('event')
  const all = [runs, schedules, names]
  let block = -1

  function add({ known, inserter }: Subjects, subject: string | null): void {
    if (subject === null || known.has(subject)) return
    known.add(subject)
    inserter.add(subject)
    inserter.add(block)
  }

  return {
    place: event => {
      const next = blockOf(event.seq)
      if (next !== block) {
        block = next
        for (const { known } of all) known.clear()
      }
      add(names, event.event)
      add(runs, subjectOf(event, 'run_id'))
      add(schedules, subjectOf(event, 'schedule_id'))
    },
    flush: () => {
      for (const { inserter } of all) inserter.flush()
    },
    forget: () => {
      block = -1
      for (const { known, inserter } of all) {
        known.clear()
        inserter.clear()
      }
    },
  }
}
