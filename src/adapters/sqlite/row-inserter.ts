// Inserts many rows with few statements: one for sixteen rows takes a quarter less time than one for each.
//
// That holds for statements that cannot abort half-way (OR FAIL, OR IGNORE): for the others SQLite notes down how to
// undo them, which costs more than is gained.
//
// Boundary: rows wait here until `flush`; what is asked of the table before sees the table without them.

import type Database from 'better-sqlite3'
import type { Connection } from './schema.ts'

export type SqlValue = string | number | null

/** More rows gain nothing. Must be a power of two. */
const ROWS_AT_ONCE = 16

export interface RowInserter {
  /** The next value, column by column, row by row; the last one of a row may run the statement. */
  add(value: SqlValue): void
  /** Inserts what is waiting. */
  flush(): void
  /** Forgets what is waiting: the transaction was undone. */
  clear(): void
}

/**
 * @param into  such as `INSERT OR FAIL INTO tasks (a, b)`; without VALUES
 * @param row   values or expressions for one row, `?` for each value that `add` brings
 * @param again  where `into` ignores rows: what all rows of that statement go through then, one by one, in order
 */
export function createRowInserter(db: Connection, into: string, row: string, again?: string): RowInserter {
  const width = row.split('?').length - 1
  /** For 1, 2, 4 … rows; prepared when first needed: who only asks needs none. */
  const inserts: Database.Statement<SqlValue[]>[] = []
  let insertAgain: Database.Statement<SqlValue[]> | undefined
  const insert = (rows: number) => {
    inserts[rows] ??= db.prepare<SqlValue[]>(`${into} VALUES ${Array(rows).fill(`(${row})`).join(', ')}`)
    return inserts[rows]
  }
  // Values are handed over as arguments: taking each out of an array would make it a fifth slower.
  const run = (rows: number, values: readonly SqlValue[]) => {
    const { changes } = insert(rows).run(...values)
    if (again === undefined || changes === rows) return
    insertAgain ??= db.prepare<SqlValue[]>(`${again} VALUES (${row})`)
    for (let from = 0; from < values.length; from += width) {
      insertAgain.run(...values.slice(from, from + width))
    }
  }
  const full = width * ROWS_AT_ONCE
  /** Always the same memory: an array that is emptied and filled again would be given new memory each time. */
  const values: SqlValue[] = Array(full).fill(null)
  let count = 0
  return {
    add: value => {
      values[count++] = value
      if (count < full) return
      count = 0
      run(ROWS_AT_ONCE, values)
    },
    flush: () => {
      let left = count / width
      count = 0
      for (let from = 0, rows = ROWS_AT_ONCE / 2; left > 0; rows /= 2) {
        if (left < rows) continue
        run(rows, values.slice(from, from + rows * width))
        from += rows * width
        left -= rows
      }
    },
    clear: () => {
      count = 0
    },
  }
}

/** `?, ?, ?` */
export function placeholders(count: number): string {
  return Array(count).fill('?').join(', ')
}
