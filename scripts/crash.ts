// Kills the scheduler, the real one, under load: `npm run crash -- --kills 1000 [--seed 1]`. One folder takes fifty
// kills, then it drains and is judged; the next begins afresh. Exit 1 on a finding; the folder is then kept.

import { parseArgs } from 'node:util'
import { Site } from '../test/crash/harness.ts'
import { type CrashReport, killUnderLoad } from '../test/crash/load.ts'

const KILLS_PER_SITE = 50

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
})

const totals: Record<string, number> = {}
let failed = 0
let left = Number(values.kills)
const begin = performance.now()
for (let seed = Number(values.seed); left > 0 && failed === 0; seed++) {
  const kills = Math.min(left, KILLS_PER_SITE)
  left -= kills
  const site = await Site.create()
  let report: CrashReport
  try {
    report = await killUnderLoad(site, kills, seed)
  } catch (error) {
    console.log(`seed ${seed}: ${(error as Error).message}\n  kept: ${site.root}`)
    failed += 1
    break
  }
  const { findings, lostReasons, ...counts } = report
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count
  console.log(
    `seed ${seed}: ${Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  )
  for (const [reason, count] of Object.entries(lostReasons)) console.log(`  ${count} × ${reason}`)
  if (findings.length > 0) {
    failed += 1
    console.log(`${findings.join('\n')}\n  kept: ${site.root}`)
  } else await site.remove()
}
const seconds = (performance.now() - begin) / 1000
console.log(
  `\n${Object.entries(totals)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}; ${seconds.toFixed(0)} s`,
)
const unseen = ['early', 'acknowledged', 'executions', 'recoveries', 'segments'].filter(name => !totals[name])
if (unseen.length > 0) console.log(`never happened, so nothing is proven about: ${unseen.join(', ')}`)
process.exitCode = failed > 0 || unseen.length > 0 ? 1 : 0
