// The world of the simulation: one scheduler, really the daemon, its loop, its journal, its recovery; around it a disk,
// a clock and a machine that belong to a seed. The scheduler is asked for things, the world goes wrong, the scheduler
// dies and is started again from what the disk kept; in the end everything may drain, and the judge reads the journal.
//
//   W1. Deterministic: a seed fixes everything that happens, to the byte.
//   W2. Whatever anybody got to see (`onEvent`, answers) is remembered, and must be in the journal in the end.
//   W3. A process ends only in ways that are expected of the faults that were injected; anything else is a finding.
//
// Boundary: what goes on. What a seed is made of is plan.ts, what is right is invariants.ts.

import { createHash } from 'node:crypto'
import { openBlobStore } from '../../src/adapters/jsonl/blob-store.ts'
import type { Disk } from '../../src/adapters/jsonl/disk.ts'
import { openJournal } from '../../src/adapters/jsonl/journal.ts'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import { createMemoryRunIndex } from '../../src/adapters/memory/run-index.ts'
import type { RecordRequest, TriggerRequest } from '../../src/api/control.ts'
import type { Answer } from '../../src/core/condition/question.ts'
import { WRAPPERS } from '../../src/core/dag/manifest.ts'
import { DagbokError, EXIT } from '../../src/core/error.ts'
import type { Message } from '../../src/core/notification/message.ts'
import { Agenda } from '../../src/core/planner/agenda.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { describeState, replay } from '../../src/core/state-machine/checkpoint.ts'
import type { Event, SchedulerMode } from '../../src/core/state-machine/event.ts'
import { evolve } from '../../src/core/state-machine/evolve.ts'
import { emptyState, type State } from '../../src/core/state-machine/state.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import type { Follower } from '../../src/daemon/follower.ts'
import type { PunctualClock } from '../../src/ports/clock.ts'
import { type Journal, JournalFullError } from '../../src/ports/journal.ts'
import type { SendResult } from '../../src/ports/notifier.ts'
import type { Worker, WorkerReports } from '../../src/ports/worker.ts'
import type { Chance } from './chance.ts'
import { checkInvariants } from './invariants.ts'
import { readJournalText } from './journal-text.ts'
import { Life, type WorldOptions } from './life.ts'
import type { Delivery } from './notification-book.ts'
import { disableAll, POOL_SLOTS } from './random-definitions.ts'
import { auditStory } from './slot-audit.ts'
import type { Present } from './source-book.ts'
import { TurnPump } from './turn-pump.ts'
import { VirtualTime } from './virtual-clock.ts'
import { type CrashKind, VirtualDisk } from './virtual-disk.ts'
import { Machine } from './virtual-worker.ts'
import { countEvents, noCounts } from './world-counts.ts'

export const JOURNAL_PATH = '/state/orchestrator_state.jsonl'
const SEGMENTS = '/state/orchestrator_state.d/segments'
const START = Date.UTC(2026, 0, 5, 5, 58, 30)
/** Steps of time that a drain may take before it counts as stuck. */
const DRAIN_STEPS_MAX = 3_000
const HOUR_MS = 3_600_000

export class World {
  readonly options: WorldOptions
  readonly chance: Chance
  readonly time = new VirtualTime(START)
  readonly disk: VirtualDisk
  readonly machine: Machine
  readonly findings: string[] = []
  readonly counts = noCounts()
  /** What the definition files say now. */
  definitions: Definitions
  filesBroken = false
  life: Life | undefined
  /** The journal was damaged on purpose: it must be refused with 78. */
  rotten = false
  /** A process without the planner drives one run of its own, beside what others left (limits do not add up). */
  limitsHold = true

  readonly #visible = new Map<number, string>()
  readonly #intents = new Set<string>()
  /** Runs that are on disk: whatever is told of others is told too early. */
  readonly #runs = new Set<string>()
  /** Notifications that are on disk: nobody may be told of others. */
  readonly #queued = new Set<string>()
  readonly #deliveries: Delivery[] = []
  readonly #pump = new TurnPump()
  readonly #index = createMemoryRunIndex()
  readonly #feed: string[] = []
  #feedSeq = 0
  #stoppedCleanly = false

  constructor(options: WorldOptions) {
    this.options = options
    this.chance = options.chance
    this.disk = new VirtualDisk(options.chance)
    this.machine = new Machine(options.seed, this.time)
    this.definitions = options.definitions
  }

  log(line: string): void {
    this.options.log?.(`${new Date(this.time.wallMs).toISOString()} ${line}`)
  }

  find(what: string): void {
    this.log(`FINDING ${what}`)
    if (this.findings.length < 30) this.findings.push(what)
  }

  /** `setImmediate` belongs to the world until the returned function is called. */
  install(): () => void {
    return this.#pump.install()
  }

  // --- a process -----------------------------------------------------------------------------------------------------

  /**
   * Starts the scheduler and lets it come up, as far as it does.
   * @param crashIn  it dies in its so-manieth disk operation; 0: it does not
   */
  async boot(mode: SchedulerMode, crashIn: number): Promise<Life> {
    this.counts.boots += 1
    const life = new Life(this.counts.boots, mode)
    this.life = life
    this.log(`boot ${life.number} ${mode}${crashIn > 0 ? `, dies in operation ${crashIn}` : ''}`)
    const mounted = this.disk.mount()
    this.disk.crashIn(crashIn, () => {
      life.isOver = true
      this.counts.crashesInOperation += 1
    })
    void this.#bringUp(life, this.options.hooks?.wrapDisk?.(mounted, this) ?? mounted).catch(error =>
      this.#ended(life, error),
    )
    for (let step = 0; !life.isReady && !life.isOver; step++) {
      await this.pump()
      if (life.isReady || life.isOver) break
      // On a full disk a start waits with its first line until there is room.
      if (step === 30) this.disk.capacityBytes = Number.POSITIVE_INFINITY
      if (step > 1_000 || !(await this.passToNextTimer())) {
        this.find(`boot ${life.number} hangs`)
        life.isOver = true
      }
    }
    return life
  }

  async #bringUp(life: Life, disk: Disk): Promise<void> {
    const { hooks = {}, segmentBytes, seed } = this.options
    const clock = this.time.clockFor(life)
    const open = hooks.openJournal
      ? (options: Parameters<typeof openJournal>[0]) => hooks.openJournal!(openJournal, options, this)
      : openJournal
    const wasClean = this.#stoppedCleanly
    this.#stoppedCleanly = false
    const { journal, recovery } = await open({
      path: JOURNAL_PATH,
      now: clock.now,
      onEvent: event => replay(life.state, event),
      segmentBytes,
      disk,
      newJournalId: () => `journal-${seed}`,
    })
    if (life.isOver) return
    if (this.rotten) this.find('I3 a damaged journal was opened')
    if (recovery.rollFinished) this.counts.rollsFinished += 1
    if (recovery.outcome === 'recovered') this.counts.recoveries += 1
    if (recovery.recovered?.reason === 'torn_tail') this.counts.tornTails += 1
    if (wasClean && recovery.outcome !== 'clean') this.find(`a clean stop was found ${recovery.outcome}`)
    hooks.afterFold?.(life.state, this)
    if (this.chance.happens(0.1)) this.#checkFold(life.state)
    for (const runId of life.state.runs.keys()) this.#runs.add(runId)
    for (const { waiting } of life.state.outbox.lines.values())
      for (const id of waiting.keys()) this.#queued.add(id)
    life.journal = hooks.wrapJournal?.(journal, life, this) ?? journal
    life.daemon = this.#assemble(life, disk, life.journal)
    life.daemon.onEvent(event => this.#see(life, event))
    await life.daemon.open()
    if (life.isOver) return
    life.isReady = true
    if (life.mode === 'serve') {
      life.daemon.serve().then(
        () => {},
        error => this.#ended(life, error),
      )
    }
  }

  #assemble(life: Life, disk: Disk, journal: Journal): Daemon {
    const { hooks = {}, limits, tickMs } = this.options
    const clock = this.time.clockFor(life)
    const wait = (ms: number) => new Promise<void>(resolve => clock.after(ms, resolve))
    const read = (afterSeq: number) => readEvents(JOURNAL_PATH, { afterSeq, disk, wait })
    return new Daemon(
      {
        clock,
        random: this.chance,
        journal,
        state: life.state,
        agenda: new Agenda(),
        source: {
          load: async () =>
            this.filesBroken
              ? { ok: false, problems: [brokenFile(this.counts.brokenReloads)] }
              : { ok: true, definitions: this.inForce(), warnings: [] },
          loadDag: async () => ({ ok: false, problems: [brokenFile(0)] }),
          watch: async () => async () => {},
        },
        blobs: openBlobStore(JOURNAL_PATH, { disk }),
        probe: { ask: (_question, _occasion, signal) => this.#answer(clock, signal) },
        notifier: { send: (message, _channel, signal) => this.#bring(life, clock, message, signal) },
        createWorker: reports => this.#createWorker(life, hooks.wrapReports?.(reports, life) ?? reports),
        followers: [this.#followIndex(life), this.#followFeed(life)],
        readEvents: read,
        release: () => journal.close(),
      },
      {
        mode: life.mode,
        pid: 1000 + life.number,
        host: 'sim',
        version: '0',
        statePath: JOURNAL_PATH,
        drainTimeoutMs: 600_000,
        killGraceMs: 10_000,
        limits,
        tickMs,
        isDiskFull: error => error instanceof JournalFullError,
        fatal: error => this.#ended(life, error),
        note: (level, message) => this.log(`${level}: ${message.split('\n')[0]}`),
      },
      this.inForce(),
    )
  }

  inForce(): Definitions {
    return this.options.hooks?.wrapDefinitions?.(this.definitions, this) ?? this.definitions
  }

  /** What the world says to a condition: yes, no or nobody knows, at once or after a while that may outlast the process. */
  #answer(clock: Pick<PunctualClock, 'after'>, signal: AbortSignal): Promise<Answer> {
    const { chance } = this
    const answer: Answer = chance.happens(0.2)
      ? { error: 'the simulated world does not know' }
      : { holds: chance.happens(0.6), saw: {} }
    if (chance.happens(0.5)) return Promise.resolve(answer)
    return new Promise(resolve => {
      const callOff = clock.after(chance.between(1, 90_000), () => resolve(answer))
      signal.addEventListener('abort', () => {
        callOff()
        resolve({ error: 'called off' })
      })
    })
  }

  /** What a channel makes of a message: it takes it, at once or late, it fails, it refuses, or it hangs. */
  #bring(
    life: Life,
    clock: Pick<PunctualClock, 'after'>,
    { channel, notifications }: Message,
    signal: AbortSignal,
  ): Promise<SendResult> {
    const { chance } = this
    const ids = notifications.map(({ id }) => id)
    const early = ids.find(id => !this.#queued.has(id))
    if (early !== undefined && !life.isOver) this.find(`I14 ${early} is brought before it is durable`)
    const accepted = chance.happens(0.6)
    this.#deliveries.push({ ids, channel, accepted })
    this.counts[accepted ? 'notificationsSent' : 'notificationsNotSent'] += 1
    const result: SendResult = accepted
      ? { kind: 'sent' }
      : chance.happens(0.1)
        ? { kind: 'refused', error: 'the simulated channel refuses' }
        : { kind: 'failed', error: 'the simulated channel fails', retryAfterMs: chance.pick([0, 0, 60_000]) }
    if (chance.happens(0.5)) return Promise.resolve(result)
    return new Promise(resolve => {
      const callOff = clock.after(chance.between(1, 60_000), () => resolve(result))
      signal.addEventListener('abort', () => {
        callOff()
        resolve({ kind: 'failed', error: 'called off' })
      })
    })
  }

  /** Nothing may run whose intent nobody has been shown: what is shown is durable (and I2 checks that). */
  #createWorker(life: Life, reports: WorkerReports): Worker {
    const worker = this.machine.workerFor(life.number, reports)
    const start = worker.start.bind(worker)
    worker.start = spec => {
      if (life.isOver) return
      const name = `${spec.runId}\n${spec.taskId}\n${spec.attempt}`
      if (!this.#intents.has(name)) {
        this.find(`I6 ${name.replaceAll('\n', ' ')} is started before its intent is durable`)
      }
      start(spec)
    }
    life.worker = worker
    return worker
  }

  #see(life: Life, event: Event): void {
    if (life.isOver) return
    const text = JSON.stringify(event)
    const shown = this.#visible.get(event.seq)
    if (shown !== undefined && shown !== text) {
      this.find(`I2 line ${event.seq} was shown as ${shown.slice(0, 140)}, now it is ${text.slice(0, 140)}`)
    }
    this.#visible.set(event.seq, text)
    if (event.event === 'run_requested' || event.event === 'schedule_enqueued') {
      this.#runs.add(String((event as { run_id?: unknown }).run_id))
    }
    if (event.event === 'notification_queued')
      this.#queued.add(String((event as { notification_id?: unknown }).notification_id))
    if (event.event === 'task_start') {
      const { run_id, task_id, attempt } = event as unknown as Record<string, string>
      this.#intents.add(`${run_id}\n${task_id}\n${attempt}`)
    }
  }

  /** The process ends by itself: a failed start, or the loop gave up. */
  #ended(life: Life, error: unknown): void {
    if (life.isOver) return
    life.isOver = true
    const code = error instanceof DagbokError ? error.exitCode : -1
    const name = error instanceof DagbokError ? error.code : String((error as Error)?.stack ?? error)
    life.exit = { code, name }
    this.log(`exit ${code} ${name} ${(error as Error)?.message ?? ''}`)
    const { failedSyncs, failedWrites, failedReads } = this.disk.counts
    const hadIoError = failedSyncs + failedWrites + failedReads > 0
    if (code === EXIT.journalDamaged && this.rotten && name === 'JOURNAL_DAMAGED') return
    if (code === EXIT.journalIo) {
      this.counts.exits74 += 1
      if (name === 'JOURNAL_FULL' && this.disk.capacityBytes < Number.POSITIVE_INFINITY) return
      if (['JOURNAL_SYNC_FAILED', 'JOURNAL_IO', 'JOURNAL_NOT_WRITABLE'].includes(name) && hadIoError) return
    }
    this.find(`the process ended by itself: ${code} ${name} ${(error as Error)?.message ?? ''}`)
  }

  /** The process is gone; with `power` so is whatever the disk had not synced. */
  crash(kind: CrashKind): void {
    const life = this.life
    if (life === undefined) return
    life.isOver = true
    this.life = undefined
    this.counts.crashPoints += 1
    if (kind === 'power') this.counts.powerCuts += 1
    this.log(`crash (${kind})`)
    this.time.forget(life)
    this.#pump.clear()
    this.disk.crash(kind)
    this.machine.daemonDied(kind)
  }

  /** Stops the scheduler as SIGTERM does; lets time pass until it has stopped or its life is over. */
  async stop(now: boolean, stepsMax = DRAIN_STEPS_MAX): Promise<void> {
    const life = this.life
    if (life?.daemon === undefined || life.isOver) return
    this.log(`stop${now ? ' now' : ''}`)
    life.daemon.stop({ now, reason: 'SIGTERM' }).then(
      () => {
        life.stopped = true
      },
      error => this.#ended(life, error),
    )
    for (let step = 0; step < stepsMax && !life.isOver; step++) {
      // While the disk is full the last lines wait for room.
      if (step === 50) this.disk.capacityBytes = Number.POSITIVE_INFINITY
      await this.pump()
      if (life.stopped || life.isOver) break
      if (step > 300) await this.leap()
      if (!(await this.passToNextTimer())) break
    }
    if (life.isOver) return
    if (!life.stopped) {
      if (stepsMax === DRAIN_STEPS_MAX) this.find('the stop hangs')
      return
    }
    await this.pump()
    life.isOver = true
    this.life = undefined
    this.counts.cleanStops += 1
    // A power cut may take the mark of it: then the next start makes a copy that it need not make.
    const kind: CrashKind = this.chance.happens(0.3) ? 'power' : 'kill'
    this.#stoppedCleanly = kind === 'kill'
    this.time.forget(life)
    this.disk.crash(kind)
    this.machine.daemonDied('kill')
    this.log('stopped')
  }

  // --- time ----------------------------------------------------------------------------------------------------------

  /** Lets the process work until it waits for something; `operations` bounds how much of the disk's work is done. */
  async pump(operations = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await this.#pump.settleMicrotasks()
      if (this.life === undefined || this.life.isOver) return
      if (this.#pump.waiting > 0) this.#pump.runWaiting()
      else if (this.disk.heldCount > 0 && operations > 0) {
        operations -= 1
        this.disk.settleOne()
      } else return
    }
  }

  /** @returns false if nothing is waited for */
  async passToNextTimer(): Promise<boolean> {
    const next = this.time.nextTimerMs
    if (next === undefined) return false
    this.time.pass(next - this.time.monotonicMs)
    this.time.fireDue()
    await this.pump()
    return true
  }

  /** Time passes; `smooth`: timers fire when they are due, else all of them late. */
  async pass(ms: number, smooth: boolean): Promise<void> {
    const end = this.time.monotonicMs + ms
    for (let steps = 0; smooth && steps < 40; steps++) {
      const next = this.time.nextTimerMs
      if (next === undefined || next > end || this.life?.isOver !== false) break
      this.time.pass(next - this.time.monotonicMs)
      this.time.fireDue()
      await this.pump()
    }
    this.time.pass(end - this.time.monotonicMs)
    this.time.fireDue()
  }

  /** An hour at once. */
  async leap(): Promise<void> {
    await this.pass(HOUR_MS, false)
    await this.pump()
  }

  // --- wishes from outside: nobody waits for the answer ----------------------------------------------------------------

  trigger(request: TriggerRequest): void {
    this.counts.triggers += 1
    this.#expect('run_id', answer => answer.run_id, this.life?.daemon?.control.trigger(request))
  }

  cancel(runId: string): void {
    this.counts.cancels += 1
    this.#expect(
      'run_id',
      answer => answer.run_id,
      this.life?.daemon?.control.cancel({ run_id: runId, reason: 'enough' }),
    )
  }

  record(fields: RecordRequest['fields']): void {
    this.counts.records += 1
    this.#expect('event', () => fields.event, this.life?.daemon?.control.record({ fields }))
  }

  /** What a status tells has to be on disk; but for a full disk, where it would have to be silent. */
  askStatus(): void {
    const life = this.life!
    life.daemon?.control.status().then(
      ({ state, runs }) => {
        if (life.isOver || state === 'degraded') return
        this.counts.statuses += 1
        const early = runs.find(({ run_id }) => !this.#runs.has(run_id))
        if (early !== undefined) this.find(`I2 the status tells of ${early.run_id} before it is durable`)
      },
      error => this.#refused(life, error),
    )
  }

  reload(): void {
    if (this.filesBroken) this.counts.brokenReloads += 1
    else this.counts.reloads += 1
    const life = this.life!
    life.daemon?.control.reload().catch((error: unknown) => this.#refused(life, error))
  }

  #expect<T extends { seq: number }>(
    field: string,
    expected: (answer: T) => string,
    asked: Promise<T> | undefined,
  ): void {
    const life = this.life
    if (asked === undefined || life === undefined) return
    asked.then(
      answer => {
        if (life.isOver) return
        this.counts.acknowledged += 1
        const shown = this.#visible.get(answer.seq)
        if (shown === undefined) return this.find(`I2 ${answer.seq} was acknowledged and never shown`)
        const line = JSON.parse(shown) as Record<string, unknown>
        if (line[field] !== expected(answer) && field === 'event') {
          this.find(`I2 the answer names line ${answer.seq}, which is ${shown.slice(0, 120)}`)
        }
      },
      error => this.#refused(life, error),
    )
  }

  /** A refusal is fine if it says what it is; anything else is a defect. */
  #refused(life: Life, error: unknown): void {
    if (life.isOver) return
    this.counts.refusals += 1
    const expected = ['DISK_FULL', 'RUN_NOT_FOUND', 'SCHEDULER_STOPPED', 'RECORD_INVALID']
    if (error instanceof DagbokError && expected.includes(error.code)) return
    if (error instanceof DagbokError && error.exitCode === EXIT.journalIo) return
    this.find(`a wish was refused: ${String((error as Error)?.stack ?? error)}`)
  }

  // --- followers -------------------------------------------------------------------------------------------------------

  #followIndex(life: Life): Follower {
    return {
      name: 'index',
      open: () => this.#index.checkpoint()?.seq ?? 0,
      apply: events => {
        if (!life.isOver) this.#index.apply(life.journal!.journalId, events)
      },
      close: () => {},
    }
  }

  #followFeed(life: Life): Follower {
    return {
      name: 'feed',
      open: () => this.#feedSeq,
      apply: events => {
        if (life.isOver) return
        for (const event of events) {
          if (event.seq <= this.#feedSeq) continue
          this.#feed.push(JSON.stringify(event))
          this.#feedSeq = event.seq
        }
      },
      close: () => {},
    }
  }

  // --- the end -----------------------------------------------------------------------------------------------------------

  /** Everything is well again, and whatever is unfinished may end. */
  async settle(): Promise<void> {
    const { disk } = this
    disk.capacityBytes = Number.POSITIVE_INFINITY
    disk.failSyncIn = disk.failWriteIn = disk.failReadIn = 0
    disk.holding = false
    disk.crashIn(0, () => {})
    if (this.life !== undefined && (this.life.isOver || this.life.mode !== 'serve')) this.crash('kill')
    if (this.life === undefined) await this.boot('serve', 0)
    const life = this.life!
    if (life.isOver) return
    await this.pump()
    await this.pass(1, true)
    await this.pass(this.options.tickMs, true)
    await this.pump()
    await this.#checkNothingIsDue(life)
    this.definitions = disableAll(this.definitions)
    this.filesBroken = false
    this.reload()
    await this.#drain(life)
    await this.#emptySources(life)
    if (this.findings.length === 0) await this.stop(false)
    if (this.findings.length === 0) this.#judge(life)
  }

  /** Nothing new comes and nothing fails: one run more of each DAG with a source has to take all that is left. */
  async #emptySources(life: Life): Promise<void> {
    if (life.isOver || this.findings.length > 0) return
    this.machine.calm()
    for (const { dagName } of this.#present()) this.trigger({ dag: dagName, cause: 'cli' })
    await this.#drain(life)
  }

  #present(): Present[] {
    const { sources } = this.machine
    const present: Present[] = []
    for (const [dagName, { tasks }] of this.definitions.dags) {
      if (tasks[0]!.id === WRAPPERS.poll)
        present.push({ dagName, files: sources.filesOf(dagName), records: undefined })
      else if (tasks[0]!.id === WRAPPERS.stream)
        present.push({ dagName, files: undefined, records: sources.recordsOf(dagName) })
    }
    return present
  }

  /** Whatever is unfinished ends, and all that is to be told is told. */
  async #drain(life: Life): Promise<void> {
    await this.pump()
    const { runs, outbox } = life.state
    for (let step = 0; (runs.size > 0 || outbox.size > 0) && !life.isOver; step++) {
      // The clock may have been set back by days, and a retry waits until its instant comes round again.
      if (step > 300) await this.leap()
      const moved = await this.passToNextTimer()
      if (moved && step < DRAIN_STEPS_MAX) continue
      this.find(
        `I4 ${runs.size} runs and ${outbox.size} notifications never end: ${[...runs.keys()].slice(0, 3).join(' ')}`,
      )
      break
    }
    await this.pump()
  }

  async #checkNothingIsDue(life: Life): Promise<void> {
    const status = await life.daemon!.control.status()
    const first = status.next_slots[0]
    if (first !== undefined && Date.parse(first.slot) <= this.time.wallMs) {
      this.find(`I1 ${first.schedule_id} ${first.slot} is due and not decided`)
    }
  }

  segments(): Buffer[] {
    const sealed = this.disk
      .listPaths()
      .filter(path => path.startsWith(`${SEGMENTS}/`) && path.endsWith('.jsonl'))
    return [...sealed, JOURNAL_PATH].map(path => this.disk.peek(path) ?? Buffer.alloc(0))
  }

  #judge(life: Life): void {
    const segments = this.segments()
    const text = readJournalText(segments)
    this.counts.events = text.lines.length
    this.counts.segments = segments.length
    countEvents(this.counts, text.lines)
    const { maxParallel, maxTasks } = this.limitsHold ? this.options.limits : UNLIMITED
    const findings = checkInvariants(text, {
      visible: this.#visible,
      executions: this.machine.executions,
      taken: this.machine.taken,
      clients: this.machine.clients,
      present: this.#present(),
      deliveries: this.#deliveries,
      limits: { maxParallel, maxTasks },
      pools: POOL_SLOTS,
      settled: true,
      clockWasSet: this.counts.clockSteps > 0,
    })
    for (const finding of findings) this.find(finding)
    for (const finding of auditStory(text)) this.find(finding)
    for (const complaint of this.machine.complaints) this.find(`payload: ${complaint}`)
    if (text.problems.length === 0) this.#checkFollowers(text.lines as unknown as Event[], life)
  }

  /** I8: what is kept beside the journal is what the journal says. */
  #checkFollowers(lines: readonly Event[], life: Life): void {
    if (this.chance.happens(0.3)) this.#checkIndex(lines, life.journal!.journalId)
    if (this.#feed.length !== lines.length) {
      this.find(`I8 the feed has ${this.#feed.length} lines, the journal ${lines.length}`)
    }
    this.#checkFold(life.state)
  }

  #checkIndex(lines: readonly Event[], journalId: string): void {
    this.counts.indexChecks += 1
    const rebuilt = createMemoryRunIndex()
    rebuilt.apply(journalId, lines)
    if (rebuilt.dump() !== this.#index.dump()) this.find('I8 the index is not what the journal says')
  }

  /** I8: the state of a process is what folding every line from the first gives. */
  #checkFold(state: State): void {
    this.counts.stateChecks += 1
    const folded = emptyState()
    try {
      for (const line of readJournalText(this.segments()).lines) evolve(folded, line as unknown as Event)
    } catch (error) {
      return this.find(`I8 the journal cannot be folded: ${(error as Error).message}`)
    }
    const expected = describeState(folded).split('\n')
    const actual = describeState(state).split('\n')
    for (const [index, line] of expected.entries()) {
      if (line === actual[index]) continue
      return this.find(`I8 the state is not what the journal says: ${actual[index]} instead of ${line}`)
    }
  }

  /** Everything that happened, as one number. */
  hash(): string {
    const hash = createHash('sha256')
    for (const segment of this.segments()) hash.update(segment)
    hash.update(JSON.stringify([this.machine.executions, this.machine.counts, this.counts, this.disk.counts]))
    return hash.digest('hex').slice(0, 16)
  }
}

const UNLIMITED = { maxParallel: Number.POSITIVE_INFINITY, maxTasks: Number.POSITIVE_INFINITY }

function brokenFile(number: number) {
  const message = `expected a map, got ${number}`
  return {
    file: 'configs/dags/broken.yaml',
    line: 1,
    column: 1,
    severity: 'error' as const,
    message,
    frame: message,
  }
}
