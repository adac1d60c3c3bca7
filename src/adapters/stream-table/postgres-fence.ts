// Up to which key a table of PostgreSQL can be read without passing a row over.
//
// Writers are concurrent: who took a smaller key may commit later. (Ids of transactions do not help: an older one may take a
// larger key than a younger one that still runs.) But whoever writes holds a lock on the table from before it takes its
// first key until it ends. So:
//
//   1. Seen is a key; after that, who holds such a lock. Whoever may still show a smaller key is among them.
//   2. When the last of them has ended, all rows up to that key are there. Transactions that do not write to the table
//      hold up nobody.
//   3. Who writes for long is waited for a moment only. The key and the writers are kept, so that later ones, of whom
//      there may always be some, cannot put it off for ever.

import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresSession } from '../../ports/database.ts'

const LOOK_EVERY_MS = 50

/** Locks under which rows can be inserted. */
const WRITING = `('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`

const WRITERS = `
  with recursive tree(id) as (
    select $1::regclass::oid
    union select inhrelid from pg_inherits join tree on inhparent = id)
  select distinct virtualtransaction from pg_locks
  where locktype = 'relation' and granted and mode in ${WRITING} and pid is distinct from pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
    and relation in (select id from tree)`

interface Fence {
  /** Where reading begins; behind it this says nothing. */
  readonly from: string | undefined
  readonly key: string
  /** Of those who wrote when the key was seen. */
  readonly writers: readonly string[]
}

export class FenceKeeper {
  readonly #kept = new Map<string, Fence>()

  /**
   * The key up to which all rows are there; undefined if none is yet.
   * @param stream names it here
   * @param table quoted
   * @param key seen just now
   */
  async settle(
    session: PostgresSession,
    { stream, table, from, key }: { stream: string; table: string; from: string | undefined; key: string },
    waitMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const fresh: Fence = { from, key, writers: await listWriters(session, table) }
    let writers = fresh.writers
    for (let waited = 0; !isOver(fresh, writers) && waited < waitMs; waited += LOOK_EVERY_MS) {
      await sleep(LOOK_EVERY_MS, undefined, { signal })
      writers = await listWriters(session, table)
    }
    const kept = this.#kept.get(stream)
    if (isOver(fresh, writers)) {
      this.#kept.delete(stream)
      return key
    }
    if (kept === undefined || kept.from !== from || isOver(kept, writers)) this.#kept.set(stream, fresh)
    return kept?.from === from && isOver(kept, writers) ? kept.key : undefined
  }
}

async function listWriters(session: PostgresSession, table: string): Promise<string[]> {
  const { rows } = await session.query(WRITERS, [table])
  return rows.map(([id]) => id!)
}

function isOver(fence: Fence | undefined, writers: readonly string[]): fence is Fence {
  return fence !== undefined && !fence.writers.some(id => writers.includes(id))
}
