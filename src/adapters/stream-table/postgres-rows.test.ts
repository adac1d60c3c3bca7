import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StreamPosition, TableStream } from '../../core/stream/stream.ts'
import { createPostgresReader } from '../database/postgres.ts'
import { createTableStreamReader } from './reader.ts'

let database: PGlite
let server: PGLiteSocketServer
let environment: Record<string, string>
beforeAll(async () => {
  database = await PGlite.create()
  server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1' })
  await server.start()
  environment = { SHOP_URL: `postgres://postgres:hush%21@${server.getServerConn()}/postgres?sslmode=disable` }
})
afterAll(async () => {
  await server.stop()
  await database.close()
})

const signal = new AbortController().signal
const reader = () =>
  createTableStreamReader({
    readSqlite: () => Promise.reject(new Error('not asked')),
    readPostgres: createPostgresReader({ environment }),
  })
const stream = (source: Partial<TableStream>, maxRecords = 1_000) => ({
  name: 'orders',
  source: { kind: 'postgres' as const, database: 'SHOP_URL', table: 'orders', key: 'id', ...source },
  maxRecords,
})
const read = (source: Partial<TableStream>, from?: StreamPosition, maxRecords?: number) =>
  reader().read(stream(source, maxRecords), from, signal)

describe('rows behind a key', () => {
  test('each once, whatever is inserted between two runs', async () => {
    await database.exec(`create table orders (id bigint generated always as identity primary key, item text);
      insert into orders (item) values ('a'), ('b'), ('c')`)
    const first = await read({}, undefined, 2)
    expect(first).toEqual({
      records: [
        { id: 1, item: 'a' },
        { id: 2, item: 'b' },
      ],
      dead: [],
      to: { key: '2' },
      more: true,
    })
    await database.exec(`insert into orders (item) values ('d')`)
    const second = await read({}, first.to)
    expect([second.records.map(({ item }) => item), second.more]).toEqual([['c', 'd'], false])
    expect(await reader().hasMore(stream({}), second.to, signal)).toBe(false)
    expect(await reader().hasMore(stream({}), first.to, signal)).toBe(true)
    expect(await read({}, second.to)).toEqual({ records: [], dead: [], to: second.to, more: false })
  })

  test('thousands of rows, in batches', async () => {
    await database.exec(
      `create table many as select n as id, repeat('x', n % 50) as text from generate_series(1, 5000) as n`,
    )
    const ids: unknown[] = []
    let from: StreamPosition | undefined
    for (let more = true; more; ) {
      const batch = await read({ table: 'public.many' }, from, 1_700)
      ids.push(...batch.records.map(({ id }) => id))
      from = batch.to
      more = batch.more
    }
    expect(ids).toEqual(Array.from({ length: 5_000 }, (_, n) => n + 1))
  })

  test('times to the microsecond, texts and keys beyond what a number holds', async () => {
    await database.exec(`create schema "odd name"; create table "odd name"."the ""t""" ("a key" timestamptz, name text, large bigint);
      insert into "odd name"."the ""t""" values
        ('2026-01-05 06:00:00.000001+00', 'ä', 9007199254740993), ('2026-01-05 06:00:00.000002+00', 'ö', 9007199254740994)`)
    for (const key of ['a key', 'name', 'large']) {
      const source = { table: 'odd name.the "t"', key }
      const first = await read(source, undefined, 1)
      expect(first.records).toEqual([
        { 'a key': '2026-01-05T06:00:00.000001Z', name: 'ä', large: '9007199254740993' },
      ])
      const second = await read(source, first.to)
      expect([second.records.map(({ name }) => name), second.more]).toEqual([['ö'], false])
      expect((await read(source, second.to)).records).toEqual([])
    }
  })

  test('values in JSON', async () => {
    await database.exec(`create table kinds (id int, yes boolean, bytes bytea, exact numeric, precise numeric, part float8,
        nothing text, data jsonb, day date, local timestamp, never timestamptz, list int[]);
      insert into kinds values (1, true, '\\x00ff', 12.50, 0.12345678901234567890, 'NaN', null, '{"a": [1]}',
        '2026-01-05', '2026-01-05 06:00', 'infinity', '{1,2}')`)
    expect((await read({ table: 'kinds' })).records).toEqual([
      {
        id: 1,
        yes: true,
        bytes: 'AP8=',
        exact: 12.5,
        precise: '0.12345678901234567890',
        part: 'NaN',
        nothing: null,
        data: { a: [1] },
        day: '2026-01-05',
        local: '2026-01-05T06:00:00',
        never: 'infinity',
        list: '{1,2}',
      },
    ])
  })

  test('large rows fill no memory and no output', async () => {
    await database.exec(
      `create table wide as select n as id, repeat('x', 200000) as text from generate_series(1, 12) as n`,
    )
    const first = await read({ table: 'wide' })
    expect(first.records.map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(first.more).toBe(true)
  })

  test('rows of one key stay together', async () => {
    await database.exec(
      `create table ties (k int, v text); insert into ties values (1,'a'),(2,'b'),(2,'c'),(3,'d')`,
    )
    const first = await read({ table: 'ties', key: 'k' }, undefined, 2)
    expect([first.records.map(({ v }) => v), first.more]).toEqual([['a'], true])
    await expect(read({ table: 'ties', key: 'k' }, first.to, 1)).rejects.toThrow(
      'ties has more rows with the key 2',
    )
  })

  test('keys that begin anew are said, once', async () => {
    await database.exec(
      `create table anew (id serial primary key, v text); insert into anew (v) values ('a'), ('b')`,
    )
    const first = await read({ table: 'anew' })
    await database.exec(`truncate anew restart identity; insert into anew (v) values ('c')`)
    const second = await read({ table: 'anew' }, first.to)
    expect(second.dead).toMatchObject([{ error: expect.stringContaining('the highest key of anew is 1') }])
    expect((await read({ table: 'anew' }, second.to)).dead).toEqual([])
  })
})

describe('what cannot be read', () => {
  test.each([
    [{ key: 'nothing' }, 'the database of SHOP_URL cannot be read: column r.nothing does not exist'],
    [{ table: 'nowhere' }, 'relation "nowhere" does not exist'],
    [{ table: 'orders; drop table orders' }, 'does not exist'],
    [{ database: 'NO_URL' }, 'the environment variable NO_URL is not set: it holds the connection URL'],
  ])('%j', async (source, message) => {
    await expect(read(source)).rejects.toThrow(message)
  })

  test.each([
    'postgres://someone:hush%21@127.0.0.1:1/shop',
    'postgres://someone:hush%21@nowhere.invalid/shop',
    'postgres://someone:hush%21@:x/shop',
    'host=/nowhere password=hush!',
  ])('a server that is not there: %s, and no word of its password', async url => {
    environment['NOWHERE'] = url
    const error: unknown = await read({ database: 'NOWHERE' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).message).toContain('the database of NOWHERE cannot be read')
    expect((error as Error).message).not.toMatch(/hush/)
  })
})
