import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClientSource } from '../../core/client/client.ts'
import { createPostgresReader } from '../database/postgres.ts'
import { createSqliteReader } from '../database/sqlite.ts'
import { createClientFinder } from './finder.ts'

const root = mkdtempSync(join(tmpdir(), 'dagbok-clients-'))
const environment: Record<string, string> = { PATH: process.env['PATH']!, SECRET: 'hush' }
let database: PGlite
let server: PGLiteSocketServer
beforeAll(async () => {
  for (const folder of ['globex', 'acme', '.hidden'])
    mkdirSync(join(root, 'clients', folder), { recursive: true })
  mkdirSync(join(root, 'elsewhere'))
  writeFileSync(join(root, 'clients', 'notes.txt'), '')
  symlinkSync(join(root, 'elsewhere'), join(root, 'clients', 'linked'))
  symlinkSync(join(root, 'clients', 'notes.txt'), join(root, 'clients', 'linked-file'))
  symlinkSync(join(root, 'nowhere'), join(root, 'clients', 'dangling'))
  const db = new Database(join(root, 'shop.sqlite'))
  db.exec(`create table clients (name, active int);
    insert into clients values ('globex', 1), ('acme', 1), ('gone', 0), ('acme', 1), (42, 1)`)
  db.close()
  database = await PGlite.create()
  await database.exec('create schema acme; create schema "Globex"; create schema public2')
  server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1' })
  await server.start()
  environment['SHOP_URL'] = `postgres://postgres@${server.getServerConn()}/postgres?sslmode=disable`
})
afterAll(async () => {
  await server.stop()
  await database.close()
  rmSync(root, { recursive: true, force: true })
})

const find = (source: ClientSource, signal = new AbortController().signal, timeoutMs = 10_000) =>
  createClientFinder({
    root,
    readSqlite: createSqliteReader({ root }),
    readPostgres: createPostgresReader({ environment }),
    environment,
    timeoutMs,
  }).find(source, { tenantId: 'tenant-1' }, signal)

describe('clients are', () => {
  test('folders, also linked ones; no files, nothing hidden', async () => {
    expect(await find({ kind: 'directory', path: 'clients' })).toEqual(['acme', 'globex', 'linked'])
  })

  test('the first column of a query, each once', async () => {
    const query = 'select name, active from clients where active = 1'
    expect(await find({ kind: 'sqlite', database: 'shop.sqlite', query })).toEqual(['42', 'acme', 'globex'])
  })

  test('schemas of a database, without its own', async () => {
    expect(await find({ kind: 'postgres', database: 'SHOP_URL' })).toEqual([
      'Globex',
      'acme',
      'public',
      'public2',
    ])
  })

  test('the lines of a command', async () => {
    const text = 'printf "globex\\r\\n\\n  acme \\n$DAGBOK_TENANT\\n$SECRET\\n"; pwd >&2; exit 0'
    expect(await find({ kind: 'command', command: text })).toEqual(['acme', 'globex', 'tenant-1'])
    expect(await find({ kind: 'command', command: ['echo', 'a b; c'] })).toEqual(['a b; c'])
    expect(await find({ kind: 'command', command: 'ls clients | wc -l | tr -d " "' })).toEqual(['6'])
  })
})

describe('nobody can say', () => {
  const cases: [ClientSource, string][] = [
    [{ kind: 'directory', path: 'nowhere' }, 'the clients in nowhere cannot be listed: it is not there'],
    [{ kind: 'directory', path: 'clients/notes.txt' }, 'it is no folder'],
    [{ kind: 'sqlite', database: 'no.sqlite', query: 'select 1' }, 'no.sqlite cannot be opened'],
    [{ kind: 'sqlite', database: 'shop.sqlite', query: 'select null' }, 'gives null in its first column'],
    [{ kind: 'sqlite', database: 'shop.sqlite', query: 'delete from clients' }, 'one statement that reads'],
    [{ kind: 'postgres', database: 'NO_URL' }, 'the environment variable NO_URL is not set'],
    [
      { kind: 'command', command: 'echo acme; echo one >&2; echo two >&2; exit 3' },
      'ended with exit code 3: two',
    ],
    [{ kind: 'command', command: ['./nothing'] }, 'ended with exit code 127: '],
    [{ kind: 'command', command: 'kill -9 $$' }, 'ended '],
    [{ kind: 'command', command: 'yes acme' }, 'writes more than 2 MiB'],
  ]
  test.each(cases)('%j', async (source, message) => {
    await expect(find(source)).rejects.toThrow(message)
  })

  test('a command that hangs, one that is called off, and what they started ends', async () => {
    const hang: ClientSource = { kind: 'command', command: '(sleep 30 & sleep 30)' }
    const begin = Date.now()
    await expect(find(hang, undefined, 200)).rejects.toThrow('did not end within 0.2s')
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('called off')), 200)
    await expect(find(hang, stop.signal)).rejects.toThrow('called off')
    expect(Date.now() - begin).toBeLessThan(5_000)
    await expect(find(hang, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  test('a command that leaves something behind is not waited for', async () => {
    const begin = Date.now()
    expect(await find({ kind: 'command', command: 'sleep 30 & echo acme' })).toEqual(['acme'])
    expect(await find({ kind: 'command', command: 'setsid sleep 8 & echo acme' })).toEqual(['acme'])
    expect(Date.now() - begin).toBeLessThan(5_000)
  })
})
