// The daemon: one scheduler from its boot to its stop, over ports. Everything it does goes through the loop.
//
//   B1. The order of a start: boot is journaled, definitions are taken into force, followers catch up behind, and only
//       then may anything start or be adopted.
//   B2. The order of a stop: no more slots, no more runs, attempts end; `scheduler_stopped` is the last line.
//   B3. A broken reload changes nothing: the last good definitions stay in force, and the journal says why.

import type {
  CancelRequest,
  Control,
  EventFilter,
  RecordRequest,
  RunSummary,
  StatusAnswer,
  TriggerRequest,
} from '../api/control.ts'
import type { OnceReport, RunRequest, Session, StopOptions } from '../api/session.ts'
import type { Dag } from '../core/dag/dag.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { clip, jsonBytes } from '../core/json.ts'
import { isDriven } from '../core/planner/admit.ts'
import { manualRunId, ulid } from '../core/run/run-id.ts'
import type { Command } from '../core/state-machine/command.ts'
import { type Event, isUserEvent, type RunFinished, type SchedulerMode } from '../core/state-machine/event.ts'
import type { State } from '../core/state-machine/state.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { DefinitionProblem, DefinitionSource, Definitions } from '../ports/definition-source.ts'
import type { Journal } from '../ports/journal.ts'
import type { Worker, WorkerReports } from '../ports/worker.ts'
import { Dispatcher } from './dispatcher.ts'
import { type Follower, FollowerRunner } from './follower.ts'
import { Loop, type LoopOptions, type LoopPorts } from './loop.ts'
import { describeStatus } from './status.ts'

/** Params of a run by hand, as JSON. */
const PARAMS_BYTES_MAX = 32 * 1024

/** Fields of a line that a user records, as JSON. */
const RECORD_BYTES_MAX = 32 * 1024

/** A cancel's reason, a problem of a definition: characters that the journal keeps. */
const TEXT_MAX = 1_000

export interface DaemonParts extends LoopPorts {
  readonly source: DefinitionSource
  readonly blobs: BlobStore
  /** Makes the worker, which reports to what it is given. */
  createWorker(reports: WorkerReports): Worker
  readonly followers: readonly Follower[]
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

export class Daemon implements Session, Control {
  readonly #parts: DaemonParts
  readonly #options: DaemonOptions
  readonly #loop: Loop
  readonly #dispatcher: Dispatcher
  readonly #worker: Worker
  readonly #state: State
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #followers: FollowerRunner[]
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #waiting = new Set<() => void>()
  readonly #startedAt: number
  #reloadErrors: string[] = []
  #reloading: Promise<unknown> = Promise.resolve()
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
    const head = parts.journal.lastSeq
    this.#followers = parts.followers.map(
      follower =>
        new FollowerRunner(follower, head, {
          clock: parts.clock,
          read: afterSeq => parts.readEvents(afterSeq),
          failed: (name, error) =>
            options.note('warn', `${name} lags behind the journal: ${messageOf(error)}`),
        }),
    )
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
      killGraceMs: options.killGraceMs,
      isDiskFull: options.isDiskFull,
      submit: command => this.#loop.submit(command),
    })
    this.#worker = parts.createWorker(this.#dispatcher)
    if (options.mode === 'run' || options.mode === 'command') this.#loop.driven = 'none'
  }

  get control(): Control {
    return this
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
    for (const follower of this.#followers) follower.kick()
    this.#turned()
  }

  // --- Session -------------------------------------------------------------------------------------------------------

  async once(): Promise<OnceReport> {
    const report: OnceReport = { enqueued: 0, skipped: 0, missed: 0, runs: [], unfinished: [] }
    const unlisten = this.onEvent(event => {
      if (!isUserEvent(event) && event.event === 'run_finished') report.runs.push(summarise(event))
    })
    this.#loop.admission = 'open'
    const now = this.#clock.now()
    do {
      for (const event of await this.#loop.submit({ type: 'tick' })) {
        if (event.event === 'schedule_enqueued') report.enqueued += 1
        else if (event.event === 'schedule_skipped') report.skipped += 1
        else if (event.event === 'schedule_missed')
          report.missed += Number((event as { count?: number }).count)
      }
    } while ((this.#parts.agenda.nextAt ?? Number.POSITIVE_INFINITY) <= now)
    await this.#until(() => this.#state.runs.size === 0 || this.#stop !== undefined)
    if (this.#stop !== undefined) await this.#stop.done
    unlisten()
    report.unfinished.push(...this.#state.runs.keys())
    return report
  }

  async serve(): Promise<void> {
    this.#unwatch = await this.#parts.source.watch(() => void this.reload().catch(() => {}))
    // A file that changed between the first load and the watch is seen now.
    void this.reload().catch(() => {})
    this.#loop.admission = 'open'
    this.#loop.ticking = true
    this.#loop.wake()
    await this.#stopped.promise
  }

  async run(request: RunRequest): Promise<RunSummary> {
    const command = await this.#plan({ ...request, cause: 'cli' })
    this.#loop.driven = { runId: command.runId }
    this.#loop.admission = 'open'
    const ended = Promise.withResolvers<RunSummary>()
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
    } else if (now) this.#stop.now = true
    this.#look()
    return this.#stop.done
  }

  async #shutDown(reason: string): Promise<{ drained: boolean }> {
    this.#loop.ticking = false
    if (this.#loop.admission === 'open' && this.#options.mode !== 'run') this.#loop.admission = 'drain'
    await this.#unwatch?.()
    await this.#loop.submit({ type: 'stop', reason }).catch(() => {})
    const calledOff = this.#clock.after(this.#options.drainTimeoutMs, () => {
      this.#stop!.now = true
      this.#look()
    })
    await this.#until(() => this.#stop!.now || !this.#isBusy())
    calledOff()
    this.#loop.admission = 'closed'
    const drained = !this.#isBusy()
    this.#dispatcher.close()
    await this.#worker.close()
    await this.#loop.submit({ type: 'stopped' }).catch(() => {})
    await this.#loop.stop()
    for (const follower of this.#followers) await follower.close()
    await this.#parts.release()
    this.#stopped.resolve()
    return { drained }
  }

  /** Something of what this process drives runs or may start at once. A run that only waits for a retry can wait. */
  #isBusy(): boolean {
    const { driven } = this.#loop
    const ours = (key: { runId: string }) => isDriven(driven, key.runId)
    return [this.#state.live, this.#state.ready, this.#state.due].some(line => line.values().some(ours))
  }

  // --- Control -------------------------------------------------------------------------------------------------------

  async trigger(request: TriggerRequest) {
    const command = await this.#plan(request)
    const events = await this.#loop.ask(command)
    return { run_id: command.runId, dag_name: command.dag.name, seq: events.at(-1)!.seq }
  }

  async cancel({ run_id, reason }: CancelRequest) {
    const events = await this.#loop.ask({ type: 'cancel', runId: run_id, reason: clip(reason, TEXT_MAX) })
    const finished = !this.#state.runs.has(run_id)
    return {
      run_id,
      state: finished ? ('finished' as const) : ('requested' as const),
      seq: events.at(-1)?.seq ?? this.#journal.lastSeq,
    }
  }

  async record({ fields }: RecordRequest) {
    if (typeof fields?.event !== 'string' || fields.event === '') {
      throw new DagbokError('RECORD_INVALID', 'a recorded line needs "event", a text that is not empty', {
        hint: 'recordEvent({ event: "deployed", version: "1.2.3" })',
        exitCode: EXIT.usage,
      })
    }
    const bytes = jsonBytes(fields)
    if (bytes > RECORD_BYTES_MAX) {
      throw new DagbokError(
        'RECORD_INVALID',
        `the line is ${bytes} bytes as JSON; at most ${RECORD_BYTES_MAX}`,
        {
          hint: 'record the path of a file instead',
          exitCode: EXIT.usage,
        },
      )
    }
    const events = await this.#loop.ask({ type: 'record', fields })
    return { seq: events.at(-1)!.seq }
  }

  async status(): Promise<StatusAnswer> {
    const { mode, pid, host, version, statePath } = this.#options
    return describeStatus({
      facts: { mode, pid, host, version, startedAt: this.#startedAt },
      loop: this.#loop,
      stopping: this.#stop !== undefined,
      state: this.#state,
      agenda: this.#parts.agenda,
      journal: { path: statePath, bytes: this.#journal.activeBytes, journal_id: this.#journal.journalId },
      definitionErrors: this.#reloadErrors,
      lagOf: name => this.#followers.find(follower => follower.name === name)?.lag ?? 0,
    })
  }

  /** Reloads never overlap: the last one asked for sees the last state of the files. */
  reload(): ReturnType<Control['reload']> {
    const reloaded = this.#reloading.then(() => this.#reload())
    this.#reloading = reloaded.catch(() => {})
    return reloaded
  }

  async #reload() {
    const result = await this.#parts.source.load()
    if (result.ok) {
      const { definitions } = result
      if (!sameDefinitions(definitions, this.#loop.definitions)) {
        await this.#loop.submit({ type: 'use_definitions', definitions, cause: 'reload' })
        this.#options.note(
          'info',
          `definitions reloaded: ${definitions.schedules.size} schedules, ${definitions.dags.size} DAGs`,
        )
      }
      this.#reloadErrors = []
    } else {
      const errors = result.problems.filter(({ severity }) => severity === 'error').map(describeProblem)
      if (errors.join('\n') !== this.#reloadErrors.join('\n')) {
        await this.#loop.submit({
          type: 'reject_definitions',
          errors: errors.slice(0, 20).map(line => clip(line, TEXT_MAX)),
          cause: 'reload',
        })
        const frames = result.problems.map(({ frame }) => frame).join('\n')
        this.#options.note(
          'error',
          `the changed definitions are refused, the last good ones stay in force\n${frames}`,
        )
      }
      this.#reloadErrors = errors
    }
    const { schedules, dags } = this.#loop.definitions
    return { ok: result.ok, schedules: schedules.size, dags: dags.size, errors: this.#reloadErrors }
  }

  subscribe(
    filter: EventFilter,
    onEvent: (event: Event) => void,
    onEnd: (error?: Error) => void,
  ): () => void {
    const wanted = (event: Event) =>
      (filter.run_id === undefined || (event as { run_id?: unknown }).run_id === filter.run_id) &&
      (filter.event === undefined || event.event === filter.event)
    let taken = filter.after_seq ?? this.#journal.lastSeq
    const runner = new FollowerRunner(
      {
        name: 'subscriber',
        open: () => taken,
        apply: events => {
          for (const event of events) {
            taken = event.seq
            if (wanted(event)) onEvent(event)
          }
        },
        close: () => {},
      },
      this.#journal.lastSeq,
      {
        clock: this.#clock,
        read: afterSeq => this.#parts.readEvents(afterSeq),
        failed: (_, error) => onEnd(error instanceof Error ? error : new Error(messageOf(error))),
      },
    )
    this.#followers.push(runner)
    runner.kick()
    void this.#stopped.promise.then(() => onEnd())
    return () => {
      const index = this.#followers.indexOf(runner)
      if (index >= 0) this.#followers.splice(index, 1)
    }
  }

  // --- inside --------------------------------------------------------------------------------------------------------

  /** Finds the DAG and names the run. */
  async #plan({ dag: name, file, params, cause }: TriggerRequest): Promise<Command & { type: 'trigger' }> {
    const bytes = params === undefined ? 0 : jsonBytes(params)
    if (bytes > PARAMS_BYTES_MAX) {
      throw new DagbokError(
        'PARAMS_TOO_LARGE',
        `params are ${bytes} bytes as JSON; at most ${PARAMS_BYTES_MAX}`,
        {
          hint: 'pass the path of a file instead',
          exitCode: EXIT.usage,
        },
      )
    }
    const dag = file === undefined ? this.#dagByName(name ?? '') : await this.#dagFromFile(file)
    const runId = manualRunId(
      dag.name,
      ulid(this.#clock.now(), () => this.#parts.random.next()),
    )
    return { type: 'trigger', runId, dag, cause, ...(params === undefined ? {} : { params }) }
  }

  #dagByName(name: string): Dag {
    const { dags } = this.#loop.definitions
    const dag = dags.get(name)
    if (dag !== undefined) return dag
    const known = [...dags.keys()].slice(0, 10).join(', ') || 'none'
    throw new DagbokError('DAG_NOT_FOUND', `no DAG is called "${name}" (there are: ${known})`, {
      hint: 'scheduler validate',
      exitCode: EXIT.notFound,
    })
  }

  async #dagFromFile(file: string): Promise<Dag> {
    const result = await this.#parts.source.loadDag(file)
    if (result.ok) return result.dag
    throw new DagbokError('DEFINITIONS_INVALID', result.problems.map(({ frame }) => frame).join('\n'), {
      exitCode: EXIT.configInvalid,
    })
  }

  #committed(events: readonly Event[]): void {
    for (const follower of this.#followers) follower.push(events)
    for (const event of events) for (const listener of this.#listeners) listener(event)
  }

  #turned(): void {
    this.#dispatcher.sync(this.#loop.driven)
    this.#look()
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

function summarise(event: RunFinished): RunSummary {
  const { run_id, dag_name, status, tasks_succeeded, tasks_failed, tasks_skipped, duration_ms, error } = event
  return { run_id, dag_name, status, tasks_succeeded, tasks_failed, tasks_skipped, duration_ms, error }
}

/** A save that changed nothing is no reload. */
function sameDefinitions(a: Definitions, b: Definitions): boolean {
  if (a.schedules.size !== b.schedules.size || a.dags.size !== b.dags.size) return false
  for (const [name, dag] of a.dags) if (b.dags.get(name)?.hash !== dag.hash) return false
  for (const [id, { slots: _, ...schedule }] of a.schedules) {
    const other = b.schedules.get(id)
    if (other === undefined) return false
    const { slots: __, ...before } = other
    if (JSON.stringify(schedule) !== JSON.stringify(before)) return false
  }
  return true
}

function describeProblem({ file, line, column, severity, message }: DefinitionProblem): string {
  return `${file}:${line}:${column} ${severity}: ${message}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
