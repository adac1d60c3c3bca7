// A process that fills a feed until it is done or killed. Started by feed.test.ts: node task-feed-process.ts <path> <lines>

import { createTaskFeed, fillFeed } from '../../src/adapters/task-feed/feed.ts'
import type { Event } from '../../src/core/state-machine/event.ts'

/** Journal lines that are long enough for a kill to hit the middle of a write. */
export function* longEvents(count: number, afterSeq: number): Generator<Event> {
  for (let seq = afterSeq + 1; seq <= count; seq++) {
    yield {
      timestamp: '2026-01-05T06:00:00.000Z',
      event: 'task_fail',
      seq,
      run_id: 'r',
      dag_name: 'd',
      task_id: 't',
      attempt: 1,
      duration_ms: 1,
      error: { kind: 'threw', message: `${seq} `.repeat(4_000) },
      message: 'failed',
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [path, lines] = process.argv.slice(2) as [string, string]
  const count = Number(lines)
  const feed = createTaskFeed({ path, headSeq: () => count })
  process.send?.('ready')
  await fillFeed(feed, ({ afterSeq }) => longEvents(count, afterSeq))
  await feed.close()
  process.disconnect?.()
}
