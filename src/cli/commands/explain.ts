// `scheduler explain <cron text | schedule id>`: what it means in words, when it is due, and what it does when the clock
// of its zone changes. Everything but the words is asked of the engine that schedules.

import { refuseSlot } from '../../core/condition/condition.ts'
import { listClockChanges } from '../../core/cron/clock-changes.ts'
import { compileCron, compileOnWall, findZoneInText } from '../../core/cron/compile.ts'
import { describeCron } from '../../core/cron/describe.ts'
import { followsClock } from '../../core/cron/expression.ts'
import { isHashed } from '../../core/cron/field.ts'
import { type CronOptions, parseCron } from '../../core/cron/parse.ts'
import { readPeriod } from '../../core/cron/period.ts'
import { listCronWarnings } from '../../core/cron/warnings.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { takeSlots } from '../../core/schedule/timing.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { Instant } from '../../core/time/instant.ts'
import { zoneOf } from '../../core/time/zone.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { ExplainFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import {
  type CronExplanation,
  type Explanation,
  explanationJson,
  renderExplanation,
} from '../render/explanation.ts'
import { findSchedule } from '../schedule-name.ts'
import { readCount, UsageError } from '../usage.ts'

/** How far ahead clock changes are looked for: a leap year. */
const CHANGES_WITHIN_MS = 366 * 86_400_000

const COUNT_MAX = 10_000

export async function run(
  context: CommandContext,
  words: readonly string[],
  flags: ExplainFlags,
): Promise<number> {
  const { out, json } = context
  const text = words.join(' ').trim()
  const count = flags.count === undefined ? 5 : readCount('--count', flags.count, COUNT_MAX)
  const now = context.now()
  const explanation = isCronText(text)
    ? explainText(text, flags, now, count)
    : explainSchedule(...(await requireSchedule(context, text, flags)), now, count)
  if (json) writeJson(out.data, 'Explanation', explanationJson(explanation))
  else for (const line of renderExplanation(explanation, out.data)) out.data.line(line)
  return 0
}

/** An id holds no space and begins with a letter or digit; a cron text is otherwise. */
function isCronText(text: string): boolean {
  return text === '' || text.startsWith('@') || /\s/.test(text) || /^[*?]/.test(text)
}

async function requireSchedule(
  context: CommandContext,
  id: string,
  { timezone, dialect, dst, seed }: ExplainFlags,
): Promise<[Schedule, Definitions]> {
  const given = Object.entries({ timezone, dialect, dst, seed }).find(([, value]) => value !== undefined)
  if (given !== undefined) {
    throw new UsageError(
      `--${given[0]} goes with a cron text; ${JSON.stringify(id)} is read as the id of a schedule, which has its own`,
      `leave --${given[0]} out, or give the cron text in quotes`,
    )
  }
  const definitions = await loadGoodDefinitions(context)
  const remedy = 'a cron text has five fields, in quotes: scheduler explain "0 6 * * *"'
  return [findSchedule(definitions.schedules, id, remedy), definitions]
}

function explainText(text: string, flags: ExplainFlags, now: Instant, count: number): Explanation {
  const options = {
    dialect: choose('--dialect', flags.dialect, ['unix', 'quartz']),
    dst: choose('--dst', flags.dst, ['cron', 'skip', 'both']),
    hashSeed: flags.seed,
  }
  if (flags.seed === undefined && isHashed(text)) {
    throw new UsageError(
      `an H in ${JSON.stringify(text)} gets its value from a seed, and none is given`,
      'give the id of the schedule that it is for: --seed nightly',
    )
  }
  if (flags.timezone !== undefined) findZoneInText(text, flags.timezone)
  const slots = compileCron(text, flags.timezone, options)
  return {
    schedule: undefined,
    timezone: slots.timezone,
    now,
    crons: [explainCron(text, slots.timezone, options, now)],
    slots: takeSlots(slots, now, count),
    refuse: () => undefined,
  }
}

function explainSchedule(
  schedule: Schedule,
  { calendars }: Definitions,
  now: Instant,
  count: number,
): Explanation {
  const { crons, timezone, dialect, dst } = schedule.timing
  const options = { dialect, dst, hashSeed: schedule.id }
  return {
    schedule,
    timezone: crons.length === 1 ? zoneOfCron(crons[0]!, timezone, options) : timezone,
    now,
    crons: crons.map(cron => explainCron(cron, zoneOfCron(cron, timezone, options), options, now)),
    slots: takeSlots(schedule.slots, now, count),
    refuse: slot =>
      refuseSlot(schedule.conditions ?? [], slot, { zone: zoneOf(timezone), calendars })?.reason,
  }
}

/** Snowflake's text names its own zone. */
function zoneOfCron(cron: string, timezone: string, options: CronOptions): string {
  return compileCron(cron, timezone, options).timezone
}

function explainCron(text: string, timezone: string, options: CronOptions, now: Instant): CronExplanation {
  const { dst = 'cron' } = options
  const wall = compileOnWall(text, options)
  if (wall === undefined) {
    const words = `every ${formatDuration(readPeriod(text, options)!)}, counted from 1970-01-01T00:00Z`
    return { text, words, rule: 'elapsed', dst, warnings: [], changes: [] }
  }
  const fields = parseCron(text, options)
  const slots = compileCron(text, timezone, options)
  // What clocks do to it has a section of its own, which looks further ahead.
  const warnings = listCronWarnings(text, { ...options, timezone, now }).filter(
    ({ code }) => code !== 'clock_change',
  )
  return {
    text,
    words: describeCron(fields),
    rule: followsClock(fields) ? 'clock' : 'fixed',
    dst,
    warnings,
    changes: listClockChanges(slots, wall, zoneOf(timezone), now, now + CHANGES_WITHIN_MS),
  }
}

function choose<Choice extends string>(
  flag: string,
  value: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined || choices.includes(value as Choice)) return value as Choice | undefined
  throw new UsageError(`${flag}: expected ${choices.join(' or ')}, got ${JSON.stringify(value)}`)
}
