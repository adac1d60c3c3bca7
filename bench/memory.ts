// Resident memory of a scheduler that serves 10,000 schedules, against a process that has only loaded the same modules.
// A large parent also makes every spawn slower.

import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inFolder, median, QUICK, SCHEDULER_FLAGS } from './measure.ts'
import { deliver, formatNumber } from './report.ts'

const SCHEDULES = 10_000
const PER_FILE = 500
const ROUNDS = QUICK ? 1 : 5
const MIB = 2 ** 20

interface Weight {
  rss: number
  rssAfterGc: number
  schedules: number
}

function weigh(...words: string[]): Promise<Weight> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('memory-child.ts', import.meta.url)), words, {
      // The flag that bin/scheduler.js gives itself; the process with only the imports has it too.
      execArgv: [...SCHEDULER_FLAGS],
    })
    let weight: Weight | undefined
    child.on('message', message => {
      weight = message as Weight
    })
    child.on('exit', code => {
      if (weight === undefined) reject(new Error(`${words.join(' ')} ended with ${code} and said nothing`))
      else resolve(weight)
    })
  })
}

function writeRoot(root: string, schedules: number): void {
  mkdirSync(join(root, 'configs/schedules'), { recursive: true })
  mkdirSync(join(root, 'configs/dags'), { recursive: true })
  const dag = 'name: noop\ntasks:\n  - id: one\n    workflow_ref: shell\n    params: { command: ["true"] }\n'
  writeFileSync(join(root, 'configs/dags/noop.yaml'), dag)
  for (let from = 0; from < schedules; from += PER_FILE) {
    // Every minute of the year is some schedule's; hardly any is due while this measures.
    const text = Array.from({ length: Math.min(PER_FILE, schedules - from) }, (_, n) => {
      const id = from + n
      return `- id: schedule_${id}\n  cron: "${id % 60} ${id % 24} ${1 + (id % 28)} ${1 + (id % 12)} *"\n  dag: noop\n`
    })
    writeFileSync(join(root, `configs/schedules/${from}.yaml`), text.join(''))
  }
}

await inFolder(async folder => {
  const many = join(folder, 'many')
  const one = join(folder, 'one')
  writeRoot(many, SCHEDULES)
  writeRoot(one, 1)
  const weights = { imports: [] as Weight[], one: [] as Weight[], many: [] as Weight[] }
  for (let round = 0; round < ROUNDS; round++) {
    weights.imports.push(await weigh('imports', one))
    weights.one.push(await weigh('serve', one))
    weights.many.push(await weigh('serve', many))
  }
  if (weights.many.some(({ schedules }) => schedules !== SCHEDULES))
    throw new Error('not all schedules were loaded')
  const mib = (of: readonly Weight[], field: 'rss' | 'rssAfterGc') =>
    median(of.map(weight => weight[field])) / MIB
  const probe = mib(weights.imports, 'rss')
  const over = mib(weights.many, 'rss') - probe
  const against = 'same imports'
  deliver({
    name: 'memory',
    title: 'Resident memory',
    method: `A scheduler that has served for 3 s (started as \`bin/scheduler.js\` does, with \`--max-semi-space-size=4\`, both), from YAML files of ${PER_FILE} schedules each, beside a process that has only loaded the same modules; no garbage collection was forced unless it says so; ${ROUNDS} processes of each, median.`,
    rows: [
      { what: '1 schedule', value: mib(weights.one, 'rss'), unit: 'MiB', probe, against },
      {
        what: `${SCHEDULES.toLocaleString('en')} schedules`,
        value: mib(weights.many, 'rss'),
        unit: 'MiB',
        probe,
        against,
      },
      {
        what: `${SCHEDULES.toLocaleString('en')} schedules, after a garbage collection`,
        value: mib(weights.many, 'rssAfterGc'),
        unit: 'MiB',
        probe: mib(weights.imports, 'rssAfterGc'),
        against: `${against}, collected`,
      },
    ],
    goals: [
      {
        text: `${SCHEDULES.toLocaleString('en')} schedules take at most 30 MiB more than the same imports`,
        isMet: over <= 30,
        measured: `${formatNumber(over)} MiB more`,
      },
    ],
  })
})
