// The desk where others ask: Control, as the daemon keeps it. What a verb needs is checked here, then it is the loop's.

import {
  type CancelAnswer,
  type CancelRequest,
  type Control,
  type EventFilter,
  type PauseAnswer,
  type PauseRequest,
  RESERVED_FIELDS,
  type RecordAnswer,
  type RecordRequest,
  type ResumeAnswer,
  type ResumeRequest,
  type RunSlotRequest,
  type SkipAnswer,
  type SkipRequest,
  type StatusAnswer,
  type TriggerAnswer,
  type TriggerRequest,
} from '../api/control.ts'
import type { Dag } from '../core/dag/dag.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { clip, jsonBytes } from '../core/json.ts'
import { manualRunId, ulid } from '../core/run/run-id.ts'
import type { Command } from '../core/state-machine/command.ts'
import {
  type Event,
  isUserEvent,
  type SlotSkipRequested,
  type SlotSkipWithdrawn,
} from '../core/state-machine/event.ts'
import type { State } from '../core/state-machine/state.ts'
import { formatInstant, type Instant } from '../core/time/instant.ts'
import { readInstant } from '../core/time/read-instant.ts'
import { zoneOf } from '../core/time/zone.ts'
import type { Clock } from '../ports/clock.ts'
import type { DefinitionSource } from '../ports/definition-source.ts'
import type { Random } from '../ports/random.ts'
import type { Followers } from './followers.ts'
import type { Loop } from './loop.ts'
import type { Reloader } from './reloader.ts'

/** Params of a run by hand, and fields of a line that a user records, as JSON. */
const PARAMS_BYTES_MAX = 32 * 1024
const RECORD_BYTES_MAX = 32 * 1024
/** Characters of a reason that the journal keeps. */
const REASON_MAX = 1_000

export interface ControlDeskOptions {
  readonly loop: Loop
  readonly state: State
  readonly source: DefinitionSource
  readonly followers: Followers
  readonly reloader: Reloader
  readonly clock: Clock
  readonly random: Random
  describe(): StatusAnswer
  /** Resolves when the scheduler has stopped. */
  readonly stopped: Promise<void>
}

export class ControlDesk implements Control {
  readonly #options: ControlDeskOptions

  constructor(options: ControlDeskOptions) {
    this.#options = options
  }

  async trigger(request: TriggerRequest): Promise<TriggerAnswer> {
    const command = await this.plan(request)
    const events = await this.#options.loop.ask(command)
    return { run_id: command.runId, dag_name: command.dag.name, seq: lastSeqOf(events, command.runId)! }
  }

  async runSlot({ schedule_id, slot, cause }: RunSlotRequest): Promise<TriggerAnswer> {
    const events = await this.#options.loop.ask({
      type: 'run_slot',
      scheduleId: schedule_id,
      slot: this.#readMoment(slot, schedule_id),
      cause,
    })
    const enqueued = events.find(
      event => event.event === 'schedule_enqueued' || event.event === 'run_requested',
    )
    const { run_id, dag_name } = enqueued as Event & { run_id: string; dag_name: string }
    return { run_id, dag_name, seq: lastSeqOf(events, run_id)! }
  }

  async pause({ schedule_id, reason, until, for_ms }: PauseRequest): Promise<PauseAnswer> {
    const { clock, loop } = this.#options
    const end = until !== undefined ? this.#readMoment(until, schedule_id) : for_ms && clock.now() + for_ms
    const events = await loop.ask({
      type: 'pause',
      reason: clip(reason, REASON_MAX),
      ...(schedule_id === undefined ? {} : { scheduleId: schedule_id }),
      ...(end === undefined ? {} : { until: end }),
    })
    const scope = schedule_id === undefined ? {} : { schedule_id }
    return { ...scope, ...(end === undefined ? {} : { until: formatInstant(end) }), seq: events[0]!.seq }
  }

  async resume({ schedule_id, reason }: ResumeRequest): Promise<ResumeAnswer> {
    const events = await this.#options.loop.ask({
      type: 'resume',
      reason: clip(reason, REASON_MAX),
      ...(schedule_id === undefined ? {} : { scheduleId: schedule_id }),
    })
    return { ...(schedule_id === undefined ? {} : { schedule_id }), seq: events[0]!.seq }
  }

  skip(request: SkipRequest): Promise<SkipAnswer> {
    return this.#askSkip('skip_slot', 'slot_skip_requested', request)
  }

  unskip(request: SkipRequest): Promise<SkipAnswer> {
    return this.#askSkip('unskip_slot', 'slot_skip_withdrawn', request)
  }

  async #askSkip(
    type: 'skip_slot' | 'unskip_slot',
    event: (SlotSkipRequested | SlotSkipWithdrawn)['event'],
    { schedule_id, slot, reason }: SkipRequest,
  ): Promise<SkipAnswer> {
    const events = await this.#options.loop.ask({
      type,
      scheduleId: schedule_id,
      reason: clip(reason, REASON_MAX),
      ...(slot === undefined ? {} : { slot: this.#readMoment(slot, schedule_id) }),
    })
    const asked = events.find(found => found.event === event) as SlotSkipRequested | SlotSkipWithdrawn
    return { schedule_id, slot: asked.slot, seq: asked.seq }
  }

  /** A date and time in the zone of a schedule. @throws DagbokError DATE_INVALID (2) */
  #readMoment(text: string, scheduleId: string | undefined): Instant {
    const { schedules } = this.#options.loop.definitions
    const zone = zoneOf(schedules.get(scheduleId ?? '')?.timing.timezone ?? 'UTC')
    try {
      return readInstant(text, zone)
    } catch (error) {
      if (!(error instanceof DagbokError)) throw error
      const { message, hint } = error
      throw new DagbokError('DATE_INVALID', message, {
        exitCode: EXIT.usage,
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }

  async cancel({ run_id, reason }: CancelRequest): Promise<CancelAnswer> {
    const events = await this.#options.loop.ask({
      type: 'cancel',
      runId: run_id,
      reason: clip(reason, REASON_MAX),
    })
    const finished = !this.#options.state.runs.has(run_id)
    return {
      run_id,
      state: finished ? ('finished' as const) : ('requested' as const),
      seq: lastSeqOf(events, run_id) ?? this.#options.state.seq,
    }
  }

  async record({ fields }: RecordRequest): Promise<RecordAnswer> {
    if (typeof fields?.event !== 'string' || fields.event === '') {
      throw new DagbokError('RECORD_INVALID', 'a recorded line needs "event", a text that is not empty', {
        hint: 'recordEvent({ event: "deployed", version: "1.2.3" })',
        exitCode: EXIT.usage,
      })
    }
    const claimed = RESERVED_FIELDS.filter(name => name in fields)
    if (claimed.length > 0) {
      throw new DagbokError('RECORD_INVALID', `a recorded line may not set ${claimed.join(', ')}`, {
        hint: 'these fields are written by the journal itself; give yours other names',
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
    const events = await this.#options.loop.ask({ type: 'record', fields })
    return { seq: events.find(isUserEvent)!.seq }
  }

  /** Tells of nothing that a power cut could still take back (P2). */
  status(): Promise<StatusAnswer> {
    return this.#options.loop.read(this.#options.describe)
  }

  reload(): ReturnType<Control['reload']> {
    return this.#options.reloader.reload()
  }

  subscribe(
    filter: EventFilter,
    onEvent: (event: Event) => void,
    onEnd: (error?: Error) => void,
  ): () => void {
    void this.#options.stopped.then(() => onEnd())
    return this.#options.followers.subscribe(filter, onEvent, onEnd)
  }

  /** Finds the DAG and names the run. */
  async plan({ dag: name, file, params, cause }: TriggerRequest): Promise<Command & { type: 'trigger' }> {
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
      ulid(this.#options.clock.now(), () => this.#options.random.next()),
    )
    return { type: 'trigger', runId, dag, cause, ...(params === undefined ? {} : { params }) }
  }

  #dagByName(name: string): Dag {
    const { dags } = this.#options.loop.definitions
    const dag = dags.get(name)
    if (dag !== undefined) return dag
    const known = [...dags.keys()].slice(0, 10).join(', ') || 'none'
    throw new DagbokError('DAG_NOT_FOUND', `no DAG is called "${name}" (there are: ${known})`, {
      hint: 'scheduler validate',
      exitCode: EXIT.notFound,
    })
  }

  async #dagFromFile(file: string): Promise<Dag> {
    const result = await this.#options.source.loadDag(file)
    if (result.ok) return result.dag
    throw new DagbokError('DEFINITIONS_INVALID', result.problems.map(({ frame }) => frame).join('\n'), {
      exitCode: EXIT.configInvalid,
    })
  }
}

/** What was asked for may let something else start in the same breath: an answer speaks of its own run only. */
function lastSeqOf(events: readonly Event[], runId: string): number | undefined {
  return events.findLast(event => 'run_id' in event && event.run_id === runId)?.seq
}
