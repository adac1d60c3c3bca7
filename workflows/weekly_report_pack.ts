// Example workflow: a weekly report from its dates and from what ran before it.
//
// Outputs of upstream tasks arrive as `<task>__<key>`: this one reads `sweep__summary`, `sweep__counts` and `sweep__top`,
// and lists any other text it is given.

interface Args {
  /** First and last day, `2025-10-01`. */
  start_date: string
  end_date: string
  sweep__counts?: { total: number; high: number; medium: number; low: number }
  sweep__top?: string[]
  [upstream: string]: unknown
}

const DAY_MS = 86_400_000
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** UTC throughout: a report of seven days has seven days, also when the clocks change. */
function readDay(name: string, text: unknown): number {
  const day =
    typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Date.parse(`${text}T00:00:00Z`)
      : Number.NaN
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== text)
    throw new Error(`${name} is ${JSON.stringify(text)}; expected a day such as "2025-10-01"`)
  return day
}

export default function weeklyReportPack(args: Args) {
  const start = readDay('start_date', args.start_date)
  const end = readDay('end_date', args.end_date)
  if (end < start) throw new Error(`end_date ${args.end_date} is before start_date ${args.start_date}`)
  if (end - start > 366 * DAY_MS)
    throw new Error('a report covers at most a year; check start_date and end_date')

  const days: { date: string; weekday: string; workday: boolean }[] = []
  for (let day = start; day <= end; day += DAY_MS) {
    const weekday = new Date(day).getUTCDay()
    days.push({
      date: new Date(day).toISOString().slice(0, 10),
      weekday: WEEKDAYS[weekday]!,
      workday: weekday !== 0 && weekday !== 6,
    })
  }

  const highlights: string[] = []
  for (const [name, value] of Object.entries(args))
    if (name.includes('__') && typeof value === 'string') highlights.push(value)
  const { sweep__counts: counts, sweep__top: top = [] } = args
  if (counts !== undefined)
    highlights.push(`${counts.high} high, ${counts.medium} medium, ${counts.low} low priority`)
  for (const text of top) highlights.push(`Up next: ${text}`)

  const workdays = days.filter(({ workday }) => workday).length
  const title = `Weekly report ${args.start_date} to ${args.end_date}`
  const lines = [
    title,
    `${days.length} days, ${workdays} workdays`,
    '',
    ...(highlights.length === 0 ? ['Nothing to report.'] : highlights.map(text => `- ${text}`)),
  ]
  return { title, days, workdays, highlights, report_text: lines.join('\n') }
}
