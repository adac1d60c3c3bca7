// The processes port on Linux (and, with less certainty, on other Unixes: see process-identity.ts).

import { createHash } from 'node:crypto'
import type { AttemptKey } from '../../ports/executor.ts'
import type { Processes } from '../../ports/processes.ts'
import { retire } from './kill-ladder.ts'
import { isSameProcess, readIdentity, readResidentBytes, readVariable } from './process-identity.ts'
import { COOKIE_VARIABLE, findByCookie } from './process-search.ts'

/**
 * @param journalId  makes the cookies of this state its own: another scheduler on the machine, or one that runs the
 *                   same DAGs on another state, is never taken for it
 */
export function createProcesses({ journalId }: { journalId: string }): Processes {
  return {
    cookieOf: ({ runId, taskId, attempt }: AttemptKey) =>
      createHash('sha256')
        .update(JSON.stringify([journalId, runId, taskId, attempt]))
        .digest('hex')
        .slice(0, 40),
    identify: readIdentity,
    isRunning(identity, cookie) {
      if (!isSameProcess(identity)) return false
      if (cookie === undefined) return true
      const reading = readVariable(identity.pid, COOKIE_VARIABLE)
      return reading.kind === 'set' && reading.value === cookie
    },
    residentBytes: readResidentBytes,
    find: cookie => findByCookie(cookie),
    retire,
  }
}
