// Brings an index to the end of the journal, and makes or mends it first where that is needed.
//
// Boundary: the journal is a function that reads it; which one is compose's choice.
//
//   U1. Before anything is added, the line at the checkpoint is compared with the journal's: an index that has seen
//       another future (the journal was restored from a copy) is built again.
//   U2. What can be mended is mended: the caller gets an index that is at the journal's end, or an error that says
//       why this machine cannot write one.

import { setImmediate as breathe } from 'node:timers/promises'
import type { Event } from '../../core/state-machine/event.ts'
import { IndexRebuildNeededError, type RebuildReason, type RunIndex } from '../../ports/run-index.ts'
import { canonicalText, indexedEvent } from '../../ports/run-rows.ts'
import { identify } from './exclusive-file.ts'
import { awaitTurn, type RebuildResult, rebuildInTurn } from './rebuild.ts'
import { type OpenOptions, openRunIndex, type SqliteRunIndex } from './run-index.ts'

/** Reads the journal's durable events with `seq` > `afterSeq`, in order, from the oldest that is kept. */
export type ReadEvents = (range: { afterSeq: number }) => Iterable<Event> | AsyncIterable<Event>

/** Events in one transaction: another process that catches up waits no longer than this takes. */
const BATCH = 1_000

/**
 * Applies what the journal has after the index's checkpoint.
 * @returns how many events were read and handed on
 * @throws IndexRebuildNeededError `diverged`, `gap`, `other_journal`, `damaged`
 */
export async function catchUp(index: RunIndex, journalId: string, readEvents: ReadEvents): Promise<number> {
  const lastSeq = index.checkpoint()?.seq ?? 0
  const known = lastSeq === 0 ? undefined : index.events({ afterSeq: lastSeq - 1, limit: 1 })[0]
  let isFirst = true
  let count = 0
  let batch: Event[] = []
  for await (const event of readEvents({ afterSeq: Math.max(0, lastSeq - 1) })) {
    if (isFirst && known !== undefined) {
      isFirst = false
      if (event.seq === lastSeq) {
        requireSame(known, event)
        continue
      }
    }
    isFirst = false
    batch.push(event)
    if (batch.length < BATCH) continue
    index.apply(journalId, batch)
    count += batch.length
    batch = []
    await breathe()
  }
  if (isFirst && known !== undefined) {
    throw new IndexRebuildNeededError(
      'diverged',
      `it ends at line ${lastSeq}, which the journal does not have`,
    )
  }
  index.apply(journalId, batch)
  return count + batch.length
}

function requireSame(known: Event, event: Event): void {
  // Another process may have moved the checkpoint on since it was read: then `known` is a later line.
  if (known.seq !== event.seq) return
  if (canonicalText(known) === canonicalText(indexedEvent(event))) return
  throw new IndexRebuildNeededError('diverged', `line ${event.seq} of the journal is another one`)
}

export interface EnsureOptions extends OpenOptions {
  readonly readEvents: ReadEvents
  /** `identity` of a file that was found damaged in use: it is built again even if it looks sound. */
  readonly distrust?: string | undefined
  /** Called before an index is built again. */
  readonly onRebuild?: (reason: RebuildReason, detail: string) => void
}

export interface Ensured {
  readonly index: SqliteRunIndex
  /** Events that were added to an index that was already there. */
  readonly caughtUp: number
  /** Set when it had to be built (again). */
  readonly rebuilt?: RebuildResult & { readonly reason: RebuildReason }
}

/**
 * Opens the index, builds it again if need be, and brings it to the end of the journal. Safe to call from any number
 * of processes at once: one builds, the others wait and use what it built.
 * @throws DagbokError INDEX_UNAVAILABLE when this user or this disk cannot hold an index
 * @throws IndexRebuildNeededError when even a new one does not fit: the events given have a hole, or the disk lies
 */
export async function ensureRunIndex(options: EnsureOptions): Promise<Ensured> {
  const { file, journalId, readEvents, onRebuild } = options
  const identity = identify(file)
  const first = await openAndCatchUp(options)
  if (first.index !== undefined) return first
  const turn = await awaitTurn(file)
  let rebuilt: Ensured['rebuilt']
  try {
    // Someone else may have built it while this one waited for its turn.
    const isNew = identify(file) !== identity
    const second = isNew ? await openAndCatchUp(options) : first
    if (second.index !== undefined) return second
    onRebuild?.(second.needsRebuild, second.detail)
    const result = await rebuildInTurn({ file, journalId, events: readEvents({ afterSeq: 0 }) })
    rebuilt = { ...result, reason: second.needsRebuild }
  } finally {
    turn.release()
  }
  const last = await openAndCatchUp({ ...options, verify: false, distrust: undefined })
  if (last.index === undefined) throw new IndexRebuildNeededError(last.needsRebuild, last.detail)
  return { ...last, rebuilt }
}

type Attempt =
  | { readonly index: SqliteRunIndex; readonly caughtUp: number }
  | { readonly index?: undefined; readonly needsRebuild: RebuildReason; readonly detail: string }

async function openAndCatchUp(options: EnsureOptions): Promise<Attempt> {
  if (options.distrust !== undefined && identify(options.file) === options.distrust) {
    return { needsRebuild: 'damaged', detail: `${options.file} was found damaged` }
  }
  const opened = openRunIndex(options)
  if (opened.index === undefined) return opened
  try {
    return {
      index: opened.index,
      caughtUp: await catchUp(opened.index, options.journalId, options.readEvents),
    }
  } catch (error) {
    opened.index.close()
    if (!(error instanceof IndexRebuildNeededError)) throw error
    return { needsRebuild: error.reason, detail: error.message }
  }
}
