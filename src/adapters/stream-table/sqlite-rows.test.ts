import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StreamPosition, TableStream } from '../../core/stream/stream.ts'
import { createPostgresReader } from '../database/postgres.ts'
import { createSqliteReader } from '../database/sqlite.ts'
import { createTableStreamReader } from './reader.ts'

const root = mkdtempSync(join(tmpdir(), 'dagbok-rows-'))
let db: Database.Database
beforeAll(() => {
  db = new Database(join(root, 'shop.sqlite'))
  db.pragma('journal_mode = WAL')
  writeFileSync(join(root, 'text'), 'this is a text, and not a short one either'.repeat(50))
})
afterAll(() => {
  db.close()
  rmSync(root, { recursive: true, force: true })
})

const reader = createTableStreamReader({
  readSqlite: createSqliteReader({ root }),
  readPostgres: createPostgresReader({ environment: {} }),
})
const signal = new AbortController().signal
const stream = (source: Partial<TableStream>, maxRecords = 1_000) => ({
  name: 'orders',
  source: { kind: 'sqlite' as const, database: 'shop.sqlite', table: 'orders', key: 'id', ...source },
  maxRecords,
})
const read = (source: Partial<TableStream>, from?: StreamPosition, maxRecords?: number) =>
  reader.read(stream(source, maxRecords), from, signal)

describe('rows behind a key', () => {
  test('each once, whatever is inserted between two runs', async () => {
    db.exec(`create table orders (id integer primary key autoincrement, item text);
      insert into orders (item) values ('a'), ('b'), ('c')`)
    const first = await read({}, undefined, 2)
    expect(first).toEqual({
      records: [
        { id: 1, item: 'a' },
        { id: 2, item: 'b' },
      ],
      dead: [],
      to: { key: '2', type: 'integer' },
      more: true,
    })
    db.exec(`insert into orders (item) values ('d')`)
    const second = await read({}, first.to)
    expect([second.records.map(({ item }) => item), second.more]).toEqual([['c', 'd'], false])
    expect(await read({}, first.to)).toEqual(second)
    expect(await reader.hasMore(stream({}), second.to, signal)).toBe(false)
    expect(await reader.hasMore(stream({}), first.to, signal)).toBe(true)
    expect(await read({}, second.to)).toEqual({ records: [], dead: [], to: second.to, more: false })
  })

  test('keys beyond what a number holds', async () => {
    db.exec(`create table large (id integer, at text);
      insert into large values (9007199254740993, 'a'), (9007199254740994, 'b'), (9223372036854775807, 'c')`)
    const first = await read({ table: 'large' }, undefined, 1)
    expect(first).toMatchObject({
      records: [{ id: '9007199254740993', at: 'a' }],
      to: { key: '9007199254740993' },
    })
    expect((await read({ table: 'main.large' }, first.to)).records.map(({ at }) => at)).toEqual(['b', 'c'])
  })

  test('texts, times and fractions', async () => {
    db.exec(`create table told (at text, score real);
      insert into told values ('2026-01-05T06:00:00Z', 0.1), ('2026-01-05T06:00:01Z', 0.30000000000000004), (null, null)`)
    for (const key of ['at', 'score']) {
      const first = await read({ table: 'told', key }, undefined, 1)
      const second = await read({ table: 'told', key }, first.to)
      expect([first.records.length, second.records.length, second.more]).toEqual([1, 1, false])
      expect(second.records[0]).not.toEqual(first.records[0])
      expect((await read({ table: 'told', key }, second.to)).records).toEqual([])
    }
  })

  test('values in JSON, and names that have to be quoted', async () => {
    db.exec(`create table "order ""x""" ("the key" integer, "select" blob, n null, r real);
      insert into "order ""x""" values (1, x'00ff', null, 9e999)`)
    const { records } = await read({ table: 'order "x"', key: 'the key' })
    expect(records).toEqual([{ 'the key': 1, select: 'AP8=', n: null, r: 'Infinity' }])
  })

  test('rows of one key stay together', async () => {
    db.exec(`create table ties (k integer, v text); insert into ties values (1,'a'),(2,'b'),(2,'c'),(3,'d')`)
    const first = await read({ table: 'ties', key: 'k' }, undefined, 2)
    expect([first.records.map(({ v }) => v), first.more]).toEqual([['a'], true])
    const second = await read({ table: 'ties', key: 'k' }, first.to, 2)
    expect(second.records.map(({ v }) => v).sort()).toEqual(['b', 'c'])
    await expect(read({ table: 'ties', key: 'k' }, first.to, 1)).rejects.toThrow(
      'ties has more rows with the key 2 than fit one batch',
    )
    expect(await reader.hasMore(stream({ table: 'ties', key: 'k' }), first.to, signal)).toBe(true)
  })

  test('a batch fits an output, and a row that does not fit is dead', async () => {
    db.exec(`create table wide (id integer primary key, text text)`)
    const insert = db.prepare('insert into wide (text) values (?)')
    for (let row = 0; row < 10; row++) insert.run('x'.repeat(row === 4 ? 600_000 : 200_000))
    const ids: unknown[] = []
    const places: string[] = []
    let from: StreamPosition | undefined
    for (let more = true; more; ) {
      const batch = await read({ table: 'wide' }, from)
      expect(JSON.stringify(batch.records).length).toBeLessThan(900 * 1024)
      ids.push(...batch.records.map(({ id }) => id))
      places.push(...batch.dead.map(({ place }) => place))
      from = batch.to
      more = batch.more
    }
    expect([ids, places]).toEqual([[1, 2, 3, 4, 6, 7, 8, 9, 10], ['wide:5']])
  })

  test('keys that begin anew are said, once', async () => {
    db.exec(`create table anew (id integer primary key, v text); insert into anew values (7, 'a')`)
    const first = await read({ table: 'anew' })
    db.exec(`delete from anew`)
    expect((await read({ table: 'anew' }, first.to)).dead).toEqual([])
    db.exec(`insert into anew values (1, 'b')`)
    expect(await reader.hasMore(stream({ table: 'anew' }), first.to, signal)).toBe(true)
    const second = await read({ table: 'anew' }, first.to)
    expect(second.dead).toMatchObject([
      { place: 'anew:7', error: expect.stringContaining('the highest key of anew is 1, and rows up to 7') },
    ])
    expect((await read({ table: 'anew' }, second.to)).dead).toEqual([])
    db.exec(`insert into anew values (8, 'c')`)
    const third = await read({ table: 'anew' }, second.to)
    expect(third).toMatchObject({ records: [{ id: 8 }], to: { key: '8', type: 'integer' } })
  })
})

describe('what cannot be read', () => {
  test.each([
    [{ key: 'nothing' }, 'no such column: r.nothing'],
    [{ table: 'nowhere' }, 'no such table: nowhere'],
    [{ table: 'orders; drop table orders' }, 'no such table'],
    [{ database: 'nowhere.sqlite' }, 'the database nowhere.sqlite cannot be opened'],
    [{ database: 'text' }, 'not a database'],
    [{ table: 'blobs' }, 'blobs.id holds a blob: expected whole numbers, numbers or texts'],
  ])('%j', async (source, message) => {
    db.exec(`create table if not exists blobs (id); delete from blobs; insert into blobs values (x'00')`)
    await expect(read(source)).rejects.toThrow(message)
    expect(existsSync(join(root, 'nowhere.sqlite'))).toBe(false)
  })

  test('a position of another kind', async () => {
    await expect(read({}, { offset: 7, line: 1, file: {} })).rejects.toThrow(
      'the position is not one of a table',
    )
  })

  test('a query without an end: its time is limited, and it can be called off', async () => {
    db.exec(
      `create view endless as with recursive n(id) as (select 1 union all select id + 1 from n) select id from n`,
    )
    const readSqlite = createSqliteReader({ root, timeoutMs: 700 })
    const query = { text: 'select max(id) from endless', parameters: [] }
    const reading = { database: 'shop.sqlite', queries: [query], rowsMax: 1, bytesMax: 1 }
    await expect(readSqlite(reading, signal)).rejects.toThrow('shop.sqlite did not answer within 0.7s')
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('called off')), 200)
    await expect(createSqliteReader({ root })(reading, stop.signal)).rejects.toThrow('called off')
  })

  test('nothing is written, whatever is asked', async () => {
    const text = "insert into orders (item) values ('x') returning 1"
    const reading = { database: 'shop.sqlite', queries: [{ text, parameters: [] }], rowsMax: 1, bytesMax: 1 }
    await expect(createSqliteReader({ root })(reading, signal)).rejects.toThrow('one statement that reads')
  })
})
