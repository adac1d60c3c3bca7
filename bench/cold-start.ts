// Cold start: what a person waits for at `--help`, and CI at `--once` with nothing due. Against a Node that does nothing.

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inFolder, median, QUICK, takeTurns } from './measure.ts'
import { deliver } from './report.ts'

const ROUNDS = QUICK ? 3 : 15
const DOOR = fileURLToPath(new URL('../bin/scheduler.js', import.meta.url))

function timeOf(words: readonly string[]): number {
  const startedMs = performance.now()
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}`)
  return performance.now() - startedMs
}

await inFolder(async root => {
  mkdirSync(join(root, 'configs/schedules'), { recursive: true })
  mkdirSync(join(root, 'configs/dags'), { recursive: true })
  const dag = 'name: noop\ntasks:\n  - id: one\n    workflow_ref: shell\n    params: { command: ["true"] }\n'
  writeFileSync(join(root, 'configs/dags/noop.yaml'), dag)
  // Leap days only: nothing is due while this measures.
  const schedules = Array.from({ length: 10 }, (_, n) => `- { id: s${n}, cron: "0 0 29 2 *", dag: noop }\n`)
  writeFileSync(join(root, 'configs/schedules/all.yaml'), schedules.join(''))
  const times = await takeTurns(ROUNDS, {
    bare: () => timeOf(['-e', '0']),
    help: () => timeOf([DOOR, '--help']),
    validate: () => timeOf([DOOR, 'validate', '--root', root]),
    once: () => timeOf([DOOR, '--once', '--root', root, '--log-level', 'silent']),
  })
  const bareMs = median(times.bare)
  const row = (what: string, values: readonly number[]) => ({
    what,
    value: median(values),
    unit: 'ms',
    probe: bareMs,
    against: '`node -e 0`',
  })
  deliver({
    name: 'cold-start',
    title: 'Cold start',
    method: `From spawn to exit, from the sources as a checkout runs them, files in the page cache; \`--once\` opens and closes the journal of a state that exists, with ten schedules of which none is due; ${ROUNDS} rounds taking turns, median.`,
    rows: [
      row('`scheduler --help`', times.help),
      row('`scheduler validate`', times.validate),
      row('`scheduler --once`', times.once),
    ],
    goals: [],
  })
})
