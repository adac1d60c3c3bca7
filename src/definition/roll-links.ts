// `roll:` of schedules → the business days of the calendar that it names. A timing holds them itself, since the journal
// must be able to say in a year from now what was due.

import { nextBusinessDay } from '../core/calendar/business-day.ts'
import type { Calendar } from '../core/calendar/calendar.ts'
import { dayOf, LAST_YEAR } from '../core/calendar/day.ts'
import { recordDays } from '../core/calendar/recorded-days.ts'
import { ROLL_DAYS_BYTES_MAX, shareRoll, type TimingRoll } from '../core/schedule/roll.ts'
import { compileTiming } from '../core/schedule/timing.ts'
import type { ProblemList } from './problem.ts'
import type { LooseSchedule } from './schedule-file.ts'

/** What is wrong with a calendar that a roll names, or what the roll is. */
type Linked = TimingRoll | { readonly message: string; readonly help: string | (() => string) }

export class RollLinks {
  readonly #calendars: ReadonlyMap<string, Calendar> | undefined
  readonly #suggest: (name: string) => string
  readonly #linked = new Map<string, Linked>()

  /**
   * @param calendars undefined while something is wrong with one of them: then nothing is said, and nothing used
   * @param suggest   a remedy for a name that is not among them
   */
  constructor(calendars: ReadonlyMap<string, Calendar> | undefined, suggest: (name: string) => string) {
    this.#calendars = calendars
    this.#suggest = suggest
  }

  /** The schedule with its roll; undefined if it has none to give, or what it names cannot be used. */
  link({ schedule, roll, rollPlace }: LooseSchedule, problems: ProblemList): LooseSchedule['schedule'] {
    if (schedule === undefined || roll === undefined || this.#calendars === undefined) return schedule
    const key = `${roll.convention} ${roll.calendar}`
    let linked = this.#linked.get(key)
    if (linked === undefined) {
      linked = this.#look(roll, this.#calendars)
      this.#linked.set(key, linked)
    }
    if ('message' in linked) {
      problems.add(rollPlace, linked.message, { help: linked.help })
      return undefined
    }
    const timing = { ...schedule.timing, roll: linked }
    return { ...schedule, timing, slots: compileTiming(timing, schedule.id) }
  }

  #look(
    { convention, calendar: name }: NonNullable<LooseSchedule['roll']>,
    calendars: ReadonlyMap<string, Calendar>,
  ): Linked {
    const calendar = calendars.get(name)
    if (calendar === undefined) {
      return { message: `unknown calendar "${name}"`, help: () => this.#suggest(name) }
    }
    if (!hasBusinessDay(calendar)) {
      const help = 'shorten its dates, or name workdays'
      return { message: `calendar "${name}" has no business day: no slot is ever due`, help }
    }
    const { days, bytes } = recordDays(calendar)
    if (bytes > ROLL_DAYS_BYTES_MAX) {
      return {
        message: `calendar "${name}" has ${bytes} bytes of days and rules; a roll keeps at most ${ROLL_DAYS_BYTES_MAX}`,
        help: 'say yearly holidays as rules, join dates to spans, or leave past years out',
      }
    }
    return shareRoll({ convention, calendar: name, days })
  }
}

/** In any year that a slot can be in. One search is two years. */
function hasBusinessDay(calendar: Calendar): boolean {
  for (let year = 1970; year < LAST_YEAR - 2; year += 2)
    if (nextBusinessDay(calendar, dayOf(year, 1, 1) - 1) !== undefined) return true
  return false
}
