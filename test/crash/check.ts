// What invariants.ts cannot see, since it reads the journal alone: real exit codes, what people were told, the feed, the
// index, processes. Every check reads what is left in the folder after a clean stop.
//
//   I2  what was acknowledged stands where it was said to stand      I4  an attempt ends as its command ended
//   I8  index == index made anew; feed == journal                    I11 no process is left, no half-made file

import { existsSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import { dumpTables } from '../../src/adapters/sqlite/dump.ts'
import { rebuildRunIndex } from '../../src/adapters/sqlite/rebuild.ts'
import { checkInvariants } from '../simulation/invariants.ts'
import type { JournalLine, JournalText } from '../simulation/journal-text.ts'
import type { Site } from './harness.ts'
import { STORM_LIMITS, type Told } from './storm.ts'
import { endsPath } from './storm-load.ts'

/** Attempts of commands whose end another scheduler told than the one that began them. */
export interface Recovery {
  /** With their own exit code. */
  recovered: number
  /** Those of them that ended while nobody watched, or were not seen running: the exit file spoke. */
  fromExitFile: number
  /** Ran to their end, and nobody could say how they ended. */
  unknown: number
}

export interface Verdict extends Recovery {
  readonly findings: readonly string[]
  readonly events: number
  readonly executions: number
  readonly commits: ReadonlyMap<string, number>
  readonly tornTails: number
}

/** Reads the folder of a scheduler that has stopped cleanly, and says what is wrong in it. */
export async function checkStorm(site: Site, told: Told): Promise<Verdict> {
  const text = await site.journal()
  const executions = await site.executions()
  const visible = [...told.events].map(([seq, shown]) => [seq, JSON.parse(shown) as JournalLine] as const)
  const findings = checkInvariants(
    { ...text, lines: text.lines.map(line => ('text' in line ? { ...line, text: '' } : line)) },
    {
      visible: new Map(visible.map(([seq, shown]) => [seq, JSON.stringify(shown)])),
      acknowledged: told.runs,
      executions,
      limits: STORM_LIMITS,
      settled: true,
    },
  )
  findings.push(...told.contradictions, ...checkAnswers(text, told))
  const recovery = checkEnds(text, executions, await readEnds(site), findings)
  findings.push(
    ...(await checkFeed(text, site.path('logs/orchestrator_events.jsonl'))),
    ...(await checkIndex(site)),
  )
  findings.push(...(await checkProcesses(site)), ...(await checkFolder(site)))
  const commits = new Map<string, number>()
  for (const { event } of text.lines) commits.set(event, (commits.get(event) ?? 0) + 1)
  const isTorn = (line: JournalLine) =>
    line.event === 'journal_recovered' && line['reason'] === 'torn_tail' && line['source'] !== 'user'
  return {
    ...recovery,
    findings,
    events: text.lines.length,
    executions: executions.length,
    commits,
    tornTails: text.lines.filter(isTorn).length,
  }
}

function checkAnswers({ lines }: JournalText, { records, cancels }: Told): string[] {
  const findings: string[] = []
  for (const [seq, n] of records) {
    const line = lines[seq - 1]
    if (line?.event !== 'storm_noted' || line['n'] !== n) {
      findings.push(`I2 record ${n} was acknowledged with line ${seq}, which is ${describe(line)}`)
    }
  }
  const cancelled = new Set(
    lines.filter(line => line.event === 'run_cancel_requested').map(line => line['run_id']),
  )
  for (const { runId, seq } of cancels) {
    const isThere = cancelled.has(runId) && seq <= lines.length
    if (!isThere) findings.push(`I2 the cancellation of ${runId} was acknowledged (${seq}) and is lost`)
  }
  return findings
}

type Ends = ReadonlyMap<string, readonly number[]>

async function readEnds(site: Site): Promise<Ends> {
  const ends = new Map<string, number[]>()
  if (!existsSync(endsPath(site))) return ends
  for (const line of (await readFile(endsPath(site), 'utf8')).split('\n').filter(Boolean)) {
    const [runId, taskId, attempt, code] = line.split(' ')
    const key = `${runId} ${taskId} ${attempt}`
    ends.set(key, [...(ends.get(key) ?? []), Number(code)])
  }
  return ends
}

/** The journal's word on each attempt of a command against the command's own. */
function checkEnds(
  { lines }: JournalText,
  executions: readonly { runId: string; taskId: string; attempt: number }[],
  ends: Ends,
  findings: string[],
): Recovery {
  const executed = new Set(executions.map(({ runId, taskId, attempt }) => `${runId} ${taskId} ${attempt}`))
  const begun = new Map<string, { epoch: number; adoptedIn?: number }>()
  const cancelled = new Set<unknown>()
  const recovery: Recovery = { recovered: 0, fromExitFile: 0, unknown: 0 }
  let epoch = 0
  for (const line of lines) {
    const key = `${line['run_id']} ${line['task_id']} ${line['attempt']}`
    const attempt = begun.get(key)
    if (line.event === 'scheduler_started') epoch = line['epoch'] as number
    else if (line.event === 'run_cancel_requested') cancelled.add(line['run_id'])
    else if (line.event === 'task_start' && line['workflow_ref'] === 'shell') begun.set(key, { epoch })
    else if (line.event === 'task_readopted' && attempt !== undefined) attempt.adoptedIn = epoch
    else if (attempt !== undefined && RESULTS.has(line.event) && !cancelled.has(line['run_id'])) {
      const own = ends.get(key)
      const crossed = attempt.epoch !== epoch
      const found = judgeEnd(line, own, executed.has(key))
      if (found === 'unknown') recovery.unknown += 1
      else if (found !== 'right') findings.push(`I4 ${key}: ${found}`)
      else if (crossed && own !== undefined) {
        recovery.recovered += 1
        if (attempt.adoptedIn !== epoch) recovery.fromExitFile += 1
      }
    }
  }
  return recovery
}

const RESULTS = new Set(['task_ok', 'task_retry', 'task_fail', 'task_lost', 'task_cancelled'])

/** `right`, `unknown` (it ended, and the journal does not know how), or what is wrong. */
function judgeEnd(line: JournalLine, own: readonly number[] | undefined, ran: boolean): string {
  if (own !== undefined && own.length > 1) return `it ended ${own.length} times`
  const code = own?.[0]
  if (line.event === 'task_lost') {
    if (code !== undefined) return 'unknown'
    return ran ? 'it was begun, and ended by somebody before its own end' : 'right'
  }
  if (code === undefined) return `${line.event}, but it never came to its end: ${describe(line)}`
  const error = line['error'] as { kind: string; exit_code?: number } | undefined
  const said = line.event === 'task_ok' ? 0 : error?.exit_code
  return said === code ? 'right' : `it ended with ${code}, the journal says ${describe(line)}`
}

const FED: Readonly<Record<string, string>> = {
  run_started: 'dag_start',
  task_start: 'task_start',
  task_ok: 'task_ok',
  task_retry: 'task_retry',
  task_lost: 'task_retry',
  task_fail: 'task_fail',
  task_skip: 'task_skip',
  run_finished: 'dag_done',
}

/** Every event that the feed is for, once, in order. */
export async function checkFeed({ lines }: JournalText, path: string): Promise<string[]> {
  const expected = lines
    .filter(line => line['source'] !== 'user' && FED[line.event] !== undefined)
    .map(line => `${line.seq} ${FED[line.event]}`)
  const text = await readFile(path, 'utf8')
  const fed = text
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const { seq, event } = JSON.parse(line) as { seq: number; event: string }
      return `${seq} ${event}`
    })
  const at = expected.findIndex((line, index) => line !== fed[index])
  if (at >= 0) return [`I8 the feed has ${fed[at] ?? 'nothing'} where the journal has ${expected[at]}`]
  return fed.length > expected.length
    ? [`I8 the feed has ${fed.length - expected.length} lines too many`]
    : []
}

/** The index as it was kept through all of it, against one made from the journal now. */
export async function checkIndex(site: Site): Promise<string[]> {
  const stateDir = site.journalPath.replace(/\.jsonl$/, '.d')
  const kept = dumpIndex(join(stateDir, 'index.sqlite'))
  const journalId = (
    JSON.parse(kept.slice('checkpoint '.length, kept.indexOf('\n'))) as { journalId: string }
  ).journalId
  const file = site.path('made-anew.sqlite')
  await rebuildRunIndex({ file, journalId, events: readEvents(site.journalPath, { afterSeq: 0 }) })
  const anew = dumpIndex(file)
  if (kept === anew) return []
  const [ours, theirs] = [kept.split('\n'), anew.split('\n')]
  const at = ours.findIndex((line, index) => line !== theirs[index])
  return [`I8 the index has ${ours[at]?.slice(0, 300)}, made anew it has ${theirs[at]?.slice(0, 300)}`]
}

function dumpIndex(file: string): string {
  const db = new Database(file)
  try {
    return dumpTables(db)
  } finally {
    db.close()
  }
}

/** Processes that carry a cookie of ours and write, stand or name something in the folder. */
export async function findProcesses(site: Site): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
    const link = (name: string) => readlink(`/proc/${pid}/${name}`).catch(() => '')
    const environment = await read('environ')
    if (!environment.includes('DAGBOK_COOKIE=')) continue
    const words = await read('cmdline')
    const places = [environment, words, await link('fd/1'), await link('fd/2'), await link('cwd')]
    if (places.some(text => text.includes(site.root))) found.push(`${pid} ${words.replaceAll('\0', ' ')}`)
  }
  return found
}

async function checkProcesses(site: Site): Promise<string[]> {
  return (await findProcesses(site)).map(words => `I11 a process is left: ${words.slice(0, 200)}`)
}

/** Nothing that was being made is left half made. */
async function checkFolder(site: Site): Promise<string[]> {
  const names = await readdir(site.path('logs'), { recursive: true })
  const halves = names.filter(name =>
    /recovering\.jsonl$|\.new$|\.dagbok-probe$|lock\.json|control\.sock$/.test(name),
  )
  return halves.map(name => `I11 ${name} is left`)
}

function describe(line: JournalLine | undefined): string {
  return line === undefined ? 'not there' : JSON.stringify(line).slice(0, 240)
}
