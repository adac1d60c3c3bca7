// The machine that attempts run on, and the worker through which a daemon sees it.
//
// Boundary: what an attempt does, how long it takes and how it ends is a function of (seed, run, task, attempt); nobody
// else decides it. The machine outlives daemons: a command goes on when its daemon dies and can be taken over; a
// function ends with it; a power cut ends all of them, and of what had ended it may lose the exit file.
//
//   - `executions` is the side log: one line each time something was really started, written by nobody else.
//   - Now and then a report comes twice, or late for an attempt that was given up: the attempt's fence must hold.

import { WRAPPER_WORKFLOWS, WRAPPERS } from '../../src/core/dag/manifest.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Taken } from '../../src/core/run/taken.ts'
import type { AttemptKey, AttemptOutcome, AttemptSpec, ProcessIdentity } from '../../src/ports/executor.ts'
import type { Worker, WorkerReports } from '../../src/ports/worker.ts'
import { Chance } from './chance.ts'
import type { VirtualTime } from './virtual-clock.ts'
import { VirtualSources } from './virtual-sources.ts'

/** One line of the side log. */
export interface Execution {
  readonly runId: string
  readonly taskId: string
  readonly attempt: number
  /** Which life of the daemon started it. */
  readonly life: number
}

interface Process {
  readonly key: AttemptKey
  readonly isCommand: boolean
  readonly identity: ProcessIdentity
  readonly outcome: AttemptOutcome
  readonly startedMs: number
  /** Set when it has ended: what its exit file says. */
  ended: AttemptOutcome | undefined
  supervisor: VirtualWorker | undefined
  callOff: () => void
}

export interface MachineCounts {
  started: number
  adopted: number
  /** Adoptions that found the real outcome of an attempt that had ended meanwhile. */
  foundEnded: number
  lost: number
  cancelled: number
  strayReports: number
  blobOutputs: number
  polls: number
  streamsRead: number
  fanOuts: number
  suspendedClients: number
  skipped: number
  stopped: number
}

/** These run in the scheduler's process and end with it. */
const BUILT_IN: ReadonlySet<string> = new Set(Object.values(WRAPPER_WORKFLOWS))

/** Names as people give them. */
const CLIENTS = ['acme', 'Øst', 'a b', 'x[1]', 'PUBLIC', 'z']

function textOf({ runId, taskId, attempt }: AttemptKey): string {
  return `${runId}\n${taskId}\n${attempt}`
}

export class Machine {
  readonly executions: Execution[] = []
  readonly counts: MachineCounts = {
    started: 0,
    adopted: 0,
    foundEnded: 0,
    lost: 0,
    cancelled: 0,
    strayReports: 0,
    blobOutputs: 0,
    polls: 0,
    streamsRead: 0,
    fanOuts: 0,
    suspendedClients: 0,
    skipped: 0,
    stopped: 0,
  }
  /** What went wrong in the eyes of the machine: a payload that did not arrive. */
  readonly complaints: string[] = []
  /** What sources took and fan-outs found, by attempt. */
  readonly taken = new Map<string, Taken>()
  readonly clients = new Map<string, readonly string[]>()
  readonly sources: VirtualSources
  #isCalm = false
  /** What the source of a run gave, last. */
  readonly #newFiles = new Map<string, string[]>()
  bootId = 1

  readonly #seed: number
  readonly #time: VirtualTime
  readonly #processes = new Map<string, Process>()
  #nextPid = 100

  constructor(seed: number, time: VirtualTime) {
    this.#seed = seed
    this.#time = time
    this.sources = new VirtualSources(seed, () => time.monotonicMs)
  }

  /** From now on every attempt does well, and nothing new comes. */
  calm(): void {
    this.#isCalm = true
    this.sources.freeze()
  }

  /** @param life  which life of the daemon asks */
  workerFor(life: number, reports: WorkerReports): VirtualWorker {
    return new VirtualWorker(this, life, reports)
  }

  /** The daemon is gone. */
  daemonDied(kind: 'kill' | 'power'): void {
    const chance = new Chance(`${this.#seed} death ${this.bootId} ${this.executions.length}`)
    for (const [text, process] of this.#processes) {
      process.supervisor = undefined
      if (kind === 'kill' && process.isCommand) continue
      const keepsExitFile = process.isCommand && process.ended !== undefined && chance.happens(0.6)
      if (keepsExitFile) continue
      process.callOff()
      this.#processes.delete(text)
    }
    if (kind === 'power') this.bootId += 1
  }

  start(worker: VirtualWorker, spec: AttemptSpec): void {
    const { runId, taskId, attempt } = spec
    this.executions.push({ runId, taskId, attempt, life: worker.life })
    this.counts.started += 1
    this.#checkPayload(spec)
    const chance = this.#chanceOf(spec)
    const key = { runId, taskId, attempt }
    const durationMs = drawDurationMs(chance, spec.tracking !== undefined)
    const process: Process = {
      key,
      isCommand: chance.happens(0.6) && !BUILT_IN.has(spec.workflowRef),
      identity: { pid: this.#nextPid++, startTicks: this.#nextPid * 3, bootId: `boot-${this.bootId}` },
      outcome: this.#drawOutcome(chance, spec),
      startedMs: this.#time.monotonicMs,
      ended: undefined,
      supervisor: worker,
      callOff: () => {},
    }
    process.callOff = this.#time.after(this, durationMs, () => this.#end(process, process.outcome))
    this.#processes.set(textOf(key), process)
    if (process.isCommand && chance.happens(0.8)) worker.reports.spawned(key, process.identity)
  }

  adopt(worker: VirtualWorker, spec: AttemptSpec, identity: ProcessIdentity | undefined): void {
    const { runId, taskId, attempt } = spec
    const key = { runId, taskId, attempt }
    const process = this.#processes.get(textOf(key))
    this.#time.after(this, 0, () => {
      if (process === undefined) {
        this.counts.lost += 1
        worker.report(key, { kind: 'lost', reason: 'the process is gone and left no exit code' }, 0)
        return
      }
      if (identity !== undefined && identity.pid !== process.identity.pid) {
        this.complaints.push(`adoption of ${runId} ${taskId} #${attempt} asks for the wrong process`)
      }
      if (process.ended !== undefined) {
        this.counts.foundEnded += 1
        worker.report(key, process.ended, 1)
        return
      }
      this.counts.adopted += 1
      process.supervisor = worker
      if (worker.isOpen) worker.reports.adopted(key, process.identity.pid)
    })
  }

  cancel(key: AttemptKey, reason: string, graceMs: number): void {
    const process = this.#processes.get(textOf(key))
    if (process === undefined || process.ended !== undefined) return
    const chance = new Chance(`${this.#seed} cancel ${textOf(key)}`)
    process.callOff()
    const delayMs = chance.happens(0.7) ? chance.between(0, 50) : graceMs
    this.counts.cancelled += 1
    // Some commands end well just before they are told to.
    const outcome: AttemptOutcome = chance.happens(0.2) ? process.outcome : { kind: 'cancelled', reason }
    process.callOff = this.#time.after(this, delayMs, () => this.#end(process, outcome))
  }

  workerClosed(worker: VirtualWorker): void {
    for (const [text, process] of this.#processes) {
      if (process.supervisor !== worker) continue
      process.supervisor = undefined
      if (process.isCommand) continue
      process.callOff()
      this.#processes.delete(text)
    }
  }

  get runningCount(): number {
    let count = 0
    for (const { ended } of this.#processes.values()) if (ended === undefined) count += 1
    return count
  }

  #end(process: Process, outcome: AttemptOutcome): void {
    process.ended = outcome
    const { supervisor } = process
    if (supervisor === undefined) return
    const durationMs = this.#time.monotonicMs - process.startedMs
    supervisor.report(process.key, outcome, durationMs)
    const chance = new Chance(`${this.#seed} stray ${textOf(process.key)}`)
    if (!chance.happens(0.05)) return
    const stray: AttemptOutcome = chance.happens(0.5) ? process.outcome : okOutcome(process.key, {})
    this.#time.after(supervisor, chance.between(0, 20_000), () => {
      if (!supervisor.isOpen) return
      this.counts.strayReports += 1
      supervisor.reports.finished(process.key, stray, 1)
    })
  }

  #chanceOf({ runId, taskId, attempt }: AttemptKey): Chance {
    return new Chance(`${this.#seed} attempt ${runId} ${taskId} ${attempt}`)
  }

  #drawOutcome(chance: Chance, spec: AttemptSpec): AttemptOutcome {
    const { workflowRef, runId, clientId } = spec
    const isBuiltIn = BUILT_IN.has(workflowRef)
    const usual = isBuiltIn
      ? { ok: 92, failed: 5, lost: 3, skip: 0, stop: 0, suspended: 0 }
      : { ok: 76, failed: 14, lost: 3, skip: 3, stop: 4, suspended: clientId === undefined ? 0 : 5 }
    const kind = this.#isCalm ? 'ok' : chance.weigh(usual)
    if (kind === 'failed') {
      const error = { kind: 'exit_code', message: `attempt ${spec.attempt} failed`, exit_code: 3 }
      return { kind: 'failed', error }
    }
    if (kind === 'lost') return { kind: 'lost', reason: 'its worker process ended' }
    if (kind === 'suspended') {
      this.counts.suspendedClients += 1
      return {
        kind: 'skip',
        reason: 'condition',
        detail: `${clientId} is suspended`,
        inputs: { conditions: [] },
      }
    }
    if (kind === 'skip') {
      this.counts.skipped += 1
      return { kind: 'skip', reason: 'returned_skip', detail: 'nothing to do' }
    }
    if (spec.fanOut !== undefined) return this.#findClients(chance, spec)
    if (workflowRef === WRAPPER_WORKFLOWS.root && this.#newFiles.get(runId)?.length === 0)
      return { kind: 'skip', reason: 'returned_skip', detail: 'nothing new' }
    if (spec.tracking !== undefined && workflowRef !== WRAPPER_WORKFLOWS.root) return this.#take(chance, spec)
    // One that is too large fails its task.
    const size = chance.weigh({ none: 970, line: 15, blob: 14, huge: this.#isCalm ? 0 : 1 })
    const bytes = { none: 0, line: 20_000, blob: 40_000, huge: 1_100_000 }[size]
    if (size === 'blob') this.counts.blobOutputs += 1
    const text = chance.happens(0.1) ? 'a\u2028b"\\\n€𝄞' : 'x'
    const pad = bytes === 0 ? {} : { pad: text.repeat(Math.floor(bytes / text.length)) }
    if (kind === 'stop') this.counts.stopped += 1
    return okOutcome(spec, kind === 'stop' ? { continue: 0, ...pad } : pad)
  }

  #findClients(chance: Chance, spec: AttemptSpec): AttemptOutcome {
    this.counts.fanOuts += 1
    const found = CLIENTS.filter(() => chance.happens(0.6))
    this.clients.set(textOf(spec), found)
    return { kind: 'clients', clients: found }
  }

  #take(chance: Chance, spec: AttemptSpec): AttemptOutcome {
    const isPoll = spec.workflowRef === WRAPPER_WORKFLOWS.poll
    this.counts[isPoll ? 'polls' : 'streamsRead'] += 1
    const taken = isPoll ? this.sources.poll(spec, chance) : this.sources.consume(spec, chance)
    this.taken.set(textOf(spec), taken)
    const found =
      taken.kind === 'files' ? taken.files.map(({ key }) => key) : new Array(taken.records).fill('r')
    this.#newFiles.set(spec.runId, found)
    const { run, task, attempt } = { run: spec.runId, task: spec.taskId, attempt: spec.attempt }
    return { kind: 'ok', output: { run, task, attempt, new_files: found }, taken }
  }

  /** What the upstream tasks returned must have reached this one, through crashes and blobs. */
  #checkPayload({ runId, taskId, params, clientId, runtime }: AttemptSpec): void {
    const dependsOn = params['depends_on']
    if (!Array.isArray(dependsOn)) {
      this.complaints.push(`${runId} ${taskId}: its own params did not arrive`)
      return
    }
    const client = /\[(.*)\]$/s.exec(taskId)?.[1]
    if (clientId !== client || params['client_id'] !== client)
      this.complaints.push(`${runId} ${taskId}: it was told of ${clientId}`)
    if (dependsOn.includes(WRAPPERS.root)) {
      const found = JSON.stringify(params['new_files'])
      if (found !== JSON.stringify(this.#newFiles.get(runId)))
        this.complaints.push(`${runId} ${taskId}: ${found} are no new files`)
      if (runtime?.['task'] !== WRAPPERS.root) this.complaints.push(`${runId} ${taskId}: no word of the root`)
    }
    for (const upstream of dependsOn) {
      if (params[`${upstream}__task`] !== upstream || params[`${upstream}__run`] !== runId) {
        this.complaints.push(`${runId} ${taskId}: the output of ${upstream} did not arrive`)
      }
    }
  }
}

/** An output says whose it is: a reader of the journal can tell if it stands in the wrong line. */
function okOutcome({ runId, taskId, attempt }: AttemptKey, more: JsonObject): AttemptOutcome {
  return { kind: 'ok', output: { run: runId, task: taskId, attempt, ...more } }
}

/** Stages are often slow to list: other runs come and go meanwhile. */
function drawDurationMs(chance: Chance, isSource: boolean): number {
  const kind = chance.weigh({ instant: 3, short: 5, long: isSource ? 5 : 2, endless: isSource ? 2 : 0.2 })
  switch (kind) {
    case 'instant':
      return 0
    case 'short':
      return chance.between(1, 2_000)
    case 'long':
      return chance.between(2_000, 180_000)
    case 'endless':
      return chance.between(180_000, 7_200_000)
  }
}

/** `Worker` for one life of the daemon. */
export class VirtualWorker implements Worker {
  readonly life: number
  readonly reports: WorkerReports
  isOpen = true
  readonly #machine: Machine
  readonly #unreported = new Set<string>()

  constructor(machine: Machine, life: number, reports: WorkerReports) {
    this.#machine = machine
    this.life = life
    this.reports = reports
  }

  get running(): number {
    return this.#unreported.size
  }

  start(spec: AttemptSpec): void {
    if (!this.isOpen) return
    this.#unreported.add(textOf(spec))
    this.#machine.start(this, spec)
  }

  adopt(spec: AttemptSpec, identity: ProcessIdentity | undefined): void {
    if (!this.isOpen) return
    this.#unreported.add(textOf(spec))
    this.#machine.adopt(this, spec, identity)
  }

  cancel(key: AttemptKey, reason: string, graceMs: number): void {
    if (this.isOpen) this.#machine.cancel(key, reason, graceMs)
  }

  report(key: AttemptKey, outcome: AttemptOutcome, durationMs: number): void {
    if (!this.isOpen || !this.#unreported.delete(textOf(key))) return
    this.reports.finished(key, outcome, durationMs)
  }

  async close(): Promise<void> {
    this.isOpen = false
    this.#machine.workerClosed(this)
  }
}
