// What a finished run prints. The first lines are a public contract (DESIGN §2); the rest tells who failed, why, and where
// to look.

import type { RunSummary } from '../../api/control.ts'
import type { AttemptError, RunStatus } from '../../core/state-machine/event.ts'
import { plain } from '../output.ts'
import { formatSeconds } from './time.ts'

/** A task that failed for good. */
export interface TaskFailure {
  readonly taskId: string
  readonly attempt: number
  readonly error: AttemptError
  /** Of its last attempt. */
  readonly logFile?: string
}

/** Whether a run's end counts as 0 (DESIGN §2). */
export function endedWell(status: RunStatus): boolean {
  return status === 'success' || status === 'skipped'
}

/** `DAG EXECUTION COMPLETE` and its figures. */
export function renderSummary(summary: RunSummary): string[] {
  const lines = [
    'DAG EXECUTION COMPLETE',
    `DAG: ${plain(summary.dag_name)}`,
    `Tasks Succeeded: ${summary.tasks_succeeded}`,
    `Tasks Failed: ${summary.tasks_failed}`,
  ]
  if (summary.tasks_skipped > 0) lines.push(`Tasks Skipped: ${summary.tasks_skipped}`)
  if (summary.clients !== undefined) lines.push(`Clients: ${describeClients(summary.clients)}`)
  lines.push(`Duration: ${formatSeconds(summary.duration_ms)}`)
  return lines
}

function describeClients({ succeeded, failed, skipped }: NonNullable<RunSummary['clients']>): string {
  return `${succeeded} succeeded, ${failed} failed, ${skipped} skipped`
}

/** Why a run did not succeed; nothing if it did. */
export function renderFailures(summary: RunSummary, failures: readonly TaskFailure[]): string[] {
  if (endedWell(summary.status)) return []
  // Where tasks failed, each says more than the run's error, which names one of them.
  const error = failures.length === 0 && summary.error ? `: ${plain(summary.error)}` : ''
  const lines = ['', `Run ${summary.run_id} ${summary.status}${error}`]
  for (const { taskId, attempt, error, logFile } of failures) {
    const times = attempt === 1 ? '1 attempt' : `${attempt} attempts`
    lines.push(`RunnerError: Task '${taskId}' failed after ${times}: ${plain(error.message)}`)
    if (logFile !== undefined) lines.push(`  log: ${logFile}`)
    lines.push(`  see: scheduler logs ${quoteWord(summary.run_id)} ${taskId}`)
  }
  return lines
}

/** A word as a POSIX shell takes it, quoted only where it must be. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
