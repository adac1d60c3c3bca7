// A process with few file descriptors that uses them all up while a command runs, and prints how attempts end.

import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShellExecutor } from '../../src/adapters/child-process/shell-executor.ts'
import { createFunctionExecutor } from '../../src/adapters/worker-pool/function-executor.ts'
import { openBench, recordHooks } from './executors.ts'

const bench = openBench()
const { clock, logs, processes, root } = bench
const workflowsDir = join(root, 'workflows')
mkdirSync(workflowsDir)
writeFileSync(join(workflowsDir, 'well.mjs'), 'export default () => ({ well: true })')
const shell = createShellExecutor({ clock, logs, processes })
const functions = createFunctionExecutor({ clock, logs, processes, workflowsDir })
const goFile = join(root, 'go')
const runShell = (command: string) => shell.start(bench.spec('shell', { command }), recordHooks()).outcome
const runFunction = () => functions.start(bench.spec('well', {}), recordHooks()).outcome

const before = await Promise.all([runShell('exit 3'), runFunction()])
const meanwhile = shell.start(
  bench.spec('shell', { command: `until [ -e ${goFile} ]; do sleep 0.01; done; echo '{"n":1}'` }),
  recordHooks(),
)
const taken: number[] = []
let code = ''
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch (error) {
  code = (error as NodeJS.ErrnoException).code ?? ''
}
const during = [await runShell('exit 3')]
// One more each time, so that it fails at every step on the way.
for (let n = 0; n < 6; n++) {
  closeSync(taken.pop()!)
  during.push(await runShell('exit 3'))
}
const warm = await runFunction()
closeSync(taken.pop()!)
writeFileSync(goFile, '')
const kept = await meanwhile.outcome
for (const fd of taken) closeSync(fd)
const after = await Promise.all([runShell('exit 3'), runFunction()])
await shell.close()
await functions.close()
bench.dispose()
process.stdout.write(JSON.stringify({ code, before, during, warm, kept, after }))
