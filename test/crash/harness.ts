// A scheduler as people run it — the binary, its socket, real processes — in a folder of its own, to be killed.
//
// Boundary: starting, killing, asking, waiting, reading what is left. What is right is test/simulation/invariants.ts,
// which reads the journal's bytes and the side log that the tasks themselves write.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/api/client.ts'
import type { Control } from '../../src/api/control.ts'
import { checkInvariants, type Evidence } from '../simulation/invariants.ts'
import { type JournalLine, type JournalText, readJournalText } from '../simulation/journal-text.ts'

export const BINARY = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))
const READY_MS = 20_000

export const LIMITS = { maxParallel: 3, maxTasks: 6 }

/** A process of the scheduler. */
export interface Served {
  readonly pid: number
  readonly control: Control
  /** Resolves with the exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** What it wrote to stderr so far. */
  readonly said: () => string
  kill(signal: NodeJS.Signals): void
}

export class Site {
  readonly root: string
  readonly #processes = new Set<ChildProcess>()
  readonly acknowledged: { seq: number; runId: string }[] = []
  #stateFolder: string

  private constructor(root: string) {
    this.root = root
    this.#stateFolder = join(root, 'logs')
  }

  static async create(parent = tmpdir()): Promise<Site> {
    const site = new Site(await mkdtemp(join(parent, 'dagbok-crash-')))
    for (const folder of ['configs/schedules', 'configs/dags', 'workflows']) {
      await mkdir(join(site.root, folder), { recursive: true })
    }
    return site
  }

  path(...names: string[]): string {
    return join(this.root, ...names)
  }

  /** The journal and its directory lie there from now on. */
  keepStateIn(folder: string): void {
    this.#stateFolder = folder
  }

  get journalPath(): string {
    return join(this.#stateFolder, 'orchestrator_state.jsonl')
  }

  get sideLogPath(): string {
    return this.path('side.log')
  }

  /** Shell: one line of the side log, who it is, before it does anything. */
  get note(): string {
    const words = '"$DAGBOK_RUN_ID" "$DAGBOK_TASK_ID" "$DAGBOK_ATTEMPT"'
    return `printf "%s %s %s\\n" ${words} >> ${this.sideLogPath}`
  }

  /** Shell, after the note: waits for a file. A command outlives a scheduler that dies, but not the site. */
  waitFor(name: string): string {
    return `while [ ! -e ${this.path(name)} ] && [ -e ${this.sideLogPath} ]; do sleep 0.05; done`
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text)
  }

  /** Starts `scheduler --serve` without waiting for it. */
  launch(flags: readonly string[] = []): Served {
    const limits = ['--max-parallel', String(LIMITS.maxParallel), '--max-tasks', String(LIMITS.maxTasks)]
    const words = [BINARY, '--serve', '--root', this.root, '--state', this.journalPath, ...limits, ...flags]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#processes.add(child)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      said = (said + text).slice(-20_000)
    })
    const ended = new Promise<number | NodeJS.Signals>(resolve => {
      child.once('exit', (code, signal) => {
        this.#processes.delete(child)
        resolve(code ?? signal ?? -1)
      })
    })
    const control = createClient({
      socketPath: join(this.#stateFolder, 'orchestrator_state.d', 'control.sock'),
    })
    return { pid: child.pid!, control, ended, said: () => said, kill: signal => void child.kill(signal) }
  }

  /** Starts it and waits until it answers. */
  async serve(flags: readonly string[] = []): Promise<Served> {
    const served = this.launch(flags)
    let over: number | NodeJS.Signals | undefined
    void served.ended.then(code => {
      over = code
    })
    await until(`an answer of the scheduler in ${this.root}`, READY_MS, async () => {
      if (over !== undefined) throw new Error(`the scheduler ended with ${over}:\n${served.said()}`)
      return served.control.status().then(
        ({ pid }) => pid === served.pid,
        () => false,
      )
    })
    return served
  }

  /** Asks for a run; remembers the answer, if there is one. */
  async trigger(served: Served, dag: string): Promise<string | undefined> {
    try {
      const { run_id: runId, seq } = await served.control.trigger({ dag, cause: 'test' })
      this.acknowledged.push({ seq, runId })
      return runId
    } catch {
      return undefined
    }
  }

  /** A line of the user's; a refusal is fine. */
  async record(served: Served, text: string): Promise<void> {
    await served.control.record({ fields: { event: 'noted', text } }).catch(() => {})
  }

  /** All segments in order. A roll may come in between: then they are read again, for up to two seconds. */
  async journal(): Promise<JournalText> {
    const end = performance.now() + 2_000
    for (;;) {
      const sealed = await this.#sealed()
      try {
        const segments = await Promise.all([...sealed, this.journalPath].map(file => readFile(file)))
        if ((await this.#sealed()).length === sealed.length) return readJournalText(segments)
      } catch (error) {
        // For a moment of a roll no file has the active one's name.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || performance.now() > end) throw error
        await sleep(5)
      }
    }
  }

  async #sealed(): Promise<string[]> {
    const folder = join(this.#stateFolder, 'orchestrator_state.d', 'segments')
    if (!existsSync(folder)) return []
    const names = (await readdir(folder)).filter(name => name.endsWith('.jsonl')).sort()
    return names.map(name => join(folder, name))
  }

  /** Lines so far; a line that is being written is left out. */
  async lines(): Promise<readonly JournalLine[]> {
    const isThere = existsSync(this.journalPath) || (await this.#sealed()).length > 0
    return isThere ? (await this.journal()).lines : []
  }

  async linesOf(runId: string, event: string): Promise<JournalLine[]> {
    return (await this.lines()).filter(line => line['run_id'] === runId && line.event === event)
  }

  async executions(): Promise<Evidence['executions']> {
    if (!existsSync(this.sideLogPath)) return []
    const text = await readFile(this.sideLogPath, 'utf8')
    return text
      .split('\n')
      .filter(Boolean)
      .map(line => {
        const [runId = '', taskId = '', attempt = ''] = line.split(' ')
        return { runId, taskId, attempt: Number(attempt) }
      })
  }

  /** What the judge says of everything that is left. Call it after a clean stop. */
  async judge(settled: boolean): Promise<string[]> {
    return checkInvariants(await this.journal(), {
      visible: new Map(),
      acknowledged: this.acknowledged,
      executions: await this.executions(),
      limits: LIMITS,
      settled,
    })
  }

  /** Nothing new comes, everything may end; then a clean stop. */
  async settle(served: Served): Promise<void> {
    await this.disableSchedules()
    await served.control.reload()
    await until('the last run', 60_000, async () => {
      const status = await served.control.status()
      return status.queued_runs + status.running_runs === 0
    })
    served.kill('SIGTERM')
    const code = await served.ended
    if (code !== 0) throw new Error(`the stop ended with ${code}:\n${served.said()}`)
  }

  async disableSchedules(): Promise<void> {
    const folder = this.path('configs', 'schedules')
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8')
      await writeFile(join(folder, name), text.replaceAll('enabled: true', 'enabled: false'))
    }
  }

  /** Ends what this site started and removes it. */
  async remove(): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL')
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Asks again and again until it is so. @throws if it is not so in time */
export async function until(what: string, withinMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms for ${what}`)
    await sleep(25)
  }
}

/** True if a process of this id runs (a zombie does not). */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return false
  }
}
