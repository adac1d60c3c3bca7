// After a start, slots that do not exist are decided by a second loop, so that the real ones find compiled code.
//
// V8 compiles what it has seen run a few thousand times, in threads that want the processors in the very milliseconds in
// which slots wait for their line on disk, and takes it back when a branch is entered for the first time
// (docs/adr/0020-slots-are-rehearsed.md).
//
//   R1. Nothing of it is seen: state, agenda, clock and journal are its own; nobody follows it, nothing is executed. It
//       reads the definitions and changes none.
//   R2. It is the same `Loop` and the same state machine. Only the world is played.
//   R3. It does not stand in the way: one moment at a time, with pauses, and none while something is due.
//   R4. What it leaves behind keeps the compiled code alive (specimens.ts): its owner holds on to it.

import { Agenda } from '../core/planner/agenda.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import type { AttemptResult, Command } from '../core/state-machine/command.ts'
import { type Event, isUserEvent, type SystemEvent } from '../core/state-machine/event.ts'
import { emptyState } from '../core/state-machine/state.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Clock, PunctualClock } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import { Loop, type LoopOptions } from './loop.ts'

/** Schedules that take part. Where fewer are due together nobody feels that their code is cold. */
const CAST = 100

/** Moments that are played. V8 compiles for good what has run 3,000 times, some of it again after the first surprise. */
const MOMENTS = 60

/** Wake-ups of any kind. There may be many between two moments: starts that are spread, retries. */
const LEAPS = 10 * MOMENTS

/** Before each of them, milliseconds. */
const PAUSE_MS = 5

/** What is due within this is not disturbed, milliseconds. */
const CLEAR_MS = 50

/** A scheduler that has had no rest until then is warm by itself, milliseconds. */
const GIVE_UP_MS = 60_000

export interface RehearsalParts {
  readonly clock: Clock
  /** Of the real loop: the schedules that will be due together, and when something is due. */
  readonly agenda: Agenda
  readonly definitions: Definitions
  readonly limits: LoopOptions['limits']
  /** One that does what the real one does, but for the writing. */
  readonly journal: Journal
}

type TaskStart = SystemEvent & { event: 'task_start' }

export class Rehearsal {
  readonly #parts: RehearsalParts
  readonly #cast: Definitions
  readonly #agenda = new Agenda()
  readonly #loop: Loop
  readonly #over = Promise.withResolvers<void>()
  readonly #beganMs: number
  #now: Instant
  #callOff: (() => void) | undefined
  /** An attempt that goes on until the next moment, so that a slot finds a run in its way. */
  #held: TaskStart | undefined
  #moments = 0
  #leaps = 0

  constructor(parts: RehearsalParts) {
    const { agenda, clock, definitions, journal, limits } = parts
    this.#parts = parts
    this.#now = clock.now()
    this.#beganMs = clock.monotonicMs()
    this.#cast = reduce(definitions, agenda.crowd(CAST))
    const random = { next: () => 0 }
    this.#loop = new Loop(
      { clock: this.#clock(), random, journal, state: emptyState(), agenda: this.#agenda },
      {
        limits,
        // However far the next slot is, it leaps there.
        tickMs: Number.POSITIVE_INFINITY,
        isDiskFull: () => false,
        committed: events => this.#play(events),
        turned() {},
        fatal: error => this.#over.reject(error),
      },
      this.#cast,
    )
  }

  /**
   * Resolves when it is over: at once, where it is not worth it.
   * @throws whatever the loop ended with
   */
  async run(): Promise<void> {
    if (this.#cast.schedules.size < CAST) return
    this.#submit({ type: 'use_definitions', definitions: this.#cast, cause: 'start' })
    this.#loop.admission = 'open'
    this.#loop.ticking = true
    this.#loop.start()
    await this.#over.promise
    this.#callOff?.()
    await this.#loop.stop()
  }

  close(): void {
    this.#over.resolve()
  }

  #submit(command: Command): void {
    // A definition may ask for more than an empty stage has: then it is refused, here as elsewhere.
    this.#loop.submit(command).catch(() => {})
  }

  /** The world's part: every attempt ends well at once, but for the one that is held. */
  #play(events: readonly Event[]): void {
    for (const event of events) {
      if (isUserEvent(event)) continue
      if (event.event === 'task_start') {
        if (this.#held === undefined) this.#held = event
        else this.#end(event, { kind: 'ok', output: {} })
      } else if (event.event === 'run_cancel_requested' && event.run_id === this.#held?.run_id) {
        this.#end(this.#held, { kind: 'cancelled', reason: event.reason })
        this.#held = undefined
      }
    }
  }

  #end({ run_id: runId, task_id: taskId, attempt }: TaskStart, result: AttemptResult): void {
    this.#submit({ type: 'ended', runId, taskId, attempt, durationMs: 1, result })
  }

  #clock(): PunctualClock {
    const { clock } = this.#parts
    return {
      now: () => this.#now,
      // Nor does the wall clock run ahead of it: that would be a suspend.
      monotonicMs: () => this.#now,
      after: (delayMs, wake) => {
        if (delayMs !== Number.POSITIVE_INFINITY) return clock.after(0, wake)
        // Nothing will be due any more.
        this.close()
        return () => {}
      },
      at: (instant, wake) => {
        this.#whenClear(() => {
          this.#leap(instant)
          wake()
        })
        return () => this.#callOff?.()
      },
    }
  }

  #whenClear(go: () => void): void {
    const { agenda, clock } = this.#parts
    this.#callOff = clock.after(PAUSE_MS, () => {
      const dueAt = agenda.nextAt ?? Number.POSITIVE_INFINITY
      if (clock.monotonicMs() - this.#beganMs > GIVE_UP_MS) this.close()
      else if (dueAt - clock.now() < CLEAR_MS) this.#whenClear(go)
      else go()
    })
  }

  #leap(to: Instant): void {
    this.#now = to
    this.#leaps += 1
    if (this.#agenda.nextAt === to) this.#moments += 1
    // The last attempt that is held stays, as a specimen (R4).
    if (this.#moments === MOMENTS || this.#leaps === LEAPS) this.close()
    // Taken behind the tick of this moment, which finds the run in the way.
    else if (this.#agenda.nextAt === to && this.#held !== undefined)
      this.#submit({ type: 'cancel', runId: this.#held.run_id, reason: 'the next moment has come' })
  }
}

/** Only these schedules, and what they run. */
function reduce(definitions: Definitions, cast: readonly Schedule[]): Definitions {
  const names = new Set(cast.map(({ dagName }) => dagName))
  return {
    ...definitions,
    schedules: new Map(cast.map(schedule => [schedule.id, schedule])),
    dags: new Map([...definitions.dags].filter(([name]) => names.has(name))),
  }
}
