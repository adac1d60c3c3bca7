// Definitions drawn by chance: schedules of every policy over small DAGs, and changed versions of them.

import type { Dag } from '../../src/core/dag/dag.ts'
import { WRAPPER_WORKFLOWS, WRAPPERS } from '../../src/core/dag/manifest.ts'
import { NOTIFICATION_TYPES } from '../../src/core/dag/notification.ts'
import type { Task } from '../../src/core/dag/task.ts'
import { TRIGGER_RULES } from '../../src/core/dag/trigger-rule.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import type { Schedule } from '../../src/core/schedule/schedule.ts'
import { compileTiming, cronTiming } from '../../src/core/schedule/timing.ts'
import { aChannel } from '../support/builders.ts'
import { type Chance, hashText } from './chance.ts'

/** UTC only, and only what the slot oracle (slot-oracle.ts) reads. */
const CRONS = [
  '* * * * *',
  '*/2 * * * *',
  '*/5 * * * *',
  '3-59/7 * * * *',
  '7,37 * * * *',
  '0 * * * *',
  '30 */2 * * *',
  '15 6-9 * * 1-5',
  '0 0 * * *',
  '45 23 * * 0,6',
  '0 12 1,15 * 3',
  '*/20 0-4,20-23 * * *',
]

const SHAPES: readonly Record<string, readonly string[]>[] = [
  { only: [] },
  { extract: [], load: ['extract'] },
  { a: [], b: [], join: ['a', 'b'] },
  { root: [], left: ['root'], right: ['root'], end: ['left', 'right'] },
  { one: [], two: ['one'], three: ['two'], side: [] },
]

const CLIENTS = { kind: 'directory', path: 'clients' } as const

/** Every set has these channels; DAGs also name one that is `gone`. What they make of a message is the world's. */
const CHANNELS: Definitions['channels'] = new Map([
  ['ops', aChannel({ retryForMs: 1_800_000 })],
  ['mail', aChannel({ groupMs: 30_000, dedupeMs: 600_000, timeoutMs: 20_000 })],
])

/** Every set has these pools; the judge counts what runs hold of them. */
export const POOL_SLOTS: Readonly<Record<string, number>> = { db: 3, api: 1 }

function drawDag(chance: Chance, name: string): Dag {
  const source = chance.pick(['poll', 'stream', undefined, undefined, undefined] as const)
  const fanOuts = new Set<string>()
  const tasks = Object.entries(chance.pick(SHAPES)).map(([id, above]): Task => {
    const dependsOn = above.length === 0 && source !== undefined ? [WRAPPERS.root] : above
    const triggerRule = chance.happens(0.35) ? chance.pick(TRIGGER_RULES) : undefined
    const isFanOut = chance.happens(0.2)
    if (isFanOut) fanOuts.add(id)
    // Whose outputs have to arrive: those of tasks that must have succeeded, and say who they are.
    const needs = triggerRule === undefined || triggerRule === 'ALL' || triggerRule === 'all_success'
    const outputsOf = needs ? dependsOn.filter(upstream => !fanOuts.has(upstream)) : []
    return {
      id,
      workflowRef: chance.pick(['shell', 'work', 'http']),
      params: { depends_on: outputsOf, note: `é ${chance.between(0, 9)}` },
      retries: chance.between(0, 2),
      retryDelayMs: chance.pick([1, 1_000, 30_000, 600_000]),
      backoff: chance.pick(['exponential', 'fixed']),
      dependsOn,
      ...(triggerRule === undefined ? {} : { triggerRule }),
      ...(isFanOut ? { fanOut: { source: CLIENTS, exclude: [], parallel: chance.between(1, 3) } } : {}),
      ...(chance.happens(0.2) ? { timeoutMs: 60_000 } : {}),
    }
  })
  if (source !== undefined) tasks.unshift(...wrappers(source))
  const text = JSON.stringify(tasks)
  const hash = `${hashText(text).toString(16)}${hashText(`${text}!`).toString(16)}`.padStart(16, '0')
  const told = {
    types: NOTIFICATION_TYPES.filter(() => chance.happens(0.6)),
    channels: chance.pick([['ops'], ['ops', 'mail'], ['mail', 'gone']]),
    failuresInRow: chance.between(1, 2),
    lateAfterMs: chance.pick([1, 60_000, 1_800_000]),
  }
  return { name, tenantId: 'sim', tasks, hash, ...(chance.happens(0.6) ? { notification: told } : {}) }
}

/** As a manifest with an input stage or a stream has them. */
function wrappers(source: 'poll' | 'stream'): Task[] {
  const around = { retries: 1, retryDelayMs: 1_000, backoff: 'fixed' } as const
  const id = WRAPPERS[source]
  const workflowRef = WRAPPER_WORKFLOWS[source]
  const root = WRAPPER_WORKFLOWS.root
  return [
    { ...around, id, workflowRef, params: { depends_on: [] }, dependsOn: [] },
    { ...around, id: WRAPPERS.root, workflowRef: root, params: { depends_on: [id] }, dependsOn: [id] },
  ]
}

function drawSchedule(chance: Chance, id: string, dagName: string): Schedule {
  const timing = cronTiming(chance.pick(CRONS), 'UTC')
  return {
    id,
    timing,
    slots: compileTiming(timing, id),
    dagName,
    tenantId: 'sim',
    enabled: chance.happens(0.9),
    catchup: chance.pick(['none', 'latest', 'all']),
    catchupWindowMs: chance.pick([600_000, 7_200_000, 86_400_000]),
    maxCatchup: chance.between(1, 5),
    overlap: chance.pick(['skip', 'skip', 'allow', 'queue', 'replace']),
    startingDeadlineMs: chance.happens(0.2) ? chance.pick([0, 30_000, 600_000]) : undefined,
    jitterMs: chance.happens(0.2) ? chance.pick([1, 20_000, 300_000]) : undefined,
    priority: chance.pick([0, 0, 0, 5, -5]),
    ...chance.pick([{}, {}, { pool: 'api' }, { pool: 'db', weight: chance.between(1, 3) }]),
    ...(chance.happens(0.3) ? drawConditions(chance) : {}),
  }
}

/** What the world answers is the world's (world.ts): the question itself is never looked at. */
function drawConditions(chance: Chance): Pick<Schedule, 'conditions' | 'conditionPolicy'> {
  const question = { kind: 'signal', name: 'sim', withinMs: 60_000, timeoutMs: 30_000 } as const
  const conditions = chance.happens(0.3) ? [question, { kind: 'not' as const, of: question }] : [question]
  if (chance.happens(0.4)) return { conditions }
  const retryUntilMs = chance.pick([1, 30_000, 600_000])
  return {
    conditions,
    conditionPolicy: {
      retryUntilMs,
      retryEveryMs: chance.pick([5_000, 60_000]),
      onError: chance.pick(['skip', 'run']),
    },
  }
}

export function drawDefinitions(chance: Chance): Definitions {
  const dags = Array.from({ length: chance.between(1, 3) }, (_, index) => drawDag(chance, `dag${index}`))
  const schedules = Array.from({ length: chance.between(1, 4) }, (_, index) =>
    drawSchedule(chance, `schedule${index}`, chance.pick(dags).name),
  )
  return assemble(dags, schedules)
}

/** Another version: some schedules and DAGs changed, some gone, some new. */
export function changeDefinitions(chance: Chance, before: Definitions): Definitions {
  const dags = [...before.dags.values()].map(dag => (chance.happens(0.3) ? drawDag(chance, dag.name) : dag))
  const names = dags.map(({ name }) => name)
  const schedules: Schedule[] = []
  for (const schedule of before.schedules.values()) {
    const kind = chance.weigh({ same: 4, removed: 1, drawn: 2, toggled: 1, policy: 1 })
    if (kind === 'same') schedules.push(schedule)
    else if (kind === 'drawn') schedules.push(drawSchedule(chance, schedule.id, chance.pick(names)))
    else if (kind === 'toggled') schedules.push({ ...schedule, enabled: !schedule.enabled })
    else if (kind === 'policy') schedules.push({ ...schedule, overlap: 'queue', catchup: 'all' })
  }
  const fresh = `schedule${chance.between(0, 5)}`
  if (!schedules.some(({ id }) => id === fresh)) {
    schedules.push(drawSchedule(chance, fresh, chance.pick(names)))
  }
  return assemble(dags, schedules)
}

/** The same schedules, none of them enabled: what is left can end. */
export function disableAll(before: Definitions): Definitions {
  const schedules = [...before.schedules.values()].map(schedule => ({ ...schedule, enabled: false }))
  return assemble([...before.dags.values()], schedules)
}

function assemble(dags: readonly Dag[], schedules: readonly Schedule[]): Definitions {
  return {
    dags: new Map(dags.map(dag => [dag.name, dag])),
    schedules: new Map(schedules.map(schedule => [schedule.id, schedule])),
    calendars: new Map(),
    pools: new Map(Object.entries(POOL_SLOTS).map(([name, slots]) => [name, { slots }])),
    channels: CHANNELS,
  }
}
