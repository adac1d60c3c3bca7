import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProbe, type ProbeBench } from '../../../test/support/probes.ts'

let bench: ProbeBench
beforeAll(() => {
  bench = openProbe()
  const db = new Database(join(bench.root, 'billing.sqlite'))
  db.exec(`create table billing (tenant text, suspended int, note text);
    insert into billing values ('acme', 0, 'a'), ('other', 1, 'b')`)
  db.close()
  writeFileSync(join(bench.root, 'no-database'), 'this is a text, and not a short one either'.repeat(50))
})
afterAll(() => bench.close())

const ask = (query: string, more: { database?: string; timeoutMs?: number } = {}, signal?: AbortSignal) =>
  bench.ask({ kind: 'sql', database: 'billing.sqlite', query, timeoutMs: 10_000, ...more }, signal)

describe('a query', () => {
  test.each([
    ['select count(*) from billing where tenant = :tenant and suspended = 0', true, { value: 1 }],
    ['select 0, 1', false, { value: 0 }],
    ['select null', false, { value: null }],
    ["select ''", false, { value: '' }],
    ["select 'x'", true, { value: 'x' }],
    ['select 0.5', true, { value: 0.5 }],
    ["select x'00ff'", true, { value: { bytes: 2 } }],
    ['select 9223372036854775807', true, { value: '9223372036854775807' }],
    ['select 1 where 1 = 0', false, { rows: 0 }],
    [
      "select :slot || ' ' || :date || ' ' || :schedule || ' ' || :dag",
      true,
      { value: '2026-01-04T23:30Z 2026-01-05 nightly load' },
    ],
  ])('%s: %s', async (query, holds, saw) => {
    expect(await ask(query)).toEqual({ holds, saw })
  })

  test('a value that is large is cut', async () => {
    const answer = await ask("select replace(hex(zeroblob(5000000)), '00', 'ab')")
    expect(JSON.stringify(answer).length).toBeLessThan(700)
  })
})

describe('nobody knows', () => {
  test.each([
    ['select * from nowhere', 'no such table: nowhere'],
    ['selec 1', 'syntax error'],
    ['select 1; select 2', 'more than one statement'],
    ["insert into billing values ('x', 0, '') returning 1", 'one statement that reads'],
    ['delete from billing', 'one statement that reads'],
    ["vacuum into 'copy.sqlite'", 'one statement that reads'],
    ['select :nothing', 'nothing'],
  ])('%s', async (query, error) => {
    expect(await ask(query)).toEqual({ error: expect.stringContaining(error) })
  })

  test('no database', async () => {
    expect(await ask('select 1', { database: 'nowhere.sqlite' })).toEqual({
      error: expect.stringContaining('the database nowhere.sqlite cannot be opened'),
    })
    expect(existsSync(join(bench.root, 'nowhere.sqlite'))).toBe(false)
    expect(await ask('select * from a', { database: 'no-database' })).toEqual({
      error: expect.stringContaining('not a database'),
    })
  })

  test('a query without an end', async () => {
    const endless = 'with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n'
    const begin = Date.now()
    expect(await ask(endless, { timeoutMs: 800 })).toEqual({ error: 'no answer within 800ms' })
    expect(Date.now() - begin).toBeLessThan(2_000)
    await bench.idle()
    const stop = new AbortController()
    const answer = ask(endless, {}, stop.signal)
    setTimeout(() => stop.abort(), 200)
    expect(await answer).toEqual({ error: 'the scheduler stops' })
    await bench.idle()
  })
})
