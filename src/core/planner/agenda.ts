// When each schedule is due next. Computed from (definitions, cursors) and kept beside the state, so that a tick looks
// only at what is due: with nothing due it costs the same for a thousand schedules as for a million.

import type { Definitions } from '../schedule/definitions.ts'
import type { Schedule } from '../schedule/schedule.ts'
import type { State } from '../state-machine/state.ts'
import type { Instant } from '../time/instant.ts'
import { InstantHeap } from '../time/instant-heap.ts'

export class Agenda {
  /** Of the definitions in force: it is computed anew whenever they change. */
  #heap = new InstantHeap<Schedule>()

  /** The next instant at which some schedule is due; undefined: none ever is. */
  get nextAt(): Instant | undefined {
    return this.#heap.nextAt
  }

  /** Starts over: after a change of the definitions, and at a start. */
  rebuild(definitions: Definitions, state: State): void {
    this.#heap = new InstantHeap()
    for (const schedule of definitions.schedules.values()) {
      const known = state.schedules.get(schedule.id)
      if (known === undefined || known.retired) continue
      this.put(schedule.slots.next(known.cursor), schedule)
    }
  }

  /** Takes out a schedule that is due at `now`. Its owner puts it back. */
  takeDue(now: Instant): Schedule | undefined {
    return this.#heap.takeDue(now)?.item
  }

  put(at: Instant | undefined, schedule: Schedule): void {
    if (at !== undefined) this.#heap.put(at, schedule)
  }

  /** Shows up to `most` schedules that will be due at `at`, in no order, and takes none out. */
  visitDue(at: Instant, most: number, visit: (schedule: Schedule) => void): void {
    this.#heap.visitDue(at, most, visit)
  }

  /** Up to `most` schedules of the instant at which most are due, as far as it can be seen. */
  crowd(most: number): Schedule[] {
    return this.#heap.crowd(most)
  }

  earliest(count: number): { at: Instant; scheduleId: string }[] {
    return this.#heap.earliest(count).map(({ at, item }) => ({ at, scheduleId: item.id }))
  }
}
