// A scheduler in a folder of its own, started through the binary: write its files, start it, ask it, wait for a line of
// its journal, kill it. Waiting is always for something said, never for time.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

/** How long a test waits for a line before it says which one never came. */
const PATIENCE_MS = 25_000

export type JournalLine = Record<string, unknown> & { event: string; seq: number }

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class SchedulerFolder {
  readonly root = mkdtempSync(join(tmpdir(), 'dagbok-scheduler-'))
  readonly #serving = new Set<ChildProcess>()

  get journalPath(): string {
    return join(this.root, 'logs/orchestrator_state.jsonl')
  }

  write(path: string, text: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  /** Complete lines of the active segment. */
  journal(): JournalLine[] {
    if (!existsSync(this.journalPath)) return []
    const text = readFileSync(this.journalPath, 'utf8')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as JournalLine)
  }

  /** Runs one command to its end. */
  call(words: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return new Promise(resolve => {
      const options = { cwd: this.root, env: this.#environment(env), maxBuffer: 256 * 1024 * 1024 }
      const child = execFile(process.execPath, [BIN, ...words], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      )
    })
  }

  /** Starts `--serve`; resolves once it says that it serves. */
  async serve(
    env: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; ended: Promise<number | null>; said: () => string }> {
    const child = spawn(process.execPath, [BIN, '--serve'], {
      cwd: this.root,
      env: this.#environment(env),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#serving.add(child)
    const ended = new Promise<number | null>(resolve =>
      child.once('close', code => {
        this.#serving.delete(child)
        resolve(code)
      }),
    )
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', chunk => {
        said += chunk
        if (said.includes('scheduler is serving')) resolve()
      })
      void ended.then(code => reject(new Error(`--serve ended with ${code} before it served: ${said}`)))
    })
    return { child, ended, said: () => said }
  }

  /** Resolves with the first line of the active segment that fits, now or as soon as it is written. */
  async line(what: string, fits: (line: JournalLine) => boolean): Promise<JournalLine> {
    const found = () => this.journal().find(fits)
    const there = found()
    if (there !== undefined) return there
    return new Promise((resolve, reject) => {
      // Directory and file, since a recovery puts another file under the name.
      const watcher = watch(dirname(this.journalPath), () => {
        const line = found()
        if (line === undefined) return
        done()
        resolve(line)
      })
      const patience = setTimeout(() => {
        done()
        reject(
          new Error(
            `no line for "${what}" in the journal:\n${this.journal()
              .map(l => JSON.stringify(l))
              .join('\n')}`,
          ),
        )
      }, PATIENCE_MS)
      const done = () => {
        clearTimeout(patience)
        watcher.close()
      }
    })
  }

  /** The event `name` of a task. */
  task(name: string, taskId: string, attempt?: number): Promise<JournalLine> {
    return this.line(
      `${name} ${taskId}`,
      line =>
        line.event === name &&
        line['task_id'] === taskId &&
        (attempt === undefined || line['attempt'] === attempt),
    )
  }

  async remove(): Promise<void> {
    for (const child of this.#serving) {
      const gone = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGKILL')
      await gone
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }

  #environment(env: Record<string, string>): Record<string, string | undefined> {
    return { PATH: process.env['PATH'], XDG_CACHE_HOME: join(this.root, '.cache'), ...env }
  }
}
