// The judge: reads what a journal says, line by line, and holds it against the promises. It shares no code with the
// state machine; its bookkeeping is its own, slots come from the oracle, checksums from journal-text.ts.
//
//   I1 each slot of a schedule is disposed of exactly once, none is left out   I2 nothing that was shown is lost
//   I3 seq 1..n, chain unbroken (journal-text.ts)                              I4 what starts ends, exactly once
//   I5 order: asked for, started, tasks, ended; attempts 1, 2, 3 …             I6 nothing runs without its intent
//   I14 what is to be told ends once and is never lost (notification-book.ts)
//   I7 an attempt runs at most once, a finished task never again               I9 limits hold at every line
//   I10-I12 files and records go to exactly one successful run (source-book.ts)
//   I13 epochs count up     I15 trigger rules, clients of fan-outs, how a run ends (task-book.ts)

import type { Taken } from '../../src/core/run/taken.ts'
import type { JournalLine, JournalText } from './journal-text.ts'
import { checkNotifications, type Delivery } from './notification-book.ts'
import { SlotOracle } from './slot-oracle.ts'
import { type Present, SourceBook } from './source-book.ts'
import {
  countsOf,
  forgotten,
  hasEnded,
  newTask,
  statusOf,
  type TaskBook,
  type Tasks,
  whyNotEndFanOut,
  whyNotSkip,
  whyNotStart,
} from './task-book.ts'

export interface Evidence {
  /** What was shown to anybody, by `seq`: the event as JSON. */
  readonly visible: ReadonlyMap<number, string>
  /** Runs that somebody was told of, with the line that the answer named. */
  readonly acknowledged?: readonly { seq: number; runId: string }[]
  /** What was really executed, in order. */
  readonly executions: readonly { runId: string; taskId: string; attempt: number }[]
  /** What was brought to channels, in order. */
  readonly deliveries?: readonly Delivery[]
  /** What sources took and fan-outs found, by run, task and attempt. */
  readonly taken?: ReadonlyMap<string, Taken>
  readonly clients?: ReadonlyMap<string, readonly string[]>
  /** What lies before sources in the end, after each has had a run that went well. */
  readonly present?: readonly Present[]
  readonly limits: { readonly maxParallel: number; readonly maxTasks: number }
  /** Slots of the pools, which never change. */
  readonly pools?: Readonly<Record<string, number>>
  /** True: everything was given the time to end, so nothing may be left. */
  readonly settled: boolean
  /** The clock was set back now and then: a retry that had come before then may start at an earlier time. */
  readonly clockWasSet?: boolean
  /** Every slot up to this instant must have been decided, Unix milliseconds. */
  readonly plannedUntil?: number
}

interface ScheduleBook {
  /** Slots whose conditions are being asked. */
  readonly open: Set<number>
  cursor: number
  cron: string
  oracle: SlotOracle
  retired: boolean
  /** Unfinished runs in the order in which they were enqueued. */
  active: string[]
}

interface RunBook {
  readonly runId: string
  readonly dagName: string
  status: 'queued' | 'running' | 'finished'
  readonly definitionHash: string
  readonly scheduleId: string | undefined
  readonly order: string
  readonly pool: string | undefined
  readonly weight: number
  tasks: Tasks
  cancelRequested: boolean
  live: number
}

const LOSSES_MAX = 5
/** Of `run_finished`, in the order of `countsOf`. */
const COUNTS = [
  'tasks_succeeded',
  'tasks_failed',
  'tasks_skipped',
  'clients_succeeded',
  'clients_failed',
  'clients_skipped',
]
const MINUTE_MS = 60_000

const oracles = new Map<string, SlotOracle>()

function oracleOf(cron: string): SlotOracle {
  let oracle = oracles.get(cron)
  if (oracle === undefined) {
    oracle = new SlotOracle(cron)
    oracles.set(cron, oracle)
  }
  return oracle
}

/** @returns what is wrong, in words; empty if nothing is */
export function checkInvariants(text: JournalText, evidence: Evidence): string[] {
  const judge = new Judge(evidence)
  const problems = text.problems.map(problem => `I3 ${problem}`)
  for (const line of text.lines) {
    judge.read(line)
    if (text.commitEnds.has(line.seq)) judge.endCommit(line.seq)
  }
  problems.push(...judge.problems, ...checkVisible(text, evidence.visible))
  for (const { seq, runId } of evidence.acknowledged ?? []) {
    const kept = text.lines[seq - 1]?.['run_id']
    if (kept !== runId) problems.push(`I2 ${runId} was acknowledged with line ${seq}, which is of ${kept}`)
  }
  problems.push(...judge.checkExecutions(evidence.executions))
  if (evidence.settled) problems.push(...judge.checkSettled())
  if (evidence.deliveries !== undefined)
    problems.push(...checkNotifications(text, evidence.deliveries, evidence.settled))
  if (evidence.plannedUntil !== undefined) problems.push(...judge.checkPlanned(evidence.plannedUntil))
  return problems
}

function checkVisible({ lines }: JournalText, visible: ReadonlyMap<number, string>): string[] {
  const problems: string[] = []
  for (const [seq, shown] of visible) {
    const kept = lines[seq - 1]
    if (kept === undefined) problems.push(`I2 line ${seq} was shown and is lost: ${shown.slice(0, 160)}`)
    else if (JSON.stringify(kept) !== shown && canonical(kept) !== canonical(JSON.parse(shown))) {
      problems.push(`I2 line ${seq} is not what was shown: ${shown.slice(0, 160)}`)
    }
  }
  return problems
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

class Judge {
  readonly problems: string[] = []
  readonly #limits: Evidence['limits']
  readonly #pools: Readonly<Record<string, number>>
  readonly #held = new Map<string, number>()
  readonly #clockWasSet: boolean
  readonly #schedules = new Map<string, ScheduleBook>()
  readonly #slots = new Set<string>()
  readonly #definitions = new Map<string, Tasks>()
  readonly #evidence: Evidence
  readonly #sources = new SourceBook((invariant, what) => this.#blame(invariant, what))
  readonly #runs = new Map<string, RunBook>()
  readonly #starts = new Set<string>()
  readonly #touched = new Set<RunBook>()
  #epoch = 0
  #live = 0
  #liveRuns = 0
  #seq = 0
  #at = 0

  constructor(evidence: Evidence) {
    const { limits, pools = {}, clockWasSet = false } = evidence
    this.#evidence = evidence
    this.#limits = limits
    this.#pools = pools
    this.#clockWasSet = clockWasSet
  }

  #blame(invariant: string, what: string): void {
    if (this.problems.length < 20) this.problems.push(`${invariant} line ${this.#seq}: ${what}`)
  }

  #demand(holds: boolean, invariant: string, what: string | (() => string)): void {
    if (!holds) this.#blame(invariant, typeof what === 'string' ? what : what())
  }

  read(line: JournalLine): void {
    this.#seq = line.seq
    this.#at = Date.parse(line.timestamp)
    if (line['source'] === 'user') return
    if (/^(?:schedule|slot)_/.test(line.event)) this.#readSchedule(line)
    else if (line.event.startsWith('task_') || line.event === 'clients_found') this.#readTask(line)
    else if (/^(?:files|stream)_/.test(line.event)) this.#readSource(line)
    else if (line.event.startsWith('run_')) this.#readRun(line)
    else if (line.event === 'definition_recorded') this.#readDefinition(line)
    else if (line.event === 'scheduler_started') {
      this.#demand(line['epoch'] === this.#epoch + 1, 'I13', `epoch ${line['epoch']} follows ${this.#epoch}`)
      this.#epoch = line['epoch'] as number
    }
  }

  /** A run whose last task has ended ends in the same commit. */
  endCommit(seq: number): void {
    for (const run of this.#touched) {
      const isOver = run.status === 'running' && [...run.tasks.values()].every(hasEnded)
      if (isOver) this.#blame('I4', `${run.runId} has nothing left and did not end in the commit of ${seq}`)
      if (run.status !== 'running') continue
      for (const { id } of forgotten(run.tasks)) this.#blame('I15', `${run.runId} ${id} waits for nothing`)
    }
    this.#touched.clear()
    this.#sources.endCommit()
  }

  #readSource(line: JournalLine): void {
    const run = this.#runs.get(line['run_id'] as string)
    const isUnderWay = line.event === 'files_forgotten' || run?.status === 'running'
    this.#demand(isUnderWay, 'I11', `${line.event} of ${line['run_id']}, which is not under way`)
    this.#sources.read(line)
  }

  // --- schedules -----------------------------------------------------------------------------------------------------

  #readSchedule(line: JournalLine): void {
    const id = line['schedule_id'] as string
    if (line.event === 'schedule_registered') return this.#register(id, line)
    const book = this.#schedules.get(id)
    if (book === undefined) return this.#blame('I1', `${id} was never registered`)
    this.#demand(!book.retired, 'I1', `${id} is retired`)
    switch (line.event) {
      case 'schedule_retired':
        this.#demandDecided(id, book, this.#at)
        book.retired = true
        return
      case 'slot_opened':
        this.#demandDue(id, book, line)
        this.#demand(
          !this.#slots.has(`${id}\n${instantOf(line['slot'])}`),
          'I1',
          `${id} opens what is decided`,
        )
        book.cursor = instantOf(line['slot'])
        book.open.add(book.cursor)
        return
      case 'slot_deferred':
        return this.#demand(book.open.has(instantOf(line['slot'])), 'I1', `${id} defers what is not open`)
      case 'schedule_missed': {
        if (book.open.delete(instantOf(line['to']))) {
          this.#demand(
            line['count'] === 1 && line['from'] === line['to'],
            'I1',
            `${id} misses more than was open`,
          )
          return this.#decide(id, instantOf(line['to']))
        }
        const count = line['count'] as number
        for (let done = 0; done < count && done < 1_000_000; done++) {
          const slot = book.oracle.next(book.cursor)
          if (slot === undefined) return this.#blame('I1', `${id} has no slot ${done + 1} of ${count}`)
          if (done === 0)
            this.#demand(slot === instantOf(line['from']), 'I1', `${id} misses from a wrong slot`)
          this.#dispose(id, book, slot)
        }
        return this.#demand(book.cursor === instantOf(line['to']), 'I1', `${id} misses up to a wrong slot`)
      }
      default: {
        const slot = instantOf(line['slot'])
        if (book.open.delete(slot)) this.#decide(id, slot)
        else {
          this.#demandDue(id, book, line)
          this.#dispose(id, book, slot)
        }
        if (line.event === 'schedule_enqueued') this.#addRun(line, book)
        else if (line['reason'] === 'overlap') {
          const blockedBy = (line['inputs'] as { blocked_by: string }).blocked_by
          this.#demand(
            book.active.includes(blockedBy),
            'I1',
            `${id} is skipped for ${blockedBy}, which is over`,
          )
        }
      }
    }
  }

  /** The line is about the schedule's next slot. */
  #demandDue(id: string, book: ScheduleBook, line: JournalLine): void {
    const expected = book.oracle.next(book.cursor)
    this.#demand(
      instantOf(line['slot']) === expected,
      'I1',
      () => `${id} decides ${line['slot']}, due was ${describe(expected)}`,
    )
    this.#demand(line['minute'] === line['slot'], 'I1', `${id}: minute is not the slot`)
  }

  #register(id: string, line: JournalLine): void {
    const known = this.#schedules.get(id)
    const cursor = instantOf(line['cursor'])
    const cron = line['cron'] as string
    const first = Math.floor(this.#at / MINUTE_MS) * MINUTE_MS - 1
    if (line['cause'] === 'timing_changed') {
      if (known === undefined || known.retired) return this.#blame('I1', `${id} changed without being there`)
      this.#demandDecided(id, known, cursor)
      this.#demand(cursor === Math.max(this.#at, known.cursor), 'I1', `${id} begins at ${line['cursor']}`)
    } else {
      this.#demand(known === undefined || known.retired, 'I1', `${id} is registered twice`)
      const expected = Math.max(first, known?.cursor ?? first)
      this.#demand(cursor === expected, 'I1', `${id} begins at ${line['cursor']}`)
    }
    const active = known?.active ?? []
    const open = known?.open ?? new Set<number>()
    this.#schedules.set(id, { cursor, cron, oracle: oracleOf(cron), retired: false, active, open })
  }

  #dispose(id: string, book: ScheduleBook, slot: number): void {
    this.#demand(slot <= this.#at, 'I1', () => `${id} decides ${describe(slot)} before it is due`)
    this.#decide(id, slot)
    book.cursor = slot
  }

  #decide(id: string, slot: number): void {
    const key = `${id}\n${slot}`
    this.#demand(!this.#slots.has(key), 'I1', () => `${id} decides ${describe(slot)} twice`)
    this.#slots.add(key)
  }

  /** Its timing ends: nothing of it may be left. */
  #demandDecided(id: string, book: ScheduleBook, until: number): void {
    this.#demand(book.open.size === 0, 'I1', `${id} leaves an open slot behind`)
    this.#demandPlanned(id, book, until)
  }

  #demandPlanned(id: string, book: ScheduleBook, until: number): void {
    const next = book.oracle.next(book.cursor)
    this.#demand(next === undefined || next > until, 'I1', () => `${id} leaves out ${describe(next)}`)
  }

  checkPlanned(until: number): string[] {
    for (const [id, book] of this.#schedules) if (!book.retired) this.#demandPlanned(id, book, until)
    return this.problems.splice(0)
  }

  // --- runs ----------------------------------------------------------------------------------------------------------

  #readDefinition(line: JournalLine): void {
    const hash = line['definition_hash'] as string
    let tasks = this.#definitions.get(hash)
    if (tasks === undefined || line['part'] === 1) {
      tasks = new Map()
      this.#definitions.set(hash, tasks)
    }
    for (const task of line['tasks'] as Parameters<typeof newTask>[0][]) tasks.set(task.id, newTask(task))
  }

  #addRun(line: JournalLine, schedule?: ScheduleBook): void {
    const runId = line['run_id'] as string
    const definitionHash = line['definition_hash'] as string
    this.#demand(!this.#runs.has(runId), 'I4', `the run ${runId} is there already`)
    this.#demand(this.#definitions.has(definitionHash), 'I5', `${runId} has no definition`)
    this.#runs.set(runId, {
      runId,
      dagName: line['dag_name'] as string,
      status: 'queued',
      definitionHash,
      scheduleId: schedule === undefined ? undefined : (line['schedule_id'] as string),
      order: schedule === undefined ? 'parallel' : (line['order'] as string),
      pool: line['pool'] as string | undefined,
      weight: (line['weight'] as number | undefined) ?? 1,
      tasks: new Map(),
      cancelRequested: false,
      live: 0,
    })
    if (schedule === undefined) return
    schedule.active.push(runId)
    this.#demand(runId === `${line['schedule_id']}@${line['slot']}`, 'I1', `${runId} is not of its slot`)
  }

  #readRun(line: JournalLine): void {
    if (line.event === 'run_requested') return this.#addRun(line)
    const run = this.#runs.get(line['run_id'] as string)
    if (run === undefined || run.status === 'finished') {
      return this.#blame('I5', `${line.event} of ${line['run_id']}, which is ${run?.status ?? 'unknown'}`)
    }
    switch (line.event) {
      case 'run_started': {
        this.#demand(run.status === 'queued', 'I4', `${run.runId} starts twice`)
        this.#demand(!run.cancelRequested, 'I5', `${run.runId} starts after it was cancelled`)
        const line_ = run.scheduleId === undefined ? [] : this.#schedules.get(run.scheduleId)!.active
        const isFirst = run.order === 'parallel' || line_[0] === run.runId
        this.#demand(isFirst, 'I5', `${run.runId} starts before ${line_[0]}`)
        run.status = 'running'
        this.#hold(run, run.weight)
        const definition = this.#definitions.get(run.definitionHash)!
        for (const [id, task] of definition) run.tasks.set(id, { ...task })
        return
      }
      case 'run_resumed': {
        const done = [...run.tasks.values()].filter(hasEnded).length
        this.#demand(line['tasks_finished'] === done, 'I5', `${run.runId} resumes with a wrong count`)
        this.#demand(line['tasks_interrupted'] === run.live, 'I5', `${run.runId} resumes with a wrong count`)
        return
      }
      case 'run_cancel_requested':
        run.cancelRequested = true
        return
      case 'run_finished':
        return this.#finish(run, line)
      default:
        return this.#blame('I5', `unknown line ${line.event}`)
    }
  }

  /** A weight is held from the start of a run to its end, whatever happens to the scheduler. */
  #hold({ pool, runId }: RunBook, weight: number): void {
    if (pool === undefined) return
    const held = (this.#held.get(pool) ?? 0) + weight
    this.#held.set(pool, held)
    const slots = this.#pools[pool] ?? Number.POSITIVE_INFINITY
    this.#demand(held <= slots || weight < 0, 'I9', `${runId} makes ${held} of the ${slots} slots of ${pool}`)
  }

  #finish(run: RunBook, line: JournalLine): void {
    const open = [...run.tasks.values()].filter(task => !hasEnded(task)).length
    this.#demand(open === 0 && run.live === 0, 'I5', `${run.runId} ends with ${open} tasks open`)
    const status = statusOf(run.tasks, run.cancelRequested)
    this.#demand(line['status'] === status, 'I15', `${run.runId} ends as ${line['status']}, it is ${status}`)
    const stated = COUNTS.map(name => line[name] ?? 0).join()
    const counted = countsOf(run.tasks).join()
    this.#demand(stated === counted, 'I5', `${run.runId} counts ${stated}, it was ${counted}`)
    this.#sources.runFinished(run.runId, status)
    if (run.status === 'running') this.#hold(run, -run.weight)
    run.status = 'finished'
    if (run.scheduleId === undefined) return
    const { active } = this.#schedules.get(run.scheduleId)!
    active.splice(active.indexOf(run.runId), 1)
  }

  // --- tasks ---------------------------------------------------------------------------------------------------------

  #readTask(line: JournalLine): void {
    const run = this.#runs.get(line['run_id'] as string)
    const taskId = line['task_id'] as string
    const task = run?.tasks.get(taskId)
    if (run === undefined || task === undefined || run.status !== 'running') {
      return this.#blame('I5', `${line.event} of ${line['run_id']} ${taskId}, which is not under way`)
    }
    this.#touched.add(run)
    const name = `${run.runId} ${taskId}`
    if (line.event === 'task_start') return this.#start(run, taskId, task, line)
    if (line.event === 'task_skip' && task.status !== 'running') return this.#skip(run, task, line, name)
    if (task.status === 'fanned_out') return this.#endFanOut(run, task, line, name)
    this.#demand(task.status === 'running', 'I5', `${line.event} of ${name}, which is ${task.status}`)
    this.#demand(
      line['attempt'] === task.attempt,
      'I5',
      `${name}: attempt ${line['attempt']} is not the last`,
    )
    if (line.event === 'task_spawned' || line.event === 'task_readopted') return
    this.#end(run, task, line, name)
  }

  /** It never began, or waits for a retry. */
  #skip(run: RunBook, task: TaskBook, line: JournalLine, name: string): void {
    const isOpen = task.status === 'waiting' || task.status === 'retrying'
    this.#demand(isOpen, 'I5', `${name} is skipped while ${task.status}`)
    if (line['reason'] === 'cancelled')
      this.#demand(run.cancelRequested, 'I5', `${name} is skipped, its run is not cancelled`)
    else {
      const wrong = whyNotSkip(run.tasks, task, line['reason'])
      if (wrong !== undefined) this.#blame('I15', `${name} is skipped: ${wrong}`)
    }
    task.status = 'skipped'
    task.end = line['reason'] === 'upstream_failed' ? 'failed' : 'skipped'
  }

  /** Further parts of who its clients are, then its end: it has no attempt of its own any more. */
  #endFanOut(run: RunBook, task: TaskBook, line: JournalLine, name: string): void {
    if (line.event === 'clients_found') return this.#addClients(run, task, line)
    const wrong = whyNotEndFanOut(run.tasks, task, line)
    if (wrong !== undefined) this.#blame('I15', `${name} ends with ${line.event}: ${wrong}`)
    if (line.event === 'task_cancelled')
      this.#demand(run.cancelRequested, 'I5', `${name} is cancelled and its run is not`)
    task.status = line.event === 'task_ok' ? 'ok' : line.event === 'task_fail' ? 'failed' : 'cancelled'
    task.end = task.status === 'cancelled' ? 'skipped' : task.status
    task.isPartial = line['partial'] === true
  }

  #addClients(run: RunBook, fanOut: TaskBook, line: JournalLine): void {
    const name = `${run.runId} ${fanOut.id}`
    this.#demand(fanOut.parallel !== undefined, 'I15', `${name} is no fan-out`)
    const found = line['clients'] as string[]
    const given = this.#evidence.clients?.get(`${run.runId}\n${fanOut.id}\n${fanOut.attempt}`)
    const isFound = given === undefined || found.every(client => given.includes(client))
    const isWhole = line['parts'] !== 1 || given === undefined || given.length === found.length
    this.#demand(isFound && isWhole, 'I15', `${name} finds ${found.join()}, it was given ${given?.join()}`)
    for (const client of found) {
      const id = `${fanOut.id}[${client}]`
      this.#demand(!run.tasks.has(id), 'I15', `${name} finds ${client} twice`)
      run.tasks.set(id, newTask({ id, retries: fanOut.retries, dependsOn: [] }, fanOut.id))
    }
  }

  #start(run: RunBook, taskId: string, task: TaskBook, line: JournalLine): void {
    const name = `${run.runId} ${taskId}`
    const mayStart = task.status === 'waiting' || task.status === 'retrying'
    this.#demand(mayStart, task.status === 'ok' ? 'I7' : 'I5', `${name} starts while ${task.status}`)
    this.#demand(line['attempt'] === task.attempt + 1, 'I5', `${name}: attempt ${line['attempt']} starts`)
    this.#demand(!run.cancelRequested, 'I5', `${name} starts after its run was cancelled`)
    const isDue = task.status !== 'retrying' || this.#clockWasSet || this.#at >= task.retryAt
    this.#demand(isDue, 'I5', `${name} is retried too early`)
    const wrong = whyNotStart(run.tasks, task)
    if (wrong !== undefined) this.#blame('I15', `${name} starts: ${wrong}`)
    task.status = 'running'
    task.attempt += 1
    task.stepsBefore = this.#sources.stepsOf(run.dagName)
    this.#starts.add(`${run.runId}\n${taskId}\n${task.attempt}`)
    this.#live += 1
    if (run.live === 0) this.#liveRuns += 1
    run.live += 1
    const { maxParallel, maxTasks } = this.#limits
    this.#demand(this.#live <= maxTasks, 'I9', `${this.#live} attempts at once, at most ${maxTasks}`)
    this.#demand(
      this.#liveRuns <= maxParallel,
      'I9',
      `${this.#liveRuns} runs at once, at most ${maxParallel}`,
    )
  }

  #end(run: RunBook, task: TaskBook, line: JournalLine, name: string): void {
    this.#live -= 1
    run.live -= 1
    if (run.live === 0) this.#liveRuns -= 1
    switch (line.event) {
      case 'clients_found':
        task.status = 'fanned_out'
        return this.#addClients(run, task, line)
      case 'task_skip':
        task.status = task.end = 'skipped'
        task.saidSkip = line['reason'] === 'returned_skip'
        return this.#demand(
          task.saidSkip || (line['reason'] === 'condition' && task.fanOut !== undefined),
          'I5',
          `${name} is skipped while it runs (${line['reason']})`,
        )
      case 'task_ok': {
        task.status = 'ok'
        const output = line['output'] as Record<string, unknown> | undefined
        task.end =
          line['continue'] === 0 || output?.['continue'] === 0 || output?.['continue'] === false
            ? 'stopped'
            : 'ok'
        const given = this.#evidence.taken?.get(`${run.runId}\n${task.id}\n${task.attempt}`)
        this.#sources.taskOk(run.runId, task.id, given, this.#evidence.taken !== undefined)
        if (output?.['attempt'] === undefined) return
        const isOwn =
          output['attempt'] === task.attempt && output['run'] === run.runId && output['task'] === task.id
        return this.#demand(
          isOwn,
          'I7',
          `${name} #${task.attempt} has the output of ${JSON.stringify(output).slice(0, 90)}`,
        )
      }
      case 'task_retry':
        task.status = 'retrying'
        task.failures += 1
        task.retryAt = instantOf(line['retry_at'])
        return this.#demand(task.failures <= task.retries, 'I5', `${name} is retried too often`)
      case 'task_lost':
        task.status = 'retrying'
        if (line['overtaken'] === true)
          this.#demand(
            this.#sources.stepsOf(run.dagName) > task.stepsBefore,
            'I11',
            `${name} is overtaken, and nobody else got on`,
          )
        else task.losses += 1
        task.retryAt = instantOf(line['retry_at'])
        return this.#demand(task.losses <= LOSSES_MAX, 'I5', `${name} is lost too often`)
      case 'task_fail': {
        task.status = task.end = 'failed'
        const mayFail = task.failures >= task.retries || run.cancelRequested || task.losses >= LOSSES_MAX
        return this.#demand(mayFail, 'I5', `${name} fails although it has retries left`)
      }
      case 'task_cancelled':
        task.status = 'cancelled'
        task.end = 'skipped'
        return this.#demand(run.cancelRequested, 'I5', `${name} is cancelled and its run is not`)
      default:
        return this.#blame('I5', `unknown line ${line.event}`)
    }
  }

  // --- against the side log, and at the end --------------------------------------------------------------------------

  checkExecutions(executions: Evidence['executions']): string[] {
    const problems: string[] = []
    const seen = new Set<string>()
    for (const { runId, taskId, attempt } of executions) {
      const key = `${runId}\n${taskId}\n${attempt}`
      const name = `${runId} ${taskId} #${attempt}`
      if (!this.#starts.has(key))
        problems.push(`I6 ${name} was executed, the journal has no task_start for it`)
      if (seen.has(key)) problems.push(`I7 ${name} was executed twice`)
      seen.add(key)
    }
    return problems
  }

  checkSettled(): string[] {
    const problems: string[] = []
    for (const run of this.#runs.values()) {
      if (run.status !== 'finished') problems.push(`I4 ${run.runId} never ended: it is ${run.status}`)
    }
    if (this.#live !== 0) problems.push(`I4 ${this.#live} attempts never ended`)
    return [...problems, ...this.#sources.checkPresent(this.#evidence.present ?? [])]
  }
}

function instantOf(text: unknown): number {
  return Date.parse(String(text))
}

function describe(instant: number | undefined): string {
  return instant === undefined ? 'none' : new Date(instant).toISOString()
}
