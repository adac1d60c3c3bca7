// A year of ten thousand schedules on a virtual clock: `npm run soak`. `--schedules N --days D --seed S` for other sizes
// and stories; a seed tells the same one again. Exit 1 on a finding, with the events of its schedule, and 1 if something
// that the soak is about never happened.

import { parseArgs } from 'node:util'
import { Soak, type SoakOptions } from '../test/simulation/soak.ts'
import type { SoakReport } from '../test/simulation/soak-tally.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    schedules: { type: 'string', default: '10000' },
    days: { type: 'string', default: '365' },
    'mishaps-per-day': { type: 'string', default: '6' },
  },
})

const options: SoakOptions = {
  seed: Number(values.seed),
  schedules: Number(values.schedules),
  days: Number(values.days),
  mishapsPerDay: Number(values['mishaps-per-day']),
}
const asked = `--seed ${options.seed} --schedules ${options.schedules} --days ${options.days} --mishaps-per-day ${options.mishapsPerDay}`
const begin = performance.now()
const seconds = () => ((performance.now() - begin) / 1000).toFixed(1)

/** `name count`, in columns. */
function formatCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`.padEnd(36))
    .map((cell, index) => (index % 3 === 0 ? `\n  ${cell}` : cell))
    .join('')
}

function tell(): SoakReport {
  try {
    const onDay = (day: number, events: number): void => {
      if (day % 30 === 0) console.log(`day ${day}: ${events} events, ${seconds()} s`)
    }
    return new Soak({ ...options, onDay }).run()
  } catch (error) {
    console.log(`npm run soak -- ${asked}`)
    throw error
  }
}

const report = tell()

console.log(`\nslots by reason${formatCounts(report.reasons)}`)
console.log(`\nwhat happened${formatCounts(report.faults)}`)
const cpu = process.cpuUsage()
const rss = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(
  `\n${report.slots} slots (${report.missed} of them missed, recorded with a reason), ${report.events} events, ` +
    `${report.lives} lives, ${report.findings.length} findings; hash ${report.hash}; ` +
    `${seconds()} s, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU, ${rss} MiB at most`,
)
for (const missing of report.missing) console.log(`never happened, so nothing is proven about: ${missing}`)
if (report.findings.length > 0) {
  console.log(`\nnpm run soak -- ${asked}`)
  for (const finding of report.findings.slice(0, 10)) console.log(`FINDING ${finding}`)
  const scheduleId = report.first?.schedule_id ?? /^(s\d+):/.exec(report.findings[0]!)?.[1]
  if (scheduleId !== undefined) {
    console.log(`the same story again, with the events of ${scheduleId}:`)
    const watch = { scheduleId, around: report.first?.from }
    for (const line of new Soak({ ...options, watch }).run().watched) console.log(`  ${line}`)
  }
}
process.exitCode = report.findings.length > 0 || report.missing.length > 0 ? 1 : 0
