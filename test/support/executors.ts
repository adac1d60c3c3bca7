// What tests of executors share: a state folder of their own, attempts, and a clock whose time limits fire on demand.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProcesses } from '../../src/adapters/child-process/processes.ts'
import { createLogStore } from '../../src/adapters/filesystem/log-store.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { AttemptSpec, ProcessIdentity } from '../../src/ports/executor.ts'

/** A time limit that is not waited for: it passes when the test calls `passLimit`. */
export const ON_DEMAND_MS = 123_456_789

export interface ExecutorBench {
  readonly root: string
  readonly journalId: string
  readonly logs: ReturnType<typeof createLogStore>
  readonly processes: ReturnType<typeof createProcesses>
  readonly clock: Clock
  passLimit(): void
  spec(workflowRef: string, params: JsonObject, more?: Partial<AttemptSpec>): AttemptSpec
  stdout(spec: AttemptSpec): string
  stderr(spec: AttemptSpec): string
  dispose(): void
}

/** A folder, a log store and processes of a state that nobody else has. */
export function openBench({ limitBytes }: { limitBytes?: number } = {}): ExecutorBench {
  const root = mkdtempSync(join(tmpdir(), 'dagbok-executor-'))
  const journalId = `test-${process.pid}-${root.slice(-6)}`
  const logs = createLogStore({ root, ...(limitBytes === undefined ? {} : { limitBytes }) })
  const limits = new Set<() => void>()
  let attempts = 0
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  return {
    root,
    journalId,
    logs,
    processes: createProcesses({ journalId }),
    clock: {
      ...systemClock,
      after(delayMs, wake) {
        if (delayMs !== ON_DEMAND_MS) return systemClock.after(delayMs, wake)
        limits.add(wake)
        return () => limits.delete(wake)
      },
    },
    passLimit() {
      for (const wake of [...limits]) wake()
      limits.clear()
    },
    spec: (workflowRef, params, more = {}) => ({
      runId: 'weekly@2026-01-05T06:00Z',
      taskId: 'task',
      attempt: ++attempts,
      dagName: 'weekly',
      tenantId: 'local-dev',
      workflowRef,
      params,
      env: {},
      logicalDate: '2026-01-05T06:00Z',
      ...more,
    }),
    stdout: spec => read(logs.locate(spec).stdout),
    stderr: spec => read(logs.locate(spec).stderr),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Hooks that remember what they were told. */
export function recordHooks(): {
  spawned(identity: ProcessIdentity): void
  readonly identities: ProcessIdentity[]
} {
  const identities: ProcessIdentity[] = []
  return { identities, spawned: identity => void identities.push(identity) }
}

/** Waits for a condition of the outside world; fails with its name after 15 s. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + 15_000
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
