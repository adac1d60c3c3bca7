// Which minutes a cron expression means, in UTC, by looking at every minute. Written for the simulator from the rules in
// crontab(5), without a line of src/core/cron: two readers that agree are worth more than one.

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

function readField(text: string, low: number, high: number): Set<number> {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', stepText] = part.split('/')
    const step = stepText === undefined ? 1 : Number(stepText)
    let from = low
    let to = high
    if (range !== '*') {
      const [first, last] = range.split('-')
      from = Number(first)
      to = last === undefined ? (stepText === undefined ? from : high) : Number(last)
    }
    if (![step, from, to].every(Number.isInteger)) throw new Error(`the oracle cannot read "${text}"`)
    for (let value = from; value <= to; value += step) values.add(value)
  }
  return values
}

export class SlotOracle {
  readonly #seconds: number[]
  readonly #minutes: Set<number>
  readonly #hours: Set<number>
  readonly #days: Set<number>
  readonly #months: Set<number>
  readonly #weekdays: Set<number>
  readonly #eitherDay: boolean

  /** @param cron  five fields of numbers, `*`, lists, ranges and steps; or six with seconds first */
  constructor(cron: string) {
    const fields = cron.split(' ')
    const second = fields.length === 6 ? fields.shift()! : '0'
    if (fields.length !== 5) throw new Error(`the oracle reads five or six fields, not "${cron}"`)
    this.#seconds = [...readField(second, 0, 59)].sort((a, b) => a - b)
    this.#minutes = readField(fields[0]!, 0, 59)
    this.#hours = readField(fields[1]!, 0, 23)
    this.#days = readField(fields[2]!, 1, 31)
    this.#months = readField(fields[3]!, 1, 12)
    this.#weekdays = new Set([...readField(fields[4]!, 0, 7)].map(day => day % 7))
    this.#eitherDay = fields[2] !== '*' && fields[4] !== '*'
  }

  /** The first slot after `after`, in Unix milliseconds, at most 400 days away; undefined beyond. */
  next(after: number): number | undefined {
    const inMinute = after - Math.floor(after / MINUTE_MS) * MINUTE_MS
    const second = this.#seconds.find(value => value * SECOND_MS > inMinute)
    const minute = this.#nextMinute(Math.floor(after / MINUTE_MS) + (second === undefined ? 1 : 0))
    if (minute === undefined) return undefined
    const isSame = minute === Math.floor(after / MINUTE_MS)
    return minute * MINUTE_MS + (isSame ? second! : this.#seconds[0]!) * SECOND_MS
  }

  /** The first minute that matches, from this one on, counted from 1970. */
  #nextMinute(from: number): number | undefined {
    let minute = from
    const last = minute + 400 * 1440
    while (minute < last) {
      const date = new Date(minute * MINUTE_MS)
      if (!this.#isDay(date)) minute = (Math.floor(minute / 1440) + 1) * 1440
      else if (!this.#hours.has(date.getUTCHours())) minute = (Math.floor(minute / 60) + 1) * 60
      else if (!this.#minutes.has(date.getUTCMinutes())) minute += 1
      else return minute
    }
    return undefined
  }

  #isDay(date: Date): boolean {
    if (!this.#months.has(date.getUTCMonth() + 1)) return false
    const day = this.#days.has(date.getUTCDate())
    const weekday = this.#weekdays.has(date.getUTCDay())
    return this.#eitherDay ? day || weekday : day && weekday
  }
}
