// One function worker as the scheduler sees it: a process in a group of its own, a channel, and an end.
//
//   1. Requests and answers go over descriptor 3; nothing that a function prints comes this way.
//   2. `onExit` is called once, when the process has ended, whatever the reason. An answer that breaks the protocol
//      ends the worker (`broken`), and so does one that is too long.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../core/attempt/environment.ts'
import type { ProcessIdentity } from '../../ports/executor.ts'
import type { Processes } from '../../ports/processes.ts'
import {
  CHANNEL_FD,
  LineSplitter,
  LONGEST_MESSAGE_BYTES,
  type WorkerAnswer,
  type WorkerRequest,
} from './worker-protocol.ts'

const ENTRY = fileURLToPath(
  import.meta.url.endsWith('.ts')
    ? new URL('./worker-entry.ts', import.meta.url)
    : new URL('./worker-entry.js', import.meta.url),
)

export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface FunctionWorkerOptions {
  readonly processes: Processes
  readonly env: Environment
  readonly heapLimitMb: number
  /** Where the process writes until its first function runs. */
  readonly stdout: string
  readonly stderr: string
}

export class FunctionWorker {
  readonly identity: ProcessIdentity
  /** When it was started, milliseconds of the monotonic clock. */
  readonly startedAtMs = performance.now()
  onAnswer: (answer: WorkerAnswer) => void = () => {}
  onExit: (exit: WorkerExit) => void = () => {}
  /** Set when the worker was ended for what it sent. */
  broken: 'message_too_large' | 'bad_message' | undefined
  #exit: WorkerExit | undefined
  readonly #child: ChildProcess
  readonly #channel: Duplex

  /** @throws the error of `spawn`; what `spawn` reports later comes as an exit */
  constructor({ processes, env, heapLimitMb, stdout, stderr }: FunctionWorkerOptions) {
    const fds: number[] = []
    try {
      for (const path of [stdout, stderr]) fds.push(openSync(path, 'a', 0o600))
      this.#child = spawn(
        process.execPath,
        [
          `--max-old-space-size=${heapLimitMb}`,
          '--disable-warning=ExperimentalWarning',
          '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
          ENTRY,
        ],
        { env, detached: true, stdio: ['ignore', fds[0]!, fds[1]!, 'pipe'] },
      )
    } finally {
      for (const fd of fds) closeSync(fd)
    }
    const { pid } = this.#child
    let failure: NodeJS.ErrnoException | undefined
    this.#child.on('error', error => {
      failure = error
    })
    if (pid === undefined) throw failure ?? spawnError(this.#child)
    this.#channel = this.#child.stdio[CHANNEL_FD] as Duplex
    const splitter = new LineSplitter(LONGEST_MESSAGE_BYTES)
    this.#channel.on('data', (chunk: Buffer) => this.#receive(splitter.push(chunk)))
    this.#channel.on('error', () => {
      // The worker is gone or going: its exit says the rest.
    })
    this.#child.once('exit', (code, signal) => {
      this.#exit = { code, signal }
      // Its last answer may still stand in the channel.
      if (this.#channel.readableEnded || this.#channel.destroyed) this.onExit(this.#exit)
      else {
        const end = () => {
          this.#channel.destroy()
          this.onExit(this.#exit!)
        }
        this.#channel.once('end', end)
        this.#channel.once('close', end)
        this.#channel.resume()
      }
    })
    this.identity = identify(processes, pid)
  }

  /** True from the moment its process ended. */
  get gone(): boolean {
    return this.#exit !== undefined
  }

  send(request: WorkerRequest): void {
    if (!this.#channel.destroyed) this.#channel.write(`${JSON.stringify(request)}\n`)
  }

  /** Closes the channel: a worker whose event loop is alive ends by itself. */
  hangUp(): void {
    this.#channel.end()
  }

  /** While it is idle it must not keep the scheduler from ending. */
  setIdle(idle: boolean): void {
    const socket = this.#channel as Duplex & { ref(): void; unref(): void }
    if (idle) {
      this.#child.unref()
      socket.unref()
    } else {
      this.#child.ref()
      socket.ref()
    }
  }

  #receive(lines: string[] | undefined): void {
    if (this.broken !== undefined) return
    if (lines === undefined) return this.#break('message_too_large')
    for (const line of lines) {
      try {
        const answer: unknown = JSON.parse(line)
        if (typeof answer !== 'object' || answer === null || !('type' in answer)) throw new TypeError()
        this.onAnswer(answer as WorkerAnswer)
      } catch {
        return this.#break('bad_message')
      }
    }
  }

  #break(why: 'message_too_large' | 'bad_message'): void {
    this.broken = why
    this.#channel.destroy()
    // Ours until it is waited for: the pid cannot be anybody else's.
    if (this.#exit === undefined) this.#child.kill('SIGKILL')
  }
}

function identify(processes: Processes, pid: number): ProcessIdentity {
  try {
    return processes.identify(pid) ?? { pid, startTicks: 0, bootId: '' }
  } catch {
    return { pid, startTicks: 0, bootId: '' }
  }
}

/** `spawn` reports most failures in a later turn; what matters now is that there is no process. */
function spawnError(child: ChildProcess): NodeJS.ErrnoException {
  return Object.assign(new Error(`${child.spawnfile}: too many processes or open files, or no memory left`), {
    code: 'SPAWN',
  })
}
