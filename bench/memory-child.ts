// A process to be weighed by memory.ts: `imports` only loads what a scheduler loads, `serve <root>` serves it. Says its
// resident memory over IPC, as it stands and after a garbage collection, and ends.

import { setTimeout as sleep } from 'node:timers/promises'
import { openSession } from '../src/compose.ts'
import { loadSettings } from '../src/config.ts'

/** Until what was needed for the start only has been let go of, as far as it ever is. */
const SETTLE_MS = 3_000

const [what, root = '.'] = process.argv.slice(2)
// Loaded by a scheduler when it first needs them: they must weigh on both sides.
await Promise.all([
  import('chokidar'),
  import('yaml'),
  import('zod'),
  import('better-sqlite3'),
  import('../src/api/contract.ts'),
])
const { settings } = await loadSettings({ flags: { root }, env: {}, cwd: root })
const session = what === 'serve' ? await openSession(settings, 'serve', { note() {} }) : undefined
const served = session?.serve()
await sleep(SETTLE_MS)
const rss = process.memoryUsage().rss
for (let n = 0; n < 5; n++) {
  globalThis.gc?.()
  await sleep(50)
}
const schedules = session === undefined ? 0 : (await session.control.status()).schedules
process.send?.({ rss, rssAfterGc: process.memoryUsage().rss, schedules })
await session?.stop({ now: true, reason: 'weighed' })
await served
process.exit(0)
