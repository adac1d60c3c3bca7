// Random expressions in random zones at random instants: is our next slot croner's? Half of the instants lie near a
// change of the clock. What croner answers differently by a rule of its own is listed in `EXPLANATIONS`, each a claim about
// the question that can be checked; a difference that none of them covers is a finding.
//
// croner is asked for our rule as far as it can be: `fixedTimeRule: 'no-wildcard'`, and `domAndDow` where a day field
// begins with *, because it takes only a bare * for one.

import { Cron } from 'croner'
import { compileCron } from '../../src/core/cron/compile.ts'
import { CronError } from '../../src/core/cron/cron-error.ts'
import type { CronDst } from '../../src/core/cron/parse.ts'
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../src/core/time/instant.ts'
import { type ZoneTransition, zoneOf } from '../../src/core/time/zone.ts'
import { Chance } from '../simulation/chance.ts'

/** How many instants are asked of one expression in one zone: building croner's object costs as much as ten answers. */
const INSTANTS_PER_PAIR = 25

const ZONES = [...Intl.supportedValuesOf('timeZone'), 'UTC']
const FROM = Date.UTC(2000, 0)
const UNTIL = Date.UTC(2038, 0)

/** One question, with both answers. */
export interface Triple {
  readonly expression: string
  readonly zone: string
  readonly after: Instant
  readonly ours: Instant | undefined
  readonly theirs: Instant | undefined
}

export interface FuzzResult {
  readonly triples: number
  readonly pairs: number
  readonly nearChange: number
  /** Expressions that we refuse, because they can never match; croner was not asked. */
  readonly refused: number
  /** Explained differences, counted by the name of what explains them. */
  readonly explained: Readonly<Record<string, number>>
  readonly findings: readonly Triple[]
}

interface Explanation {
  readonly name: string
  readonly reason: string
  covers(triple: Triple, changes: readonly ZoneTransition[]): boolean
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    name: 'step-in-a-fixed-time',
    reason:
      'croner takes any * or / in the minute or hour for an interval, we only a * at its start; written out as a list, it agrees',
    covers: triple => {
      const { expression, zone, after, ours } = triple
      const writtenOut = writeOutTimes(expression)
      if (followsClock(expression) || writtenOut === expression) return false
      return askCroner(compileTheirs(writtenOut, zone), after) === ours
    },
  },
  {
    name: 'gap-over-midnight',
    reason:
      'croner catches up after a gap only on the same day; where the gap leads into the next day, it goes on with our slot after that',
    covers: ({ expression, zone, ours, theirs }, changes) => {
      if (ours === undefined || followsClock(expression)) return false
      const gap = changes.find(({ at }) => at <= ours && ours < at + MINUTE_MS)
      if (gap === undefined || gap.offsetAfterMs <= gap.offsetBeforeMs) return false
      const dayBefore = Math.floor((gap.at - 1 + gap.offsetBeforeMs) / DAY_MS)
      const dayAfter = Math.floor((gap.at + gap.offsetAfterMs) / DAY_MS)
      return dayBefore !== dayAfter && compileOurs(expression, zone, 'cron')?.next(ours) === theirs
    },
  },
]

/** Debian's rule, read off the text: the minute or the hour begins with *. */
function followsClock(expression: string): boolean {
  const [minute = '', hour = ''] = expression.split(' ').slice(-5)
  return minute.startsWith('*') || hour.startsWith('*')
}

/** The expression with its second, minute and hour as plain lists of numbers. */
function writeOutTimes(expression: string): string {
  const fields = expression.split(' ')
  const times = fields.length - 3
  return fields
    .map((field, index) => (index < times ? writeOut(field, index === times - 1 ? 23 : 59) : field))
    .join(' ')
}

function writeOut(field: string, max: number): string {
  const values = new Set<number>()
  for (const item of field.split(',')) {
    const [base = '', step = '1'] = item.split('/')
    const [first = '', last] = base === '*' ? ['0', `${max}`] : base.split('-')
    const end = last ?? (item.includes('/') ? `${max}` : first)
    for (let value = Number(first); value <= Number(end); value += Number(step)) values.add(value)
  }
  return [...values].sort((a, b) => a - b).join(',')
}

function askCroner(schedule: Cron, after: Instant): Instant | undefined {
  return schedule.nextRun(new Date(after))?.getTime()
}

/**
 * @param triples how many questions to ask, rounded up to whole pairs of expression and zone
 * @param findingsMax where to stop
 * @param dst what ours is asked for; croner is always asked for cron's own rule
 */
export function fuzzAgainstCroner(
  seed: number,
  triples: number,
  findingsMax = 10,
  dst: CronDst = 'cron',
): FuzzResult {
  const chance = new Chance(seed)
  const changesOf = new Map(ZONES.map(zone => [zone, zoneOf(zone).transitions(FROM, UNTIL)]))
  const changing = ZONES.filter(zone => changesOf.get(zone)!.length > 0)
  const explained = Object.fromEntries(EXPLANATIONS.map(({ name }) => [name, 0]))
  const findings: Triple[] = []
  let asked = 0
  let pairs = 0
  let nearChange = 0
  let refused = 0
  while (asked < triples && findings.length < findingsMax) {
    const expression = drawExpression(chance)
    const zone = chance.pick(chance.happens(0.8) ? changing : ZONES)
    const changes = changesOf.get(zone)!
    const ours = compileOurs(expression, zone, dst)
    if (ours === undefined) {
      refused++
      continue
    }
    const theirs = compileTheirs(expression, zone)
    pairs++
    for (let count = 0; count < INSTANTS_PER_PAIR; count++) {
      const isNear = changes.length > 0 && chance.happens(0.5)
      const after = isNear ? drawNear(chance, chance.pick(changes).at) : drawAny(chance)
      if (isNear) nearChange++
      asked++
      const next = ours.next(after)
      const other = askCroner(theirs, after)
      if (next === other) continue
      const triple = { expression, zone, after, ours: next, theirs: other }
      const explanation = EXPLANATIONS.find(({ covers }) => covers(triple, changes))
      if (explanation === undefined) findings.push(triple)
      else explained[explanation.name]! += 1
    }
  }
  return { triples: asked, pairs, nearChange, refused, explained, findings }
}

function compileOurs(
  expression: string,
  zone: string,
  dst: CronDst,
): { next(after: Instant): Instant | undefined } | undefined {
  try {
    return compileCron(expression, zone, { allowEverySecond: true, dst })
  } catch (error) {
    if (error instanceof CronError) return undefined
    throw error
  }
}

function compileTheirs(expression: string, zone: string): Cron {
  const [dayOfMonth = '', , dayOfWeek = ''] = expression.split(' ').slice(-3)
  const options = { timezone: zone, sloppyRanges: true, fixedTimeRule: 'no-wildcard' } as const
  return new Cron(expression, {
    ...options,
    domAndDow: dayOfMonth.startsWith('*') || dayOfWeek.startsWith('*'),
  })
}

function drawAny(chance: Chance): Instant {
  return FROM + Math.floor(chance.next() * ((UNTIL - FROM) / SECOND_MS)) * SECOND_MS
}

/** Within a day and a half of a change, mostly within hours; often on a whole minute. */
function drawNear(chance: Chance, change: Instant): Instant {
  const reachMs = chance.pick([5 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 36 * HOUR_MS])
  const at = change + Math.round((chance.next() * 2 - 1) * reachMs)
  const unit = chance.pick([SECOND_MS, MINUTE_MS, 15 * MINUTE_MS])
  return Math.floor(at / unit) * unit
}

const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ')
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')

/** Five fields, sometimes six; mostly times of the night, when clocks change. */
function drawExpression(chance: Chance): string {
  const fields = [
    chance.happens(0.3) ? `${chance.pick([0, 15, 30, 45, 59])}` : drawField(chance, 0, 59),
    chance.happens(0.4) ? `${chance.pick([0, 1, 2, 3, 23])}` : drawField(chance, 0, 23),
    chance.happens(0.6) ? '*' : chance.happens(0.25) ? drawDayRule(chance) : drawField(chance, 1, 31),
    chance.happens(0.6) ? '*' : chance.happens(0.2) ? chance.pick(MONTHS) : drawField(chance, 1, 12),
    chance.happens(0.6) ? '*' : chance.happens(0.4) ? drawWeekdayRule(chance) : drawField(chance, 0, 6),
  ]
  if (chance.happens(0.1)) fields.unshift(chance.pick(['0', '30', '0,30', '*/20', '59']))
  return fields.join(' ')
}

function drawDayRule(chance: Chance): string {
  return chance.pick(['L', 'LW', `${chance.between(1, 31)}W`, `${chance.between(1, 31)},L`])
}

function drawWeekdayRule(chance: Chance): string {
  const weekday = chance.happens(0.5) ? chance.pick(WEEKDAYS) : `${chance.between(0, 6)}`
  return chance.pick([weekday, `${weekday}#${chance.between(1, 5)}`, `${weekday}L`])
}

function drawField(chance: Chance, min: number, max: number): string {
  const item = (): string => {
    const first = chance.between(min, max)
    const last = chance.between(first, max)
    const step = chance.between(1, Math.min(12, max - min))
    switch (chance.weigh({ value: 5, range: 3, rangeStep: 2, star: 2, starStep: 4, valueStep: 1 })) {
      case 'value':
        return `${first}`
      case 'range':
        return `${first}-${last}`
      case 'rangeStep':
        return `${first}-${last}/${step}`
      case 'star':
        return '*'
      case 'starStep':
        return `*/${step}`
      case 'valueStep':
        return `${first}/${step}`
    }
  }
  return Array.from({ length: chance.pick([1, 1, 1, 2, 3]) }, item).join(',')
}

/** How to see a finding again, for a person. */
export function describeTriple({ expression, zone, after, ours, theirs }: Triple): string {
  const show = (instant: Instant | undefined): string =>
    instant === undefined ? 'never' : new Date(instant).toISOString()
  return `${JSON.stringify(expression)} in ${zone} after ${show(after)}: ours ${show(ours)}, croner ${show(theirs)}`
}
