// One command from its start (or its adoption) to its outcome.
//
//   1. One cause ends it: its own exit, the time limit or a cancellation; the first one counts, later ones only hurry.
//   2. The outcome settles after the ladder found nothing left, exactly once, and never after `release`.
//   3. An adopted command is proved, not guessed: exit file first, then pid + start ticks + boot id + cookie.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readSkip } from '../../core/run/skip-word.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AttemptOutcome, AttemptSpec, ProcessIdentity, RunningAttempt } from '../../ports/executor.ts'
import type { AttemptLogs, LogGuard, LogSummary } from '../../ports/log-store.ts'
import type { Processes, Retirement } from '../../ports/processes.ts'
import { type CommandExit, readExit } from './exit-shim.ts'

export interface SupervisionOptions {
  readonly spec: AttemptSpec
  readonly clock: Clock
  readonly processes: Processes
  readonly logs: AttemptLogs
  readonly guard: LogGuard
  readonly cookie: string
  readonly killGraceMs: number
  readonly stragglerGraceMs: number
}

/** How the shim ended, as its parent learns it. */
export interface LeaderEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

type Cause = { kind: 'exit' } | { kind: 'timeout'; limitMs: number } | { kind: 'cancel'; reason: string }

const MAX_OUTPUT_WORDS = '1 MiB'

export class Supervision implements RunningAttempt {
  readonly outcome: Promise<AttemptOutcome>
  readonly #options: SupervisionOptions
  readonly #exitFile: string
  readonly #begunMs: number
  #settle!: (outcome: AttemptOutcome) => void
  #cause: Cause | undefined
  #leader: ProcessIdentity | undefined
  /** This process is the leader's parent, so that the group's id is safe from being used again. */
  #watched = false
  #located = false
  #retirement: Retirement | undefined
  #cancelGraceMs = Number.POSITIVE_INFINITY
  #stopTimer: () => void = () => {}
  #stopPoll: () => void = () => {}
  #unref: () => void = () => {}
  #released = false

  constructor(options: SupervisionOptions) {
    this.#options = options
    this.#exitFile = join(options.logs.directory, 'exit')
    this.#begunMs = options.clock.monotonicMs()
    this.outcome = new Promise(resolve => {
      this.#settle = resolve
    })
  }

  /** Supervises a command that was just started; `ended` settles when its leader has been waited for. */
  watch(leader: ProcessIdentity, ended: Promise<LeaderEnd>, unref: () => void): void {
    const { spec, clock } = this.#options
    this.#leader = leader
    this.#watched = true
    this.#located = true
    this.#unref = unref
    const limitMs =
      spec.timeoutMs ?? (spec.deadlineAt === undefined ? undefined : spec.deadlineAt - clock.now())
    this.#limit(limitMs)
    void ended.then(async end => {
      if (this.#released) return
      this.#end({ kind: 'exit' }, this.#options.stragglerGraceMs)
      await this.#retirement!.done
      this.#finish(() => this.#readWatched(end))
    })
  }

  /** Takes over what an earlier scheduler started. Never rejects. */
  async adopt(
    identity: ProcessIdentity | undefined,
    adopted: (pid: number) => void,
    pollMs: number,
  ): Promise<void> {
    const { spec, clock } = this.#options
    const leader = await this.#findLeader(identity, pollMs)
    if (this.#released) return
    this.#leader = leader ?? identity
    this.#located = true
    if (leader !== undefined) {
      adopted(leader.pid)
      if (this.#cause !== undefined) this.#retire(this.#cancelGraceMs)
      else if (spec.deadlineAt !== undefined)
        this.#limit(spec.deadlineAt - clock.now(), spec.timeoutMs ?? undefined)
      await this.#pollUntilGone(leader, pollMs)
      if (this.#released) return
    }
    this.#end({ kind: 'exit' }, this.#options.stragglerGraceMs)
    await this.#retirement!.done
    this.#finish(() => readExit(this.#exitFile) ?? 'lost')
  }

  async #findLeader(identity: ProcessIdentity | undefined, pollMs: number) {
    const { processes, cookie, clock } = this.#options
    for (;;) {
      try {
        if (readExit(this.#exitFile) !== undefined) return undefined
        if (identity !== undefined) return processes.isRunning(identity, cookie) ? identity : undefined
        const found = await processes.find(cookie)
        return found.find(({ leads, args }) => leads && args[3] === this.#exitFile)?.identity
      } catch {
        await new Promise<void>(resolve => clock.after(pollMs, resolve))
      }
    }
  }

  cancel(reason: string, graceMs: number): void {
    this.#end({ kind: 'cancel', reason }, graceMs)
  }

  /** Lets go: the command runs on, nothing settles any more. */
  release(): void {
    this.#released = true
    this.#stopTimer()
    this.#stopPoll()
    this.#unref()
    this.#options.guard.release()
  }

  /** @param limitMs  left until the time limit */
  #limit(limitMs: number | undefined, namedMs = limitMs): void {
    if (limitMs === undefined) return
    const { clock, killGraceMs } = this.#options
    this.#stopTimer = clock.after(Math.max(0, limitMs), () =>
      this.#end({ kind: 'timeout', limitMs: namedMs ?? limitMs }, killGraceMs),
    )
  }

  #end(cause: Cause, graceMs: number): void {
    if (this.#released) return
    this.#cause ??= cause
    this.#cancelGraceMs = Math.min(this.#cancelGraceMs, graceMs)
    if (!this.#located) return
    if (this.#retirement === undefined) this.#retire(this.#cancelGraceMs)
    else if (cause.kind !== 'exit') this.#retirement.hasten(graceMs)
  }

  #retire(graceMs: number): void {
    const { processes, cookie, clock } = this.#options
    this.#stopTimer()
    this.#retirement ??= processes.retire({
      leader: this.#leader,
      watched: this.#watched,
      cookie,
      graceMs,
      ...(this.#watched ? { ranMs: clock.monotonicMs() - this.#begunMs } : {}),
    })
  }

  #pollUntilGone(leader: ProcessIdentity, pollMs: number): Promise<void> {
    const { processes, clock } = this.#options
    return new Promise(resolve => {
      const look = () => {
        if (this.#released || !isRunning(processes, leader)) resolve()
        else this.#stopPoll = clock.after(pollMs, look)
      }
      look()
    })
  }

  #finish(read: () => CommandExit | 'no_exit_file' | 'lost'): void {
    if (this.#released) return
    const { guard } = this.#options
    this.#stopTimer()
    const summary = guard.finish()
    const cause = this.#cause!
    if (cause.kind === 'cancel') return this.#settle({ kind: 'cancelled', reason: cause.reason })
    if (cause.kind === 'timeout') {
      const message = `ran into its time limit of ${formatDuration(cause.limitMs)} and was ended`
      return this.#settle({ kind: 'failed', error: { kind: 'timeout', message } })
    }
    this.#settle(judge(read(), summary))
  }

  #readWatched({ code, signal }: LeaderEnd): CommandExit | 'no_exit_file' {
    const exit = readExit(this.#exitFile)
    if (exit !== undefined) return exit
    if (signal !== null) return { kind: 'signal', signal }
    return existsSync(this.#exitFile) ? { kind: 'code', code: code ?? 1 } : 'no_exit_file'
  }
}

/** A look that fails (no file descriptor left) says nothing: it counts as running until one succeeds. */
function isRunning(processes: Processes, leader: ProcessIdentity): boolean {
  try {
    return processes.isRunning(leader)
  } catch {
    return true
  }
}

function judge(exit: CommandExit | 'no_exit_file' | 'lost', summary: LogSummary): AttemptOutcome {
  const { output, lastLine, lastErrorLine } = summary
  const word = lastErrorLine === '' ? '' : `: ${lastErrorLine}`
  if (exit === 'lost')
    return { kind: 'lost', reason: 'the command is gone and left no exit code: it was killed with its shell' }
  if (exit === 'no_exit_file') {
    const message = `the command could not be started, its exit file could not be made${word}`
    return { kind: 'failed', error: { kind: 'spawn_failed', message } }
  }
  if (exit.kind === 'signal') {
    const hint = exit.signal === 'SIGKILL' ? ' (perhaps the system was out of memory)' : ''
    const message = `ended by ${exit.signal}${hint}${word}`
    return { kind: 'failed', error: { kind: 'signal', message, signal: exit.signal } }
  }
  if (exit.code !== 0) {
    const message = `exit code ${exit.code}${word}`
    return { kind: 'failed', error: { kind: 'exit_code', message, exit_code: exit.code } }
  }
  if (output === 'too_large') {
    const message = `its output object has more than ${MAX_OUTPUT_WORDS}; write large results to a file and print its path`
    return { kind: 'failed', error: { kind: 'output_too_large', message } }
  }
  const skip = readSkip(lastLine)
  if (skip !== undefined) return { kind: 'skip', reason: 'returned_skip', detail: skip }
  return { kind: 'ok', output: output ?? {} }
}
