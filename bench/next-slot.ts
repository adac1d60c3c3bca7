// The next slot of an expression, against the two libraries that people use for it: 100,000 expressions as people write
// them, each with an instant of its own, in UTC and in a zone that changes its clock.

import { CronExpressionParser } from 'cron-parser'
import { Cron } from 'croner'
import { compileCron } from '../src/core/cron/compile.ts'
import type { Instant } from '../src/core/time/instant.ts'
import { Chance } from '../test/simulation/chance.ts'
import { median, QUICK, takeTurns } from './measure.ts'
import { deliver, formatNumber, type Row } from './report.ts'

const EXPRESSIONS = QUICK ? 10_000 : 100_000
const ROUNDS = 10
/** Built, asked and let go of together: croner keeps 80 KB for each expression. */
const CHUNK = 1_000
const ZONES = ['UTC', 'America/New_York'] as const

interface Question {
  readonly cron: string
  readonly after: Instant
}

/** Times of the day, of the week and of the month, and steps, about as often as crontabs have them. */
function drawCron(chance: Chance): string {
  const minute = chance.happens(0.5) ? chance.pick([0, 15, 30, 45]) : chance.between(0, 59)
  const hour = chance.between(0, 23)
  const weekdays = chance.pick(['1-5', 'MON-FRI', '0', '1', '6,0', 'MON,WED,FRI'])
  switch (
    chance.weigh({ daily: 30, weekly: 15, monthly: 10, hourly: 10, step: 15, hours: 10, list: 5, yearly: 5 })
  ) {
    case 'daily':
      return `${minute} ${hour} * * *`
    case 'weekly':
      return `${minute} ${hour} * * ${weekdays}`
    case 'monthly':
      return `${minute} ${hour} ${chance.between(1, 28)} * *`
    case 'hourly':
      return `${minute} * * * *`
    case 'step':
      return `*/${chance.pick([1, 2, 5, 10, 15, 20, 30])} * * * *`
    case 'hours':
      return `${minute} */${chance.pick([2, 3, 4, 6, 8, 12])} * * *`
    case 'list':
      return `${minute} ${hour % 12},${12 + (hour % 12)} * * *`
    case 'yearly':
      return `${minute} ${hour} ${chance.between(1, 28)} ${chance.between(1, 12)} *`
  }
}

const chance = new Chance('next slot')
const questions: Question[] = Array.from({ length: EXPRESSIONS }, () => ({
  cron: drawCron(chance),
  after: Date.UTC(2026, 0) + Math.floor(chance.next() * 365 * 86_400) * 1_000,
}))

/** One answer as one number, so that nobody can leave out the work. */
type Ask = () => number
type Compile = (question: Question, zone: string) => Ask

const compile: Record<'ours' | 'cronParser' | 'croner', Compile> = {
  ours: ({ cron, after }, zone) => {
    const schedule = compileCron(cron, zone)
    return () => schedule.next(after)!
  },
  cronParser: ({ cron, after }, zone) => {
    const schedule = CronExpressionParser.parse(cron, { currentDate: new Date(after), tz: zone })
    return () => schedule.next().getTime()
  },
  croner: ({ cron, after }, zone) => {
    const schedule = new Cron(cron, { timezone: zone })
    const from = new Date(after)
    return () => schedule.nextRun(from)!.getTime()
  },
}

/** Each call measures the next tenth of the expressions, from the first again when all had their turn. */
function prepare(compileOne: Compile, zone: string): () => number {
  const slice = EXPRESSIONS / ROUNDS
  let round = 0
  return () => {
    const from = (round++ % ROUNDS) * slice
    let spentMs = 0
    let sum = 0
    for (let at = from; at < from + slice; at += CHUNK) {
      const asks = questions.slice(at, at + CHUNK).map(question => compileOne(question, zone))
      const startedMs = performance.now()
      for (const ask of asks) sum += ask()
      spentMs += performance.now() - startedMs
    }
    if (!Number.isFinite(sum)) throw new Error('a slot was missing')
    return (spentMs * 1_000_000) / slice
  }
}

const rows: Row[] = []
const ratios: Record<string, { cronParser: number; croner: number }> = {}
for (const zone of ZONES) {
  const spent = await takeTurns(ROUNDS, {
    ours: prepare(compile.ours, zone),
    cronParser: prepare(compile.cronParser, zone),
    croner: prepare(compile.croner, zone),
  })
  const [ours, cronParser, croner] = [spent.ours, spent.cronParser, spent.croner].map(median) as [
    number,
    number,
    number,
  ]
  const what = `next slot, ${zone}`
  rows.push({ what, value: ours, unit: 'ns', probe: cronParser, against: 'cron-parser' })
  rows.push({ what, value: ours, unit: 'ns', probe: croner, against: 'croner' })
  ratios[zone] = { cronParser: cronParser / ours, croner: croner / ours }
}

const goal = (
  zone: (typeof ZONES)[number],
  library: 'cronParser' | 'croner',
  name: string,
  least: number,
) => ({
  text: `in ${zone}, the next slot is found at least ${least} times as fast as by ${name}`,
  isMet: ratios[zone]![library] >= least,
  measured: `${formatNumber(ratios[zone]![library])} ×`,
})

deliver({
  name: 'next-slot',
  title: 'The next slot of a cron expression',
  method: `${EXPRESSIONS.toLocaleString('en')} expressions as crontabs have them, each asked once for the slot after an instant of its own in 2026; building them is not counted. cron-parser's \`next()\`, croner's \`nextRun()\` and ours take turns on the same tenth of them; median of ${ROUNDS} rounds, one for each tenth.`,
  rows,
  goals: [
    goal('UTC', 'cronParser', 'cron-parser', 20),
    goal('UTC', 'croner', 'croner', 20),
    goal('America/New_York', 'cronParser', 'cron-parser', 100),
    goal('America/New_York', 'croner', 'croner', 30),
  ],
})
