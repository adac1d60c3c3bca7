// The load of the crash proofs: schedules every two seconds with every overlap, commands and functions that write down
// that they ran, failures, retries; and the killing of the scheduler that carries it.

import { Chance } from '../simulation/chance.ts'
import type { JournalLine } from '../simulation/journal-text.ts'
import { type Site, sleep } from './harness.ts'

const SCHEDULES = `
- id: often
  cron: "*/2 * * * * *"
  dag: chain
  catchup: all
  max_catchup: 3
  overlap: skip
  enabled: true
- id: queued
  cron: "1-59/3 * * * * *"
  dag: flaky
  catchup: latest
  overlap: queue
  enabled: true
- id: minutely
  cron: "* * * * *"
  dag: chain
  catchup: none
  overlap: allow
  enabled: true
`

const chain = (site: Site) => `
name: chain
tasks:
  - id: first
    workflow_ref: shell
    params:
      command: '${site.note}; sleep 0.1'
  - id: side
    workflow_ref: side_note
    depends_on: [first]
    params:
      log: ${site.sideLogPath}
  - id: last
    workflow_ref: shell
    depends_on: [first]
    params:
      command: '${site.note}; sleep 0.4'
`

const flaky = (site: Site) => `
name: flaky
tasks:
  - id: maybe
    workflow_ref: shell
    retries: 2
    retry_delay: 100ms
    params:
      command: '${site.note}; test "$DAGBOK_ATTEMPT" -gt 1'
`

const FUNCTION = `
import { appendFileSync } from 'node:fs'

export default function sideNote({ log }, { runId, taskId, attempt }) {
  appendFileSync(log, \`\${runId} \${taskId} \${attempt}\\n\`)
  return { run: runId, task: taskId, attempt }
}
`

export interface CrashReport {
  readonly kills: number
  /** Kills that came before the scheduler had answered once. */
  readonly early: number
  readonly triggers: number
  readonly acknowledged: number
  readonly events: number
  readonly executions: number
  readonly recoveries: number
  readonly tornTails: number
  readonly readopted: number
  readonly lost: number
  /** Of those, commands that had really begun: they outlive the scheduler, so their exit code should be known. */
  readonly lostCommands: number
  readonly lostReasons: Readonly<Record<string, number>>
  readonly segments: number
  readonly findings: readonly string[]
}

/**
 * Kills a scheduler under load so many times, lets it drain, and judges what is left.
 * @param told  gets a word after each kill
 */
export async function killUnderLoad(
  site: Site,
  kills: number,
  seed: number,
  told: (done: number) => void = () => {},
): Promise<CrashReport> {
  const chance = new Chance(seed)
  await site.write('configs/schedules/load.yaml', SCHEDULES)
  await site.write('configs/dags/chain.yaml', chain(site))
  await site.write('configs/dags/flaky.yaml', flaky(site))
  await site.write('workflows/side_note.ts', FUNCTION)
  const flags = ['--segment-size', '65536', '--log-level', 'silent']
  let early = 0
  let triggers = 0
  for (let done = 0; done < kills; done++) {
    const isEarly = chance.happens(0.25)
    if (isEarly) {
      early += 1
      const served = site.launch(flags)
      await sleep(chance.between(20, 700))
      served.kill('SIGKILL')
      await served.ended
    } else {
      const served = await site.serve(flags)
      const end = performance.now() + chance.between(0, 1_200)
      const asked: Promise<unknown>[] = []
      while (performance.now() < end) {
        triggers += 1
        asked.push(site.trigger(served, chance.pick(['chain', 'flaky'])))
        await sleep(chance.between(5, 250))
      }
      served.kill('SIGKILL')
      await served.ended
      await Promise.all(asked)
    }
    told(done + 1)
  }
  await site.settle(await site.serve(flags))
  const { lines } = await site.journal()
  const count = (event: string) => lines.filter(line => line.event === event).length
  const shell = new Set(lines.filter(line => line['workflow_ref'] === 'shell').map(attemptOf))
  const executions = await site.executions()
  const begun = new Set(executions.map(({ runId, taskId, attempt }) => `${runId} ${taskId} ${attempt}`))
  const lost = lines.filter(({ event }) => event === 'task_lost')
  const lostReasons: Record<string, number> = {}
  for (const line of lost) {
    const reason = `${shell.has(attemptOf(line)) ? 'command' : 'function'}: ${line['reason']}`
    lostReasons[reason] = (lostReasons[reason] ?? 0) + 1
  }
  return {
    kills,
    early,
    triggers,
    acknowledged: site.acknowledged.length,
    events: lines.length,
    executions: executions.length,
    recoveries: count('journal_recovered'),
    tornTails: lines.filter(line => line.event === 'journal_recovered' && line['reason'] === 'torn_tail')
      .length,
    readopted: count('task_readopted'),
    lost: lost.length,
    lostCommands: lost.filter(line => shell.has(attemptOf(line)) && begun.has(attemptOf(line))).length,
    lostReasons,
    segments: count('segment_opened'),
    findings: await site.judge(true),
  }
}

function attemptOf(line: JournalLine): string {
  return `${line['run_id']} ${line['task_id']} ${line['attempt']}`
}
