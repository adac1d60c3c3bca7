// Rows go in by the many, and are the ones that were added, in their order.

import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { createRowInserter } from './row-inserter.ts'

function openTable() {
  const db = new Database(':memory:')
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT)')
  return { db, all: () => db.prepare('SELECT * FROM t ORDER BY a').raw().all() }
}

test('any number of rows, after one flush or several', () => {
  for (const count of [0, 1, 2, 3, 15, 16, 17, 31, 100]) {
    const { db, all } = openTable()
    const inserter = createRowInserter(db, 'INSERT OR FAIL INTO t', `?, 'fixed', ?`)
    const rows = Array.from({ length: count }, (_, i) => [i, 'fixed', i % 3 ? `${i}` : null])
    for (const [i, , text] of rows) {
      inserter.add(i as number)
      inserter.add(text as string | null)
      if (i === 20) inserter.flush()
    }
    inserter.flush()
    inserter.flush()
    expect(all()).toEqual(rows)
    db.close()
  }
})

test('rows wait until there are many or it is flushed; what is cleared never comes', () => {
  const { db, all } = openTable()
  const inserter = createRowInserter(db, 'INSERT OR FAIL INTO t', '?, ?, ?')
  const add = (a: number) => {
    for (const value of [a, 'b', null]) inserter.add(value)
  }
  add(1)
  expect(all()).toEqual([])
  inserter.clear()
  add(2)
  inserter.flush()
  expect(all()).toEqual([[2, 'b', null]])
  add(2)
  expect(() => inserter.flush()).toThrow(/UNIQUE/)
  db.close()
})

test('where a row is ignored all of its statement go in again, the last one of a key stays', () => {
  const { db, all } = openTable()
  const inserter = createRowInserter(db, 'INSERT OR IGNORE INTO t', '?, ?, ?', 'INSERT OR REPLACE INTO t')
  for (const [a, b] of [
    [1, 'first'],
    [2, 'two'],
    [1, 'second'],
    [1, 'third'],
    [3, 'three'],
  ] as const) {
    for (const value of [a, b, null]) inserter.add(value)
  }
  inserter.flush()
  for (const value of [2, 'later', 'x']) inserter.add(value)
  inserter.flush()
  expect(all()).toEqual([
    [1, 'third', null],
    [2, 'later', 'x'],
    [3, 'three', null],
  ])
  db.close()
})
