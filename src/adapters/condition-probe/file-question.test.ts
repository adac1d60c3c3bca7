import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openProbe, type ProbeBench } from '../../../test/support/probes.ts'

const NOW = Date.parse('2026-01-05T06:00:00Z')
const HOUR = 3_600_000

let bench: ProbeBench
beforeAll(() => {
  bench = openProbe({ now: () => NOW })
  writeFileSync(join(bench.root, 'orders-2026-01-05.csv'), 'abc')
  utimesSync(join(bench.root, 'orders-2026-01-05.csv'), (NOW - HOUR) / 1000, (NOW - HOUR) / 1000)
  mkdirSync(join(bench.root, 'folder'))
})
afterAll(() => bench.close())

const saw = { path: 'orders-2026-01-05.csv', bytes: 3, modified_at: '2026-01-05T05:00:00.000Z' }

test.each([
  [{}, true],
  [{ minBytes: 3, maxAgeMs: HOUR }, true],
  [{ minBytes: 4 }, false],
  [{ maxAgeMs: HOUR - 1 }, false],
])('a file, if %o: %s', async (limits, holds) => {
  const question = { kind: 'file', path: 'orders-{{ds}}.csv', timeoutMs: 5_000, ...limits } as const
  expect(await bench.ask(question)).toEqual({ holds, saw })
})

test.each(['nowhere', 'orders-2026-01-05.csv/below'])('%s is missing', async path => {
  expect(await bench.ask({ kind: 'file', path, timeoutMs: 5_000 })).toEqual({
    holds: false,
    saw: { path, missing: true },
  })
})

test('a folder is there', async () => {
  expect(await bench.ask({ kind: 'file', path: 'folder', timeoutMs: 5_000 })).toMatchObject({ holds: true })
})

test('a path that no system can look at is an error, not a no', async () => {
  const answer = await bench.ask({ kind: 'file', path: 'x'.repeat(300), timeoutMs: 5_000 })
  expect(answer).toEqual({ error: expect.stringContaining('ENAMETOOLONG') })
})
