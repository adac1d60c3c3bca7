// What the scheduler is given to do while it is killed: schedules of every policy, commands and functions that write down
// that they ran and how they ended, failures with retries, commands that outlive several kills.
//
// Boundary: files only. Each attempt adds one line to `side.log` before it does anything (`run task attempt`), each
// command one to `ends.log` as its last deed (`run task attempt code`). Nobody else writes these two.

import { rename } from 'node:fs/promises'
import type { Site } from './harness.ts'

/** Which timings are in force. Kills meet edits, too. */
export type Edition = 'first' | 'second' | 'broken' | 'none'

const SCHEDULES = (everyCron: string, pausable: boolean) => `
- { id: skipping, cron: "${everyCron}", dag: chain, catchup: all, max_catchup: 3, overlap: skip }
- { id: queueing, cron: "1-59/3 * * * * *", dag: flaky, catchup: latest, overlap: queue }
- { id: crowding, cron: "*/5 * * * * *", dag: long, catchup: none, overlap: allow }
- { id: every_second, cron: "0-58 * * * * *", dag: short, catchup: all, max_catchup: 2, overlap: skip }
- { id: pausable, cron: "*/4 * * * * *", dag: short, catchup: latest, overlap: allow, enabled: ${pausable} }
- { id: minutely, cron: "* * * * *", dag: chain, catchup: none, overlap: allow }
`

const EDITIONS: Readonly<Record<Edition, string>> = {
  first: SCHEDULES('*/2 * * * * *', true),
  second: SCHEDULES('1-59/2 * * * * *', false),
  broken: SCHEDULES('*/2 * * * * MOON', true),
  none: '[]\n',
}

/** A command: notes that it runs, works, notes how it ends, ends so. Its code comes from its run. */
function command(site: Site, { work, code }: { work: string; code: string }): string {
  const key = '"$DAGBOK_RUN_ID" "$DAGBOK_TASK_ID" "$DAGBOK_ATTEMPT"'
  const lines = [
    `printf "%s %s %s\\n" ${key} >> ${site.sideLogPath}`,
    'n=$(printf %s "$DAGBOK_RUN_ID $DAGBOK_TASK_ID" | cksum | cut -d" " -f1)',
    work,
    `code=${code}`,
    `printf '{"run":"%s","task":"%s","attempt":%s}\\n' ${key}`,
    `printf "%s %s %s %s\\n" ${key} "$code" >> ${endsPath(site)}`,
    'exit "$code"',
  ]
  return `|\n${lines.map(line => `        ${line}`).join('\n')}`
}

export function endsPath(site: Site): string {
  return site.path('ends.log')
}

function task(id: string, params: string, more = ''): string {
  return `  - id: ${id}\n    workflow_ref: shell\n${more}    params:\n      command: ${params}\n`
}

/** Writes DAGs, functions and the first edition of the schedules. */
export async function writeLoad(site: Site): Promise<void> {
  const quick = command(site, { work: ':', code: '0' })
  const slow = command(site, { work: 'sleep "$((n % 3)).$((n % 10))"', code: '$((n % 7 > 4 ? 0 : n % 7))' })
  const unsteady = command(site, { work: 'sleep 0.05', code: '$((DAGBOK_ATTEMPT < 2 ? 3 : 0))' })
  const after = (ids: string) => `    depends_on: [${ids}]\n`
  const note = (id: string, ids: string) =>
    `  - { id: ${id}, workflow_ref: note, depends_on: [${ids}], params: { log: ${site.sideLogPath} } }\n`
  const retries = '    retries: 2\n    retry_delay: 100ms\n'
  await site.write('configs/dags/short.yaml', `name: short\ntasks:\n${task('only', quick)}`)
  await site.write(
    'configs/dags/chain.yaml',
    `name: chain\ntasks:\n${task('first', quick)}${note('noted', 'first')}${task('last', quick, after('noted'))}`,
  )
  await site.write('configs/dags/flaky.yaml', `name: flaky\ntasks:\n${task('maybe', unsteady, retries)}`)
  await site.write(
    'configs/dags/long.yaml',
    `name: long\ntasks:\n${task('left', slow, retries)}${task('right', slow)}${task('end', quick, after('left, right'))}`,
  )
  await site.write('workflows/note.ts', FUNCTION)
  await putEdition(site, 'first')
}

const FUNCTION = `
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export default async function note({ log }, { runId, taskId, attempt }) {
  appendFileSync(log, \`\${runId} \${taskId} \${attempt}\\n\`)
  await sleep(150)
  return { run: runId, task: taskId, attempt }
}
`

/** Puts another edition in the place of the one that is there, in one step. */
export async function putEdition(site: Site, edition: Edition): Promise<void> {
  await site.write('schedules.new', EDITIONS[edition])
  await rename(site.path('schedules.new'), site.path('configs/schedules/load.yaml'))
}

export const DAGS = ['short', 'chain', 'flaky', 'long'] as const
