// Kills the scheduler, the real one, under load: `npm run crash -- --kills 1000 [--seed 1]`. One folder takes a hundred
// kills, then it drains and is judged; the next begins afresh. Exit 1 on a finding, with the folder kept, and also if
// one of the faults that the proof is about never happened.

import { parseArgs } from 'node:util'
import { checkStorm } from '../test/crash/check.ts'
import { Site } from '../test/crash/harness.ts'
import { runStorm, settleStorm } from '../test/crash/storm.ts'

const KILLS_PER_SITE = 100
/** From so many kills on each kind of fault has to be there. */
const ENOUGH_KILLS = 200
/** Exit codes of commands that went on without a scheduler, which must be known. */
const RECOVERED_SHARE = 0.99

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
})

const kills = Number(values.kills)
const firstSeed = Number(values.seed)
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(firstSeed)) {
  console.error('usage: npm run crash -- [--kills <1 or more>] [--seed <whole number>]')
  process.exit(2)
}

const totals = new Map<string, number>()
const deaths = new Map<string, number>()
const readyMs: number[] = []
const add = (counts: Map<string, number>, name: string, count: number) =>
  counts.set(name, (counts.get(name) ?? 0) + count)

/** @returns what is wrong; the site is removed if nothing is */
async function runSite(count: number, seed: number): Promise<string[]> {
  const site = await Site.create()
  const begin = performance.now()
  let findings: readonly string[]
  try {
    const storm = await runStorm(site, count, seed)
    readyMs.push(...storm.readyMs, await settleStorm(site))
    const verdict = await checkStorm(site, storm.told)
    findings = verdict.findings
    for (const [death, happened] of Object.entries(storm.deaths)) add(deaths, death, happened)
    const event = (name: string) => verdict.commits.get(name) ?? 0
    const counts = {
      kills: count,
      boots: event('scheduler_started'),
      recoveries: event('journal_recovered'),
      'torn tails': verdict.tornTails,
      rolls: event('segment_sealed'),
      'cut rolls': storm.cutRolls,
      'cut recoveries': storm.cutRecoveries,
      readopted: event('task_readopted'),
      'recovered exit codes': verdict.recovered,
      'of them from the exit file': verdict.fromExitFile,
      'unknown exit codes': verdict.unknown,
      lost: event('task_lost'),
      acknowledged: storm.told.runs.length + storm.told.records.size + storm.told.cancels.length,
      'streamed events': storm.told.events.size,
      'slots enqueued': event('schedule_enqueued'),
      'slots skipped': event('schedule_skipped'),
      'spans missed': event('schedule_missed'),
      runs: event('run_finished'),
      executions: verdict.executions,
      events: verdict.events,
    }
    for (const [name, value] of Object.entries(counts)) add(totals, name, value)
    const seconds = ((performance.now() - begin) / 1000).toFixed(0)
    console.log(
      `seed ${seed}: ${count} kills, ${verdict.events} events, ${verdict.tornTails} torn, ${seconds} s`,
    )
  } catch (error) {
    findings = [(error as Error).message]
  }
  if (findings.length === 0) await site.remove()
  else console.log(`seed ${seed}:\n  ${findings.join('\n  ')}\n  kept: ${site.root}`)
  return [...findings]
}

const begin = performance.now()
let failed = false
for (let left = kills, seed = firstSeed; left > 0 && !failed; seed++) {
  const count = Math.min(left, KILLS_PER_SITE)
  failed = (await runSite(count, seed)).length > 0
  left -= count
}

console.log('')
for (const [name, count] of totals) console.log(`${String(count).padStart(8)}  ${name}`)
console.log(`\nkilled ${[...deaths].map(([death, count]) => `${death} ${count}`).join(', ')}`)
readyMs.sort((a, b) => a - b)
const quantile = (share: number) => Math.round(readyMs[Math.floor((readyMs.length - 1) * share)] ?? 0)
console.log(
  `from start to first line: median ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms`,
)
console.log(`${((performance.now() - begin) / 1000).toFixed(0)} s`)

const known = totals.get('recovered exit codes') ?? 0
const unknown = totals.get('unknown exit codes') ?? 0
if (known < RECOVERED_SHARE * (known + unknown)) {
  console.log(`FAILED: ${unknown} of ${known + unknown} exit codes are not known`)
  failed = true
}
const needed = [
  'torn tails',
  'cut rolls',
  'cut recoveries',
  'readopted',
  'of them from the exit file',
  'lost',
]
const unseen = kills < ENOUGH_KILLS ? [] : needed.filter(name => !totals.get(name))
if (unseen.length > 0) console.log(`FAILED: never happened, so nothing is proven about: ${unseen.join(', ')}`)
console.log(failed || unseen.length > 0 ? '' : 'no finding')
process.exitCode = failed || unseen.length > 0 ? 1 : 0
