// npm run bench [-- name…]: measures, one process per bench and one after the other, and writes bench/RESULTS.md.
// Named benches replace only their own sections. Exit 1 if a goal was missed. Never part of the tests.

import { execFileSync, fork } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { QUICK, SCHEDULER_FLAGS } from './measure.ts'
import { type Report, renderReport } from './report.ts'

const HERE = new URL('./', import.meta.url)
const RESULTS = fileURLToPath(new URL('RESULTS.md', HERE))

/** In the order of RESULTS.md: what a user feels first, what explains it after. */
const BENCHES = [
  'cold-start',
  'slot-lag',
  'tick',
  'next-slot',
  'plan-due',
  'commits',
  'runs',
  'fan-out',
  'shell',
  'recovery',
  'index-rebuild',
  'memory',
  'loop-delay',
] as const
type BenchName = (typeof BENCHES)[number]

function readNames(words: readonly string[]): readonly BenchName[] {
  const unknown = words.filter(word => !BENCHES.includes(word as BenchName))
  if (unknown.length === 0) return words.length === 0 ? BENCHES : (words as BenchName[])
  process.stderr.write(`unknown bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}\n`)
  process.exit(2)
}

/** One bench in a process of its own: what it leaves in memory is nobody else's. */
function measure(name: BenchName): Promise<Report> {
  return new Promise((resolve, reject) => {
    let report: Report | undefined
    const child = fork(fileURLToPath(new URL(`${name}.ts`, HERE)), {
      execArgv: [...SCHEDULER_FLAGS],
    })
    child.on('message', message => {
      report = message as Report
    })
    child.on('error', reject)
    child.on('exit', code => {
      if (report === undefined) reject(new Error(`bench ${name} ended with ${code} and measured nothing`))
      else resolve(report)
    })
  })
}

/** Sections of RESULTS.md by name; empty if there is none yet. */
function readSections(): Map<string, string> {
  if (!existsSync(RESULTS)) return new Map()
  const sections = readFileSync(RESULTS, 'utf8').matchAll(/<!-- bench (\S+) -->\n([\s\S]*?)<!-- end -->/g)
  return new Map([...sections].map(([, name = '', text = '']) => [name, text]))
}

function writeResults(sections: ReadonlyMap<string, string>): void {
  const [cpu] = cpus()
  const lines = [
    '# Measured',
    '',
    '`npm run bench` writes this file. Absolute numbers say something about one machine, so each stands beside a raw probe that',
    'did the least that anyone could do, in the same run on the same machine; the goals are ratios and limits.',
    'A machine that others use at the same time moves a number by a third and more, a ratio by less; latencies suffer most.',
    'Each section says what load it met (`uptime`, over one minute): above the number of processors, take its latencies as an upper limit.',
    '',
    `Machine: ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}. Node ${process.version}.`,
    '',
  ]
  for (const name of BENCHES) {
    const text = sections.get(name)
    if (text !== undefined) lines.push(`<!-- bench ${name} -->`, `${text.trimEnd()}\n`, '<!-- end -->', '')
  }
  writeFileSync(RESULTS, lines.join('\n'))
}

function describeCommit(): string {
  try {
    return `, commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`
  } catch {
    return ''
  }
}

const names = readNames(process.argv.slice(2))
const known = readdirSync(HERE)
let missed = 0
const sections = readSections()
for (const name of names) {
  if (!known.includes(`${name}.ts`)) throw new Error(`bench/${name}.ts is missing`)
  const load = loadavg()[0]!.toFixed(1)
  const report = await measure(name)
  missed += report.goals.filter(({ isMet }) => !isMet).length
  const text = renderReport(report)
  process.stdout.write(`${text}\n`)
  const stamp = `${new Date().toISOString().slice(0, 16)}Z, \`npm run bench -- ${name}\`${describeCommit()}, load of the machine before: ${load}`
  sections.set(name, `${text.trimEnd()}\n\n*${stamp}*\n`)
  // Numbers of a trial must not pass for measured ones.
  if (!QUICK) writeResults(sections)
}
process.stdout.write(
  missed === 0 ? 'every goal is met\n' : `${missed} goal${missed === 1 ? ' is' : 's are'} missed\n`,
)
process.exitCode = missed === 0 ? 0 : 1
