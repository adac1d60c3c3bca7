// A soak: thousands of schedules through months on a virtual clock, in the real core (decide, evolve, checkpoint,
// replay), with all that people, machines and clocks do to a scheduler. The audit sees every event as it happens.
//
//   1. A seed fixes all of it: the hash is the same however often it is told.
//   2. Memory does not grow with time: what is kept is the state, its last checkpoint and the events since.
//   3. Two clocks: `real` only goes forward and moves runs and mishaps; the scheduler sees `real` and what was done to it.
//   4. A death may fall between the commits of one decision: those behind it never were.

import { Audit } from '../../src/core/audit/audit.ts'
import { questionsOf } from '../../src/core/condition/condition.ts'
import type { Answer } from '../../src/core/condition/question.ts'
import { DagbokError } from '../../src/core/error.ts'
import { Agenda } from '../../src/core/planner/agenda.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { checkpointEvents, describeState, replay } from '../../src/core/state-machine/checkpoint.ts'
import type { AttemptResult, Command } from '../../src/core/state-machine/command.ts'
import { decide } from '../../src/core/state-machine/decide.ts'
import { type Event, isUserEvent } from '../../src/core/state-machine/event.ts'
import { nextWake } from '../../src/core/state-machine/next-wake.ts'
import { openSlotOf, slotKeyText } from '../../src/core/state-machine/open-slot.ts'
import { emptyState, type State } from '../../src/core/state-machine/state.ts'
import { DAY_MS, formatInstant, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/time/instant.ts'
import { InstantHeap } from '../../src/core/time/instant-heap.ts'
import { Chance } from './chance.ts'
import { DAGS, LARGE, poolsFor, SoakDefinitions } from './soak-definitions.ts'
import { type SoakReport, SoakTally } from './soak-tally.ts'

export interface SoakOptions {
  readonly seed: number
  readonly schedules: number
  readonly days: number
  /** Things that happen to the scheduler, on average. */
  readonly mishapsPerDay: number
  /** Only for a second look: whose events to keep, and around which instant. */
  readonly watch?: { readonly scheduleId: string; readonly around?: number | undefined }
  readonly onDay?: (day: number, events: number) => void
}

/** Both changes of the clock of a zone lie in the year that follows, and one within two weeks. */
const BEGIN = Date.parse('2026-03-14T00:00:00Z')
/** Events from which on a checkpoint is due, as at the roll of a segment. */
const EVENTS_PER_SEGMENT = 60_000

/** The scheduler died while it wrote. */
class Death extends Error {}

/** What becomes of an attempt; `never` only ends when somebody cancels it. */
interface Ending {
  readonly runId: string
  readonly taskId: string
  readonly attempt: number
  readonly how: 'ok' | 'skip' | 'failed' | 'lost' | 'never' | 'cancelled'
}

/** Weights of what happens between slots. */
const MISHAPS = {
  reload: 14,
  pause: 12,
  pause_until: 8,
  resume: 8,
  pause_all: 3,
  resume_all: 2,
  skip_slot: 12,
  unskip_slot: 4,
  run_slot: 12,
  trigger: 3,
  cancel: 4,
  stall: 6,
  stop: 3,
  crash: 7,
  crash_in_write: 7,
  crash_in_reload: 2,
  clock_forward: 3,
  clock_backward: 3,
}

export class Soak {
  readonly #options: SoakOptions
  readonly #chance: Chance
  readonly #drawn: SoakDefinitions
  readonly #audit: Audit
  readonly #tally: SoakTally
  readonly #endings = new InstantHeap<Ending>()
  /** What the world will say, and of which asks that is planned. */
  readonly #answers = new InstantHeap<Command & { type: 'answered' }>()
  readonly #asked = new Set<string>()
  #askingVersion = -1
  readonly #limits: { maxParallel: number; maxTasks: number }
  readonly #pools: Record<string, number>
  #definitions: Definitions
  #agenda = new Agenda()
  #state: State = emptyState()
  #checkpoint: Event[] = []
  #since: Event[] = []
  #seq = 0
  #real = BEGIN
  #shift = 0
  #isDying = false
  #lives = 0
  #manual = 0

  constructor(options: SoakOptions) {
    const { seed, schedules, days, watch } = options
    this.#options = options
    this.#chance = new Chance(seed)
    this.#pools = poolsFor(schedules)
    this.#drawn = new SoakDefinitions(this.#chance, schedules, BEGIN, days)
    this.#definitions = this.#drawn.current
    this.#audit = new Audit(watch === undefined ? {} : { scheduleId: watch.scheduleId })
    this.#tally = new SoakTally(watch)
    this.#limits = { maxParallel: Math.max(30, schedules / 20), maxTasks: Math.max(40, schedules / 15) }
  }

  /** What the scheduler's clock shows. */
  get #now(): number {
    return this.#real + this.#shift
  }

  run(): SoakReport {
    const { days, mishapsPerDay, onDay } = this.#options
    const end = BEGIN + days * DAY_MS
    this.#survive(() => this.#boot())
    let day = 0
    while (this.#real < end) {
      const pause = -Math.log(1 - this.#chance.next()) * (DAY_MS / mishapsPerDay)
      this.#goOnUntil(Math.min(end, this.#real + Math.ceil(pause)))
      if (this.#real < end) this.#survive(() => this.#mishap(this.#chance.weigh(MISHAPS)))
      for (; day < (this.#real - BEGIN) / DAY_MS - 1; day++) onDay?.(day + 1, this.#seq)
    }
    this.#isDying = false
    this.#pump()
    this.#checkReplay()
    this.#when({ type: 'stop', reason: 'the soak is over' })
    this.#when({ type: 'stopped' })
    return this.#tally.conclude(this.#audit.finish(this.#now), {
      lives: this.#lives,
      unfinished: this.#state.runs.size,
      events: this.#seq,
      now: this.#now,
      waiting: new Map([...this.#state.schedules].map(([id, { open = [] }]) => [id, open.length])),
    })
  }

  /** Decides a command as the loop would; what is not on disk by then is lost in a death. */
  #when(command: Command): void {
    const commits = decide(this.#state, command, {
      now: this.#now,
      definitions: this.#definitions,
      agenda: this.#agenda,
      limits: this.#limits,
      admission: 'open',
      driven: 'all',
      random: () => this.#chance.next(),
    })
    const dies = this.#isDying && commits.length > 0
    if (dies) {
      this.#isDying = false
      this.#tally.count('commits_lost', commits.length)
      commits.length = this.#chance.between(0, commits.length - 1)
      this.#tally.count('commits_lost', -commits.length)
    }
    for (const commit of commits) for (const event of commit) this.#take(event)
    this.#state.seq = this.#seq
    if (dies) throw new Death()
    const { slotsHeld, live } = this.#state
    if (slotsHeld > this.#limits.maxParallel || live.size > this.#limits.maxTasks)
      throw new Error(`limits: ${slotsHeld} runs and ${live.size} tasks at once`)
    for (const [pool, held] of this.#state.startable.held) {
      if (held > this.#pools[pool]!) throw new Error(`limits: ${held} slots of ${pool} held`)
    }
    if (this.#state.askingVersion !== this.#askingVersion) this.#askWorld()
    if (this.#since.length > EVENTS_PER_SEGMENT) this.#roll()
  }

  #take(event: Event): void {
    event.seq = ++this.#seq
    this.#since.push(event)
    this.#audit.take(event)
    this.#tally.take(event)
    if (isUserEvent(event)) return
    if (event.event === 'task_start') this.#plan(event.run_id, event.task_id, event.attempt)
    else if (event.event === 'run_cancel_requested') this.#interrupt(event.run_id)
  }

  /** Whatever is to be asked and is not under way: the answer comes at once, after a while, or when it is too late. */
  #askWorld(): void {
    const chance = this.#chance
    const state = this.#state
    this.#askingVersion = state.askingVersion
    for (const key of this.#asked) if (!state.asking.has(key)) this.#asked.delete(key)
    for (const key of state.asking.values()) {
      const schedule = this.#definitions.schedules.get(key.scheduleId)
      if (this.#asked.has(slotKeyText(key)) || schedule === undefined) continue
      this.#asked.add(slotKeyText(key))
      const { conditions = [] } = schedule
      const isDeaf = key.scheduleId === 's1' && this.#isDeafDay
      const says = chance.weigh(
        isDeaf ? { no: 97, error: 2, yes: 1 } : key.scheduleId === 's1' ? FREQUENT : USUAL,
      )
      const answers = questionsOf(conditions).map(() => ANSWERS[says])
      const ask = openSlotOf(state, key)!.asks
      const waitMs = chance.weigh({ none: 6, seconds: 3, minutes: 1 })
      const ms = waitMs === 'none' ? 0 : chance.between(1, waitMs === 'seconds' ? MINUTE_MS : 30 * MINUTE_MS)
      this.#answers.put(this.#real + ms, { type: 'answered', ...key, ask, conditions, answers })
    }
  }

  /**
   * What the schedule that asks every minute waits for does not come for a day: more of its slots are open than may be. In a
   * small set, which lives for days only, that is every day.
   */
  get #isDeafDay(): boolean {
    return this.#options.schedules < LARGE || Math.floor((this.#real - BEGIN) / DAY_MS) % 15 === 3
  }

  /** How an attempt will end, and when. */
  #plan(runId: string, taskId: string, attempt: number): void {
    const chance = this.#chance
    const how = chance.weigh({ ok: 935, skip: 15, failed: 40, lost: 6, never: 4 })
    const length = chance.weigh({ short: 900, long: 90, days: 10 })
    const ms =
      how === 'never'
        ? chance.between(2 * HOUR_MS, 2 * DAY_MS)
        : length === 'short'
          ? chance.between(0, 20 * SECOND_MS)
          : length === 'long'
            ? chance.between(MINUTE_MS, 40 * MINUTE_MS)
            : chance.between(HOUR_MS, 30 * HOUR_MS)
    this.#endings.put(this.#real + ms, { runId, taskId, attempt, how })
  }

  /** The worker is told that a run is cancelled, and ends what runs of it. */
  #interrupt(runId: string): void {
    for (const [taskId, { status, attempt }] of this.#state.runs.get(runId)?.tasks ?? []) {
      if (status !== 'running') continue
      this.#endings.put(this.#real + 2 * SECOND_MS, { runId, taskId, attempt, how: 'cancelled' })
    }
  }

  #end({ runId, taskId, attempt, how }: Ending): void {
    if (this.#state.runs.get(runId)?.tasks.get(taskId)?.attempt !== attempt) return
    if (how === 'never') {
      this.#tally.count('never_ended', 1)
      this.#when({ type: 'cancel', runId, reason: 'it does not end' })
      return
    }
    this.#when({ type: 'ended', runId, taskId, attempt, durationMs: 5, result: RESULTS[how] })
  }

  #goOnUntil(until: number): void {
    while (this.#real < until) {
      const slot = nextWake(this.#state, this.#agenda, true) ?? NEVER
      const wake = Math.min(slot - this.#shift, this.#endings.nextAt ?? NEVER, this.#answers.nextAt ?? NEVER)
      this.#real = Math.min(until, Math.max(this.#real + 1, wake))
      this.#survive(() => this.#pump())
    }
  }

  /** All that is due now. */
  #pump(): void {
    for (let due = this.#endings.takeDue(this.#real); due; due = this.#endings.takeDue(this.#real)) {
      this.#end(due.item)
    }
    while (Math.min(this.#agenda.nextAt ?? NEVER, this.#state.reasks.nextAt ?? NEVER) <= this.#now)
      this.#when({ type: 'tick' })
    for (let due = this.#answers.takeDue(this.#real); due; due = this.#answers.takeDue(this.#real)) {
      this.#tally.count('answered', 1)
      this.#asked.delete(slotKeyText(due.item))
      // One that decides nothing is asked anew.
      this.#askingVersion = -1
      this.#when(due.item)
    }
    const wake = nextWake(this.#state, this.#agenda, false)
    if (wake !== undefined && wake <= this.#now) this.#when({ type: 'wake' })
  }

  /** Starts again for as long as it dies. */
  #survive(live: () => void): void {
    for (let next = live; ; ) {
      try {
        return next()
      } catch (error) {
        if (!(error instanceof Death)) throw error
        this.#tally.count('died_in_write', 1)
        next = () => this.#restart('replay')
      }
    }
  }

  #mishap(kind: keyof typeof MISHAPS): void {
    const chance = this.#chance
    this.#tally.count(kind, 1)
    switch (kind) {
      case 'reload':
        return this.#reload('reload')
      case 'stall':
        this.#real += chance.between(SECOND_MS, 2 * MINUTE_MS)
        return this.#pump()
      case 'stop':
        this.#when({ type: 'stop', reason: 'test' })
        this.#when({ type: 'stopped' })
        this.#checkReplay()
        return this.#restart('checkpoint')
      case 'crash':
        this.#checkReplay()
        return this.#restart(chance.pick(['replay', 'checkpoint']))
      case 'crash_in_write':
        this.#isDying = true
        return
      case 'crash_in_reload':
        this.#isDying = true
        return this.#reload('reload')
      case 'clock_forward':
      case 'clock_backward':
        return this.#jump(kind === 'clock_forward' ? 1 : -1)
      default:
        return this.#ask(kind)
    }
  }

  #reload(cause: 'start' | 'reload'): void {
    this.#drawn.change()
    this.#definitions = this.#drawn.current
    this.#when({ type: 'use_definitions', definitions: this.#definitions, cause })
    this.#pump()
  }

  /** Somebody, or NTP, sets the clock. */
  #jump(sign: 1 | -1): void {
    const wallMs = sign * this.#span()
    this.#shift += wallMs
    const direction = sign > 0 ? 'forward' : 'backward'
    this.#when({ type: 'note_clock_jump', direction, wallMs, monotonicMs: 0 })
    this.#pump()
  }

  /** From a second to three days, mostly short. */
  #span(): number {
    const longest = this.#chance.weigh({ seconds: 55, minutes: 32, hours: 10, days: 3 })
    return this.#chance.between(SECOND_MS, SPANS[longest])
  }

  /** What people ask for. A refusal is an answer too, and must leave no trace. */
  #ask(kind: Exclude<keyof typeof MISHAPS, 'stop' | 'stall'>): void {
    const seq = this.#seq
    try {
      this.#when(this.#wish(kind))
    } catch (error) {
      if (!(error instanceof DagbokError) || this.#seq !== seq) throw error
      this.#tally.count(`refused_${error.code}`, 1)
    }
  }

  #wish(kind: string): Command {
    const chance = this.#chance
    // The fastest one more often than others, but not paused for the whole of the time.
    const isOfFastest = kind !== 'pause' && chance.happens(0.15)
    const scheduleId = isOfFastest ? 's0' : chance.pick(this.#drawn.ids)
    const reason = 'test'
    switch (kind) {
      case 'pause':
        return { type: 'pause', scheduleId, reason }
      case 'pause_until':
        return { type: 'pause', scheduleId, reason, until: this.#now + this.#span() }
      case 'pause_all':
        return { type: 'pause', reason, until: this.#now + chance.between(MINUTE_MS, 6 * HOUR_MS) }
      case 'resume_all':
        return { type: 'resume', reason }
      case 'resume': {
        const paused = [...this.#state.schedules].filter(([, { pauses }]) => pauses !== undefined)
        return { type: 'resume', reason, scheduleId: paused.length > 0 ? chance.pick(paused)[0] : scheduleId }
      }
      case 'unskip_slot': {
        const touched = [...this.#state.schedules].filter(([, { byHand }]) =>
          byHand?.some(w => w.did === 'skip'),
        )
        return {
          type: 'unskip_slot',
          reason,
          scheduleId: touched.length > 0 ? chance.pick(touched)[0] : scheduleId,
        }
      }
      case 'skip_slot':
      case 'run_slot': {
        // Mostly a slot to come; now and then one that is decided, or none.
        const from = this.#now + chance.pick([0, 0, HOUR_MS, DAY_MS, -2 * DAY_MS])
        const next = this.#definitions.schedules.get(scheduleId)?.slots.next(from)
        const slot = next === undefined || chance.happens(0.1) ? from : next
        if (kind === 'run_slot') return { type: 'run_slot', scheduleId, slot, cause: reason }
        return chance.happens(0.5)
          ? { type: 'skip_slot', scheduleId, reason }
          : { type: 'skip_slot', scheduleId, slot, reason }
      }
      case 'trigger': {
        const dag = chance.pick(DAGS)
        return { type: 'trigger', runId: `${dag.name}@manual-${this.#manual++}`, dag, cause: reason }
      }
      default: {
        const runId = this.#state.runs.keys().next().value ?? 'none'
        return { type: 'cancel', runId, reason }
      }
    }
  }

  /** A start after a death: the state is what the journal says, and some of what ran went on without it. */
  #restart(from: 'replay' | 'checkpoint'): void {
    const chance = this.#chance
    const before = this.#now
    this.#tally.count(`restored_from_${from}`, 1)
    if (from === 'replay') this.#state = this.#replayed()
    else this.#roll()
    this.#real += this.#span()
    if (this.#now - before > DAY_MS) this.#tally.count('down_for_days', 1)
    if (chance.happens(0.3)) {
      this.#drawn.change()
      this.#definitions = this.#drawn.current
      this.#tally.count('changed_while_down', 1)
    }
    if (chance.happens(0.15)) this.#isDying = true
    this.#boot()
    this.#pump()
  }

  #boot(): void {
    this.#lives += 1
    this.#agenda = new Agenda()
    for (let due = this.#answers.takeDue(NEVER); due; due = this.#answers.takeDue(NEVER))
      this.#tally.count('answered_before_a_restart', 1)
    this.#asked.clear()
    this.#askingVersion = -1
    const planned = new Map<string, { at: number; item: Ending }>()
    for (let due = this.#endings.takeDue(NEVER); due; due = this.#endings.takeDue(NEVER)) {
      planned.set(keyOf(due.item), due)
    }
    const cutOff = [...this.#state.live.values()]
    this.#when({ type: 'boot', mode: 'serve', pid: this.#lives, host: 'soak', version: '0' })
    for (const { runId, taskId } of cutOff) {
      const { attempt } = this.#state.runs.get(runId)!.tasks.get(taskId)!
      const ending = planned.get(keyOf({ runId, taskId, attempt }))
      if (this.#chance.happens(0.2)) {
        this.#when({ type: 'ended', runId, taskId, attempt, durationMs: 0, result: RESULTS.lost })
      } else {
        this.#when({ type: 'readopted', runId, taskId, attempt, pid: 1 })
        // It went on meanwhile. One whose end was not written before the death has it told again.
        if (ending === undefined) this.#plan(runId, taskId, attempt)
        else this.#endings.put(ending.at, ending.item)
      }
    }
    this.#when({ type: 'use_definitions', definitions: this.#definitions, cause: 'start' })
  }

  #replayed(): State {
    const state = emptyState()
    for (const event of this.#checkpoint) replay(state, structuredClone(event))
    // As a line would bring it back.
    for (const event of this.#since) replay(state, JSON.parse(JSON.stringify(event)) as Event)
    state.seq = this.#seq
    return state
  }

  /** A checkpoint of now, from which the state is made anew: what follows stands on it. */
  #roll(): void {
    this.#checkpoint = checkpointEvents(this.#state, '').map(
      event => JSON.parse(JSON.stringify({ ...event, seq: this.#seq })) as Event,
    )
    this.#since = []
    this.#tally.count('checkpoints', 1)
    const facts = this.#chance.happens(0.2) ? describeState(this.#state) : undefined
    this.#state = this.#replayed()
    if (facts !== undefined) this.#compare(facts, 'the checkpoint')
  }

  #checkReplay(): void {
    const facts = describeState(this.#state)
    this.#tally.count('replays_compared', 1)
    this.#compare(facts, 'the replay', this.#replayed())
  }

  #compare(facts: string, what: string, state = this.#state): void {
    const found = describeState(state)
    if (found === facts) return
    const known = new Set(facts.split('\n'))
    const other = found.split('\n').find(line => !known.has(line))
    throw new Error(`at ${formatInstant(this.#now)} ${what} differs from the live state: ${other}`)
  }
}

const NEVER = Number.POSITIVE_INFINITY

const ANSWERS = {
  yes: { holds: true, saw: {} },
  no: { holds: false, saw: {} },
  error: { error: 'the soak does not know' },
} as const satisfies Record<string, Answer>

function keyOf({ runId, taskId, attempt }: Omit<Ending, 'how'>): string {
  return `${runId}\n${taskId}\n${attempt}`
}

const SPANS = { seconds: MINUTE_MS, minutes: HOUR_MS, hours: 12 * HOUR_MS, days: 3 * DAY_MS }

/** What the world says to a schedule's questions, by weight; `FREQUENT` to one that asks every minute. */
const USUAL = { yes: 55, no: 30, error: 15 }
const FREQUENT = { yes: 92, no: 5, error: 3 }

const RESULTS: Readonly<Record<'ok' | 'skip' | 'failed' | 'lost' | 'cancelled', AttemptResult>> = {
  ok: { kind: 'ok', output: {} },
  skip: { kind: 'skip', reason: 'returned_skip', detail: 'nothing to do' },
  failed: { kind: 'failed', error: { kind: 'exit_code', message: 'exit 1', exit_code: 1 } },
  lost: { kind: 'lost', reason: 'interrupted' },
  cancelled: { kind: 'cancelled', reason: 'cancelled' },
}
