// The run index as a follower of the daemon: kept up to date, and mended while the daemon goes on.
//
// Boundary: lagging and trying again are the runner's (daemon/follower.ts, whose `Follower` this is).
//
//   L1. `index` can be kept and asked for as long as the daemon runs, whatever happens to the file: deleted, replaced
//       or damaged it is built again behind it. Meanwhile a question is an INDEX_UNAVAILABLE error.
//   L2. Damage that a question meets is mended at once, not at the next event.
//   L3. On a full disk it is not closed: questions go on, and opening it again would need room.

import { setTimeout as sleep } from 'node:timers/promises'
import { DagbokError } from '../../core/error.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { IndexRebuildNeededError, type RebuildReason, type RunIndex } from '../../ports/run-index.ts'
import { catchUp, ensureRunIndex, type ReadEvents } from './catch-up.ts'
import type { SqliteRunIndex } from './run-index.ts'

export interface IndexFollowerOptions {
  readonly file: string
  readonly journalId: string
  readonly readEvents: ReadEvents
  /** How long a write may hold up the event loop while another process writes, ms. Default 250. */
  readonly busyTimeoutMs?: number
  /** Told before the index is built again. */
  readonly onRebuild?: (reason: RebuildReason, detail: string) => void
}

export interface IndexFollower {
  readonly name: string
  /** Questions only: what is in it comes through `apply`. */
  readonly index: Omit<RunIndex, 'apply' | 'close'>
  /**
   * `index`, as soon as it holds everything up to `seq`.
   * @throws DagbokError INDEX_UNAVAILABLE if it does not within a minute, or is closed
   */
  upTo(seq: number): Promise<IndexFollower['index']>
  /** Opens, mends or builds it, up to the end of the journal, and says the last event's `seq`. */
  open(): Promise<number>
  /** @throws IndexRebuildNeededError, DagbokError INDEX_UNAVAILABLE: call `open`, then go on after what it says */
  apply(events: readonly Event[]): void
  close(): Promise<void>
}

/** How long `upTo` waits, and how often it looks. */
const CATCH_UP_WAIT_MS = 60_000
const CATCH_UP_LOOK_MS = 10

/** A follower that is not open yet. */
export function createIndexFollower(options: IndexFollowerOptions): IndexFollower {
  const { file, journalId, busyTimeoutMs = 250 } = options
  let current: SqliteRunIndex | undefined
  let opening: Promise<number> | undefined
  let distrust: string | undefined
  /** The last write found the disk full, and nothing else was wrong. */
  let isFull = false
  let isClosed = false

  async function mend(): Promise<number> {
    if (isFull && current?.isCurrentFile() === true) {
      try {
        await catchUp(current, journalId, options.readEvents)
      } catch (error) {
        judge(error, current)
        throw error
      }
      isFull = false
      return current.checkpoint()?.seq ?? 0
    }
    isFull = false
    current?.close()
    current = undefined
    const { index } = await ensureRunIndex({ ...options, busyTimeoutMs, distrust })
    if (isClosed) index.close()
    else current = index
    distrust = undefined
    return isClosed ? 0 : (index.checkpoint()?.seq ?? 0)
  }

  function open(): Promise<number> {
    opening ??= mend().finally(() => {
      opening = undefined
    })
    return opening
  }

  function use<T>(action: (index: SqliteRunIndex) => T): T {
    if (current === undefined) {
      throw new DagbokError('INDEX_UNAVAILABLE', `the run index ${file} is being built`, {
        hint: 'ask again in a moment: 1,000,000 events take some seconds',
      })
    }
    const index = current
    try {
      return action(index)
    } catch (error) {
      judge(error, index)
      throw error
    }
  }

  /** What the next opening has to know. */
  function judge(error: unknown, { identity }: SqliteRunIndex): void {
    if (error instanceof IndexRebuildNeededError && error.reason === 'damaged') distrust = identity
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown }
    isFull = code === 'SQLITE_FULL'
  }

  function ask<T>(question: (index: SqliteRunIndex) => T): T {
    try {
      return use(question)
    } catch (error) {
      // The runner does not know of questions. A failure to mend it is told at the next event.
      if (error instanceof IndexRebuildNeededError) open().catch(() => {})
      throw error
    }
  }

  const index: IndexFollower['index'] = {
    checkpoint: () => ask(index => index.checkpoint()),
    runs: query => ask(index => index.runs(query)),
    run: runId => ask(index => index.run(runId)),
    tasks: runId => ask(index => index.tasks(runId)),
    slots: (scheduleId, query) => ask(index => index.slots(scheduleId, query)),
    events: query => ask(index => index.events(query)),
  }

  async function upTo(seq: number): Promise<IndexFollower['index']> {
    const endMs = performance.now() + CATCH_UP_WAIT_MS
    for (;;) {
      if (current !== undefined && (use(each => each.checkpoint())?.seq ?? 0) >= seq) return index
      if (isClosed || performance.now() > endMs)
        throw new DagbokError(
          'INDEX_UNAVAILABLE',
          `the run index ${file} has not caught up with event ${seq}`,
          {
            hint: 'it is being built, or its disk is slow; ask again in a moment',
          },
        )
      await sleep(CATCH_UP_LOOK_MS, undefined, { ref: false })
    }
  }

  return {
    name: 'run index',
    index,
    upTo,
    open,
    apply: events => {
      use(index => {
        if (!index.isCurrentFile())
          throw new IndexRebuildNeededError('missing', `${file} was deleted or replaced`)
        index.apply(journalId, events)
      })
    },
    close: async () => {
      isClosed = true
      await opening?.catch(() => {})
      current?.close()
      current = undefined
    },
  }
}
