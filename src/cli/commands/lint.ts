// `scheduler lint [files…]`: what is legal in the definitions and yet rarely meant, as a list; `--strict` makes it exit 3.
// Errors are told as `validate` tells them, and end with 3.

import { listCronWarnings } from '../../core/cron/warnings.ts'
import { EXIT } from '../../core/error.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { listSetWarnings } from '../../core/schedule/set-warnings.ts'
import type { Instant } from '../../core/time/instant.ts'
import { sayHint } from '../../definition/problem.ts'
import type { CommandContext } from '../context.ts'
import type { LintFlags } from '../flags.ts'
import { plain, writeJson } from '../output.ts'
import { findProblems } from '../problems.ts'
import { writeProblems } from '../render/problem.ts'
import { readCount } from '../usage.ts'

interface Finding {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly schedule_id?: string
}

/** More schedules in one minute are told of. */
const CROWD = 20

/** A week has every weekday and every hour. */
const CROWD_WITHIN_MS = 7 * 86_400_000

/** Warnings that depend on the date, which a load does not look at. */
const OF_TODAY = new Set(['clock_change', 'past_years'])

export async function run(
  context: CommandContext,
  files: readonly string[],
  flags: LintFlags,
): Promise<number> {
  const { out, json } = context
  const crowd = flags.crowd === undefined ? CROWD : readCount('--crowd', flags.crowd)
  const { problems, what, definitions, isAsked } = await findProblems(context, files)
  const errors = problems.filter(({ severity }) => severity === 'error')
  const findings: Finding[] = problems
    .filter(({ severity }) => severity === 'warning')
    .map(({ file, line, column, code = 'definition', message, help }) => ({
      file,
      line,
      column,
      code,
      message,
      hint: help,
    }))
  if (definitions !== undefined) {
    const found = await lintSet(context, definitions, crowd)
    findings.push(...found.filter(({ file }) => isAsked(file)))
  }
  findings.sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
  )

  if (json) {
    const items = [
      ...errors.map(({ frame: _, ...error }) => error),
      ...findings.map(finding => ({ ...finding, severity: 'warning' as const })),
    ]
    writeJson(out.data, 'Lint', { ok: items.length === 0, items })
  } else {
    writeProblems(out.data, errors)
    for (const { file, line, column, code, message, hint } of findings) {
      out.data.line(
        `${out.data.style('bold', `${plain(file)}:${line}:${column}`)} ${out.data.style('yellow', code)}: ${plain(message)}`,
      )
      if (hint !== undefined) out.data.line(`  help: ${plain(hint)}`)
    }
    const places = new Set(findings.map(({ file }) => file)).size
    out.note.line(
      findings.length === 0
        ? `${what}: nothing to say`
        : `${findings.length} finding${findings.length === 1 ? '' : 's'} in ${places} file${places === 1 ? '' : 's'}`,
    )
  }
  return errors.length > 0 || (flags.strict === true && findings.length > 0) ? EXIT.configInvalid : EXIT.ok
}

async function lintSet(context: CommandContext, definitions: Definitions, crowd: number): Promise<Finding[]> {
  const now = context.now()
  const places = await (await context.house()).locateSchedules(context.settings)
  const schedules = [...definitions.schedules.values()]
  const told = [
    ...schedules.flatMap(schedule => listToday(schedule, now)),
    ...listSetWarnings(schedules, { now, crowd, withinMs: CROWD_WITHIN_MS }),
  ]
  return told.flatMap(({ code, scheduleId, message, hint }) => {
    const place = places.get(scheduleId)
    const said = { code, message, hint: sayHint(hint).help, schedule_id: scheduleId }
    return place === undefined ? [] : [{ ...place, ...said }]
  })
}

/** What this year's clock changes and the date itself make of a schedule that is in force. */
function listToday({ id, timing, enabled }: Schedule, now: Instant) {
  if (!enabled) return []
  const { crons, timezone, dialect, dst } = timing
  return crons.flatMap(cron =>
    listCronWarnings(cron, { hashSeed: id, timezone, dialect, dst, now })
      .filter(({ code }) => OF_TODAY.has(code))
      .map(({ code, message, hint }) => ({ code, scheduleId: id, message: `${cron}: ${message}`, hint })),
  )
}
