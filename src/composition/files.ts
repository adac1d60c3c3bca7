// Where things lie, as the settings say, opened: definitions, the run index, old segments of the journal.

import { join } from 'node:path'
import { createFileWatch } from '../adapters/chokidar/file-watcher.ts'
import {
  type ClosableSource,
  createDefinitionSource,
  type DefinitionFolders,
} from '../adapters/filesystem/definition-source.ts'
import { readEvents } from '../adapters/jsonl/reader.ts'
import {
  collectBlobNames,
  deleteBlobs,
  deleteSegments,
  planRetention,
  surveySegments,
} from '../adapters/jsonl/retention.ts'
import { systemClock } from '../adapters/system/clock.ts'
import type { Settings } from '../config.ts'

/** Words for people that are not in the journal. */
export type Note = (level: 'info' | 'warn' | 'error', message: string) => void

export function openSource(settings: Settings, note: Note): ClosableSource {
  return createDefinitionSource(
    foldersOf(settings),
    createFileWatch({ failed: error => note('warn', `watching the definitions: ${error.message}`) }),
  )
}

export function foldersOf(settings: Settings): DefinitionFolders {
  const { root, scheduleDirs, dagsDir, calendarsDir, poolsFile, workflowsDir, varsDir, environment } =
    settings
  const { notificationsFile } = settings
  return {
    root,
    scheduleDirs,
    scheduleDirsAreNamed: settings.scheduleDirsGiven,
    dagsDir,
    calendarsDir,
    poolsFile,
    notificationsFile,
    workflowsDir,
    varsDir,
    environment,
  }
}

/** Deletes sealed segments that the settings keep no longer, and the blobs that nothing names any more. */
export async function retain({ statePath, keepDays, keepSegments }: Settings): Promise<void> {
  const now = systemClock.now()
  const { sealed, activeOpensWithCheckpoint } = await surveySegments(statePath)
  const policy = {
    ...(keepDays > 0 ? { keepDays } : {}),
    ...(keepSegments > 0 ? { keepCount: keepSegments } : {}),
  }
  const old = planRetention(sealed, activeOpensWithCheckpoint, policy, now)
  if (old.length === 0) return
  await deleteSegments(statePath, old)
  const named = new Set<string>()
  for await (const event of readEvents(statePath, { afterSeq: 0 })) collectBlobNames(event, named)
  await deleteBlobs(statePath, sha256 => named.has(sha256), now)
}

export function indexFile(settings: Settings): string {
  return join(settings.stateDir, 'index.sqlite')
}
