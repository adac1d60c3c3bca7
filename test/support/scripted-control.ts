// A Control that answers as told: what stands behind the socket in tests, or in its stead.

import type { Control, EventFilter, StatusAnswer } from '../../src/api/control.ts'
import { DagbokError, EXIT } from '../../src/core/error.ts'
import type { Event } from '../../src/core/state-machine/event.ts'

export const STATUS: StatusAnswer = {
  version: '1.2.3',
  mode: 'serve',
  pid: 4711,
  host: 'attic',
  epoch: 7,
  started_at: '2026-01-05T05:00:00.000Z',
  state: 'running',
  seq: 41,
  schedules: 2,
  dags: 3,
  next_slots: [{ schedule_id: 'heartbeat', slot: '2026-01-05T06:01Z' }],
  paused: [],
  open_slots: [],
  pools: [],
  runs: [],
  queued_runs: 0,
  running_runs: 0,
  running_tasks: 0,
  limits: { max_parallel: 3, max_tasks: 16 },
  definition_errors: [],
  journal: { path: '/state.jsonl', bytes: 9000, journal_id: 'j1' },
  lag: { index: 0, feed: 0 },
}

export interface ScriptedControl extends Control {
  /** Every call, in order. */
  readonly calls: { verb: string; request: unknown }[]
  readonly listeners: { filter: EventFilter; onEvent(event: Event): void; onEnd(error?: Error): void }[]
  status_: StatusAnswer
  /** The next verb fails with it. */
  failure: unknown
  /** Gives an event to everyone who listens. */
  emit(event: Event): void
  /** Runs after a trigger was answered. */
  afterTrigger: ((runId: string) => void) | undefined
}

export function scriptControl(): ScriptedControl {
  const answer = <Answer>(verb: string, request: unknown, value: Answer): Promise<Answer> => {
    control.calls.push({ verb, request })
    const { failure } = control
    control.failure = undefined
    return failure === undefined ? Promise.resolve(value) : Promise.reject(failure)
  }
  const control: ScriptedControl = {
    calls: [],
    listeners: [],
    status_: STATUS,
    failure: undefined,
    afterTrigger: undefined,
    async trigger(request) {
      const dag_name = request.dag ?? 'from_file'
      const run_id = `${dag_name}@manual-01`
      const value = await answer('trigger', request, { run_id, dag_name, seq: 42 })
      control.afterTrigger?.(run_id)
      return value
    },
    runSlot: request =>
      answer('runSlot', request, {
        run_id: `${request.schedule_id}@${request.slot}`,
        dag_name: 'd',
        seq: 45,
      }),
    pause: ({ schedule_id, until, ...rest }) => {
      const scope = {
        ...(schedule_id === undefined ? {} : { schedule_id }),
        ...(until === undefined ? {} : { until }),
      }
      return answer('pause', { ...scope, ...rest }, { ...scope, seq: 46 })
    },
    resume: request => {
      const scope = request.schedule_id === undefined ? {} : { schedule_id: request.schedule_id }
      return answer('resume', request, { ...scope, seq: 47 })
    },
    skip: request =>
      answer('skip', request, {
        schedule_id: request.schedule_id,
        slot: request.slot ?? '2026-01-05T06:01Z',
        seq: 48,
      }),
    unskip: request =>
      answer('unskip', request, {
        schedule_id: request.schedule_id,
        slot: request.slot ?? '2026-01-05T06:01Z',
        seq: 49,
      }),
    cancel: request =>
      answer('cancel', request, { run_id: request.run_id, state: 'requested' as const, seq: 43 }),
    record: request => answer('record', request, { seq: 44 }),
    status: () => answer('status', {}, control.status_),
    reload: () => answer('reload', {}, { ok: true, schedules: 2, dags: 3, errors: [] }),
    subscribe(filter, onEvent, onEnd) {
      const listener = { filter, onEvent, onEnd }
      control.listeners.push(listener)
      return () => {
        const index = control.listeners.indexOf(listener)
        if (index >= 0) control.listeners.splice(index, 1)
      }
    },
    emit(event) {
      for (const listener of [...control.listeners]) listener.onEvent(event)
    },
  }
  return control
}

export function refusal(): DagbokError {
  return new DagbokError('RUN_NOT_FOUND', 'no unfinished run has the id "ghost" – “ghost”', {
    exitCode: EXIT.notFound,
    hint: 'scheduler runs',
  })
}
