// The dispatcher: makes what is going on equal to what the state says should be going on.
//
//   T1. An attempt goes to the worker at most once per process; one that an earlier process started is adopted instead.
//   T2. It acts only on durable state: the loop calls it after each append.
//   T3. What it hears from the worker goes into the inbox, nowhere else.

import { slotBefore } from '../core/audit/slot-search.ts'
import { splitClientTaskId } from '../core/client/client.ts'
import { clip, type JsonObject, jsonBytes } from '../core/json.ts'
import { type Driven, isDriven } from '../core/planner/admit.ts'
import { mergePayload } from '../core/run/payload.ts'
import type { RunState } from '../core/run/run.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import { stageKey } from '../core/stage/stage.ts'
import { consumedKeys, isCandidate } from '../core/stage/stage-files.ts'
import type { AttemptResult, Command } from '../core/state-machine/command.ts'
import { saysStop } from '../core/state-machine/fold-tasks.ts'
import { type PendingAttempt, pendingWork } from '../core/state-machine/pending-work.ts'
import {
  definitionOf,
  type RecordedDefinition,
  type State,
  taskKeyText,
} from '../core/state-machine/state.ts'
import { streamKey } from '../core/stream/stream.ts'
import { formatSlot, type Instant, parseInstant } from '../core/time/instant.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptKey, AttemptOutcome, AttemptSpec, ProcessIdentity, RunFacts } from '../ports/executor.ts'
import type { Worker, WorkerReports } from '../ports/worker.ts'

/** Outputs larger than this, as JSON, go to a blob; over the second limit the task fails (DESIGN §5.3). */
export const OUTPUT_INLINE_BYTES_MAX = 32 * 1024
export const OUTPUT_BYTES_MAX = 1024 * 1024

/** Characters of an error message that the journal keeps; the log has the rest. */
const TEXT_MAX = 4_000

/** Waits between tries to store a blob on a full disk. */
const BLOB_RETRY_MS = 500

export interface DispatcherOptions {
  readonly state: State
  readonly definitions: () => Definitions
  readonly clock: Clock
  readonly blobs: BlobStore
  readonly killGraceMs: number
  readonly isDiskFull: (error: unknown) => boolean
  readonly submit: (command: Command) => Promise<unknown>
}

/** Blobs that are kept in memory: a thousand clients have the same upstream. */
const BLOBS_KEPT = 4

interface Handed {
  readonly attempt: number
  cancelled: boolean
}

export class Dispatcher implements WorkerReports {
  readonly #options: DispatcherOptions
  /** Attempts that this process has given to the worker. */
  readonly #handed = new Map<string, Handed>()
  /** Attempts that were running when the journal was opened, by task: their number and when they began. */
  readonly #inherited = new Map<string, { attempt: number; startedAt: Instant }>()
  readonly #blobs = new Map<string, Promise<JsonObject>>()
  #seenVersion = -1
  #worker: Worker | undefined
  #closed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** Before the first `sync`: whatever runs according to the state now was started by an earlier process. */
  open(worker: Worker): void {
    this.#worker = worker
    for (const { run, task, definition } of pendingWork(this.#options.state)) {
      const { attempt, startedAt = this.#options.clock.now() } = task
      this.#inherited.set(taskKeyText(run.runId, definition.id), { attempt, startedAt })
    }
  }

  /** Compares and acts. Costs nothing when nothing has changed. */
  sync(driven: Driven): void {
    const { state } = this.#options
    if (this.#closed || this.#worker === undefined || state.liveVersion === this.#seenVersion) return
    this.#seenVersion = state.liveVersion
    for (const pending of pendingWork(state)) if (isDriven(driven, pending.run.runId)) this.#handle(pending)
    if (this.#handed.size > state.live.size) {
      for (const key of this.#handed.keys()) if (!state.live.has(key)) this.#handed.delete(key)
    }
  }

  /** Nothing is reported any more. */
  close(): void {
    this.#closed = true
  }

  #handle(pending: PendingAttempt): void {
    const { run, task, definition, cancelReason } = pending
    const key = taskKeyText(run.runId, definition.id)
    let handed = this.#handed.get(key)
    if (handed?.attempt !== task.attempt) {
      handed = { attempt: task.attempt, cancelled: false }
      this.#handed.set(key, handed)
      void this.#hand(pending, this.#inherited.get(key)?.attempt === task.attempt)
    }
    if (cancelReason !== undefined && !handed.cancelled) {
      handed.cancelled = true
      this.#worker!.cancel(attemptKey(pending), cancelReason, this.#options.killGraceMs)
    }
  }

  async #hand(pending: PendingAttempt, inherited: boolean): Promise<void> {
    const key = attemptKey(pending)
    const { process } = pending.task
    try {
      const spec = await this.#specify(pending)
      if (this.#closed) return
      if (inherited) this.#worker!.adopt(spec, process)
      else this.#worker!.start(spec)
      // A cancel that came while an upstream's blob was read found nothing to end.
      if (pending.run.cancelReason !== undefined) {
        this.#worker!.cancel(key, pending.run.cancelReason, this.#options.killGraceMs)
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.finished(key, { kind: 'failed', error: { kind: 'payload_unreadable', message } }, 0)
    }
  }

  async #specify({ run, task, definition }: PendingAttempt): Promise<AttemptSpec> {
    const outputs = new Map<string, JsonObject>()
    for (const upstream of definition.dependsOn) {
      const output = await this.#outputOf(run, upstream)
      if (output !== undefined) outputs.set(upstream, output)
    }
    const recorded = definitionOf(this.#options.state, run)
    const manifest = await this.#ofManifest(run, recorded, definition.id)
    const fan = splitClientTaskId(definition.id)
    return {
      runId: run.runId,
      taskId: definition.id,
      attempt: task.attempt,
      dagName: run.dagName,
      tenantId: run.tenantId,
      workflowRef: definition.workflowRef,
      params: { ...mergePayload(definition.params, run.params, outputs), ...manifest.params },
      ...(manifest.runtime === undefined ? {} : { runtime: manifest.runtime }),
      ...(definition.fanOut === undefined ? {} : { fanOut: definition.fanOut }),
      ...(fan === undefined ? {} : clientOf(recorded, fan)),
      ...(definition.id === recorded.source ? this.#sources(run.dagName) : {}),
      ...(definition.id === recorded.root ? { facts: this.#factsOf(run) } : {}),
      env: definition.env ?? {},
      scheduleId: run.scheduleId,
      logicalDate: run.slot ?? new Date(run.enqueuedAt).toISOString(),
      timeoutMs: definition.timeoutMs,
      deadlineAt: task.deadlineAt,
    }
  }

  /** What a task that has succeeded gave. */
  async #outputOf(run: RunState, taskId: string): Promise<JsonObject | undefined> {
    const { output, blob } = run.tasks.get(taskId) ?? {}
    if (output !== undefined || blob === undefined) return output
    let read = this.#blobs.get(blob.sha256)
    if (read === undefined) {
      read = this.#options.blobs
        .get(blob)
        .then(bytes => JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonObject)
      this.#blobs.set(blob.sha256, read)
      read.catch(() => this.#blobs.delete(blob.sha256))
      for (const oldest of this.#blobs.keys()) {
        if (this.#blobs.size <= BLOBS_KEPT) break
        this.#blobs.delete(oldest)
      }
    }
    return read
  }

  /** What every task of a manifest's run gets: what the root has collected, and the new files (none: an empty list). */
  async #ofManifest(
    run: RunState,
    { root, source }: RecordedDefinition,
    taskId: string,
  ): Promise<{ params: JsonObject; runtime?: JsonObject }> {
    if (root === undefined || taskId === root || taskId === source) return { params: {} }
    const given = source === undefined ? undefined : await this.#outputOf(run, source)
    const runtime = await this.#outputOf(run, root)
    const params = { new_files: given?.['new_files'] ?? [] }
    return runtime === undefined ? { params } : { params, runtime }
  }

  /** What the journal knows of the stages and streams of a DAG, at the moment of asking. */
  #sources(dagName: string): Pick<AttemptSpec, 'tracking' | 'position'> {
    const { state } = this.#options
    return {
      tracking: stage => ({
        isCandidate: (key, version) =>
          isCandidate(state.stages.get(stageKey(dagName, stage)), { key, version }),
        consumedKeys: () => consumedKeys(state.stages.get(stageKey(dagName, stage))),
      }),
      position: stream => state.streams.get(streamKey(dagName, stream))?.position,
    }
  }

  #factsOf(run: RunState): RunFacts {
    const { slot, scheduleId, cause, definitionHash } = run
    const schedule = this.#options.definitions().schedules.get(scheduleId ?? '')
    const at = slot === undefined ? undefined : parseInstant(slot)
    const before = at === undefined || schedule === undefined ? undefined : slotBefore(schedule.slots, at)
    return {
      cause,
      definitionHash,
      ...(slot === undefined ? {} : { slot }),
      ...(before === undefined ? {} : { previousSlot: formatSlot(before) }),
    }
  }

  // --- reports of the worker -----------------------------------------------------------------------------------------

  spawned(key: AttemptKey, { pid, startTicks, bootId }: ProcessIdentity): void {
    this.#report({ type: 'spawned', ...pick(key), pid, startTicks, bootId })
  }

  adopted(key: AttemptKey, pid: number): void {
    this.#report({ type: 'readopted', ...pick(key), pid })
  }

  finished(key: AttemptKey, outcome: AttemptOutcome, durationMs: number): void {
    const inherited = this.#inherited.get(taskKeyText(key.runId, key.taskId))
    // The worker knows only how long it has watched; across a restart there is only the wall clock to measure with.
    const isAdopted = inherited?.attempt === key.attempt
    const tookMs = isAdopted ? Math.max(0, this.#options.clock.now() - inherited.startedAt) : durationMs
    void this.#finish(key, outcome, Math.round(tookMs))
  }

  async #finish(key: AttemptKey, outcome: AttemptOutcome, durationMs: number): Promise<void> {
    const result = outcome.kind === 'ok' ? await this.#store(outcome) : clipped(outcome)
    this.#report({ type: 'ended', ...pick(key), durationMs, result })
  }

  /** Small outputs stay in the line, larger ones are on disk before the line that names them. */
  async #store(outcome: AttemptOutcome & { kind: 'ok' }): Promise<AttemptResult> {
    const { output, taken } = outcome
    const took = taken === undefined ? {} : { taken }
    const size = jsonBytes(output)
    if (size <= OUTPUT_INLINE_BYTES_MAX) return outcome
    if (size > OUTPUT_BYTES_MAX) {
      const message = `the output is ${size} bytes as JSON; at most ${OUTPUT_BYTES_MAX} are kept`
      return { kind: 'failed', error: { kind: 'output_too_large', message } }
    }
    const bytes = Buffer.from(JSON.stringify(output), 'utf8')
    for (;;) {
      try {
        const blob = await this.#options.blobs.put(bytes)
        return { kind: 'ok_blob', blob, stops: saysStop(output['continue']), ...took }
      } catch (error) {
        if (!this.#options.isDiskFull(error)) {
          const message = `the output could not be stored: ${error instanceof Error ? error.message : String(error)}`
          return { kind: 'failed', error: { kind: 'output_not_stored', message } }
        }
        await new Promise<void>(resolve => this.#options.clock.after(BLOB_RETRY_MS, resolve))
      }
    }
  }

  #report(command: Command): void {
    if (this.#closed) return
    // The loop has ended, and has said why; the next start finds the attempt by its exit file or its process.
    this.#options.submit(command).catch(() => {})
  }
}

/** What a failure says is the task's text: it must not make a line too long. */
function clipped(outcome: Exclude<AttemptOutcome, { kind: 'ok' }>): AttemptResult {
  if (outcome.kind === 'clients') return outcome
  if (outcome.kind === 'skip') return { ...outcome, detail: clip(outcome.detail, TEXT_MAX) }
  if (outcome.kind !== 'failed') return { ...outcome, reason: clip(outcome.reason, TEXT_MAX) }
  return { kind: 'failed', error: { ...outcome.error, message: clip(outcome.error.message, TEXT_MAX) } }
}

/** Of a task that does its work for one client: who it is, and what must hold for it. */
function clientOf(
  { tasks }: RecordedDefinition,
  { taskId, client }: { taskId: string; client: string },
): Pick<AttemptSpec, 'clientId' | 'clientConditions'> {
  const { conditions } = tasks.get(taskId)?.fanOut ?? {}
  return { clientId: client, ...(conditions === undefined ? {} : { clientConditions: conditions }) }
}

function attemptKey({ run, task, definition }: PendingAttempt): AttemptKey {
  return { runId: run.runId, taskId: definition.id, attempt: task.attempt }
}

function pick({ runId, taskId, attempt }: AttemptKey): AttemptKey {
  return { runId, taskId, attempt }
}
