// The `shell` workflow: runs a command in a process group of its own.
//
//   1. stdin is /dev/null, stdout and stderr are log files opened for appending: no pipe leads to the scheduler, so a
//      command neither slows it down nor dies with it.
//   2. A shim (exit-shim.ts) leaves the exit code on disk; a cookie in the environment marks all that the command starts.
//   3. The outcome settles when the command has ended and nothing that it started is left (kill-ladder.ts).
//   4. `close` leaves commands running. Their outcomes stay open; the next scheduler adopts them.

import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pickBase } from '../../core/attempt/environment.ts'
import type { AttemptError } from '../../core/state-machine/event.ts'
import type { Clock } from '../../ports/clock.ts'
import type {
  AttemptHooks,
  AttemptOutcome,
  AttemptSpec,
  Executor,
  ProcessIdentity,
  RunningAttempt,
} from '../../ports/executor.ts'
import type { AttemptLogs, LogStore } from '../../ports/log-store.ts'
import type { Processes } from '../../ports/processes.ts'
import { buildEnvironment, type CommandLine, isAttemptError, readCommand } from './command-line.ts'
import { type LeaderEnd, Supervision } from './command-supervision.ts'
import { SHIM } from './exit-shim.ts'

export const SHELL = '/bin/sh'

export interface ShellExecutorOptions {
  readonly clock: Clock
  readonly logs: LogStore
  readonly processes: Processes
  /** The scheduler's own environment, of which commands see the base variables only. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** From SIGTERM to SIGKILL when the time limit has passed, milliseconds. Default 10,000. */
  readonly killGraceMs?: number
  /** From SIGTERM to SIGKILL for what a command that ended left running, milliseconds. Default 2,000. */
  readonly stragglerGraceMs?: number
  /** Between two looks at an adopted command, milliseconds. Default 200. */
  readonly pollMs?: number
}

/** Runs commands. See the head of this file and ports/executor.ts. */
export function createShellExecutor(options: ShellExecutorOptions): Executor {
  const { clock, logs, processes } = options
  const base = pickBase(options.environment ?? process.env)
  const running = new Set<Supervision>()

  const supervise = (spec: AttemptSpec, place: AttemptLogs): Supervision => {
    const supervision = new Supervision({
      spec,
      clock,
      processes,
      logs: place,
      guard: logs.guard(place),
      cookie: processes.cookieOf(spec),
      killGraceMs: options.killGraceMs ?? 10_000,
      stragglerGraceMs: options.stragglerGraceMs ?? 2_000,
    })
    running.add(supervision)
    void supervision.outcome.then(() => running.delete(supervision))
    return supervision
  }

  const start = (spec: AttemptSpec, hooks: AttemptHooks): RunningAttempt => {
    const line = readCommand(spec)
    if (isAttemptError(line)) return settled({ kind: 'failed', error: line })
    let place: AttemptLogs
    const fds: number[] = []
    try {
      place = logs.prepare(spec)
      const cookie = processes.cookieOf(spec)
      const env = buildEnvironment(spec, line.params, { base, cookie, directory: place.directory })
      if (isAttemptError(env)) return settled({ kind: 'failed', error: env })
      for (const path of [place.stdout, place.stderr]) fds.push(openSync(path, 'a', 0o600))
      const child = spawn(SHELL, ['-c', SHIM, join(place.directory, 'exit'), ...line.argv], {
        cwd: line.cwd,
        env,
        detached: true,
        stdio: ['ignore', fds[0]!, fds[1]!],
      })
      if (child.pid === undefined) {
        const failure = new Promise<AttemptOutcome>(resolve =>
          child.once('error', error => resolve(spawnFailed(error, line))),
        )
        return { outcome: failure, cancel: () => {} }
      }
      child.on('error', () => {
        // After a start these are failures to signal, which nobody here does through the handle.
      })
      const supervision = supervise(spec, place)
      const leader = identify(processes, child.pid)
      const ended = new Promise<LeaderEnd>(resolve =>
        child.once('exit', (code, signal) => resolve({ code, signal })),
      )
      hooks.spawned(leader)
      supervision.watch(leader, ended, () => child.unref())
      return explain(supervision, line, base['PATH'] ?? '')
    } catch (error) {
      return settled(spawnFailed(error, line))
    } finally {
      for (const fd of fds) closeSync(fd)
    }
  }

  const adopt = (
    spec: AttemptSpec,
    identity: ProcessIdentity | undefined,
    adopted: (pid: number) => void,
  ): RunningAttempt => {
    const supervision = supervise(spec, logs.locate(spec))
    void supervision.adopt(identity, adopted, options.pollMs ?? 200)
    return supervision
  }

  return {
    start,
    adopt,
    async close() {
      for (const supervision of running) supervision.release()
      running.clear()
    },
  }
}

/** The identity of a child that runs: without a look into /proc it is its pid, which its parent may rely on. */
function identify(processes: Processes, pid: number): ProcessIdentity {
  try {
    return processes.identify(pid) ?? { pid, startTicks: 0, bootId: '' }
  } catch {
    return { pid, startTicks: 0, bootId: '' }
  }
}

function settled(outcome: AttemptOutcome): RunningAttempt {
  return { outcome: Promise.resolve(outcome), cancel: () => {} }
}

/** Exit codes 126 and 127 of a list command are the shim's own words for "cannot be run": say which program and why. */
function explain(running: RunningAttempt, { argv, cwd }: CommandLine, path: string): RunningAttempt {
  const outcome = running.outcome.then((end): AttemptOutcome => {
    if (end.kind !== 'failed' || end.error.kind !== 'exit_code') return end
    const code = end.error.exit_code
    if ((code !== 126 && code !== 127) || isRunnable(argv[0], cwd, path)) return end
    const message =
      code === 127
        ? `program ${JSON.stringify(argv[0])} was not found; give its full path or put its folder on the scheduler's PATH`
        : `program ${JSON.stringify(argv[0])} cannot be executed; check that it is a file with execute permission`
    return { kind: 'failed', error: { ...end.error, kind: 'spawn_failed', message } }
  })
  return { outcome, cancel: (reason, graceMs) => running.cancel(reason, graceMs) }
}

function isRunnable(program: string, cwd: string | undefined, path: string): boolean {
  const candidates = program.includes('/')
    ? [program.startsWith('/') || cwd === undefined ? program : join(cwd, program)]
    : path.split(delimiter).map(folder => join(folder, program))
  return candidates.some(file => {
    try {
      accessSync(file, constants.X_OK)
      return statSync(file).isFile()
    } catch {
      return false
    }
  })
}

const SPAWN_REMEDIES: Record<string, string> = {
  EAGAIN: 'the system allows no more processes; raise the limit (ulimit -u) or lower SCHED_MAX_PARALLEL',
  EMFILE: 'the scheduler has too many files open; raise the limit (ulimit -n) or lower SCHED_MAX_PARALLEL',
  ENFILE: 'the system has too many files open',
  ENOMEM: 'the system is out of memory',
  ENOSPC: 'the disk that holds the logs is full; free some space',
  E2BIG: 'its arguments and environment are larger than the system takes; pass large values through a file',
  EACCES: 'permission denied; check the folder and the permissions of the logs',
}

function spawnFailed(error: unknown, { cwd, argv }: CommandLine): AttemptOutcome {
  const { code = '', message } = error as NodeJS.ErrnoException
  const what = `${JSON.stringify(argv[0])} could not be started`
  let why = SPAWN_REMEDIES[code]
  if (cwd !== undefined && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') && !isFolder(cwd))
    why = `params.cwd ${JSON.stringify(cwd)} is not a folder that can be entered`
  const failure: AttemptError = {
    kind: 'spawn_failed',
    message: `${what}: ${why === undefined ? message : `${why} (${code})`}`,
  }
  return { kind: 'failed', error: failure }
}

function isFolder(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
