// Files and records that arrive at random moments while the scheduler is killed again and again, and a fan-out that is killed
// in the middle. Judged by what the journal says and by what the tasks themselves wrote down.
//
//   Y1. What arrives is put there by this process, which no kill reaches: in one step, or in two writes.
//   Y2. Some things fail the first run that has them, so that they are handed on; the task notes what it was given before.

import { mkdirSync } from 'node:fs'
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { Chance } from '../simulation/chance.ts'
import type { JournalLine } from '../simulation/journal-text.ts'
import { type Served, type Site, sleep, until } from './harness.ts'

const FLAGS = ['--tick-ms', '50', '--log-level', 'error', '--segment-size', '256KiB', '--kill-grace', '100ms']
const SETTLE_MS = 120_000

export interface Arrivals {
  readonly count: number
  readonly kills: number
  readonly seed: number
}

export interface HandoverResult {
  readonly findings: string[]
  readonly kills: number
  readonly runs: Record<string, number>
  /** Handed to a run that did not succeed, and to another one later. */
  readonly handedOn: number
}

/**
 * Notes `run item` for each thing that it is given. One thing in forty fails the first run that has it, so that it and what
 * came with it must be handed on.
 */
const NOTING = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export default async function note({ new_files: files, log, name }, { runId }) {
  const items = files.map(file => String(file[name]))
  const before = existsSync(log) ? readFileSync(log, 'utf8').split('\\n') : []
  const known = new Set(before.filter(line => !line.startsWith(runId + ' ')).map(line => line.split(' ')[1]))
  appendFileSync(log, items.map(item => runId + ' ' + item + '\\n').join(''))
  await sleep(10 + ((items.length * 37) % 60))
  const digits = item => Number(item.replace(/\\D/g, ''))
  if (items.some(item => digits(item) % 40 === 7 && !known.has(item))) throw new Error('the first run that has it')
  return { handled: items.length }
}
`

const FILE_MANIFEST = (log: string) => `dag:
  triggered: { on_arrival: true }
  stages:
    - external_input_files: { path: in, max_files: 25, stable_for: 200ms }
  tasks:
    - name: NOTE
      workflow_ref: note
      args: { log: ${log}, name: key }
`

const STREAM_MANIFEST = (log: string) => `dag:
  triggered: { on_arrival: true }
  stream: { name: orders, file: orders.jsonl, max_records: 250 }
  tasks:
    - name: NOTE
      workflow_ref: note
      args: { log: ${log}, name: n }
`

/** Each file must be consumed by exactly one successful run. */
export async function runFileHandover(site: Site, { count, kills, seed }: Arrivals): Promise<HandoverResult> {
  await mkdir(site.path('in', 'sub'), { recursive: true })
  await site.write('workflows/note.ts', NOTING)
  await site.write('configs/dags/partners.yaml', FILE_MANIFEST(site.sideLogPath))
  const chance = new Chance(`files ${seed}`)
  const names = Array.from(
    { length: count },
    (_, at) => `${chance.happens(0.2) ? 'sub/' : ''}order_${at}.csv`,
  )
  const arriving = arrive(names.length, kills, chance, async at => {
    const name = names[at]!
    const text = `${name}\n`.repeat(chance.between(1, 50))
    if (chance.happens(0.5)) {
      await writeFile(site.path('in', `.${at}.tmp`), text)
      await rename(site.path('in', `.${at}.tmp`), site.path('in', name))
    } else {
      await writeFile(site.path('in', name), text.slice(0, 5))
      await appendFile(site.path('in', name), text.slice(5))
    }
  })
  const killed = await killWhile(site, kills, chance, arriving)
  const lines = await settle(site, lines => consumedFiles(lines).size >= count)
  return judgeFiles(lines, names, await notedBy(site), killed)
}

/** Each record must be committed by exactly one successful run, also across rotations. */
export async function runRecordHandover(
  site: Site,
  { count, kills, seed }: Arrivals,
): Promise<HandoverResult> {
  await site.write('workflows/note.ts', NOTING)
  await site.write('configs/dags/partners.yaml', STREAM_MANIFEST(site.sideLogPath))
  const chance = new Chance(`records ${seed}`)
  const path = site.path('orders.jsonl')
  const bursts = Math.max(1, Math.round(count / 20))
  let next = 0
  let rotations = 0
  const arriving = arrive(bursts, kills, chance, async at => {
    const last = at === bursts - 1
    const end = last ? count : Math.min(count, next + chance.between(1, 39))
    const numbers = Array.from({ length: end - next }, (_, n) => next + n)
    next = end
    const text = numbers.map(n => `${JSON.stringify({ n, note: 'é'.repeat(n % 7) })}\n`).join('')
    const bytes = Buffer.from(text)
    const cut = chance.between(0, bytes.length)
    await appendFile(path, bytes.subarray(0, cut))
    if (chance.happens(0.3)) await sleep(chance.between(1, 20))
    await appendFile(path, bytes.subarray(cut))
    if (!last && chance.happens(0.03)) {
      rotations += 1
      await rename(path, `${path}.${rotations}`)
    }
  })
  const killed = await killWhile(site, kills, chance, arriving)
  const lines = await settle(site, lines => committedRecords(lines) >= count)
  return judgeRecords(lines, count, await notedBy(site), killed)
}

/** Things come over the time that so many kills take. */
async function arrive(
  count: number,
  kills: number,
  chance: Chance,
  put: (at: number) => Promise<void>,
): Promise<void> {
  const perThingMs = (kills * 700) / count
  for (let at = 0; at < count; at++) {
    await put(at)
    await sleep(Math.round(chance.between(0, 2_000) * (perThingMs / 1_000)))
  }
}

async function killWhile(
  site: Site,
  kills: number,
  chance: Chance,
  arriving: Promise<void>,
): Promise<number> {
  for (let done = 0; done < kills; done++) {
    const served = site.launch(FLAGS)
    // While it starts, soon after, under load: some deaths come before it has served at all.
    if (chance.happens(0.8)) await isServing(served)
    await sleep(chance.between(0, 600))
    served.kill('SIGKILL')
    await served.ended
  }
  await arriving
  return kills
}

async function isServing(served: Served): Promise<void> {
  await until('the scheduler to serve', 20_000, () =>
    served.control.status().then(
      ({ pid }) => pid === served.pid,
      () => false,
    ),
  )
}

/** Serves until all is done, then stops cleanly. */
async function settle(
  site: Site,
  isDone: (lines: readonly JournalLine[]) => boolean,
): Promise<readonly JournalLine[]> {
  const served = site.launch(FLAGS)
  await isServing(served)
  await until('the last of it to be handled', SETTLE_MS, async () => {
    const { queued_runs: queued, running_runs: running } = await served.control.status()
    return queued + running === 0 && isDone(await site.lines())
  }).catch(error => {
    // What is missing is the judge's to say.
    if (!String(error).includes('waited')) throw error
  })
  served.kill('SIGTERM')
  const code = await served.ended
  if (code !== 0) throw new Error(`the stop ended with ${code}:\n${served.said()}`)
  return site.lines()
}

type Files = { key: string; version: string }[]

/** Runs by id: what they were handed, and how they ended. */
function runsOf(lines: readonly JournalLine[]) {
  const runs = new Map<
    string,
    { files: Files; consumed: number; status: string; took?: JournalLine; committed: boolean }
  >()
  const of = (line: JournalLine) => {
    const id = String(line['run_id'])
    let run = runs.get(id)
    if (run === undefined) {
      run = { files: [], consumed: 0, status: 'unfinished', committed: false }
      runs.set(id, run)
    }
    return run
  }
  for (const line of lines) {
    if (line.event === 'files_dispatched') of(line).files.push(...(line['files'] as Files))
    if (line.event === 'files_consumed') of(line).consumed += Number(line['files'])
    if (line.event === 'stream_taken') of(line).took = line
    if (line.event === 'stream_committed') of(line).committed = true
    if (line.event === 'run_finished') of(line).status = String(line['status'])
  }
  return runs
}

function consumedFiles(lines: readonly JournalLine[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { files, consumed } of runsOf(lines).values())
    if (consumed > 0) for (const { key } of files) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

function committedRecords(lines: readonly JournalLine[]): number {
  let count = 0
  for (const { committed, took } of runsOf(lines).values())
    if (committed) count += Number(took?.['records'] ?? 0)
  return count
}

/** `run → items` as the tasks noted them. */
async function notedBy(site: Site): Promise<Map<string, string[]>> {
  const noted = new Map<string, string[]>()
  const text = await readFile(site.sideLogPath, 'utf8').catch(() => '')
  for (const line of text.split('\n').filter(Boolean)) {
    const [run = '', item = ''] = line.split(' ')
    noted.set(run, [...(noted.get(run) ?? []), item])
  }
  return noted
}

function countEnds(runs: ReturnType<typeof runsOf>): Record<string, number> {
  const ends: Record<string, number> = {}
  for (const { status } of runs.values()) ends[status] = (ends[status] ?? 0) + 1
  return ends
}

function judgeFiles(
  lines: readonly JournalLine[],
  names: readonly string[],
  noted: ReadonlyMap<string, readonly string[]>,
  kills: number,
): HandoverResult {
  const findings: string[] = []
  const runs = runsOf(lines)
  const consumed = new Map<string, string[]>()
  const handed = new Map<string, number>()
  for (const [id, run] of runs) {
    for (const { key } of run.files) handed.set(key, (handed.get(key) ?? 0) + 1)
    if (run.consumed > 0 !== (run.status === 'success' && run.files.length > 0))
      findings.push(`${id} ended ${run.status} with ${run.files.length} files and consumed ${run.consumed}`)
    if (run.consumed === 0) continue
    if (run.consumed !== run.files.length)
      findings.push(`${id} had ${run.files.length} files, consumed ${run.consumed}`)
    for (const { key } of run.files) {
      consumed.set(key, [...(consumed.get(key) ?? []), id])
      if (!noted.get(id)?.includes(key)) findings.push(`${id} consumed ${key} without its task having had it`)
    }
  }
  for (const name of names) {
    const by = consumed.get(name) ?? []
    if (by.length !== 1) findings.push(`${name} was consumed ${by.length} times: ${by.join(', ')}`)
  }
  for (const key of consumed.keys()) if (!names.includes(key)) findings.push(`${key} was never there`)
  const handedOn = [...handed.values()].filter(times => times > 1).length
  return { findings, kills, runs: countEnds(runs), handedOn }
}

function judgeRecords(
  lines: readonly JournalLine[],
  count: number,
  noted: ReadonlyMap<string, readonly string[]>,
  kills: number,
): HandoverResult {
  const findings: string[] = []
  const runs = runsOf(lines)
  const times = new Array<number>(count).fill(0)
  let handedOn = 0
  for (const [id, { committed, took, status }] of runs) {
    if (committed !== (status === 'success' && took !== undefined))
      findings.push(`${id} ended ${status} and ${committed ? 'committed' : 'did not commit'} the stream`)
    if (took !== undefined && !committed) handedOn += Number(took['records'])
    if (!committed) continue
    // An attempt that was cut off may have noted some of its records before; it noted the same ones again.
    for (const item of new Set(noted.get(id) ?? [])) times[Number(item)]! += 1
  }
  times.forEach((seen, record) => {
    if (seen !== 1) findings.push(`record ${record} was handed to ${seen} successful runs`)
  })
  return { findings: findings.slice(0, 50), kills, runs: countEnds(runs), handedOn }
}

const CLIENT_MANIFEST = `dag:
  clients: { directory: clients, parallel: 8, conditions: [{ file: "clients/{{client_id}}/active" }] }
  tasks:
    - name: BILL
      workflow_ref: bill
      multi_client_execution: true
      trigger_rule: ALL
`

export interface FanOutResult {
  readonly status: string
  readonly ok: string[]
  readonly skipped: string[]
  readonly failed: string[]
  /** Clients that ended twice, or were worked for twice without an interruption that says so. */
  readonly twice: string[]
  readonly interrupted: number
  readonly finished: JournalLine
}

/** So many clients, some suspended, some failing; killed in the middle so many times. */
export async function runFanOut(
  site: Site,
  {
    clients,
    suspended,
    failing,
    kills,
  }: { clients: number; suspended: number; failing: number; kills: number },
): Promise<FanOutResult> {
  const names = Array.from({ length: clients }, (_, at) => `client_${String(at).padStart(4, '0')}`)
  names.forEach((name, at) => {
    mkdirSync(site.path('clients', name), { recursive: true })
    // The first ones are suspended: they have no such file.
    if (at >= suspended) mkdirSync(site.path('clients', name, 'active'))
  })
  mkdirSync(site.path('clients', 'PUBLIC'))
  await site.write('configs/dags/billing.yaml', CLIENT_MANIFEST)
  const bad = names.slice(-failing)
  await site.write('workflows/bill.ts', billing(site.sideLogPath, bad))
  let served = await site.serve(FLAGS)
  const runId = await site.trigger(served, 'billing')
  const ended = (lines: readonly JournalLine[]) =>
    lines.filter(line => ENDS.has(line.event) && 'client_id' in line).length
  for (let kill = 1; kill <= kills; kill++) {
    const enough = Math.floor((clients * kill) / (kills + 1))
    await until(`${enough} clients`, SETTLE_MS, async () => ended(await site.lines()) >= enough)
    served.kill('SIGKILL')
    await served.ended
    served = await site.serve(FLAGS)
  }
  const find = (lines: readonly JournalLine[]) =>
    lines.find(line => line.event === 'run_finished' && line['run_id'] === runId)
  await until('the run to end', SETTLE_MS, async () => find(await site.lines()) !== undefined)
  served.kill('SIGTERM')
  await served.ended
  const lines = await site.lines()
  const of = (event: string) =>
    lines.filter(line => line.event === event && 'client_id' in line).map(line => String(line['client_id']))
  const done = (await notedBy(site)).get(runId ?? '') ?? []
  const all = [...of('task_ok'), ...of('task_skip'), ...of('task_fail')]
  // One whose attempt a kill cut off may have come to its last deed before: it is done again, and the journal says why.
  const interrupted = new Set(of('task_lost'))
  return {
    status: String(find(lines)?.['status']),
    ok: of('task_ok'),
    skipped: of('task_skip'),
    failed: of('task_fail'),
    twice: [...repeated(all), ...repeated(done).filter(name => !interrupted.has(name))],
    interrupted: interrupted.size,
    finished: find(lines)!,
  }
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.filter(name => seen.has(name) || !seen.add(name))
}

const ENDS = new Set(['task_ok', 'task_skip', 'task_fail'])

/** Notes that it is done as its last deed: whoever is noted twice was billed twice. */
function billing(log: string, failing: readonly string[]): string {
  return `
import { appendFileSync } from 'node:fs'

const FAILING = new Set(${JSON.stringify(failing)})

export default async function bill({ client_id: client }, { runId, clientId }) {
  if (client !== clientId) throw new Error('who is it?')
  if (FAILING.has(client)) throw new Error('no such account')
  appendFileSync(${JSON.stringify(log)}, \`\${runId} \${client}\\n\`)
  return { billed: client }
}
`
}
