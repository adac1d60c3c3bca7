// `scheduler audit`: was every slot decided exactly once? What was due is computed again from the journal's registrations
// and compared with its decisions.

import type { StatusAnswer } from '../../api/control.ts'
import { Audit, type AuditReport, type ScheduleAudit } from '../../core/audit/audit.ts'
import type { Finding, FindingKind } from '../../core/audit/finding.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import { isUserEvent } from '../../core/state-machine/event.ts'
import { formatInstant, formatSlot, HOUR_MS, type Instant, parseInstant } from '../../core/time/instant.ts'
import type { CommandContext } from '../context.ts'
import type { AuditFlags } from '../flags.ts'
import type { Reader } from '../house.ts'
import { readInstantOrAge } from '../instant-name.ts'
import { plain, writeJson } from '../output.ts'
import { quoteWord } from '../render/run-summary.ts'
import { renderTable } from '../render/table.ts'
import { suggest, UsageError } from '../usage.ts'

/** With more schedules than this the table shows only those that have something to tell. */
const ALL_SHOWN_MAX = 50
/** Findings that are printed; `--json` has more. */
const FINDINGS_SHOWN = 50

interface Span {
  readonly from: Instant
  readonly to: Instant
}

export async function run(context: CommandContext, flags: AuditFlags): Promise<number> {
  const { settings, out, json } = context
  const now = context.now()
  const span = readSpan(flags, now)
  const house = await context.house()
  const runningAt = (await isServing(context)) ? now : undefined
  const reader = await house.openReader(settings)
  let report: AuditReport
  try {
    const audit = new Audit({ ...span, scheduleId: flags.schedule })
    for await (const event of reader.events(findStart(reader, span.from))) audit.take(event)
    report = audit.finish(now, runningAt)
    if (flags.schedule !== undefined && report.schedules.length === 0) {
      throw unknownSchedule(flags.schedule, audit.scheduleIds())
    }
  } finally {
    await reader.close()
  }
  const total = addUp(report.schedules)
  const faults = report.findings.filter(({ kind }) => kind !== 'missed').length + report.findings_left_out
  const isGood =
    faults === 0 &&
    (total.missed === 0 || flags.allowMissed === true) &&
    (total.open === 0 || flags.strict !== true)
  if (json) {
    writeJson(out.data, 'AuditReport', {
      ok: isGood,
      from: formatInstant(span.from),
      to: formatInstant(span.to),
      total,
      schedules: report.schedules,
      findings: report.findings.map(finding => ({
        ...finding,
        from: textOf(finding.from),
        to: textOf(finding.to),
      })),
      findings_left_out: report.findings_left_out,
    })
  } else show(context, span, report, total)
  return isGood ? EXIT.ok : EXIT.runFailed
}

function readSpan(flags: AuditFlags, now: Instant): Span {
  const to = flags.to === undefined ? now : readInstantOrAge('--to', flags.to, now)
  const from = flags.from === undefined ? to - 24 * HOUR_MS : readInstantOrAge('--from', flags.from, now)
  if (from < to) return { from, to }
  throw new UsageError(
    `--from: ${formatInstant(from)} is not before --to, which is ${formatInstant(to)}`,
    'give a --from that is earlier, or a --to that is later',
  )
}

/** A scheduler that serves decides what is due within a second: then an old slot without a decision is a fault. */
async function isServing(context: CommandContext): Promise<boolean> {
  let status: StatusAnswer
  try {
    status = await (await context.connect()).status()
  } catch (error) {
    if (error instanceof DagbokError) return false
    throw error
  }
  return status.mode === 'serve' && status.state !== 'draining'
}

/** Behind which line to begin: a segment opens with the whole state, so what is older need not be read. */
function findStart({ index }: Reader, from: Instant): number {
  const opened = index
    .events({ event: 'segment_opened', limit: Number.POSITIVE_INFINITY })
    .filter(event => !isUserEvent(event))
    // Newest first. The hour is for a clock that was set back.
    .find(({ timestamp }) => parseInstant(timestamp) < from - HOUR_MS)
  return opened === undefined ? 0 : opened.seq - 1
}

function unknownSchedule(id: string, known: Iterable<string>): DagbokError {
  return new DagbokError('SCHEDULE_NOT_FOUND', `the journal knows no schedule ${JSON.stringify(plain(id))}`, {
    exitCode: EXIT.notFound,
    hint: suggest(id, known, '`scheduler next` lists those that are defined'),
  })
}

const COUNTS = [
  'expected',
  'enqueued',
  'skipped',
  'missed',
  'open',
  'undecided',
  'doubled',
  'never_due',
] as const
type Total = Record<(typeof COUNTS)[number], number>

function addUp(schedules: readonly ScheduleAudit[]): Total {
  const total = Object.fromEntries(COUNTS.map(name => [name, 0])) as Total
  for (const schedule of schedules) for (const name of COUNTS) total[name] += schedule[name]
  return total
}

function show(
  { out, headers }: CommandContext,
  { from, to }: Span,
  { schedules, findings, findings_left_out }: AuditReport,
  total: Total,
): void {
  const isQuiet = ({ expected, enqueued, doubled, never_due }: ScheduleAudit) =>
    expected === enqueued && doubled + never_due === 0
  const sorted = schedules.toSorted((a, b) => (a.schedule_id < b.schedule_id ? -1 : 1))
  const shown = sorted.length > ALL_SHOWN_MAX ? sorted.filter(schedule => !isQuiet(schedule)) : sorted
  const titles = ['expected', 'enqueued', 'skipped', 'missed', 'open'] as const
  const columns = [
    { title: 'SCHEDULE' },
    ...titles.map(title => ({ title: title.toUpperCase(), align: 'right' as const })),
    { title: 'FAULTS', align: 'right' as const },
    { title: 'REASONS' },
  ]
  const row = (name: string, counts: Total, reasons: string) => [
    name,
    ...titles.map(title => String(counts[title])),
    String(counts.undecided + counts.doubled + counts.never_due),
    reasons,
  ]
  const rows = shown.map(schedule => row(schedule.schedule_id, schedule, describeReasons(schedule)))
  for (const line of renderTable(columns, [...rows, row('total', total, '')], headers)) out.data.line(line)
  if (findings.length > 0) out.data.line('')
  for (const finding of findings.slice(0, FINDINGS_SHOWN)) {
    const colour = finding.kind === 'missed' ? 'yellow' : 'red'
    out.data.line(
      `${out.data.style(colour, finding.kind.replace('_', ' ').padEnd(10))} ${describeFinding(finding)}`,
    )
  }
  const left = findings.length - FINDINGS_SHOWN + findings_left_out
  if (left > 0) out.data.line(`… and ${left} more`)
  const [worst] = findings.toSorted((a, b) => Number(a.kind === 'missed') - Number(b.kind === 'missed'))
  if (worst !== undefined && !Number.isNaN(worst.from)) {
    out.note.line(`see: scheduler why ${quoteWord(worst.schedule_id)} ${formatSlot(worst.from)}`)
  }
  const quiet = sorted.length - shown.length
  if (quiet > 0) out.note.line(`${quiet} schedules whose every slot was enqueued are not listed`)
  if (total.open > 0) {
    out.note.line(`${total.open} open: nobody was there yet to decide them; the next start does`)
  }
  const window = `from ${formatSlot(from)} to ${formatSlot(to)}`
  if (findings.length === 0) out.note.line(`every slot ${window} has one decision, or is open`)
  else out.note.line(`looked at the slots ${window}`)
}

function describeReasons({ reasons }: ScheduleAudit): string {
  return Object.entries(reasons)
    .filter(([name]) => name !== 'enqueued due')
    .map(([name, count]) => `${plain(name)} ${count}`)
    .join(', ')
}

const IN_WORDS: Readonly<Record<FindingKind, string>> = {
  undecided: 'due, and nothing was decided about it',
  doubled: 'decided once more',
  never_due: 'decided, but no slot of the schedule',
  miscounted: 'the line says another number of slots than lie between',
  missed: 'recorded as missed',
}

/** Null for what a line says that is no instant. */
function textOf(slot: Instant): string | null {
  return Number.isNaN(slot) ? null : formatSlot(slot)
}

function describeFinding({ kind, schedule_id, from, to, count, reason, seq }: Finding): string {
  const at = textOf(from) ?? 'what is no instant'
  const span = count === 1 ? at : `${at} to ${textOf(to) ?? 'what is no instant'}, ${count} slots`
  const why = reason === undefined ? '' : ` (${plain(reason)})`
  const where = seq === undefined ? '' : `, line ${seq}`
  return `${schedule_id} ${span}: ${IN_WORDS[kind]}${why}${where}`
}
