// Logs of attempts on disk: `<root>/runs/<run id>/<task>/<attempt>/` with `stdout.log stderr.log exit`.
//
//   1. Ids are encoded (core/ids.ts), so that none leaves the root, whatever it is called.
//   2. Folders are 0700, files 0600: logs may hold what only their owner should read.
//   3. One timer watches every running attempt; with none running there is no timer.

import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { decodePathSegment, encodePathSegment } from '../../core/ids.ts'
import type { AttemptKey } from '../../ports/executor.ts'
import type { AttemptLogs, LogGuard, LogStore } from '../../ports/log-store.ts'
import { LimitedLog } from './log-limit.ts'
import { findLastLine, findOutput, STDERR_TAIL_BYTES, STDOUT_TAIL_BYTES } from './log-tail.ts'

export const DEFAULT_LOG_LIMIT_BYTES = 16 * 1024 * 1024
const CHECK_EVERY_MS = 100

export interface LogStoreOptions {
  /** The state directory; logs stand in `runs/` below it. */
  readonly root: string
  /** Per stream of an attempt; default 16 MiB. */
  readonly limitBytes?: number
}

/** The log store of a state directory. Creates nothing until an attempt is prepared. */
export function createLogStore({ root, limitBytes = DEFAULT_LOG_LIMIT_BYTES }: LogStoreOptions): LogStore {
  const runs = resolve(root, 'runs')
  const watched = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined

  const watch = (check: () => void) => {
    watched.add(check)
    timer ??= setInterval(() => {
      for (const each of watched) each()
    }, CHECK_EVERY_MS).unref()
  }
  const unwatch = (check: () => void) => {
    watched.delete(check)
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  const locate = ({ runId, taskId, attempt }: AttemptKey): AttemptLogs => {
    const directory = join(runs, encodePathSegment(runId), encodePathSegment(taskId), String(attempt))
    return { directory, stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') }
  }

  return {
    locate,
    prepare(key) {
      const logs = locate(key)
      mkdirSync(logs.directory, { recursive: true, mode: 0o700 })
      return logs
    },
    guard(logs): LogGuard {
      const stdout = new LimitedLog({ path: logs.stdout, limitBytes, tailBytes: STDOUT_TAIL_BYTES })
      const stderr = new LimitedLog({ path: logs.stderr, limitBytes, tailBytes: STDERR_TAIL_BYTES })
      const check = () => {
        stdout.check()
        stderr.check()
      }
      watch(check)
      return {
        finish() {
          unwatch(check)
          const out = stdout.finish()
          const err = stderr.finish()
          return {
            output: findOutput(out.tail),
            lastLine: findLastLine(out.tail),
            lastErrorLine: findLastLine(err.tail),
            droppedBytes: out.droppedBytes + err.droppedBytes,
          }
        },
        release: () => unwatch(check),
      }
    },
    list(runId) {
      const folder = join(runs, encodePathSegment(runId))
      const keys: AttemptKey[] = []
      for (const task of listFolders(folder)) {
        const taskId = decodePathSegment(task)
        if (taskId === undefined) continue
        const attempts = listFolders(join(folder, task)).filter(name => /^[1-9]\d*$/.test(name))
        for (const attempt of attempts.map(Number).sort((a, b) => a - b))
          keys.push({ runId, taskId, attempt })
      }
      return keys
    },
  }
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
      .sort()
  } catch {
    return []
  }
}
