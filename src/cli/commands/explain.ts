// `scheduler explain <cron text | schedule id>`: what it means in words, when it is due, and what it does when the clock
// of its zone changes. Everything but the words is asked of the engine that schedules.

import { listClockChanges } from '../../core/cron/clock-changes.ts'
import { compileCron } from '../../core/cron/compile.ts'
import { describeCron } from '../../core/cron/describe.ts'
import { followsClock } from '../../core/cron/expression.ts'
import { parseCron } from '../../core/cron/parse.ts'
import { listCronWarnings } from '../../core/cron/warnings.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
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
    ? explainText(text, flags.timezone ?? 'UTC', now, count)
    : explainSchedule(await requireSchedule(context, text, flags), now, count)
  if (json) writeJson(out.data, 'Explanation', explanationJson(explanation))
  else for (const line of renderExplanation(explanation, out.data)) out.data.line(line)
  return 0
}

/** An id holds no space and does not begin with @; of a cron text one is always true. */
function isCronText(text: string): boolean {
  return text === '' || text.startsWith('@') || /\s/.test(text) || /^[*?]/.test(text)
}

async function requireSchedule(
  context: CommandContext,
  id: string,
  { timezone }: ExplainFlags,
): Promise<Schedule> {
  if (timezone !== undefined) {
    throw new UsageError(
      `--timezone goes with a cron text; ${JSON.stringify(id)} is read as the id of a schedule, which has its own zone`,
      'leave --timezone out, or give the cron text in quotes',
    )
  }
  const { schedules } = await loadGoodDefinitions(context)
  return findSchedule(schedules, id, 'a cron text has five fields, in quotes: scheduler explain "0 6 * * *"')
}

function explainText(text: string, timezone: string, now: Instant, count: number): Explanation {
  const slots = compileCron(text, timezone)
  return {
    schedule: undefined,
    timezone,
    now,
    crons: [explainCron(text, timezone, now)],
    slots: takeSlots(slots, now, count),
  }
}

function explainSchedule(schedule: Schedule, now: Instant, count: number): Explanation {
  const { cron, timezone } = schedule.timing
  return {
    schedule,
    timezone,
    now,
    crons: [explainCron(cron, timezone, now)],
    slots: takeSlots(schedule.slots, now, count),
  }
}

function explainCron(text: string, timezone: string, now: Instant): CronExplanation {
  const slots = compileCron(text, timezone)
  const fields = parseCron(text)
  return {
    text,
    words: describeCron(fields),
    followsClock: followsClock(fields),
    warnings: listCronWarnings(text),
    changes: listClockChanges(
      slots,
      compileCron(text, 'UTC'),
      zoneOf(timezone),
      now,
      now + CHANGES_WITHIN_MS,
    ),
  }
}

function takeSlots(
  slots: { next(after: Instant): Instant | undefined },
  after: Instant,
  count: number,
): Instant[] {
  const taken: Instant[] = []
  for (let slot = slots.next(after); slot !== undefined && taken.length < count; slot = slots.next(slot))
    taken.push(slot)
  return taken
}
