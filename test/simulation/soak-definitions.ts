// The schedules of a soak: every way to say when, every policy, conditions and calendars, drawn by chance. Most are due
// daily or hourly, a few every minute, so that a year of ten thousand is some millions of slots.

import { compileCalendars } from '../../src/core/calendar/calendar.ts'
import { dayOf } from '../../src/core/calendar/day.ts'
import { recordDays } from '../../src/core/calendar/recorded-days.ts'
import type { Condition } from '../../src/core/condition/condition.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { ROLL_CONVENTIONS, type TimingRoll } from '../../src/core/schedule/roll.ts'
import type { Catchup, Overlap, Schedule } from '../../src/core/schedule/schedule.ts'
import type { Timing } from '../../src/core/schedule/timing.ts'
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../src/core/time/instant.ts'
import { aDag, aSchedule, definitionsOf } from '../support/builders.ts'
import type { Chance } from './chance.ts'

export const DAGS = [
  aDag('job', { only: [] }),
  aDag('pair', { first: [], second: ['first'] }, { retries: 1, retryDelayMs: 30_000 }),
]

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Africa/Casablanca',
]

/** Two years of holidays, weekends in two fashions, windows of each kind. */
const CALENDARS = compileCalendars(
  [
    { name: 'office', timezone: 'Europe/Berlin', weekend: [6, 0] as const },
    { name: 'souk', timezone: 'Africa/Casablanca', weekend: [5, 6] as const },
  ].map(calendar => ({
    ...calendar,
    include: [],
    dates: [2026, 2027].map(year => {
      const christmas = dayOf(year, 12, 25)
      return { from: christmas, to: christmas + 1, name: 'Christmas' }
    }),
    rules: [],
    exclude: [],
    workdays: [],
    windows: [
      {
        kind: 'weekly' as const,
        name: 'maintenance',
        weekdays: [2, 6] as const,
        fromMinute: 22 * 60,
        untilMinute: 3 * 60,
        timezone: calendar.timezone,
      },
      {
        kind: 'cron' as const,
        name: 'month end',
        cron: '0 12 L * *',
        timezone: calendar.timezone,
        durationMs: 12 * HOUR_MS,
      },
      {
        kind: 'once' as const,
        name: 'year-end freeze',
        from: Date.parse('2026-12-28T18:00Z'),
        to: Date.parse('2027-01-02T06:00Z'),
      },
    ],
    hash: calendar.name,
  })),
)

/**
 * One that is often full, one that is at times, one that seldom is: none whose line only grows through a year. Of 10,000
 * schedules those of one pool hold 22 slots on average.
 */
export function poolsFor(schedules: number): Record<string, number> {
  return {
    narrow: Math.max(2, Math.ceil(schedules / 360)),
    wide: Math.max(3, Math.ceil(schedules / 250)),
    ample: 500,
  }
}

/** Schedules from which on a set is large. */
export const LARGE = 1_000

const CALENDAR_NAMES = ['office', 'souk']

/** Draws schedules; the same chance gives the same ones. */
export class SoakDefinitions {
  readonly #chance: Chance
  readonly #size: number
  readonly #begin: Instant
  readonly #days: number
  readonly #schedules = new Map<string, Schedule>()
  #drawn = 0

  constructor(chance: Chance, size: number, begin: Instant, days: number) {
    this.#chance = chance
    this.#size = size
    this.#begin = begin
    this.#days = days
    for (let index = 0; index < size; index++) this.#add()
  }

  get ids(): string[] {
    return [...this.#schedules.keys()]
  }

  /** In a large set it is redrawn too seldom to leave to chance whether the second schedule asks at all. */
  get #askingOften(): number {
    return this.#size >= LARGE ? 1 : 0.5
  }

  /** As of now, as a set that later changes leave alone. */
  get current(): Definitions {
    return {
      ...definitionsOf(DAGS, [...this.#schedules.values()], poolsFor(this.#size)),
      calendars: CALENDARS,
    }
  }

  /** Some schedules come, some go, some are switched, some get another timing or other policies. */
  change(): void {
    const chance = this.#chance
    for (let left = chance.between(1, Math.max(4, this.#size / 200)); left > 0; left--) {
      const id = chance.pick(this.ids)
      const known = this.#schedules.get(id)!
      const index = Number(id.slice(1))
      switch (chance.weigh({ timing: 5, policy: 4, switch: 3, remove: 1, restore: 1, add: 1 })) {
        case 'timing':
          this.#schedules.set(id, this.#draw(id, index, this.#timing(index), known.enabled))
          break
        case 'policy':
          this.#schedules.set(id, this.#draw(id, index, known.timing, known.enabled))
          break
        case 'switch':
          this.#schedules.set(id, { ...known, enabled: !known.enabled })
          break
        case 'remove':
          // Neither the set nor its fastest schedules may die out.
          if (index >= 2 && this.#schedules.size > this.#size * 0.9) this.#schedules.delete(id)
          break
        case 'restore': {
          const gone = `s${chance.between(0, this.#drawn - 1)}`
          if (!this.#schedules.has(gone)) this.#put(gone)
          break
        }
        case 'add':
          this.#add()
          break
      }
    }
  }

  #add(): void {
    this.#put(`s${this.#drawn++}`)
  }

  #put(id: string): void {
    const index = Number(id.slice(1))
    const isOff = this.#chance.happens(0.03)
    // The one that asks every minute is there from the start: a large set may not switch it on in a year.
    this.#schedules.set(id, this.#draw(id, index, this.#timing(index), index === 1 || !isOff))
  }

  #draw(id: string, index: number, timing: Timing, enabled: boolean): Schedule {
    const chance = this.#chance
    // Pairs cost twice the events, and the fastest schedules make most of the slots.
    const dag = isFast(index) || chance.happens(0.9) ? 'job' : 'pair'
    return aSchedule(id, '', dag, {
      timing,
      enabled,
      catchup: chance.weigh<Catchup>({ none: 2, latest: 3, all: 4 }),
      catchupWindowMs: chance.pick([MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS]),
      maxCatchup: chance.between(1, 6),
      overlap: chance.weigh<Overlap>({ skip: 4, allow: 2, queue: 2, replace: 2 }),
      ...(chance.happens(0.2)
        ? { startingDeadlineMs: chance.pick([0, 5 * SECOND_MS, 10 * MINUTE_MS, 2 * HOUR_MS]) }
        : {}),
      ...(chance.happens(0.15) ? { jitterMs: chance.pick([1, 30 * SECOND_MS, 10 * MINUTE_MS]) } : {}),
      ...(chance.happens(0.2) ? { priority: chance.between(-2, 2) } : {}),
      ...(chance.happens(0.2) ? this.#pool(index) : {}),
      ...(chance.happens(0.15) ? { conditions: this.#conditions() } : {}),
      ...(chance.happens(index === 1 ? this.#askingOften : 0.08) ? this.#questions(index) : {}),
    })
  }

  /** The fastest schedules have the ample pool: waiting would be all that the soak is about. */
  #pool(index: number): { pool: string; weight: number } {
    const pool = this.#chance.pick(isFast(index) ? ['ample'] : ['narrow', 'wide', 'ample'])
    return { pool, weight: this.#chance.between(1, 2) }
  }

  /** What the world answers is the soak's. One that is due every minute may ask for hours: more slots than may be open. */
  #questions(index: number): Pick<Schedule, 'conditions' | 'conditionPolicy'> {
    const chance = this.#chance
    const question: Condition = { kind: 'signal', name: 'soak', withinMs: HOUR_MS, timeoutMs: MINUTE_MS }
    const blackout: Condition = { kind: 'blackout', calendar: chance.pick(CALENDAR_NAMES) }
    const conditions = chance.pick([
      [question],
      [blackout, question],
      [{ kind: 'any' as const, of: [question, question] }],
    ])
    if (index !== 1 && chance.happens(0.3)) return { conditions }
    const retryUntilMs =
      index === 1 ? 6 * HOUR_MS : chance.pick([SECOND_MS, 10 * MINUTE_MS, 3 * HOUR_MS, 2 * DAY_MS])
    const retryEveryMs = chance.pick(index === 1 ? [2 * HOUR_MS] : [MINUTE_MS, 20 * MINUTE_MS, HOUR_MS])
    return {
      conditions,
      conditionPolicy: { retryUntilMs, retryEveryMs, onError: chance.pick(['skip', 'run']) },
    }
  }

  #conditions(): Condition[] {
    const chance = this.#chance
    const calendar = chance.pick(CALENDAR_NAMES)
    const business: Condition = { kind: 'calendar', calendar, day: 'business_day' }
    const blackout: Condition = { kind: 'blackout', calendar }
    const nth: Condition = { kind: 'nth_business_day', calendar, nth: chance.pick([1, 2, -1, -2]) }
    const first: Condition = { kind: 'calendar', calendar, day: 'first_business_day' }
    return chance.pick<Condition[]>([
      [business],
      [blackout],
      [business, blackout],
      [{ kind: 'not', of: business }],
      [{ kind: 'all', of: [business, blackout] }],
      [{ kind: 'any', of: [nth, first] }, blackout],
    ])
  }

  #timing(index: number): Timing {
    const chance = this.#chance
    const minute = chance.between(0, 59)
    const hour = chance.between(0, 23)
    const unix = (...crons: string[]): Partial<Timing> => ({ crons })
    const quartz = (...crons: string[]): Partial<Timing> => ({ crons, dialect: 'quartz' })
    const drawn: Partial<Timing> = isEveryMinute(index)
      ? chance.pick([unix('* * * * *'), { every: '1m' }, quartz('0 * * * * ?')])
      : index % 1_000 === 2
        ? chance.pick([unix('*/5 * * * *'), { every: '7m' }, unix('H/10 * * * *'), quartz('0 0/6 * * * ?')])
        : index % 1_000 === 3
          ? this.#everySeconds()
          : index % 40 === 4
            ? chance.pick([
                unix(`${minute} * * * *`),
                unix('H * * * *'),
                { every: '1h' },
                unix('30 2 * * *', '*/50 * * * *'),
              ])
            : chance.pick<Partial<Timing>>([
                unix(`${minute} ${hour} * * *`),
                unix('H H * * *'),
                unix('H H(0-7) * * 1-5'),
                unix(`${minute} 2 * * *`),
                { ...unix(`${minute} ${hour} 1,15,L * *`), roll: this.#roll() },
                { ...unix(`30 2 * * *`, `${minute} ${hour} * * 0`), roll: this.#roll() },
                unix('30 2 * * *', `${minute} ${hour} * * 1-5`),
                unix(`${minute} ${hour} L * *`, `${minute} ${hour} 15W * *`),
                unix(`${minute} ${hour} * * 5L`, '0 9 * * 1#2'),
                quartz(`0 ${minute} ${hour} ? * MON-FRI`),
                quartz(`0 ${minute} ${hour} LW * ?`, '0 30 1 ? * *'),
                { every: chance.pick(['6h', '13h', '1d', '1d1h', '2w']) },
                { every: '8h', crons: [`${minute} ${hour} * * *`] },
                { at: this.#instants() },
                { at: this.#instants(), crons: [`${minute} 3 1 * *`] },
              ])
    const isBounded = drawn.startAt === undefined && !isEveryMinute(index) && chance.happens(0.1)
    return {
      crons: [],
      timezone: chance.pick(ZONES),
      dialect: 'unix',
      dst: chance.pick(['cron', 'skip', 'both']),
      ...drawn,
      ...(isBounded ? this.#bounds(this.#days) : {}),
    }
  }

  #roll(): TimingRoll {
    const calendar = this.#chance.pick(CALENDAR_NAMES)
    const { days } = recordDays(CALENDARS.get(calendar)!)
    return { convention: this.#chance.pick(ROLL_CONVENTIONS), calendar, days }
  }

  /** For a day or two only. */
  #everySeconds(): Partial<Timing> {
    return { crons: ['*/20 * * * * *'], ...this.#bounds(2) }
  }

  #bounds(days: number): Partial<Timing> {
    // Whole seconds, as the loader makes them: a slot's text cannot say finer ones.
    const start = this.#begin + this.#chance.between(0, this.#days * 86_400) * SECOND_MS
    const end = start + this.#chance.between(1, days * 86_400) * SECOND_MS
    return { startAt: new Date(start).toISOString(), endAt: new Date(end).toISOString() }
  }

  #instants(): string[] {
    const instants = Array.from(
      { length: 6 },
      () => this.#begin + this.#chance.between(0, this.#days * 24 * 60) * MINUTE_MS,
    )
    return [...new Set(instants)].sort((a, b) => a - b).map(instant => new Date(instant).toISOString())
  }
}

function isEveryMinute(index: number): boolean {
  return index % 5_000 === 0 || index === 1
}

function isFast(index: number): boolean {
  return index % 1_000 <= 3
}
