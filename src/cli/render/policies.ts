// A schedule's policies in words: what happens to a slot that comes too late, or while a run is under way; and what of its
// times is no cron text.

import type { Condition } from '../../core/condition/condition.ts'
import { questionInWords } from '../../core/condition/question-words.ts'
import { describeRoll } from '../../core/schedule/roll.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import type { Timing } from '../../core/schedule/timing.ts'
import { formatDuration } from '../../core/time/duration.ts'

/** Each policy as its key, its value as it is written, and what follows from it. */
export interface PolicyWords {
  readonly key: string
  readonly value: string
  readonly words: string
}

/** What a timing says beside its crons: a period, single moments, bounds, a roll. */
export function describeMoments({ every, at, startAt, endAt, roll }: Timing): PolicyWords[] {
  const words: PolicyWords[] = []
  if (every !== undefined) {
    const since = startAt ?? '1970-01-01T00:00Z'
    words.push({
      key: 'every',
      value: every,
      words: `every ${every}, counted from ${since}; clocks do not touch it`,
    })
  }
  if (at !== undefined) {
    const moments = at.length === 1 ? 'once' : `${at.length} times`
    words.push({
      key: 'at',
      value: at.join(', '),
      words: `${moments}, at ${at.length === 1 ? 'that moment' : 'these moments'}`,
    })
  }
  if (startAt !== undefined) words.push({ key: 'start_at', value: startAt, words: 'no slot before it' })
  if (endAt !== undefined) words.push({ key: 'end_at', value: endAt, words: 'no slot after it' })
  if (roll !== undefined) {
    words.push({
      key: 'roll',
      value: `${roll.convention}, ${roll.calendar}`,
      words: `a time on any other day is ${describeRoll(roll)}, at the same time of day`,
    })
  }
  return words
}

export function describePolicies(schedule: Schedule): PolicyWords[] {
  return [
    { key: 'catchup', value: schedule.catchup, words: sayCatchup(schedule) },
    { key: 'overlap', value: schedule.overlap, words: sayOverlap(schedule.overlap) },
    ...sayLimitsOfStart(schedule),
    ...sayPool(schedule),
    ...sayConditions(schedule),
    ...sayAsking(schedule),
  ]
}

function sayConditions({ conditions = [] }: Schedule): PolicyWords[] {
  if (conditions.length === 0) return []
  const words = `a slot gets a run only if ${conditions.map(sayCondition).join(', and ')}`
  return [{ key: 'conditions', value: String(conditions.length), words }]
}

const DAYS = {
  business_day: 'a business day',
  holiday: 'a holiday',
  weekend: 'a weekend day',
  first_business_day: 'the first business day of its month',
  last_business_day: 'the last business day of its month',
} as const

function sayCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
      return `(${condition.of.map(sayCondition).join(' and ')})`
    case 'any':
      return `(${condition.of.map(sayCondition).join(' or ')})`
    case 'not':
      return `not: ${sayCondition(condition.of)}`
    case 'calendar':
      return `its day is ${DAYS[condition.day]} by calendar ${condition.calendar}`
    case 'nth_business_day': {
      const { nth, calendar } = condition
      const place = nth < 0 ? `business day ${-nth} from the end` : `business day ${nth}`
      return `its day is ${place} of its month by calendar ${calendar}`
    }
    case 'blackout':
      return `it lies in no window of calendar ${condition.calendar}`
    default:
      return questionInWords(condition)
  }
}

/** How conditions are asked that only the world can answer. */
function sayAsking({ conditionPolicy }: Schedule): PolicyWords[] {
  if (conditionPolicy === undefined) return []
  const { retryUntilMs, retryEveryMs, onError } = conditionPolicy
  const policies: PolicyWords[] = []
  if (retryUntilMs !== undefined) {
    const words = `conditions that do not hold are asked again every ${formatDuration(retryEveryMs)} until so long after the slot`
    policies.push({ key: 'retry_until', value: formatDuration(retryUntilMs), words })
  }
  const end = onError === 'run' ? 'the slot gets its run all the same' : 'the slot is skipped'
  policies.push({ key: 'on_error', value: onError, words: `if nobody can say whether they hold, ${end}` })
  return policies
}

function sayLimitsOfStart({ startingDeadlineMs, jitterMs }: Schedule): PolicyWords[] {
  const policies: PolicyWords[] = []
  if (startingDeadlineMs !== undefined) {
    const value = formatDuration(startingDeadlineMs)
    const words = `a run that has not started ${value} after its slot is given up`
    policies.push({ key: 'starting_deadline', value, words })
  }
  if (jitterMs !== undefined) {
    const value = formatDuration(jitterMs)
    const words = `a run starts up to ${value} after its slot, each slot always by the same span`
    policies.push({ key: 'jitter', value, words })
  }
  return policies
}

function sayPool({ pool, weight = 1, priority = 0 }: Schedule): PolicyWords[] {
  const policies: PolicyWords[] = []
  if (pool !== undefined) {
    const slots = weight === 1 ? 'one of its slots' : `${weight} of its slots`
    policies.push({ key: 'pool', value: pool, words: `a run holds ${slots} from start to end, or waits` })
  }
  if (priority !== 0) {
    const words = `of runs that wait for room, those of a higher priority start first`
    policies.push({ key: 'priority', value: String(priority), words })
  }
  return policies
}

function sayCatchup({ catchup, catchupWindowMs, maxCatchup }: Schedule): string {
  const window = formatDuration(catchupWindowMs)
  switch (catchup) {
    case 'none':
      return 'slots that passed while no scheduler ran are recorded as missed'
    case 'latest':
      return `of the slots that passed while no scheduler ran, the last one runs if it is at most ${window} old; the others are recorded as missed`
    case 'all':
      return `slots that passed while no scheduler ran are run, oldest first: the last ${maxCatchup}, those at most ${window} old; the others are recorded as missed`
  }
}

function sayOverlap(overlap: Schedule['overlap']): string {
  switch (overlap) {
    case 'skip':
      return 'a slot that comes while a run of this schedule waits or runs is skipped'
    case 'queue':
      return 'a slot that comes while a run of this schedule waits or runs waits for its end'
    case 'allow':
      return 'runs of this schedule may run side by side'
    case 'replace':
      return 'a slot that comes while a run of this schedule waits or runs cancels it and takes its place'
  }
}
