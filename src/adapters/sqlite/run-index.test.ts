// The SQLite index: the contract, the same rows as the memory adapter, and what only a file can suffer.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeRunIndex } from '../../../test/contract/run-index.contract.ts'
import { arbitraryHistory, asEvents, writeHistory } from '../../../test/contract/run-index-history.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { EventBatch } from '../../ports/journal.ts'
import type { EventQuery } from '../../ports/run-index.ts'
import { createMemoryRunIndex } from '../memory/run-index.ts'
import { rebuildRunIndex } from './rebuild.ts'
import { openRunIndex, type SqliteRunIndex } from './run-index.ts'
import { BLOCK_LINES } from './schema.ts'

const root = mkdtempSync(join(tmpdir(), 'dagbok-index-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function openEmpty(): Promise<SqliteRunIndex> {
  const file = join(root, `${randomUUID()}.db`)
  await rebuildRunIndex({ file, journalId: 'j1', events: [] })
  const { index } = openRunIndex({ file, journalId: 'j1' })
  return index!
}

describeRunIndex('sqlite', openEmpty)

test('it holds the same as the memory index, whatever the journal says', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHistory, async history => {
      const [index, memory] = [await openEmpty(), createMemoryRunIndex()]
      index.apply('j1', history)
      memory.apply('j1', history)
      expect(index.dump()).toBe(memory.dump())
      expect(index.runs({ limit: 9 })).toEqual(memory.runs({ limit: 9 }))
      expect(index.slots('s1', { limit: 3 })).toEqual(memory.slots('s1', { limit: 3 }))
      expect(index.events({ runId: 'r1', limit: 9 })).toEqual(memory.events({ runId: 'r1', limit: 9 }))
      expect(index.verify()).toEqual([])
      index.close()
    }),
    { numRuns: 50 },
  )
})

/** As a journal writes it: line separators as escapes, a checkpoint with its state. */
function textOf(event: Event): string {
  const { c: _crc, commit: _commit, ...kept } = event as Event & { c?: string; commit?: number[] }
  return JSON.stringify(kept).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** The history as the journal's reader hands it on, in batches of these sizes. */
async function* batchesOf(
  history: readonly Event[],
  sizes: readonly number[],
): AsyncGenerator<EventBatch, void> {
  for (let from = 0, i = 0; from < history.length; i++) {
    const events = history.slice(from, from + (sizes[i % sizes.length] ?? 1))
    yield { events, texts: events.map(textOf) }
    from += events.length
  }
}

async function rebuildFrom(batches: () => AsyncGenerator<EventBatch, void>): Promise<SqliteRunIndex> {
  const file = join(root, `${randomUUID()}.db`)
  await rebuildRunIndex({ file, journalId: 'j1', events: { batches } })
  return openRunIndex({ file, journalId: 'j1', verify: true }).index!
}

test('built from batches with their text it is the same, however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHistory, fc.array(fc.integer({ min: 1, max: 9 })), async (history, sizes) => {
      const memory = createMemoryRunIndex()
      memory.apply('j1', history)
      const rebuilt = await rebuildFrom(() => batchesOf(history, sizes))
      expect(rebuilt.dump()).toBe(memory.dump())
      rebuilt.close()
    }),
    { numRuns: 50 },
  )
})

test('a line is the same text, however it came', async () => {
  const history = asEvents([
    { event: 'segment_opened', segment: 1 },
    { event: 'noted', source: 'user', note: 'søndag \u2028 \u2029 "x" \\u2028 \ud83d\ude00' },
    { event: 'checkpoint', part: 1, parts: 1, items: [{ big: 'state' }] },
  ])
  const [kept, rebuilt] = [join(root, 'kept.db'), join(root, 'rebuilt.db')]
  await rebuildRunIndex({ file: kept, journalId: 'j1', events: [] })
  const index = openRunIndex({ file: kept, journalId: 'j1' }).index!
  index.apply('j1', history)
  index.close()
  await rebuildRunIndex({
    file: rebuilt,
    journalId: 'j1',
    events: { batches: () => batchesOf(history, [3]) },
  })
  const [first, second] = [kept, rebuilt].map(file => {
    const db = new Database(file)
    const lines = db.prepare('SELECT line FROM events ORDER BY seq').pluck().all()
    db.close()
    return lines
  })
  expect(first).toHaveLength(3)
  expect(second).toEqual(first)
})

test('a journal that begins in the middle is built with its own numbers', async () => {
  const history = [
    ...asEvents([{ event: 'segment_opened', segment: 2 }], 5_001),
    ...asEvents(Array(40).fill({ event: 'noted', source: 'user' }), 5_002),
  ]
  const rebuilt = await rebuildFrom(() => batchesOf(history, [7]))
  expect(rebuilt.events({ limit: 100 }).map(event => event.seq)).toEqual(
    history.map(event => event.seq).reverse(),
  )
  rebuilt.close()
})

test('more runs under way at once than are kept in memory while it is built', async () => {
  const runs = Array.from({ length: 6_000 }, (_, n) => ({
    run_id: `r${n}`,
    dag_name: 'd',
    tenant_id: 't',
    task_id: 'a',
  }))
  const history = asEvents([
    { event: 'segment_opened', segment: 1 },
    ...runs.map(run => ({ event: 'run_requested', ...run, cause: 'manual' })),
    ...runs.map(run => ({ event: 'task_start', ...run, attempt: 1, workflow_ref: 'shell' })),
    ...runs.map(run => ({ event: 'task_ok', ...run, attempt: 1, duration_ms: 1, output: {} })),
    ...runs.map(run => ({
      event: 'run_finished',
      ...run,
      status: 'success',
      tasks_succeeded: 1,
      duration_ms: 1,
    })),
  ]).map(event => ({ tasks_failed: 0, tasks_skipped: 0, ...event }))
  const memory = createMemoryRunIndex()
  memory.apply('j1', history)
  const rebuilt = await rebuildFrom(() => batchesOf(history, [1_000]))
  expect(rebuilt.dump()).toBe(memory.dump())
  rebuilt.close()
})

test('events are found by what they are about in any block of lines, as in the memory index', async () => {
  const history = writeHistory(400)
  expect(history.length).toBeGreaterThan(4 * BLOCK_LINES)
  const memory = createMemoryRunIndex()
  memory.apply('j1', history)
  const rebuilt = await rebuildFrom(() => batchesOf(history, [900]))
  const kept = await openEmpty()
  for (let from = 0; from < history.length; from += 300) kept.apply('j1', history.slice(from, from + 300))
  const edges = [0, BLOCK_LINES - 1, BLOCK_LINES, BLOCK_LINES + 1, history.length - 1, history.length]
  const [first, last] = [memory.runs({ limit: 1e6 }).at(-1)!.run_id, memory.runs({ limit: 1 })[0]!.run_id]
  const queries: EventQuery[] = [
    { limit: 1e6 },
    { limit: 3 },
    ...edges.map(afterSeq => ({ afterSeq, event: 'task_ok', limit: 1e6 })),
    ...[first, last, 'mine', 'none'].map(runId => ({ runId, limit: 1e6 })),
    { scheduleId: 'schedule_3', limit: 50 },
    { scheduleId: 'schedule_3', event: 'schedule_skipped', limit: 1e6 },
    { scheduleId: 'schedule_3', runId: first, event: 'run_finished', afterSeq: 1, limit: 1e6 },
    { event: 'scheduler_started', limit: 1 },
  ]
  for (const query of queries) {
    const expected = memory.events(query)
    expect(rebuilt.events(query), JSON.stringify(query)).toEqual(expected)
    expect(kept.events(query), JSON.stringify(query)).toEqual(expected)
  }
  rebuilt.close()
  kept.close()
})

test('built from the journal at once it is the same as kept up event by event', async () => {
  const history = writeHistory(300)
  const kept = await openEmpty()
  for (let from = 0; from < history.length; from += 7) kept.apply('j1', history.slice(from, from + 7))
  const file = join(root, `${randomUUID()}.db`)
  const { events } = await rebuildRunIndex({ file, journalId: 'j1', events: history })
  expect(events).toBe(history.length)
  const rebuilt = openRunIndex({ file, journalId: 'j1', verify: true }).index!
  expect(rebuilt.dump()).toBe(kept.dump())
  expect(rebuilt.runs({ limit: 1e6 }).length).toBeGreaterThan(200)
  kept.close()
  rebuilt.close()
})
