// Runs the simulator: `npm run sim -- --seed 7` replays one seed and prints all that happens in it; `npm run sim --
// --crashes 100000 [--from 1]` goes through seeds until that many deaths, and prints what was seen. Exit 1 on a finding.

import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { runSeed, type SeedResult } from '../test/simulation/plan.ts'
import { formatTotals, Tally } from '../test/simulation/tally.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    crashes: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'logs/simulation' },
  },
})

/** The disk as the seed left it: what a person looks at when a seed fails. */
async function keepDisk({ seed, world }: SeedResult): Promise<string> {
  const folder = join(values.keep, `seed-${seed}`)
  await mkdir(folder, { recursive: true })
  for (const path of world.disk.listPaths()) {
    await writeFile(join(folder, basename(path)), world.disk.peek(path)!)
  }
  return folder
}

async function replaySeed(seed: number): Promise<number> {
  const result = await runSeed({ seed, log: line => console.log(line) })
  console.log(formatTotals({ ...result.counts, ...result.disk, ...result.machine }))
  console.log(`\nseed ${seed}, hash ${result.hash}`)
  if (result.findings.length === 0) return 0
  console.log(`the disk is kept in ${await keepDisk(result)}`)
  for (const finding of result.findings) console.log(`FINDING ${finding}`)
  return 1
}

async function runMany(crashes: number, from: number): Promise<number> {
  const tally = new Tally()
  const begin = performance.now()
  for (let seed = from; tally.crashPoints < crashes && tally.failed.length < 5; seed++) {
    const result = await runSeed({ seed })
    tally.add(result)
    if (result.findings.length === 0) continue
    console.log(`seed ${seed}: ${result.findings.join('\n  ')}`)
    console.log(
      `  the disk is kept in ${await keepDisk(result)}; npm run sim -- --seed ${seed} tells the story`,
    )
  }
  const seconds = (performance.now() - begin) / 1000
  const cpu = process.cpuUsage()
  const rate = tally.crashPoints / ((cpu.user + cpu.system) / 1e6)
  console.log(formatTotals(tally.totals))
  console.log(
    `\n${tally.seeds} seeds, ${tally.crashPoints} crash points, ${tally.failed.length} failed; ` +
      `${seconds.toFixed(1)} s, ${rate.toFixed(0)} crash points per second of CPU`,
  )
  const missing = tally.missing()
  if (missing.length > 0) console.log(`never happened, so nothing is proven about: ${missing.join(', ')}`)
  return tally.failed.length > 0 || missing.length > 0 ? 1 : 0
}

process.exitCode =
  values.seed === undefined
    ? await runMany(Number(values.crashes), Number(values.from))
    : await replaySeed(Number(values.seed))
