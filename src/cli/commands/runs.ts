// `scheduler runs`: the latest runs from the index; `scheduler runs <run>`: one of them and its tasks.

import { EXIT } from '../../core/error.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { RunRow, RunRowStatus, TaskRow } from '../../ports/run-index.ts'
import type { CommandContext } from '../context.ts'
import type { RunsFlags } from '../flags.ts'
import { readInstantOrAge } from '../instant-name.ts'
import { type Channel, plain, writeJson, writeJsonList } from '../output.ts'
import { type Column, measureWidth, renderTable, shorten } from '../render/table.ts'
import { formatSeconds, formatStamp } from '../render/time.ts'
import { findRun } from '../run-name.ts'
import { readCount, UsageError } from '../usage.ts'

const STATUSES: readonly RunRowStatus[] = [
  'queued',
  'running',
  'success',
  'failed',
  'partial',
  'skipped',
  'cancelled',
]

export async function run(
  context: CommandContext,
  name: string | undefined,
  flags: RunsFlags,
): Promise<number> {
  const query = {
    ...(flags.dag === undefined ? {} : { dagName: flags.dag }),
    ...(flags.schedule === undefined ? {} : { scheduleId: flags.schedule }),
    ...(flags.status === undefined ? {} : { status: flags.status.map(readStatus) }),
    ...(flags.since === undefined
      ? {}
      : { since: formatInstant(readInstantOrAge('--since', flags.since, context.now())) }),
    limit: flags.count === undefined ? 20 : readCount('--count', flags.count),
  }
  const reader = await (await context.house()).openReader(context.settings)
  try {
    if (name !== undefined) {
      const found = findRun(reader, name)
      showRun(context, found, reader.index.tasks(found.run_id))
    } else showRuns(context, reader.index.runs(query))
  } finally {
    await reader.close()
  }
  return EXIT.ok
}

function showRuns({ out, json, headers }: CommandContext, runs: readonly RunRow[]): void {
  if (json) return writeJsonList(out.data, 'RunList', runs)
  if (runs.length === 0) return out.note.line('no runs')
  const columns: Column[] = [
    { title: 'RUN' },
    { title: 'DAG' },
    { title: 'STATUS' },
    { title: 'ENQUEUED' },
    { title: 'DURATION', align: 'right' },
    { title: 'OK', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'SKIPPED', align: 'right' },
  ]
  const render = (idWidth: number) => renderTable(columns, listRows(out.data, runs, idWidth), headers)
  let lines = render(Number.POSITIVE_INFINITY)
  // An id is what the next command needs: it is cut only where the line would not fit the terminal otherwise.
  const tooWide = Math.max(...lines.map(measureWidth)) - out.data.columns
  if (out.data.isTTY && tooWide > 0) {
    const longest = Math.max(...runs.map(row => measureWidth(row.run_id)))
    lines = render(Math.max(24, longest - tooWide))
  }
  for (const line of lines) out.data.line(line)
}

function listRows(channel: Channel, runs: readonly RunRow[], idWidth: number): string[][] {
  return runs.map(row => [
    shorten(row.run_id, idWidth),
    row.dag_name,
    styleStatus(channel, row.status),
    formatStamp(row.enqueued_at),
    row.duration_ms === null ? '-' : formatSeconds(row.duration_ms),
    ...[row.tasks_succeeded, row.tasks_failed, row.tasks_skipped].map(String),
  ])
}

function showRun({ out, json, headers }: CommandContext, row: RunRow, tasks: readonly TaskRow[]): void {
  if (json) return writeJson(out.data, 'Run', { ...row, tasks: tasks.map(readOutput) })
  const line = (name: string, value: string) => out.data.line(`${name.padEnd(9)} ${value}`)
  line('run', row.run_id)
  line('dag', `${row.dag_name} (tenant ${row.tenant_id})`)
  line('status', styleStatus(out.data, row.status) + (row.error === null ? '' : `: ${plain(row.error)}`))
  line(
    'cause',
    row.schedule_id === null ? row.cause : `${row.cause}: schedule ${row.schedule_id}, slot ${row.slot}`,
  )
  line('enqueued', formatStamp(row.enqueued_at))
  line('started', formatStamp(row.started_at))
  line(
    'finished',
    formatStamp(row.finished_at) + (row.duration_ms === null ? '' : `, ${formatSeconds(row.duration_ms)}`),
  )
  if (tasks.length === 0) return
  out.data.line('')
  const columns: Column[] = [
    { title: 'TASK' },
    { title: 'STATUS' },
    { title: 'ATTEMPT', align: 'right' },
    { title: 'DURATION', align: 'right' },
    { title: 'WORKFLOW' },
    { title: 'REASON' },
  ]
  const rows = tasks.map(task => [
    task.task_id,
    styleStatus(out.data, task.status),
    task.attempt === 0 ? '-' : String(task.attempt),
    task.duration_ms === null ? '-' : formatSeconds(task.duration_ms),
    task.workflow_ref ?? '-',
    plain(task.error ?? task.reason ?? ''),
  ])
  for (const text of renderTable(columns, rows, headers)) out.data.line(text)
}

/** The output stands in the index as text. */
function readOutput(task: TaskRow): object {
  return { ...task, output: task.output === null ? null : JSON.parse(task.output) }
}

function styleStatus(channel: Channel, status: string): string {
  if (status === 'success' || status === 'ok') return channel.style('green', status)
  if (status === 'failed') return channel.style('red', status)
  return channel.style(status === 'running' ? 'cyan' : 'yellow', status)
}

function readStatus(text: string): RunRowStatus {
  const status = STATUSES.find(candidate => candidate === text)
  if (status === undefined) {
    throw new UsageError(`--status: expected ${STATUSES.join(', ')}, got ${JSON.stringify(text)}`)
  }
  return status
}
