// The daemon's loop: the only writer of the journal.
//
//   L1. Nothing acts on an event, and nobody is told of it, before `journal.append` has resolved for it.
//   L2. One command is decided at a time; each decision is a commit of its own; a batch of commits is one append. What a
//       new set of definitions leads to may take several: still one command, answered when all of it is durable.
//   L3. It waits in two places: for the next letter or wake-up, and for the append. Between them, time stands still.
//   L4. A full disk stops nothing but progress: the same batch is written again until it fits, work from outside is
//       refused meanwhile. Any other journal error is the end of the process.
//   L5. `scheduler_stopped` is the last line: nothing is decided behind it, no segment is rolled. Else the next start
//       takes the stop for a crash.
//
// What to do is core's business; this file only keeps the order.

import { DagbokError } from '../core/error.ts'
import type { Admission, Driven, Limits } from '../core/planner/admit.ts'
import type { Agenda } from '../core/planner/agenda.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import { checkpointEvents } from '../core/state-machine/checkpoint.ts'
import type { Command } from '../core/state-machine/command.ts'
import { decide, useDefinitions } from '../core/state-machine/decide.ts'
import { COMMITS_PER_SLICE, readAhead } from '../core/state-machine/decide-schedules.ts'
import type { DecisionContext } from '../core/state-machine/decision-context.ts'
import type { Event } from '../core/state-machine/event.ts'
import { evolve } from '../core/state-machine/evolve.ts'
import { nextWake } from '../core/state-machine/next-wake.ts'
import type { State } from '../core/state-machine/state.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import type { PunctualClock } from '../ports/clock.ts'
import type { Commit, Journal } from '../ports/journal.ts'
import type { Random } from '../ports/random.ts'
import { ClockWatch } from './clock-watch.ts'
import { Inbox, type Letter } from './inbox.ts'
import { type Chores, useRest } from './rest.ts'
import { Specimens } from './specimens.ts'

/** Letters decided before one append. Bounds the batch and how long the event loop is held. */
const BATCH_LETTERS_MAX = 512

/** Waits between two tries to write when the disk is full. */
const DISK_FULL_WAIT_MS = { first: 50, max: 1_000 }

export interface LoopPorts {
  readonly clock: PunctualClock
  readonly random: Random
  readonly journal: Journal
  readonly state: State
  readonly agenda: Agenda
}

export interface LoopOptions {
  readonly limits: Limits
  /** The longest sleep, milliseconds. */
  readonly tickMs: number
  /** True for the error of a full disk: the same append may be tried again. */
  isDiskFull(error: unknown): boolean
  /** Events that are on disk, in order. Must not throw. */
  committed(events: readonly Event[]): void
  /** Called after each turn, when the state is durable. */
  turned(): void
  /** Housekeeping of some milliseconds that must not stand in a slot's way: called once after work, at rest. */
  tidy?: (() => void) | undefined
  /** A journal error that ends the process. The loop does nothing more. */
  fatal(error: unknown): void
}

export class Loop {
  readonly #ports: LoopPorts
  readonly #options: LoopOptions
  readonly #inbox = new Inbox()
  #ended: Promise<void> | undefined
  #stopping = false
  #wakeNow: (() => void) | undefined
  /** True while the state holds what is not yet on disk, or not yet told. */
  #isWriting = false
  readonly #readers: (() => void)[] = []
  #retryNow: (() => void) | undefined
  #givesUp = false
  readonly #clockWatch: ClockWatch
  readonly #specimens: Specimens
  /** Something was written since `tidy` was called. */
  #isUntidy = false

  definitions: Definitions
  admission: Admission = 'closed'
  driven: Driven = 'all'
  /** True: slots that are due are planned. */
  ticking = false
  /** Since when the disk has been full. */
  diskFullSince: Instant | undefined
  /** Commands turned away since then. */
  refused = 0
  /** Turns so far: a watchdog is fed only while it grows. */
  turns = 0

  constructor(ports: LoopPorts, options: LoopOptions, definitions: Definitions) {
    this.#ports = ports
    this.#options = options
    this.definitions = definitions
    this.#clockWatch = new ClockWatch(ports.clock)
    this.#specimens = new Specimens(this.#context())
  }

  start(): void {
    this.#ended = this.#run()
  }

  /**
   * Reports from the inside: always taken. Resolves with the events once they are durable; with none for
   * `use_definitions`, which may be of any number.
   * @throws DagbokError if it is refused
   */
  submit(command: Command): Promise<readonly Event[]> {
    return this.#inbox.submit(command)
  }

  /**
   * Wishes from the outside: turned away while the disk is full.
   * @throws DagbokError DISK_FULL, or whatever the decision refuses it with
   */
  ask(command: Command): Promise<readonly Event[]> {
    if (this.diskFullSince === undefined) return this.submit(command)
    this.refused += 1
    const since = formatInstant(this.diskFullSince)
    return Promise.reject(
      new DagbokError(
        'DISK_FULL',
        `the disk of the journal has been full since ${since}; nothing new is accepted`,
        {
          hint: 'free some space; the scheduler goes on by itself',
        },
      ),
    )
  }

  /** When the loop will wake by itself; undefined: only when asked. */
  get nextWakeAt(): Instant | undefined {
    return nextWake(this.#ports.state, this.#ports.agenda, this.ticking)
  }

  /**
   * Resolves with what `read` makes of the state, at a moment at which all of it is on disk. While the disk is full that
   * moment does not come: then at once, with what waits to be written.
   */
  read<T>(read: () => T): Promise<T> {
    if (!this.#isWriting || this.diskFullSince !== undefined) return Promise.resolve(read())
    return new Promise((resolve, reject) => {
      this.#readers.push(() => {
        try {
          resolve(read())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** False while the state is ahead of the disk, and of those who are told of what is on it. */
  get isDurable(): boolean {
    return !this.#isWriting
  }

  #answerReaders(): void {
    for (const answer of this.#readers.splice(0)) answer()
  }

  /** Looks again soon: after a change of `admission`, `driven` or `ticking`. */
  wake(): void {
    void this.submit({ type: 'wake' }).catch(() => {})
  }

  /** Ends after what is in the inbox now. Letters that come later are refused. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wakeNow?.()
    await this.#ended
  }

  /**
   * For a stop that will not wait: if the disk is full, the batch that cannot be written is not tried again and the loop
   * ends with that error. Nobody was told of that batch; the next start decides anew.
   */
  giveUpOnFullDisk(): void {
    this.#givesUp = true
    this.#retryNow?.()
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const letters = inOrder(this.#inbox.take(BATCH_LETTERS_MAX))
        const due = this.#isDue()
        const jumpMs = this.#clockWatch.jumpMs()
        if (letters.length === 0 && !due && jumpMs === 0) {
          if (this.#stopping) break
          await this.#rest()
          this.turns += 1
          continue
        }
        await this.#turn(letters, due, jumpMs)
        this.turns += 1
        if (hasStopped(letters)) break
      }
      this.#inbox.close(new DagbokError('SCHEDULER_STOPPED', 'the scheduler has stopped'))
    } catch (error) {
      this.#inbox.close(error)
      this.#options.fatal(error)
    }
  }

  async #turn(letters: readonly Letter[], due: boolean, jumpMs: number): Promise<void> {
    const { state, clock, journal } = this.#ports
    const batch: Commit[] = []
    const answered: Letter[] = []
    const answers: (readonly Event[])[] = []
    // One for all of them (L3).
    let context = this.#context()
    const take = (command: Command): readonly Event[] => {
      const commits = decide(state, command, context)
      for (const commit of commits) batch.push(commit)
      return commits.length === 1 ? commits[0]! : commits.flat()
    }
    if (jumpMs !== 0) take(clockJumped(jumpMs, clock.monotonicMs()))
    if (due) take({ type: this.ticking ? 'tick' : 'wake' })
    try {
      for (const letter of letters) {
        if (letter.command.type === 'use_definitions') {
          await this.#useDefinitions(letter.command, batch)
          context = this.#context()
          answered.push(letter)
          answers.push([])
          continue
        }
        try {
          answers.push(take(letter.command))
          answered.push(letter)
        } catch (error) {
          if (!(error instanceof DagbokError)) throw error
          letter.reject(error)
        }
      }
      await this.#commit(batch)
    } catch (error) {
      for (const letter of letters) letter.reject(error)
      throw error
    }
    for (let n = 0; n < answered.length; n++) answered[n]!.resolve(answers[n]!)
    this.#options.turned()
    this.#answerReaders()
    if (journal.wantsRoll && !hasStopped(letters)) await this.#roll()
  }

  /** A large set is written while it is decided, or its events would all be in memory at once. */
  async #useDefinitions(command: Command & { type: 'use_definitions' }, batch: Commit[]): Promise<void> {
    this.definitions = command.definitions
    for (const commits of useDefinitions(this.#ports.state, command, this.#context())) {
      batch.push(...commits)
      if (batch.length >= COMMITS_PER_SLICE) await this.#commit(batch.splice(0))
    }
  }

  /** Makes commits durable, then lets the followers have them. */
  async #commit(commits: readonly Commit[]): Promise<void> {
    if (commits.length === 0) return
    await this.#append(commits)
    this.#isUntidy = true
    const events = commits.flat()
    this.#specimens.keep(events, this.#ports.state)
    this.#options.committed(events)
    this.#isWriting = false
  }

  #context(): DecisionContext {
    const { agenda, clock, random } = this.#ports
    return {
      now: clock.now(),
      definitions: this.definitions,
      agenda,
      limits: this.#options.limits,
      admission: this.admission,
      driven: this.driven,
      random: () => random.next(),
    }
  }

  /** Durable when it resolves. On a full disk it goes on trying: the state has the events, so they must be written. */
  async #append(commits: readonly Commit[]): Promise<void> {
    this.#isWriting = true
    await this.#whileDiskFull(() => this.#ports.journal.append(commits))
    this.#ports.state.seq = this.#ports.journal.lastSeq
    if (this.diskFullSince === undefined) return
    const since = this.diskFullSince
    const refused = this.refused
    this.diskFullSince = undefined
    this.refused = 0
    void this.submit({ type: 'note_disk_full', since, refused }).catch(() => {})
  }

  async #whileDiskFull(write: () => Promise<void>): Promise<void> {
    for (let waitMs = DISK_FULL_WAIT_MS.first; ; waitMs = Math.min(waitMs * 2, DISK_FULL_WAIT_MS.max)) {
      try {
        return await write()
      } catch (error) {
        if (!this.#options.isDiskFull(error) || this.#givesUp) throw error
        this.diskFullSince ??= this.#ports.clock.now()
        this.#answerReaders()
        this.turns += 1
        await new Promise<void>(resolve => {
          const callOff = this.#ports.clock.after(waitMs, resolve)
          this.#retryNow = () => {
            callOff()
            resolve()
          }
        })
      }
    }
  }

  /** A new segment opens with the whole state. If the disk is full the old one simply goes on. */
  async #roll(): Promise<void> {
    const { state, clock, journal } = this.#ports
    const checkpoint = checkpointEvents(state, formatInstant(clock.now()))
    try {
      await journal.roll(checkpoint)
    } catch (error) {
      if (!this.#options.isDiskFull(error)) throw error
      return
    }
    for (const event of checkpoint) evolve(state, event)
    state.seq = journal.lastSeq
    this.#options.committed(checkpoint)
  }

  #isDue(): boolean {
    const at = this.nextWakeAt
    return at !== undefined && at <= this.#ports.clock.now()
  }

  #rest(): Promise<void> {
    const { clock } = this.#ports
    const { tickMs } = this.#options
    const at = this.nextWakeAt
    return new Promise(resolve => {
      const wake = () => {
        callOff()
        callOffChores()
        this.#inbox.whenArrived(undefined)
        this.#wakeNow = undefined
        resolve()
      }
      const isNear = at !== undefined && at - clock.now() <= tickMs
      const callOff = isNear ? clock.at(at, wake) : clock.after(tickMs, wake)
      const callOffChores = useRest(clock, at, this.#chores(at))
      this.#inbox.whenArrived(wake)
      this.#wakeNow = wake
    })
  }

  #chores(at: Instant | undefined): Chores {
    const { agenda, state } = this.#ports
    const { tidy } = this.#options
    const tidyOnce = () => {
      this.#isUntidy = false
      tidy?.()
    }
    const isSlot = this.ticking && at !== undefined && at === agenda.nextAt
    return {
      tidy: tidy !== undefined && this.#isUntidy ? tidyOnce : undefined,
      readAhead: isSlot ? () => readAhead(state, agenda, at) : undefined,
    }
  }
}

function hasStopped(letters: readonly Letter[]): boolean {
  return letters.some(({ command }) => command.type === 'stopped')
}

/** What came in the same breath as the last word goes before it. */
function inOrder(letters: Letter[]): Letter[] {
  if (!hasStopped(letters)) return letters
  const isLast = ({ command }: Letter) => Number(command.type === 'stopped')
  return letters.sort((a, b) => isLast(a) - isLast(b))
}

function clockJumped(wallMs: number, monotonicMs: number): Command {
  const direction = wallMs > 0 ? 'forward' : 'backward'
  return { type: 'note_clock_jump', direction, wallMs, monotonicMs: Math.round(monotonicMs) }
}
