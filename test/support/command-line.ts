// The command line in a test: its words in, what it printed and its exit code out, with a small house behind it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunSummary } from '../../src/api/control.ts'
import type { OnceReport, RunRequest, Session, StopOptions } from '../../src/api/session.ts'
import type { House } from '../../src/cli/house.ts'
import type { InterruptSignal, Interrupts } from '../../src/cli/interrupts.ts'
import { runCommand } from '../../src/cli/main.ts'
import type { Sink } from '../../src/cli/output.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { type ScriptedControl, scriptControl } from './scripted-control.ts'

export class TextSink implements Sink {
  text = ''
  isTTY: boolean
  columns = 100
  rows = 20
  #onError: ((error: NodeJS.ErrnoException) => void)[] = []

  constructor(isTTY: boolean) {
    this.isTTY = isTTY
  }

  write(text: string): boolean {
    this.text += text
    return true
  }

  on(_event: 'error', listener: (error: NodeJS.ErrnoException) => void): this {
    this.#onError.push(listener)
    return this
  }

  /** The reader leaves. */
  leave(): void {
    for (const listener of this.#onError) listener(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  }
}

/** Signals on demand. */
export class ScriptedInterrupts implements Interrupts {
  #listeners = new Set<{ listener(signal: InterruptSignal, count: number): void; count: number }>()
  #reloads = new Set<() => void>()

  get listening(): number {
    return this.#listeners.size
  }

  listen(listener: (signal: InterruptSignal, count: number) => void): () => void {
    const entry = { listener, count: 0 }
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  listenForReload(listener: () => void): () => void {
    this.#reloads.add(listener)
    return () => this.#reloads.delete(listener)
  }

  send(signal: InterruptSignal): void {
    for (const entry of [...this.#listeners]) entry.listener(signal, ++entry.count)
  }

  hangUp(): void {
    for (const listener of [...this.#reloads]) listener()
  }
}

/** A session whose endings are in the test's hands. */
export class ScriptedSession implements Session {
  readonly control: ScriptedControl = scriptControl()
  readonly stops: StopOptions[] = []
  readonly requests: RunRequest[] = []
  readonly ran = Promise.withResolvers<RunSummary>()
  readonly onced = Promise.withResolvers<OnceReport>()
  readonly served = Promise.withResolvers<void>()
  /** What a stop answers; `served` resolves with it. */
  drained = true
  /** Held back until resolved, where a test wants a second signal in between. */
  stopGate: Promise<void> = Promise.resolve()
  turns = 0
  #listeners = new Set<(event: Event) => void>()

  constructor() {
    // A test may decide an ending before anybody waits for it.
    for (const ending of [this.ran, this.onced, this.served])
      (ending.promise as Promise<unknown>).catch(() => {})
  }

  heartbeat(): number {
    return ++this.turns
  }
  once(): Promise<OnceReport> {
    return this.onced.promise
  }
  serve(): Promise<void> {
    return this.served.promise
  }
  run(request: RunRequest): Promise<RunSummary> {
    this.requests.push(request)
    return this.ran.promise
  }
  onEvent(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  async stop(options: StopOptions): Promise<{ drained: boolean }> {
    this.stops.push(options)
    await this.stopGate
    this.served.resolve()
    return { drained: this.drained }
  }
  emit(...events: object[]): void {
    for (const event of events) for (const listener of this.#listeners) listener(event as Event)
  }
}

export interface CommandLine {
  readonly root: string
  readonly socketPath: string
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly interrupts: ScriptedInterrupts
  readonly house: Partial<House>
  now: number
  /** Runs `scheduler <words>` in the root. */
  run(...words: string[]): Promise<number>
  remove(): void
}

/** `house` holds what the test needs of it; anything else that is called throws. */
export function openCommandLine(
  house: Partial<House> = {},
  { tty = false, env = {} }: { tty?: boolean; env?: Record<string, string> } = {},
): CommandLine {
  const root = mkdtempSync(join(tmpdir(), 'dagbok-cli-'))
  const line: CommandLine = {
    root,
    socketPath: join(root, 'logs', 'orchestrator_state.d', 'control.sock'),
    stdout: new TextSink(tty),
    stderr: new TextSink(tty),
    interrupts: new ScriptedInterrupts(),
    house,
    now: Date.UTC(2026, 0, 5, 6, 0, 30),
    run: (...words) =>
      runCommand(words, {
        stdout: line.stdout,
        stderr: line.stderr,
        env: { NO_COLOR: '1', ...env },
        cwd: root,
        interrupts: line.interrupts,
        now: () => line.now,
        house: async () => house as House,
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
  return line
}
