// The `poll_and_dispatch` workflow: lists an input stage, says which files are new and takes them for its run. A manifest
// injects it (POLL_AND_DISPATCH); it is ours, so it runs in the scheduler's own process.
//
//   1. Nothing is moved, renamed or deleted: what is taken is recorded with the task's end, and only there.
//   2. What does not fit into an output waits for the next run, and `more` counts it.
//   3. Every wait ends: by the listing, the time limit or a cancellation.

import { DagbokError } from '../core/error.ts'
import { isJsonObject, type JsonObject, jsonBytes } from '../core/json.ts'
import { FILE_ORDERS, type InputStage, type StageFile } from '../core/stage/stage.ts'
import { formatDuration } from '../core/time/duration.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptOutcome, AttemptSpec, Executor, RunningAttempt } from '../ports/executor.ts'
import type { StageListing, StageReader } from '../ports/stage-reader.ts'

/** Without a limit of the task's own. */
const DEFAULT_TIMEOUT_MS = 600_000

const MAX_OUTPUT_BYTES = 1024 * 1024
/** Of an output: its braces, names and counts. */
const FRAME_BYTES = 256

/** Keys that are forgotten at once; the next poll finds the others. */
const GONE_MAX = 10_000

export interface PollOptions {
  readonly clock: Clock
  readonly stages: StageReader
}

/** Polls stages. `params.stage` is an InputStage in its normal form, as the expansion of a manifest writes it. */
export function createPollExecutor(options: PollOptions): Executor {
  const running = new Set<PollAttempt>()
  return {
    start(spec) {
      const stage = readStage(spec.params)
      if (typeof stage === 'string') return settled('invalid_params', stage)
      const attempt = new PollAttempt(spec, stage, options)
      running.add(attempt)
      void attempt.outcome.then(() => running.delete(attempt))
      return attempt
    },
    adopt() {
      const reason = 'the scheduler stopped while the stage was listed'
      return { outcome: Promise.resolve({ kind: 'lost', reason }), cancel: () => {} }
    },
    async close() {
      for (const attempt of running) attempt.abandon()
    },
  }
}

class PollAttempt implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #abort = new AbortController()
  #verdict: AttemptOutcome | undefined

  constructor(spec: AttemptSpec, stage: InputStage, { clock, stages }: PollOptions) {
    const deadlineMs = spec.deadlineAt === undefined ? undefined : spec.deadlineAt - clock.now()
    const limitMs = Math.max(0, spec.timeoutMs ?? deadlineMs ?? DEFAULT_TIMEOUT_MS)
    const stopLimit = clock.after(limitMs, () => {
      const message = `the stage ${stage.name} was not listed within ${formatDuration(limitMs)}`
      this.#stop({ kind: 'failed', error: { kind: 'timeout', message } })
    })
    this.outcome = poll(spec, stage, stages, this.#abort.signal)
      .catch(explain)
      .then(outcome => this.#verdict ?? outcome)
      .finally(stopLimit)
  }

  cancel(reason: string): void {
    this.#stop({ kind: 'cancelled', reason })
  }

  abandon(): void {
    this.#stop({ kind: 'lost', reason: 'the scheduler stopped while the stage was listed' })
  }

  #stop(verdict: AttemptOutcome): void {
    this.#verdict ??= verdict
    this.#abort.abort()
  }
}

async function poll(
  spec: AttemptSpec,
  stage: InputStage,
  stages: StageReader,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  if (spec.tracking === undefined) throw new Error('nobody says which files are known')
  const listing = await stages.list(stage, spec.tracking(stage.name), signal)
  const files = takeWhatFits(listing)
  return {
    kind: 'ok',
    output: {
      new_files: files,
      more: listing.more + listing.files.length - files.length,
      waiting: listing.waiting,
    },
    taken: {
      kind: 'files',
      stage: stage.name,
      files: files.map(({ key, version }) => ({ key, version })),
      gone: listing.gone.slice(0, GONE_MAX),
    },
  }
}

function takeWhatFits({ files }: StageListing): StageFile[] {
  let bytes = FRAME_BYTES
  const fitting = files.findIndex(file => {
    bytes += jsonBytes(file) + 1
    return bytes > MAX_OUTPUT_BYTES
  })
  return fitting === -1 ? files : files.slice(0, fitting)
}

/** A problem in words, or the stage. Params of upstreams (`<task>__<key>`) are let through. */
function readStage({ stage }: JsonObject): InputStage | string {
  if (!isJsonObject(stage))
    return 'params.stage is missing; expected a stage as `scheduler show --expanded` prints it'
  const { name, location, pattern, order, maxFiles, stableForMs } = stage
  const isLocated =
    isJsonObject(location) &&
    (location['kind'] === 'directory'
      ? typeof location['path'] === 'string'
      : location['kind'] === 's3' &&
        typeof location['bucket'] === 'string' &&
        typeof location['prefix'] === 'string')
  const faults = [
    name === 'external_input_files' ? [] : ['name: expected external_input_files'],
    isLocated ? [] : ['location: expected a directory with path, or s3 with bucket and prefix'],
    pattern === undefined || typeof pattern === 'string' ? [] : ['pattern: expected a glob'],
    FILE_ORDERS.some(each => each === order) ? [] : [`order: expected one of ${FILE_ORDERS.join(', ')}`],
    isCount(maxFiles) && maxFiles > 0 ? [] : ['maxFiles: expected a whole number from 1'],
    isCount(stableForMs) ? [] : ['stableForMs: expected a whole number from 0'],
  ].flat()
  if (faults.length > 0) return `params.stage cannot be polled: ${faults.join('; ')}`
  return stage as unknown as InputStage
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function explain(error: unknown): AttemptOutcome {
  const words = error instanceof Error ? error.message : String(error)
  const remedy = error instanceof DagbokError && error.hint !== undefined ? ` (${error.hint})` : ''
  return { kind: 'failed', error: { kind: 'stage_unreadable', message: `${words}${remedy}` } }
}

function settled(kind: string, message: string): RunningAttempt {
  return { outcome: Promise.resolve({ kind: 'failed', error: { kind, message } }), cancel: () => {} }
}
