// What `show` prints of a DAG: its mode, schedules, stages, who is told, and its tasks in the order in which they may start.

import type { Dag } from '../../core/dag/dag.ts'
import { buildGraph } from '../../core/dag/graph.ts'
import type { Manifest } from '../../core/dag/manifest.ts'
import type { Task } from '../../core/dag/task.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { describeTiming, timingFields } from '../../core/schedule/timing.ts'
import type { InputStage, Stage } from '../../core/stage/stage.ts'
import { formatDuration } from '../../core/time/duration.ts'
import { plain } from '../output.ts'

export function renderDag(dag: Dag, schedules: readonly Schedule[]): string[] {
  const { manifest, notification } = dag
  const facts: [string, string][] = [
    ['DAG', dag.name],
    ['Tenant', dag.tenantId],
    ...(manifest === undefined ? [] : manifestFacts(manifest)),
    ...schedules.map((schedule): [string, string] => ['Schedule', sayWhen(schedule)]),
    ...(manifest?.stages ?? []).map((stage): [string, string] => ['Stage', sayStage(stage)]),
  ]
  if (notification !== undefined) {
    const { channels, types, lateAfterMs, failuresInRow } = notification
    const late = lateAfterMs === undefined ? '' : `, late after ${formatDuration(lateAfterMs)}`
    const row = failuresInRow === 1 ? '' : `, from ${failuresInRow} failures in a row on`
    facts.push(['Told', `${channels.join(', ')} of ${types.join(', ')}${late}${row}`])
  }
  facts.push(['Definition', dag.hash])
  const width = Math.max(...facts.map(([name]) => name.length))
  const tasks = new Map(dag.tasks.map(task => [task.id, task]))
  return [
    ...facts.map(([name, value]) => `${`${name}:`.padEnd(width + 1)} ${plain(value)}`),
    '',
    `Tasks: ${dag.tasks.length}`,
    ...buildGraph(dag.tasks).order.map((id, index) => `  ${index + 1}. ${sayTask(tasks.get(id)!)}`),
  ]
}

function manifestFacts({ mode, environment, triggers, stream }: Manifest): [string, string][] {
  const facts: [string, string][] = [['Mode', `${mode} (vars of ${environment})`]]
  if (triggers !== undefined) {
    const causes = [
      ...(triggers.onArrival ? ['what arrives'] : []),
      ...triggers.afterRuns.map(({ dag, status }) => `a run of ${dag} that ends with ${status.join(' or ')}`),
    ]
    facts.push(['Triggered by', causes.length === 0 ? 'hand, HTTP or the library' : causes.join(', ')])
  }
  if (stream !== undefined) {
    const { source, name, maxRecords } = stream
    const from =
      source.kind === 'file'
        ? source.path
        : `${source.kind} ${source.database}, table ${source.table} by ${source.key}`
    facts.push(['Stream', `${name}: ${from}, at most ${maxRecords} records a run`])
  }
  return facts
}

function sayWhen({ id, timing, conditions, enabled }: Schedule): string {
  const count = conditions?.length ?? 0
  const asked =
    count === 0 ? '' : `, if ${count === 1 ? 'its condition holds' : `its ${count} conditions hold`}`
  return `${id}: ${describeTiming(timing)} ${timing.timezone}${asked}${enabled ? '' : ' (disabled)'}`
}

function sayStage(stage: Stage | InputStage): string {
  const { location } = stage
  const place = location.kind === 'directory' ? location.path : `s3://${location.bucket}/${location.prefix}`
  if (!('order' in stage)) return `${stage.name}: ${place}`
  const { pattern, order, maxFiles, stableForMs } = stage
  const files = pattern === undefined ? '' : `, files ${pattern}`
  const first = order === 'name' ? 'by name' : `${order} first`
  return `${stage.name}: ${place}${files}, ${first}, at most ${maxFiles} a run, unchanged for ${formatDuration(stableForMs)}`
}

function sayTask({ id, workflowRef, dependsOn, triggerRule, fanOut }: Task): string {
  const rule = triggerRule === undefined ? '' : `, trigger_rule: ${triggerRule}`
  const clients = fanOut === undefined ? '' : `, for each client, ${fanOut.parallel} at once`
  const upstreams = dependsOn.length === 0 ? 'none' : dependsOn.join(', ')
  return `${id} (workflow: ${workflowRef}, depends_on: ${upstreams}${rule}${clients})`
}

export function dagJson(dag: Dag, schedules: readonly Schedule[]): object {
  const { manifest, notification } = dag
  return {
    dag_name: dag.name,
    tenant_id: dag.tenantId,
    definition_hash: dag.hash,
    ...(manifest !== undefined && {
      mode: manifest.mode,
      environment: manifest.environment,
      ...(manifest.triggers !== undefined && { triggers: manifest.triggers }),
      ...(manifest.stream !== undefined && { stream: manifest.stream }),
      stages: manifest.stages,
    }),
    schedules: schedules.map(({ id, timing, enabled }) => ({
      schedule_id: id,
      enabled,
      ...timingFields(timing),
    })),
    ...(notification !== undefined && { notification }),
    tasks: buildGraph(dag.tasks).order.map(id => {
      const { workflowRef, dependsOn, retries, triggerRule, fanOut } = dag.tasks.find(task => task.id === id)!
      return {
        id,
        workflow_ref: workflowRef,
        depends_on: dependsOn,
        retries,
        ...(triggerRule !== undefined && { trigger_rule: triggerRule }),
        ...(fanOut !== undefined && { fan_out: fanOut }),
      }
    }),
  }
}
