// The SQLite index: the contract, the same rows as the memory adapter, and what only a file can suffer.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeRunIndex } from '../../../test/contract/run-index.contract.ts'
import { arbitraryHistory, writeHistory } from '../../../test/contract/run-index-history.ts'
import { createMemoryRunIndex } from '../memory/run-index.ts'
import { rebuildRunIndex } from './rebuild.ts'
import { openRunIndex, type SqliteRunIndex } from './run-index.ts'

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
