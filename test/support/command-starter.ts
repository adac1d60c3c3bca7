// A process that starts commands and does not live to see their end: stands in for a scheduler that is killed.
//
// Reads one JSON line {root, journalId, spec} on stdin, starts it, prints the identity as JSON, and stays.

import { createProcesses } from '../../src/adapters/child-process/processes.ts'
import { createShellExecutor } from '../../src/adapters/child-process/shell-executor.ts'
import { createLogStore } from '../../src/adapters/filesystem/log-store.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { createFunctionExecutor } from '../../src/adapters/worker-pool/function-executor.ts'

const chunks: Buffer[] = []
process.stdin.on('data', chunk => chunks.push(chunk as Buffer))
process.stdin.on('end', () => {
  const { root, journalId, workflowsDir, spec } = JSON.parse(Buffer.concat(chunks).toString())
  const shared = {
    clock: systemClock,
    logs: createLogStore({ root }),
    processes: createProcesses({ journalId }),
  }
  const executor =
    spec.workflowRef === 'shell'
      ? createShellExecutor(shared)
      : createFunctionExecutor({ ...shared, workflowsDir })
  executor.start(spec, {
    spawned: identity => process.stdout.write(`${JSON.stringify(identity)}\n`),
  })
})
// Nothing but a signal ends it.
setInterval(() => {}, 60_000)
