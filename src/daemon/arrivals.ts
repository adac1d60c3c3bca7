// Arrivals: makes runs of `triggered` DAGs when new files are in their input stage, or new records in their stream.
//
//   V1. It looks at what is there, not at what is said to have changed: a change that nobody told of, or that came while
//       nothing ran, is found at the next look. Watching only makes looks come sooner.
//   V2. One unfinished run per DAG: what comes meanwhile is found when that run has ended. So a burst of files is one run.
//   V3. After a run that did not succeed the same files are still there: it is waited, longer each time.
//   V4. While everything is paused nothing is triggered.

import type { Dag } from '../core/dag/dag.ts'
import type { Manifest } from '../core/dag/manifest.ts'
import { pauseAt } from '../core/planner/hold.ts'
import { arrivalRunId, ulid } from '../core/run/run-id.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import { type InputStage, type Stage, stageKey } from '../core/stage/stage.ts'
import { consumedKeys, isCandidate } from '../core/stage/stage-files.ts'
import type { Command } from '../core/state-machine/command.ts'
import { type Event, isUserEvent } from '../core/state-machine/event.ts'
import type { State } from '../core/state-machine/state.ts'
import { type Stream, streamKey } from '../core/stream/stream.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { Watch, WatchedPaths } from '../ports/path-watch.ts'
import type { Random } from '../ports/random.ts'
import type { StageReader } from '../ports/stage-reader.ts'
import type { StreamReader } from '../ports/stream-reader.ts'

/** Between two looks where nothing is said to have changed: buckets and tables say nothing, and watches may fail. */
const LOOK_EVERY_MS = 30_000
/** After a run that did not succeed; doubled each time. */
const AGAIN_AFTER_MS = { first: 1_000, max: 300_000 }

/** Where files and records arrive. */
export interface ArrivalSources {
  readonly stages: StageReader
  readonly streams: StreamReader
  /** Makes paths of definitions absolute. */
  readonly resolve: (path: string) => string
  readonly watch: Watch
}

export interface ArrivalsOptions {
  readonly state: State
  readonly clock: Clock
  readonly random: Random
  readonly definitions: () => Definitions
  readonly sources: ArrivalSources
  readonly submit: (command: Command) => Promise<unknown>
  note(level: 'warn', message: string): void
}

type Source = { readonly stage: InputStage } | { readonly stream: Stream }

interface Watched {
  readonly source: Source
  readonly text: string
  /** When the next look is due, and what calls it off. */
  lookAt: Instant
  callOff: () => void
  looking: boolean
  /** Runs that did not succeed, one after the other, and until when that is waited for. */
  failures: number
  notBefore: Instant
  isTroubled: boolean
  paths: WatchedPaths | undefined
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #watched = new Map<string, Watched>()
  readonly #abort = new AbortController()
  #seen: Definitions['dags'] | undefined
  #isOpen = false

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** Begins, or takes changed definitions into account. Costs nothing when they have not changed. */
  sync(): void {
    const { dags } = this.#options.definitions()
    if (this.#abort.signal.aborted || (this.#isOpen && dags === this.#seen)) return
    this.#isOpen = true
    this.#seen = dags
    const wanted = new Map([...dags.values()].flatMap(dag => entryOf(dag)))
    for (const [dagName, watched] of this.#watched)
      if (wanted.get(dagName)?.text !== watched.text) this.#forget(dagName, watched)
    for (const [dagName, entry] of wanted) if (!this.#watched.has(dagName)) this.#begin(dagName, entry)
  }

  /** One look at everything that may have arrived; resolves when what was found has been asked for. */
  async lookOnce(): Promise<void> {
    const entries = [...this.#options.definitions().dags.values()].flatMap(dag => entryOf(dag))
    const looks = entries.map(([dagName, { source }]) =>
      this.#find(dagName, source).catch(error => this.#tell(dagName, error)),
    )
    await Promise.all(looks)
  }

  /** Told of everything that has happened. */
  heard(event: Event): void {
    if (isUserEvent(event)) return
    if (event.event === 'scheduling_thawed')
      for (const dagName of this.#watched.keys()) this.#lookIn(dagName, 0)
    if (event.event !== 'run_finished') return
    const watched = this.#watched.get(event.dag_name)
    if (watched === undefined) return
    watched.failures = event.status === 'success' ? 0 : watched.failures + 1
    const { first, max } = AGAIN_AFTER_MS
    const waitMs = watched.failures === 0 ? 0 : Math.min(first * 2 ** (watched.failures - 1), max)
    watched.notBefore = this.#options.clock.now() + waitMs
    this.#lookIn(event.dag_name, waitMs)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    const closing = [...this.#watched.values()].map(({ paths }) => paths?.close())
    for (const [dagName, watched] of this.#watched) this.#forget(dagName, watched)
    await Promise.all(closing)
  }

  #begin(dagName: string, { source, text }: { source: Source; text: string }): void {
    const watched: Watched = {
      source,
      text,
      lookAt: Number.POSITIVE_INFINITY,
      callOff: () => {},
      looking: false,
      failures: 0,
      notBefore: Number.NEGATIVE_INFINITY,
      isTroubled: false,
      paths: undefined,
    }
    this.#watched.set(dagName, watched)
    this.#lookIn(dagName, 0)
    const path = localPathOf(source)
    if (path === undefined) return
    this.#options.sources
      .watch([this.#options.sources.resolve(path)], () => this.#lookIn(dagName, 0))
      .then(
        paths => {
          if (this.#watched.get(dagName) !== watched) return paths.close()
          watched.paths = paths
          // What came between the first look and now nobody told of.
          this.#lookIn(dagName, 0)
        },
        error => this.#trouble(dagName, watched, error),
      )
  }

  #forget(dagName: string, watched: Watched): void {
    this.#watched.delete(dagName)
    watched.callOff()
    void watched.paths?.close()
  }

  /** The next look is then, or earlier if it was to be; while it waits after a failure, not before that is over. */
  #lookIn(dagName: string, waitMs: number): void {
    const watched = this.#watched.get(dagName)
    if (watched === undefined || this.#abort.signal.aborted) return
    const { clock } = this.#options
    const wanted = Math.min(watched.lookAt, clock.now() + waitMs)
    watched.lookAt = Math.max(wanted, watched.notBefore)
    watched.callOff()
    // While it looks nothing is set: when it has looked, what was asked for meanwhile counts.
    if (watched.looking) return
    watched.callOff = clock.after(Math.max(0, watched.lookAt - clock.now()), () => {
      void this.#look(dagName, watched)
    })
  }

  async #look(dagName: string, watched: Watched): Promise<void> {
    watched.looking = true
    watched.lookAt = Number.POSITIVE_INFINITY
    let waitMs = LOOK_EVERY_MS
    try {
      waitMs = (await this.#find(dagName, watched.source)) ?? LOOK_EVERY_MS
      watched.isTroubled = false
    } catch (error) {
      this.#trouble(dagName, watched, error)
    }
    watched.looking = false
    if (this.#watched.get(dagName) === watched) this.#lookIn(dagName, waitMs)
  }

  /** @returns when to look again, if that is known */
  async #find(dagName: string, source: Source): Promise<number | undefined> {
    const { state, clock } = this.#options
    if (this.#isBusy(dagName) || pauseAt(state.freezes, clock.now()) !== undefined) return undefined
    if ('stream' in source) {
      const { stream } = source
      const from = state.streams.get(streamKey(dagName, stream.name))?.position
      if (await this.#options.sources.streams.hasMore(stream, from, this.#abort.signal))
        await this.#request(dagName)
      return undefined
    }
    const { stage } = source
    const files = () => state.stages.get(stageKey(dagName, stage.name))
    const tracking = {
      isCandidate: (key: string, version: string) => isCandidate(files(), { key, version }),
      consumedKeys: () => consumedKeys(files()),
    }
    const found = await this.#options.sources.stages.list(stage, tracking, this.#abort.signal)
    if (found.files.length > 0) await this.#request(dagName)
    return found.waiting > 0 ? Math.max(stage.stableForMs, 10) : undefined
  }

  async #request(dagName: string): Promise<void> {
    const { clock, random, definitions, submit } = this.#options
    const dag = definitions().dags.get(dagName)
    if (dag === undefined || this.#abort.signal.aborted || this.#isBusy(dagName)) return
    const runId = arrivalRunId(
      dagName,
      ulid(clock.now(), () => random.next()),
    )
    await submit({ type: 'trigger', runId, dag, cause: 'arrival' })
  }

  #isBusy(dagName: string): boolean {
    return this.#options.state.runs.values().some(run => run.dagName === dagName)
  }

  /** Said once, until it can be seen again. */
  #trouble(dagName: string, watched: Watched, error: unknown): void {
    if (watched.isTroubled) return
    watched.isTroubled = true
    this.#tell(dagName, error)
  }

  #tell(dagName: string, error: unknown): void {
    if (this.#abort.signal.aborted) return
    const message = error instanceof Error ? error.message : String(error)
    this.#options.note('warn', `arrivals for ${dagName} cannot be seen, it is tried again: ${message}`)
  }
}

function entryOf({ name, manifest }: Dag): [string, { source: Source; text: string }][] {
  const source = manifest?.triggers?.onArrival === true ? sourceOf(manifest) : undefined
  return source === undefined ? [] : [[name, { source, text: JSON.stringify(source) }]]
}

function sourceOf({ stream, stages }: Manifest): Source | undefined {
  if (stream !== undefined) return { stream }
  const stage = stages.find(isInput)
  return stage && { stage }
}

function isInput(stage: Stage | InputStage): stage is InputStage {
  return stage.name === 'external_input_files' && 'maxFiles' in stage
}

/** What can be watched. */
function localPathOf(source: Source): string | undefined {
  if ('stage' in source) {
    const { location } = source.stage
    return location.kind === 'directory' ? location.path : undefined
  }
  const { source: from } = source.stream
  if (from.kind === 'file') return from.path
  return from.kind === 'sqlite' ? from.database : undefined
}
