// A DAG in the form in which it is written, with every default and var filled in and all its tasks: what `show --expanded`
// prints.
//
//   A1. Loaded again it is the same DAG: the same hash, mode, stages, stream, triggers, notification, and the same schedule.
//       Vars need not be there any more.

import { Document, Scalar, visit } from 'yaml'
import type { Dag } from '../core/dag/dag.ts'
import type { Manifest } from '../core/dag/manifest.ts'
import type { Task } from '../core/dag/task.ts'
import type { JsonObject } from '../core/json.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import { formatDuration } from '../core/time/duration.ts'
import { authorCondition } from './author-condition.ts'
import { authorFanOut } from './client-entry.ts'
import { DAG_DEFAULTS } from './dag-schema.ts'
import { authorStages } from './manifest-stages.ts'
import { authorStream } from './manifest-stream.ts'
import { authorNotification } from './notification-entry.ts'
import { SCHEDULE_DEFAULTS } from './schedule-schema.ts'

/** @param schedule a manifest's own */
export function authorDag(dag: Dag, schedule: Schedule | undefined): JsonObject {
  const { name, tenantId, manifest, notification } = dag
  const top = { name, tenant_id: tenantId, ...authorNotification(notification) }
  if (manifest === undefined)
    return { ...top, tasks: dag.tasks.map(({ id, ...task }) => ({ id, ...authorTask({ id, ...task }) })) }
  return {
    dag: {
      ...top,
      ...(schedule !== undefined && { schedule: authorSchedule(schedule, dag) }),
      ...authorSource(manifest),
      expanded: true,
      tasks: dag.tasks.map(task => ({
        name: task.id,
        ...authorTask(task),
        // Also where there are none: that is what an expanded manifest says otherwise.
        depends_on: [...task.dependsOn],
        ...(task.fanOut !== undefined && { multi_client_execution: authorFanOut(task.fanOut) }),
      })),
    },
  }
}

function authorSource({ triggers, stages, stream }: Manifest): JsonObject {
  return {
    ...(triggers !== undefined && {
      triggered: {
        on_arrival: triggers.onArrival,
        ...(triggers.afterRuns.length > 0 && {
          after: triggers.afterRuns.map(({ dag, status }) => ({ dag, status: [...status] })),
        }),
      },
    }),
    ...(stream !== undefined && { stream: authorStream(stream) }),
    ...(stages.length > 0 && { stages: authorStages(stages) }),
  }
}

/** Without its name; what is as usual is left out. */
function authorTask(task: Task): JsonObject {
  const { workflowRef, params, retries, retryDelayMs, backoff, timeoutMs, dependsOn, triggerRule, env } = task
  const delay = formatDuration(retryDelayMs)
  return {
    workflow_ref: workflowRef,
    ...(Object.keys(params).length > 0 && { params }),
    ...(retries !== DAG_DEFAULTS.retries && { retries }),
    ...(delay !== DAG_DEFAULTS.retryDelay && { retry_delay: delay }),
    ...(backoff !== DAG_DEFAULTS.backoff && { backoff }),
    ...(timeoutMs !== undefined && { timeout: formatDuration(timeoutMs) }),
    ...(dependsOn.length > 0 && { depends_on: [...dependsOn] }),
    ...(triggerRule !== undefined && { trigger_rule: triggerRule }),
    ...(env !== undefined && { env: { ...env } }),
  }
}

function authorSchedule(schedule: Schedule, { tenantId }: Dag): JsonObject {
  const { pool, weight = 1, priority = SCHEDULE_DEFAULTS.priority } = schedule
  const usual = SCHEDULE_DEFAULTS
  const window = formatDuration(schedule.catchupWindowMs)
  return {
    ...authorTiming(schedule),
    ...(schedule.tenantId !== tenantId && { tenant: schedule.tenantId }),
    ...(!schedule.enabled && { enabled: false }),
    ...(schedule.catchup !== usual.catchup && { catchup: schedule.catchup }),
    ...(window !== usual.catchupWindow && { catchup_window: window }),
    ...(schedule.maxCatchup !== usual.maxCatchup && { max_catchup: schedule.maxCatchup }),
    ...(schedule.overlap !== usual.overlap && { overlap: schedule.overlap }),
    ...duration('starting_deadline', schedule.startingDeadlineMs),
    ...duration('jitter', schedule.jitterMs),
    ...(pool !== undefined && { pool: weight === 1 ? pool : { name: pool, weight } }),
    ...(priority !== usual.priority && { priority }),
    ...authorConditions(schedule),
  }
}

function authorTiming({ timing }: Schedule): JsonObject {
  const { crons, every, at, timezone, dialect, dst, startAt, endAt, roll } = timing
  return {
    ...(crons.length > 0 && { cron: crons.length === 1 ? crons[0]! : [...crons] }),
    ...(every !== undefined && { every }),
    ...(at !== undefined && { at: [...at] }),
    ...(timezone !== SCHEDULE_DEFAULTS.timezone && { timezone }),
    ...(dialect !== SCHEDULE_DEFAULTS.dialect && { dialect }),
    ...(dst !== SCHEDULE_DEFAULTS.dst && { dst }),
    ...(startAt !== undefined && { start_at: startAt }),
    ...(endAt !== undefined && { end_at: endAt }),
    ...(roll !== undefined && { roll: { convention: roll.convention, calendar: roll.calendar } }),
  }
}

function authorConditions({ conditions, conditionPolicy: policy }: Schedule): JsonObject {
  if (conditions === undefined) return {}
  return {
    conditions: conditions.map(authorCondition),
    ...(policy?.retryUntilMs !== undefined && {
      retry_until: formatDuration(policy.retryUntilMs),
      retry_every: formatDuration(policy.retryEveryMs),
    }),
    ...(policy !== undefined && { on_error: policy.onError }),
  }
}

function duration(key: string, ms: number | undefined): JsonObject {
  return ms === undefined ? {} : { [key]: formatDuration(ms) }
}

/** Characters that stand in YAML only in double quotes and escaped. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff]/g

/** As YAML that our reader reads: no anchors, no unprintable character. */
export function formatYaml(value: JsonObject): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && node.value.search(UNPRINTABLE) >= 0)
        node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document
    .toString({ lineWidth: 0 })
    .replace(UNPRINTABLE, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
