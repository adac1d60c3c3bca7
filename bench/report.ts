// What a bench measured, and how it is told: rows, goals with PASS or MISS, and sentences. To whoever started the
// process: over IPC to run.ts, which writes RESULTS.md, else as text.

export interface Row {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** The raw probe of the same run, in the same unit. */
  readonly probe?: number
  /** What the probe does. */
  readonly against?: string
}

export interface Goal {
  readonly text: string
  readonly isMet: boolean
  /** The number that decided it, with its unit. */
  readonly measured: string
}

export interface Report {
  readonly name: string
  readonly title: string
  /** What was done, how often, and what the numbers are: median of how many. */
  readonly method: string
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
  readonly notes?: readonly string[]
}

/** Hands the report to run.ts if that started this process; prints it otherwise. */
export function deliver(report: Report): void {
  if (process.send) process.send(report)
  else process.stdout.write(renderReport(report))
}

/** A section of RESULTS.md. */
export function renderReport({ title, method, rows, goals, notes = [] }: Report): string {
  const lines = [`## ${title}`, '', method, '']
  if (rows.length > 0) {
    lines.push('| what | measured | raw probe | ratio |', '|---|---:|---:|---:|')
    for (const row of rows) lines.push(renderRow(row))
    lines.push('')
  }
  for (const { text, isMet, measured } of goals) {
    lines.push(`- **${isMet ? 'PASS' : 'MISS'}** ${text}: ${measured}`)
  }
  if (goals.length > 0) lines.push('')
  for (const note of notes) lines.push(note, '')
  return `${lines.join('\n')}\n`
}

function renderRow({ what, value, unit, probe, against }: Row): string {
  const measured = `${formatNumber(value)} ${unit}`
  if (probe === undefined) return `| ${what} | ${measured} | | |`
  return `| ${what} | ${measured} | ${formatNumber(probe)} ${unit} (${against ?? 'raw'}) | ${formatNumber(value / probe)} |`
}

/** Three digits that count, thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
