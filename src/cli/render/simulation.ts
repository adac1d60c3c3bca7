// The outcome of a simulation, for people and for machines: each schedule's counts, the load, what was expected.

import type { Schedule } from '../../core/schedule/schedule.ts'
import type { ScheduleTally, SimulationTally } from '../../core/simulation/tally.ts'
import { formatDuration } from '../../core/time/duration.ts'
import { formatSlot } from '../../core/time/instant.ts'
import type { WrittenExpectation } from '../../definition/expectation-file.ts'
import type { Channel } from '../output.ts'
import type { Span } from '../span.ts'
import { type Column, renderTable } from './table.ts'
import { formatSpan } from './time.ts'

export interface Outcome {
  readonly span: Span
  readonly tally: SimulationTally
  /** Those that are shown. */
  readonly schedules: readonly Schedule[]
  /** Past runs by DAG that durations were taken from. */
  readonly runs: ReadonlyMap<string, number>
  /** What a run takes that has no past. */
  readonly runMs: number
  readonly expectations: readonly {
    readonly expected: WrittenExpectation
    readonly failures: readonly string[]
  }[]
}

const COLUMNS: readonly Column[] = [
  { title: 'SCHEDULE' },
  { title: 'DAG' },
  { title: 'FIRES', align: 'right' },
  { title: 'SKIPPED', align: 'right' },
  { title: 'MISSED', align: 'right' },
  { title: 'FIRST' },
  { title: 'LAST' },
  { title: 'LONGEST WAIT', align: 'right' },
  { title: 'DURATIONS' },
]

export function renderSimulation(outcome: Outcome, channel: Channel, headers: boolean): string[] {
  const { span, tally, schedules, runs, runMs } = outcome
  const rows = schedules.map(({ id, dagName }) => {
    const counts = tally.schedules.get(id)!
    return [
      id,
      dagName,
      String(counts.fires),
      sayRefused(counts, 'skipped', channel),
      sayRefused(counts, 'missed', channel),
      counts.first ?? '-',
      counts.last ?? '-',
      counts.longestWaitMs === 0 ? '-' : formatSpan(counts.longestWaitMs),
      runs.has(dagName) ? `median of ${runs.get(dagName)}` : `${formatDuration(runMs)} a run`,
    ]
  })
  const lines = [`simulated ${formatSlot(span.from)} to ${formatSlot(span.until)}`, '']
  if (rows.length === 0) lines.push('no schedule is enabled')
  else lines.push(...renderTable(COLUMNS, rows, headers))
  const refused = schedules.filter(({ id }) => tally.schedules.get(id)!.reasons.size > 0)
  if (refused.length > 0) lines.push('', 'why slots would not run:')
  for (const { id } of refused) {
    const reasons = [...tally.schedules.get(id)!.reasons].map(([reason, count]) => `${count} ${reason}`)
    lines.push(`  ${id}: ${reasons.join(', ')}`)
  }
  const guessed = schedules.filter(
    ({ id, dagName }) => !runs.has(dagName) && tally.schedules.get(id)!.reasons.has('overlap'),
  )
  if (guessed.length > 0) {
    const names = guessed.slice(0, 3).map(({ id }) => id)
    const more = guessed.length > 3 ? ` and ${guessed.length - 3} more` : ''
    lines.push(
      '',
      `${names.join(', ')}${more} never ran: that slots are skipped follows from --duration ${formatDuration(runMs)}`,
    )
  }
  for (const { id } of schedules) {
    const { cancelled } = tally.schedules.get(id)!
    if (cancelled > 0)
      lines.push('', `${id}: ${cancelled} runs cancelled, replaced by a later slot or not started in time`)
  }
  if (tally.fires === 0) return lines
  const minutes = tally.peakMinutes.map(({ count, at }) => `${count} at ${formatSlot(at)}`)
  const { peakRuns, peakWaiting } = tally
  lines.push('', `fullest minutes   ${minutes.join(', ')} (fires)`)
  if (peakRuns !== undefined)
    lines.push(`most runs at once ${peakRuns.count}, first at ${formatSlot(peakRuns.at)}`)
  if (peakWaiting !== undefined)
    lines.push(`most runs waiting ${peakWaiting.count}, first at ${formatSlot(peakWaiting.at)}`)
  if (tally.unfinished > 0) lines.push(`unfinished        ${tally.unfinished} runs when the span ends`)
  return lines
}

function sayRefused(counts: ScheduleTally, kind: 'skipped' | 'missed', channel: Channel): string {
  const count = counts[kind]
  return count === 0 ? '0' : channel.style('yellow', String(count))
}

export function simulationJson({ span, tally, schedules, runs, runMs, expectations }: Outcome): object {
  const peak = (found: { count: number; at: number } | undefined) =>
    found === undefined ? null : { count: found.count, at: formatSlot(found.at) }
  return {
    from: formatSlot(span.from),
    to: formatSlot(span.until),
    schedules: schedules.map(({ id, dagName }) => {
      const counts = tally.schedules.get(id)!
      return {
        schedule_id: id,
        dag_name: dagName,
        fires: counts.fires,
        skipped: counts.skipped,
        missed: counts.missed,
        cancelled: counts.cancelled,
        reasons: Object.fromEntries(counts.reasons),
        first: counts.first ?? null,
        last: counts.last ?? null,
        longest_wait_ms: counts.longestWaitMs,
        past_runs: runs.get(dagName) ?? 0,
      }
    }),
    load: {
      fires: tally.fires,
      peak_minutes: tally.peakMinutes.map(({ count, at }) => ({ minute: formatSlot(at), fires: count })),
      peak_runs: peak(tally.peakRuns),
      peak_waiting: peak(tally.peakWaiting),
      unfinished_runs: tally.unfinished,
    },
    run_ms_without_past: runMs,
    expectations: expectations.map(({ expected, failures }) => ({
      schedule_id: expected.scheduleId,
      line: expected.line,
      ok: failures.length === 0,
      failures,
    })),
  }
}
