// The daemon: one scheduler from its boot to its stop, over ports. Everything it does goes through the loop.
//
//   B1. The order of a start: boot is journaled, definitions are taken into force, followers catch up behind, and only
//       then may anything start or be adopted.
//   B2. The order of a stop: no more slots, no more runs, attempts end; `scheduler_stopped` is the last line.
//   B3. A broken reload changes nothing: the last good definitions stay in force, and the journal says why.

import { type Control, type RunSummary, type StatusAnswer, summarise } from '../api/control.ts'
import type { OnceReport, RunRequest, Session, StopOptions } from '../api/session.ts'
import { DagbokError } from '../core/error.ts'
import { isDriven } from '../core/planner/admit.ts'
import { type Event, isUserEvent, type SchedulerMode } from '../core/state-machine/event.ts'
import type { State } from '../core/state-machine/state.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import type { PunctualClock } from '../ports/clock.ts'
import type { ConditionProbe } from '../ports/condition-probe.ts'
import type { DefinitionSource, Definitions } from '../ports/definition-source.ts'
import type { Journal } from '../ports/journal.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { Worker, WorkerReports } from '../ports/worker.ts'
import { type ArrivalSources, Arrivals } from './arrivals.ts'
import { Asker } from './asker.ts'
import { ControlDesk } from './control-desk.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Follower } from './follower.ts'
import { Followers } from './followers.ts'
import { Loop, type LoopOptions, type LoopPorts } from './loop.ts'
import { OutboxSender } from './outbox-sender.ts'
import { Rehearsal } from './rehearsal.ts'
import { Reloader } from './reloader.ts'
import { describeStatus } from './status.ts'

export interface DaemonParts extends LoopPorts {
  readonly source: DefinitionSource
  readonly blobs: BlobStore
  /** Makes the worker, which reports to what it is given. */
  createWorker(reports: WorkerReports): Worker
  readonly followers: readonly Follower[]
  readonly probe: ConditionProbe
  /** Where files and records arrive. Undefined: nowhere. */
  readonly sources?: ArrivalSources
  readonly notifier: Notifier
  /** For a rehearsal of what serves. Undefined: there is none. */
  readonly rehearsalJournal?: Journal
  /** Durable events after `seq`, to the end as it is. */
  readEvents(afterSeq: number): AsyncIterable<Event>
  /** Lets go of what compose opened: socket, journal, lock. Called once, last. */
  release(): Promise<void>
}

export interface DaemonOptions extends Omit<LoopOptions, 'committed' | 'turned'> {
  readonly mode: SchedulerMode
  readonly pid: number
  readonly host: string
  readonly version: string
  readonly statePath: string
  readonly drainTimeoutMs: number
  /** Between asking an attempt to end and killing it. */
  readonly killGraceMs: number
  /** Tells people what the journal does not: a follower that fails, a reload that was refused. */
  note(level: 'info' | 'warn' | 'error', message: string): void
}

/** How long the end of the process waits for what is to be told: after `--once`, and in a stop. */
const SEND_OUT_MS = { once: 8_000, stop: 1_500 }

export class Daemon implements Session {
  readonly #parts: DaemonParts
  readonly #options: DaemonOptions
  readonly #loop: Loop
  readonly #dispatcher: Dispatcher
  readonly #asker: Asker
  readonly #arrivals: Arrivals | undefined
  readonly #sender: OutboxSender
  readonly #worker: Worker
  readonly #state: State
  readonly #clock: PunctualClock
  readonly #journal: Journal
  readonly #followers: Followers
  readonly #reloader: Reloader
  readonly #desk: ControlDesk
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #waiting = new Set<() => void>()
  readonly #startedAt: number
  #rehearsal: Rehearsal | undefined
  #unwatch: (() => Promise<void>) | undefined
  #stop: { now: boolean; done: Promise<{ drained: boolean }> } | undefined
  #stopped = Promise.withResolvers<void>()

  constructor(parts: DaemonParts, options: DaemonOptions, definitions: Definitions) {
    this.#parts = parts
    this.#options = options
    this.#state = parts.state
    this.#clock = parts.clock
    this.#journal = parts.journal
    this.#startedAt = parts.clock.now()
    this.#followers = new Followers(parts.followers, parts.journal.lastSeq, {
      clock: parts.clock,
      read: afterSeq => parts.readEvents(afterSeq),
      failed: (name, error) => options.note('warn', `${name} lags behind the journal: ${messageOf(error)}`),
    })
    this.#loop = new Loop(
      parts,
      {
        ...options,
        committed: events => this.#committed(events),
        turned: () => this.#turned(),
      },
      definitions,
    )
    this.#dispatcher = new Dispatcher({
      ...parts,
      definitions: () => this.#loop.definitions,
      killGraceMs: options.killGraceMs,
      isDiskFull: options.isDiskFull,
      submit: command => this.#loop.submit(command),
    })
    this.#asker = new Asker({
      state: parts.state,
      probe: parts.probe,
      definitions: () => this.#loop.definitions,
      submit: command => this.#loop.submit(command),
    })
    this.#arrivals =
      parts.sources &&
      new Arrivals({
        ...parts,
        sources: parts.sources,
        definitions: () => this.#loop.definitions,
        submit: command => this.#loop.submit(command),
        note: options.note,
      })
    this.#sender = new OutboxSender({
      state: parts.state,
      clock: parts.clock,
      notifier: parts.notifier,
      journalId: parts.journal.journalId,
      definitions: () => this.#loop.definitions,
      submit: command => this.#loop.submit(command),
      wake: () => this.#loop.wake(),
    })
    this.#worker = parts.createWorker(this.#dispatcher)
    this.#reloader = new Reloader({ loop: this.#loop, source: parts.source, note: options.note })
    this.#desk = new ControlDesk({
      ...parts,
      loop: this.#loop,
      followers: this.#followers,
      reloader: this.#reloader,
      describe: () => this.#describe(),
      stopped: this.#stopped.promise,
    })
    if (options.mode === 'run' || options.mode === 'command') this.#loop.driven = 'none'
  }

  get control(): Control {
    return this.#desk
  }

  heartbeat(): number {
    return this.#loop.turns
  }

  /** Journals the boot and, in the modes that plan, the definitions. First call. */
  async open(): Promise<void> {
    const { mode, pid, host, version } = this.#options
    this.#dispatcher.open(this.#worker)
    this.#loop.start()
    await this.#loop.submit({ type: 'boot', mode, pid, host, version })
    if (mode === 'serve' || mode === 'once') {
      await this.#loop.submit({
        type: 'use_definitions',
        definitions: this.#loop.definitions,
        cause: 'start',
      })
    }
    this.#followers.start()
    this.#turned()
  }

  // --- Session -------------------------------------------------------------------------------------------------------

  async once(): Promise<OnceReport> {
    const report: OnceReport = { enqueued: 0, skipped: 0, missed: 0, runs: [], unfinished: [] }
    const unlisten = this.onEvent(event => {
      if (isUserEvent(event)) return
      if (event.event === 'run_finished') report.runs.push(summarise(event))
      else if (event.event === 'schedule_enqueued') report.enqueued += 1
      else if (event.event === 'schedule_skipped') report.skipped += 1
      else if (event.event === 'schedule_missed') report.missed += event.count
    })
    this.#loop.admission = 'open'
    const begin = this.#clock.now()
    do {
      await this.#loop.submit({ type: 'tick' })
      // What becomes due meanwhile is the next call's; and if the clock is set back, nothing is due any more.
    } while ((this.#parts.agenda.nextAt ?? Number.POSITIVE_INFINITY) <= Math.min(begin, this.#clock.now()))
    await this.#arrivals?.lookOnce()
    // The last run may have ended in a batch that is being written: then the report has not been told of it yet.
    const isDone = () => this.#loop.isDurable && this.#state.runs.size === 0 && this.#state.asking.size === 0
    await this.#until(() => isDone() || this.#stop !== undefined)
    if (this.#stop !== undefined) await this.#stop.done
    else await this.#sendOut(SEND_OUT_MS.once)
    unlisten()
    report.unfinished.push(...this.#state.runs.keys())
    return report
  }

  async serve(): Promise<void> {
    this.#unwatch = await this.#parts.source.watch(() => void this.#reloader.reload().catch(() => {}))
    // A file that changed between the first load and the watch is seen now.
    void this.#reloader.reload().catch(() => {})
    this.#loop.admission = 'open'
    this.#loop.ticking = true
    this.#loop.wake()
    this.#rehearse()
    await this.#stopped.promise
  }

  #rehearse(): void {
    const { agenda, clock, rehearsalJournal: journal } = this.#parts
    if (journal === undefined) return
    const { limits, note } = this.#options
    this.#rehearsal = new Rehearsal({ agenda, clock, definitions: this.#loop.definitions, limits, journal })
    this.#rehearsal.run().catch(error => note('warn', `the rehearsal broke off: ${messageOf(error)}`))
  }

  async run(request: RunRequest): Promise<RunSummary> {
    const command = await this.#desk.plan({ ...request, cause: 'cli' })
    this.#loop.driven = { runId: command.runId }
    this.#loop.admission = 'open'
    const ended = Promise.withResolvers<RunSummary>()
    // If the run is refused nobody waits for its end, and a stop must not find its rejection unheard.
    ended.promise.catch(() => {})
    const unlisten = this.onEvent(event => {
      if (!isUserEvent(event) && event.event === 'run_finished' && event.run_id === command.runId) {
        ended.resolve(summarise(event))
      }
    })
    void this.#stopped.promise.then(() =>
      ended.reject(
        new DagbokError(
          'RUN_LEFT',
          `run "${command.runId}" was left unfinished; the next start goes on with it`,
          {
            hint: 'scheduler --once, or scheduler --serve',
          },
        ),
      ),
    )
    try {
      await this.#loop.submit(command)
      return await ended.promise
    } finally {
      unlisten()
    }
  }

  onEvent(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop({ now, reason }: StopOptions): Promise<{ drained: boolean }> {
    if (this.#stop === undefined) {
      this.#stop = { now, done: Promise.resolve({ drained: true }) }
      this.#stop.done = this.#shutDown(reason)
    } else if (now) this.#hurry()
    this.#look()
    return this.#stop.done
  }

  async #shutDown(reason: string): Promise<{ drained: boolean }> {
    this.#loop.ticking = false
    this.#rehearsal?.close()
    this.#asker.close()
    await this.#arrivals?.close()
    if (this.#loop.admission === 'open' && this.#options.mode !== 'run') this.#loop.admission = 'drain'
    await this.#unwatch?.()
    const calledOff = this.#clock.after(this.#options.drainTimeoutMs, () => this.#hurry())
    if (this.#stop!.now) this.#hurry()
    await this.#loop.submit({ type: 'stop', reason }).catch(() => {})
    await this.#until(() => this.#stop!.now || !this.#isBusy())
    calledOff()
    if (!this.#stop!.now && this.#plans()) await this.#sendOut(SEND_OUT_MS.stop)
    this.#loop.admission = 'closed'
    const drained = !this.#isBusy()
    this.#dispatcher.close()
    await this.#worker.close()
    await this.#sender.close()
    await this.#loop.submit({ type: 'stopped' }).catch(() => {})
    await this.#loop.stop()
    await this.#followers.close()
    await this.#parts.release()
    this.#stopped.resolve()
    return { drained }
  }

  #hurry(): void {
    this.#stop!.now = true
    this.#loop.giveUpOnFullDisk()
    this.#look()
  }

  /** Something of what this process drives runs or may start at once. A run that only waits for a retry can wait. */
  #isBusy(): boolean {
    const { driven } = this.#loop
    const ours = (key: { runId: string }) => isDriven(driven, key.runId)
    return [this.#state.live, this.#state.ready, this.#state.due].some(line => line.values().some(ours))
  }

  // --- inside --------------------------------------------------------------------------------------------------------

  #describe(): StatusAnswer {
    const { mode, pid, host, version, statePath } = this.#options
    return describeStatus({
      facts: { mode, pid, host, version, startedAt: this.#startedAt },
      loop: this.#loop,
      now: this.#clock.now(),
      stopping: this.#stop !== undefined,
      state: this.#state,
      agenda: this.#parts.agenda,
      journal: { path: statePath, bytes: this.#journal.activeBytes, journal_id: this.#journal.journalId },
      definitionErrors: this.#reloader.errors,
      limits: this.#options.limits,
      lagOf: name => this.#followers.lagOf(name),
    })
  }

  #committed(events: readonly Event[]): void {
    this.#followers.push(events)
    for (const event of events) {
      this.#arrivals?.heard(event)
      for (const listener of this.#listeners) listener(event)
    }
  }

  #turned(): void {
    this.#dispatcher.sync(this.#loop.driven)
    if (this.#loop.driven === 'all' && this.#loop.admission === 'open') this.#asker.sync()
    if (this.#loop.ticking) this.#arrivals?.sync()
    if (this.#plans() && this.#loop.admission !== 'closed') this.#sender.sync()
    this.#look()
  }

  /** This process plans slots; it alone tells of what happens. */
  #plans(): boolean {
    return this.#options.mode === 'serve' || this.#options.mode === 'once'
  }

  /** One try for each channel that has something to be told and is not known to fail; the rest stays in the outbox. */
  async #sendOut(forMs: number): Promise<void> {
    let isOver = false
    const callOff = this.#clock.after(forMs, () => {
      isOver = true
      this.#look()
    })
    this.#sender.hurry()
    await this.#until(() => isOver || this.#stop?.now === true || !this.#sender.isBusy())
    callOff()
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves as soon as `reached` holds after a turn of the loop. */
  #until(reached: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!reached()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
