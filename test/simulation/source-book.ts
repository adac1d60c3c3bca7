// What the judge keeps of stages and streams: who holds what, what was consumed, how far a stream was committed. Versions of
// files are unique in the simulated world, so that one which is handed over twice shows.
//
//   I10 a version of a file is consumed by one run at most, a stretch of a stream too; that run ended `success`
//   I11 what a run that ended otherwise had is free again, and nothing is held by a run that is over
//       an attempt is overtaken only while others of its DAG got on with files or records: it will not look for ever
//   I12 in the end, when one more run went well, nothing that is there is left

import type { Taken } from '../../src/core/run/taken.ts'
import type { JournalLine } from './journal-text.ts'

/** What lies before a DAG in the end. */
export interface Present {
  readonly dagName: string
  readonly files: readonly { key: string; version: string }[] | undefined
  /** Records of its stream. */
  readonly records: number | undefined
}

const STEPS = new Set([
  'files_dispatched',
  'files_consumed',
  'files_released',
  'files_forgotten',
  'stream_taken',
  'stream_committed',
  'stream_released',
])

interface Stretch {
  readonly runId: string
  readonly to: number
}

export class SourceBook {
  readonly #blame: (invariant: string, what: string) => void
  /** `<dag>\n<stage>\n<key>` → who holds which version. */
  readonly #held = new Map<string, { version: string; runId: string }>()
  /** `<dag>\n<stage>\n<key>\n<version>` → by which run it was consumed. */
  readonly #consumed = new Map<string, string>()
  /** `<dag>\n<stream>` → how far it is committed, and who has what follows. */
  readonly #positions = new Map<string, number>()
  readonly #stretches = new Map<string, Stretch>()
  /** What the lines of this commit say was taken, by task, until its `task_ok`. */
  readonly #taken = new Map<string, string[]>()
  /** By DAG: how often files or records have been taken, settled or forgotten. */
  readonly #steps = new Map<string, number>()
  /** Runs whose holds were settled in this commit, and as what. */
  readonly #settled = new Map<string, string>()

  constructor(blame: (invariant: string, what: string) => void) {
    this.#blame = blame
  }

  read(line: JournalLine): void {
    const runId = line['run_id'] as string
    const dag = line['dag_name'] as string
    if (STEPS.has(line.event)) this.#steps.set(dag, this.stepsOf(dag) + 1)
    switch (line.event) {
      case 'files_dispatched':
        for (const { key, version } of line['files'] as { key: string; version: string }[]) {
          const name = `${dag}\n${line['stage']}\n${key}`
          const holder = this.#held.get(name)?.runId
          if (holder !== undefined) this.#blame('I10', `${key} goes to ${runId} while ${holder} has it`)
          const consumer = this.#consumed.get(`${name}\n${version}`)
          if (consumer !== undefined)
            this.#blame('I10', `${key} ${version} goes to ${runId}, ${consumer} has consumed it`)
          this.#held.set(name, { version, runId })
          this.#note(line, `${key} ${version}`)
        }
        return
      case 'files_consumed':
      case 'files_released': {
        const isConsumed = line.event === 'files_consumed'
        let files = 0
        for (const [name, { version, runId: holder }] of this.#held) {
          if (holder !== runId || !name.startsWith(`${dag}\n${line['stage']}\n`)) continue
          files += 1
          this.#held.delete(name)
          if (isConsumed) this.#consumed.set(`${name}\n${version}`, runId)
        }
        if (files !== line['files'] || files === 0)
          this.#blame('I11', `${runId} settles ${line['files']} files, it holds ${files}`)
        this.#settled.set(runId, isConsumed ? 'success' : String(line['status']))
        return
      }
      case 'files_forgotten':
        for (const key of line['keys'] as string[])
          if (this.#held.has(`${dag}\n${line['stage']}\n${key}`))
            this.#blame('I10', `${key} is forgotten while a run has it`)
        return
      case 'stream_taken': {
        const name = `${dag}\n${line['stream']}`
        const from = offsetOf(line['from'])
        const to = offsetOf(line['to'])
        const holder = this.#stretches.get(name)?.runId
        if (holder !== undefined) this.#blame('I10', `${runId} reads what ${holder} has`)
        if (from !== (this.#positions.get(name) ?? 0))
          this.#blame('I10', `${runId} reads from ${from}, committed is ${this.#positions.get(name)}`)
        this.#stretches.set(name, { runId, to })
        this.#note(line, `${from} ${to}`)
        return
      }
      case 'stream_committed':
      case 'stream_released': {
        const name = `${dag}\n${line['stream']}`
        const stretch = this.#stretches.get(name)
        if (stretch?.runId !== runId) this.#blame('I11', `${runId} settles a stream that it does not hold`)
        this.#stretches.delete(name)
        const isCommitted = line.event === 'stream_committed'
        if (isCommitted) {
          const position = offsetOf(line['position'])
          if (position !== stretch?.to)
            this.#blame('I10', `${runId} commits ${position}, it had ${stretch?.to}`)
          this.#positions.set(name, position)
        }
        this.#settled.set(runId, isCommitted ? 'success' : String(line['status']))
      }
    }
  }

  stepsOf(dagName: string): number {
    return this.#steps.get(dagName) ?? 0
  }

  #note(line: JournalLine, what: string): void {
    const task = `${line['run_id']}\n${line['task_id']}`
    const list = this.#taken.get(task) ?? []
    list.push(what)
    this.#taken.set(task, list)
  }

  /** A task has ended well: what it took is what the machine gave it. */
  taskOk(runId: string, taskId: string, given: Taken | undefined, isKnown: boolean): void {
    const stated = this.#taken.get(`${runId}\n${taskId}`)?.join() ?? ''
    this.#taken.delete(`${runId}\n${taskId}`)
    const found =
      given === undefined
        ? ''
        : given.kind === 'files'
          ? given.files.map(({ key, version }) => `${key} ${version}`).join()
          : given.records > 0
            ? `${offsetOf(given.from)} ${offsetOf(given.to)}`
            : ''
    if (isKnown && stated !== found)
      this.#blame('I10', `${runId} ${taskId} took "${stated}", it was given "${found}"`)
  }

  runFinished(runId: string, status: string): void {
    const settled = this.#settled.get(runId)
    if (settled !== undefined && settled !== status)
      this.#blame('I10', `${runId} ends ${status}, what it had was settled as for ${settled}`)
    this.#settled.delete(runId)
    for (const { runId: holder } of [...this.#held.values(), ...this.#stretches.values()])
      if (holder === runId) this.#blame('I11', `${runId} is over and still has files or records`)
  }

  endCommit(): void {
    for (const task of this.#taken.keys())
      this.#blame('I10', `${task.replace('\n', ' ')} takes something in a commit that is not its end`)
    for (const runId of this.#settled.keys())
      this.#blame('I11', `${runId} settles what it has in a commit that is not its end`)
    this.#taken.clear()
    this.#settled.clear()
  }

  checkPresent(present: readonly Present[]): string[] {
    const problems: string[] = []
    for (const { dagName, files = [], records } of present) {
      const consumed = [...this.#consumed.keys()].filter(name => name.startsWith(`${dagName}\n`))
      const names = new Set(consumed.map(name => name.split('\n').slice(2).join('\n')))
      for (const { key, version } of files)
        if (!names.has(`${key}\n${version}`))
          problems.push(`I12 ${dagName}: nobody has consumed ${key} ${version}`)
      const position = [...this.#positions].find(([name]) => name.startsWith(`${dagName}\n`))?.[1] ?? 0
      if (records !== undefined && position !== records)
        problems.push(`I12 ${dagName}: ${records} records are there, ${position} are committed`)
    }
    return problems
  }
}

function offsetOf(position: unknown): number {
  return (position as { offset?: number } | undefined)?.offset ?? 0
}
