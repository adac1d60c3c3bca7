// Builders for tests: small definitions without files.

import type { Dag } from '../../src/core/dag/dag.ts'
import type { Task } from '../../src/core/dag/task.ts'
import type { Channel } from '../../src/core/notification/channel.ts'
import type { RunState } from '../../src/core/run/run.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import type { ConditionPolicy, Schedule } from '../../src/core/schedule/schedule.ts'
import { compileTiming, type Timing } from '../../src/core/schedule/timing.ts'

export function aTask(id: string, changes: Partial<Task> = {}): Task {
  return {
    id,
    workflowRef: 'work',
    params: {},
    retries: 0,
    retryDelayMs: 1_000,
    backoff: 'exponential',
    dependsOn: [],
    ...changes,
  }
}

/** `aDag('etl', { extract: [], load: ['extract'] })`: each task with its upstreams. */
export function aDag(
  name: string,
  shape: Record<string, readonly string[]>,
  changes: Partial<Task> = {},
): Dag {
  const tasks = Object.entries(shape).map(([id, dependsOn]) => aTask(id, { ...changes, dependsOn }))
  return { name, tenantId: 'test', tasks, hash: `hash-${name}-${JSON.stringify(tasks).length}` }
}

export function aSchedule(
  id: string,
  cron: string,
  dagName: string,
  {
    timing: timingChanges,
    ...changes
  }: Partial<Omit<Schedule, 'timing'>> & { timing?: Partial<Timing> } = {},
): Schedule {
  const timing: Timing = { crons: [cron], timezone: 'UTC', dialect: 'unix', dst: 'cron', ...timingChanges }
  return {
    id,
    timing,
    slots: compileTiming(timing, id),
    dagName,
    tenantId: 'test',
    enabled: true,
    catchup: 'latest',
    catchupWindowMs: 86_400_000,
    maxCatchup: 100,
    overlap: 'skip',
    ...changes,
  }
}

/** A queued run. */
export function aRun(place: number, pool?: string, weight = 1, priority = 0): RunState {
  return {
    runId: `r${place}`,
    dagName: 'd',
    tenantId: 't',
    definitionHash: 'h',
    cause: 'due',
    order: 'parallel',
    enqueuedAt: 0,
    pool,
    weight,
    priority,
    place,
    status: 'queued',
    startedAt: undefined,
    cancelReason: undefined,
    holdsSlot: false,
    tasks: new Map(),
    holds: undefined,
    remaining: 0,
    live: 0,
    ready: 0,
  }
}

/** What only the world can answer, with how it is asked. */
export function askedBy(policy?: ConditionPolicy): Pick<Schedule, 'conditions' | 'conditionPolicy'> {
  return {
    conditions: [{ kind: 'file', path: 'data/in.csv', timeoutMs: 30_000 }],
    ...(policy === undefined ? {} : { conditionPolicy: policy }),
  }
}

/** A channel that is a command, whatever it does. */
export function aChannel(changes: Partial<Channel> = {}): Channel {
  return {
    target: { kind: 'command', command: ['true'] },
    timeoutMs: 10_000,
    groupMs: 0,
    dedupeMs: 0,
    retryForMs: 3_600_000,
    ...changes,
  }
}

export function definitionsOf(
  dags: readonly Dag[],
  schedules: readonly Schedule[] = [],
  pools: Record<string, number> = {},
  channels: Record<string, Channel> = {},
): Definitions {
  return {
    dags: new Map(dags.map(dag => [dag.name, dag])),
    schedules: new Map(schedules.map(schedule => [schedule.id, schedule])),
    calendars: new Map(),
    pools: new Map(Object.entries(pools).map(([name, slots]) => [name, { slots }])),
    channels: new Map(Object.entries(channels)),
  }
}
