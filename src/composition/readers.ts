// What can be done without the lock: reading, beside whoever holds the state.

import { resolveFolders } from '../adapters/filesystem/definition-source.ts'
import { createLogStore } from '../adapters/filesystem/log-store.ts'
import { findSchedulePlaces } from '../adapters/filesystem/schedule-places.ts'
import { readIdentity as readJournalId } from '../adapters/jsonl/genesis.ts'
import { layoutOf } from '../adapters/jsonl/layout.ts'
import { nodeDisk } from '../adapters/jsonl/node-disk.ts'
import { followEvents, readEvents } from '../adapters/jsonl/reader.ts'
import { verifyJournal as verify } from '../adapters/jsonl/verify.ts'
import { ensureRunIndex } from '../adapters/sqlite/catch-up.ts'
import { readHolder as readLockHolder } from '../adapters/sqlite/lock.ts'
import { rebuildRunIndex } from '../adapters/sqlite/rebuild.ts'
import type { Settings } from '../config.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import type { DefinitionSource, LoadResult } from '../ports/definition-source.ts'
import { foldersOf, indexFile, openSource } from './files.ts'

export function loadDefinitions(settings: Settings): Promise<LoadResult> {
  return openSource(settings, () => {}).load()
}

/** Where each schedule stands in the files. */
export function locateSchedules(settings: Settings) {
  return findSchedulePlaces(resolveFolders(foldersOf(settings)))
}

export function loadDagFile(settings: Settings, file: string): ReturnType<DefinitionSource['loadDag']> {
  return openSource(settings, () => {}).loadDag(file)
}

/** Brings the run index to the journal's end and reads beside whoever holds the state. */
export async function openReader(settings: Settings) {
  const path = settings.statePath
  const journalId = await requireJournal(settings)
  const { index } = await ensureRunIndex({
    file: indexFile(settings),
    journalId,
    readEvents: ({ afterSeq }) => readEvents(path, { afterSeq }),
  })
  return {
    index,
    logs: createLogStore({ root: settings.stateDir }),
    events: (afterSeq = 0) => readEvents(path, { afterSeq }),
    follow: (afterSeq: number, signal: AbortSignal) => followEvents(path, { afterSeq, signal }),
    close: () => index.close(),
  }
}

export function readHolder(settings: Settings) {
  return readLockHolder(settings.stateDir)
}

export async function verifyJournal(settings: Settings) {
  await requireJournal(settings)
  return verify(settings.statePath)
}

export async function rebuildIndex(settings: Settings) {
  const journalId = await requireJournal(settings)
  const events = readEvents(settings.statePath, { afterSeq: 0 })
  const { events: count, ms } = await rebuildRunIndex({ file: indexFile(settings), journalId, events })
  return { events: count, durationMs: Math.round(ms) }
}

async function requireJournal(settings: Settings): Promise<string> {
  const journalId = await readJournalId(nodeDisk, layoutOf(settings.statePath))
  if (journalId !== undefined) return journalId
  throw new DagbokError('JOURNAL_MISSING', `there is no journal at ${settings.statePath} yet`, {
    hint: 'scheduler --once writes the first one; STATE_STORE_PATH says where',
    exitCode: EXIT.notFound,
  })
}
